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
	Way    string // what to do about it
}

// Type is the kind's URI, relative to the server.
func (k Kind) Type() string { return Path + k.Name }

// The kinds.
var (
	InvalidRequest = Kind{"invalid-request", http.StatusBadRequest, "The request asks for something that can never work.",
		"Change what the detail names. Sending the same request again gives the same answer."}
	Unauthenticated = Kind{"unauthenticated", http.StatusUnauthorized, "The request does not say who sends it, or says it wrongly.",
		"Send a key or a token of the issuer: 'Authorization: Bearer …'. A key that was revoked or has expired needs a new one."}
	Forbidden = Kind{"forbidden", http.StatusForbidden, "The caller is known and may not do this.",
		"Ask whoever runs the API for a key with the verb and the prefix that the detail names."}
	NoSuchRoute = Kind{"no-such-route", http.StatusNotFound, "This server has no such route.",
		"See /docs for those that it has."}
	NotFound = Kind{"not-found", http.StatusNotFound, "What was asked for is not there.",
		"List what is there. A deleted file's versions are at /v1/versions/<key>."}
	MethodNotAllowed = Kind{"method-not-allowed", http.StatusMethodNotAllowed, "The route does not take this method.",
		"Use one of the answer's Allow field."}
	TooSlow = Kind{"too-slow", http.StatusRequestTimeout, "The body arrived too slowly.",
		"Send it faster, or sign the upload (?sign=1) and send it to the storage itself, in parts where the line is bad."}
	Conflict = Kind{"conflict", http.StatusConflict, "Somebody else wrote at the same time.",
		"Read what is there now and try again."}
	UploadIncomplete = Kind{"upload-incomplete", http.StatusConflict, "Not all parts of the upload have arrived.",
		"GET /v1/uploads/<id> lists those that have. Send the others and complete again."}
	LinkEnded = Kind{"link-ended", http.StatusGone, "The share link has ended.",
		"Ask whoever gave it to you for a new one."}
	LengthRequired = Kind{"length-required", http.StatusLengthRequired, "The request does not say how long its body is.",
		"Send Content-Length: S3 wants to know it before the first byte."}
	PreconditionFailed = Kind{"precondition-failed", http.StatusPreconditionFailed, "The file is not as the request's condition says.",
		"Read what is there now and decide again."}
	BodyTooLarge = Kind{"body-too-large", http.StatusRequestEntityTooLarge, "The body is larger than this route takes.",
		"Sign the upload (?sign=1) or upload in parts (/v1/uploads): the bytes then go to the storage itself."}
	UnsupportedMediaType = Kind{"unsupported-media-type", http.StatusUnsupportedMediaType, "The body is of a type that this route does not take.",
		"Send what the detail names. JSON has 'Content-Type: application/json'."}
	RangeNotSatisfiable = Kind{"range-not-satisfiable", http.StatusRequestedRangeNotSatisfiable, "The range lies behind the end of the file.",
		"Content-Range of the answer has the file's size."}
	RateLimited = Kind{"rate-limited", http.StatusTooManyRequests, "The caller asks too often.",
		"Wait as long as Retry-After says. Batches do the work of a thousand requests in one."}
	Internal = Kind{"internal", http.StatusInternalServerError, "The server failed.",
		"Tell whoever runs the API the request_id: the log has the reason under it."}
	StorageRefused = Kind{"storage-refused", http.StatusBadGateway, "The storage refused the API's request.",
		"Tell whoever runs the API the request_id: its role lacks a right, or the bucket is set up otherwise."}
	Unavailable = Kind{"unavailable", http.StatusServiceUnavailable, "The server cannot do this now.",
		"Wait as long as Retry-After says and try again."}
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
