// Package emulator runs the whole system on this machine: an emulated AWS (moto), the real Terraform with the
// real AWS provider, and the server with the very settings that its launch template carries.
package emulator
