// Package v1 serves the API that programs, browsers and people at a command line
// use: files, their versions, uploads, batches and links below /v1.
//
// Each route is one operation, in one table: the dispatcher routes by it,
// refuses what it does not name, and the OpenAPI document is written from it.
package v1
