// Package object is the domain: what a stored file is called, what a store can
// do, and how it fails. It does no I/O and imports only the standard library.
package object
