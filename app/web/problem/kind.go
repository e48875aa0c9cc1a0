package problem

import (
	"net/http"
	"slices"
)

// Path is where the kinds are explained: a problem's type is a path below it,
// which every server answers.
const Path = "/v1/problems/"

// Kind is what stays the same whenever a problem occurs. Its name is part of
// its type, so it never changes.
type Kind struct {
	Name   string
	Status int
	Title  string // one sentence without the occasion
}

// Type is the kind's URI, relative to the server.
func (k Kind) Type() string { return Path + k.Name }

// The kinds.
var (
	InvalidRequest       = Kind{"invalid-request", http.StatusBadRequest, "The request asks for something that can never work."}
	Unauthenticated      = Kind{"unauthenticated", http.StatusUnauthorized, "The request does not say who sends it, or says it wrongly."}
	Forbidden            = Kind{"forbidden", http.StatusForbidden, "The caller is known and may not do this."}
	NoSuchRoute          = Kind{"no-such-route", http.StatusNotFound, "This server has no such route."}
	NotFound             = Kind{"not-found", http.StatusNotFound, "What was asked for is not there."}
	MethodNotAllowed     = Kind{"method-not-allowed", http.StatusMethodNotAllowed, "The route does not take this method."}
	TooSlow              = Kind{"too-slow", http.StatusRequestTimeout, "The body arrived too slowly."}
	Conflict             = Kind{"conflict", http.StatusConflict, "Somebody else wrote at the same time."}
	UploadIncomplete     = Kind{"upload-incomplete", http.StatusConflict, "Not all parts of the upload have arrived."}
	LinkEnded            = Kind{"link-ended", http.StatusGone, "The share link has ended."}
	LengthRequired       = Kind{"length-required", http.StatusLengthRequired, "The request does not say how long its body is."}
	PreconditionFailed   = Kind{"precondition-failed", http.StatusPreconditionFailed, "The file is not as the request's condition says."}
	BodyTooLarge         = Kind{"body-too-large", http.StatusRequestEntityTooLarge, "The body is larger than this route takes."}
	UnsupportedMediaType = Kind{"unsupported-media-type", http.StatusUnsupportedMediaType, "The body is of a type that this route does not take."}
	RangeNotSatisfiable  = Kind{"range-not-satisfiable", http.StatusRequestedRangeNotSatisfiable, "The range lies behind the end of the file."}
	RateLimited          = Kind{"rate-limited", http.StatusTooManyRequests, "The caller asks too often."}
	Internal             = Kind{"internal", http.StatusInternalServerError, "The server failed."}
	StorageRefused       = Kind{"storage-refused", http.StatusBadGateway, "The storage refused the API's request."}
	Unavailable          = Kind{"unavailable", http.StatusServiceUnavailable, "The server cannot do this now."}
)

// Kinds returns all kinds, in the order of their statuses.
func Kinds() []Kind {
	return []Kind{
		InvalidRequest, Unauthenticated, Forbidden, NoSuchRoute, NotFound, MethodNotAllowed, TooSlow, Conflict, UploadIncomplete, LinkEnded, LengthRequired,
		PreconditionFailed, BodyTooLarge, UnsupportedMediaType, RangeNotSatisfiable, RateLimited, Internal, StorageRefused, Unavailable,
	}
}

// Find returns the kind of that name.
func Find(name string) (Kind, bool) {
	i := slices.IndexFunc(Kinds(), func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return Kinds()[i], true
}
