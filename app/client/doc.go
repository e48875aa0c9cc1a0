// Package client is the Go client of the storage API. It asks the API for
// signed URLs and moves the bytes itself, straight between the caller and S3,
// as a stream: memory stays flat at any size.
//
// The calls are those of /v1, but for the five of the exercise: Ping, List,
// Delete, Download and Upload, with SignDownload and SignUpload. Where a server
// is older than /v1, Files, Remove, RemoveMany, Get and Put use the exercise's
// routes; what has no such way out fails with ErrOlderServer.
//
// Calls that change nothing when repeated are repeated, with growing pauses,
// when the connection or the server fails (see Client). Errors are *Error; they
// carry an object.Code for object.CodeOf, the API's Problem where it sent one, and
// never a signature.
package client
