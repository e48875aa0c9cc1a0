// Package client is the Go client of the storage API. It asks the API for
// signed URLs and moves the bytes itself, straight between the caller and S3,
// as a stream: memory stays flat at any size.
//
// Calls that change nothing when repeated are repeated, with growing pauses,
// when the connection or the server fails (see Client). Errors are *Error; they
// carry an object.Code for object.CodeOf, and never a signature.
package client
