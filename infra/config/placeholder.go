package config

import (
	"fmt"
	"net/netip"

	"cloudstorage/infra/naming"
)

// Placeholder is a shipped value that synthesizes and runs on the emulator, but is refused on a real account.
type Placeholder struct{ Path, Value string }

// String names the setting and its value.
func (p Placeholder) String() string { return fmt.Sprintf("%s (%s)", p.Path, p.Value) }

// PlaceholderBlock stands for "your own addresses"; it is reserved for documentation (RFC 5737), so nobody has it.
var PlaceholderBlock = netip.MustParsePrefix("203.0.113.0/24")

// Placeholders are the shipped values that are not yours yet; `make init` replaces them.
func (e *Environment) Placeholders() []Placeholder {
	var found []Placeholder
	bucket := func(path, name string) {
		if naming.PlaceholderBucket(name) {
			found = append(found, Placeholder{path, name})
		}
	}
	blocks := func(path string, allowed []netip.Prefix) {
		for _, block := range allowed {
			if block == PlaceholderBlock {
				found = append(found, Placeholder{path, block.String()})
			}
		}
	}
	bucket("storage.bucket", e.Storage.Bucket)
	bucket("storage.releases_bucket", e.Storage.ReleasesBucket)
	blocks("api.allow", e.API.Allow)
	if e.SSH != nil {
		blocks("ssh.allow", e.SSH.Allow)
	}
	return found
}
