package problem

// Way is what to do about a problem of the kind.
func (k Kind) Way() string { return ways[k] }

var ways = map[Kind]string{
	InvalidRequest:       "Change what the detail names. Sending the same request again gives the same answer.",
	Unauthenticated:      "Send a key or a token of the issuer: 'Authorization: Bearer …'. A key that was revoked or has expired needs a new one.",
	Forbidden:            "Ask whoever runs the API for a key with the verb and the prefix that the detail names.",
	NoSuchRoute:          "See /docs for those that it has.",
	NotFound:             "List what is there. A deleted file's versions are at /v1/versions/<key>.",
	MethodNotAllowed:     "Use one of the answer's Allow field.",
	TooSlow:              "Send it faster, or sign the upload (?sign=1) and send it to the storage itself, in parts where the line is bad.",
	Conflict:             "Read what is there now and try again.",
	UploadIncomplete:     "GET /v1/uploads/<id> lists those that have. Send the others and complete again.",
	LinkEnded:            "Ask whoever gave it to you for a new one.",
	LengthRequired:       "Send Content-Length: S3 wants to know it before the first byte.",
	PreconditionFailed:   "Read what is there now and decide again.",
	BodyTooLarge:         "Sign the upload (?sign=1) or upload in parts (/v1/uploads): the bytes then go to the storage itself.",
	UnsupportedMediaType: "Send what the detail names. JSON has 'Content-Type: application/json'.",
	RangeNotSatisfiable:  "Content-Range of the answer has the file's size.",
	RateLimited:          "Wait as long as Retry-After says. Batches do the work of a thousand requests in one.",
	Internal:             "Tell whoever runs the API the request_id: the log has the reason under it.",
	StorageRefused:       "Tell whoever runs the API the request_id: its role lacks a right, or the bucket is set up otherwise.",
	Unavailable:          "Wait as long as Retry-After says and try again.",
}
