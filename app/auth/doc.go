// Package auth decides who may do what under which prefix. It does no I/O: who
// reads keys from somewhere hands them in, and so does who asks an issuer.
package auth
