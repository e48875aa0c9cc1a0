//go:build linux

// Package lab boots what the project synthesizes: the machines of an emulated fleet run for real, from the user-data of
// their launch template, behind a real load balancer, under load, while things break. It shows what no emulator can:
// that they serve, and that a deploy or a machine's death is survived.
//
// Everything runs in process, mount and network namespaces of the lab's own, so that the kernel removes all of it
// however the lab ends.
package lab
