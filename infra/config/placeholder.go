package config

import (
	"fmt"
	"net/netip"
	"strings"

	"cloudstorage/infra/naming"
)

// Placeholder is a shipped value that synthesizes and runs on the emulator, but is refused on a real account.
type Placeholder struct{ Path, Value string }

// String names the setting and its value.
func (p Placeholder) String() string { return fmt.Sprintf("%s (%s)", p.Path, p.Value) }

// PlaceholderBlock stands for "your own addresses"; it is reserved for documentation (RFC 5737), so nobody has it.
var PlaceholderBlock = netip.MustParsePrefix("203.0.113.0/24")

// PlaceholderEmail stands in the shipped files until `make init` replaces it.
const PlaceholderEmail = "you@example.com"

// ReservedDomain is reserved for documentation (RFC 2606), so nobody has it.
const ReservedDomain = "example.com"

// placeholderAccount is the account of AWS's documentation, in a certificate's ARN.
const placeholderAccount = ":123456789012:"

// PlaceholderDomain reports whether a DNS name is nobody's.
func PlaceholderDomain(name string) bool {
	return name == ReservedDomain || strings.HasSuffix(name, "."+ReservedDomain)
}

// Placeholders are the shipped values that are not yours yet; `make init` replaces them.
func (e *Environment) Placeholders() []Placeholder {
	var found []Placeholder
	add := func(path, value string, placeholder bool) {
		if placeholder {
			found = append(found, Placeholder{path, value})
		}
	}
	bucket := func(path, name string) { add(path, name, naming.PlaceholderBucket(name)) }
	blocks := func(path string, allowed []netip.Prefix) {
		for _, block := range allowed {
			add(path, block.String(), block == PlaceholderBlock)
		}
	}
	if e.Backend != nil {
		bucket("backend.bucket", e.Backend.Bucket)
	}
	bucket("storage.bucket", e.Storage.Bucket)
	bucket("storage.releases_bucket", e.Storage.ReleasesBucket)
	bucket("storage.state_bucket", e.Storage.StateBucket)
	bucket("storage.logs_bucket", e.Storage.LogsBucket)
	add("traffic.certificate_arn", e.Traffic.CertificateARN, strings.Contains(e.Traffic.CertificateARN, placeholderAccount))
	add("traffic.domain", e.Traffic.Domain, PlaceholderDomain(e.Traffic.Domain))
	add("traffic.hosted_zone", e.Traffic.HostedZone, PlaceholderDomain(e.Traffic.HostedZone))
	blocks("api.allow", e.API.Allow)
	if e.SSH != nil {
		blocks("ssh.allow", e.SSH.Allow)
	}
	if e.Observe != nil {
		add("observe.email", e.Observe.Email, e.Observe.Email == PlaceholderEmail)
	}
	return found
}
