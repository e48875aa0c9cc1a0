package stack

import "cloudstorage/infra/config"

// Target is what a synthesized stack will be applied to.
type Target struct {
	// Emulator is an AWS on this machine, known by its loopback endpoint. It changes exactly this: the provider's
	// settings (test keys, path-style S3, no retries of what the emulator lacks), what bucket policies deny and lifecycle
	// rules are left out, and so are budget notifications.
	Emulator bool
}

// TargetOf tells from AWS_ENDPOINT_URL what is applied to: an emulator when it is a loopback address, else AWS.
func TargetOf(endpoint string) Target { return Target{Emulator: config.OnThisMachine(endpoint)} }

// EmulatorAccount is the account of the emulator: the number that AWS's documentation uses, which nobody has.
const EmulatorAccount = "123456789012"
