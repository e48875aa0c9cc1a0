package config

import (
	"os"
	"strings"
	"testing"

	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
)

// FuzzParse holds that no text makes the loader panic, and that it either returns an environment whose numbers are in
// bounds or an error in which every line starts with the file's name.
func FuzzParse(f *testing.F) {
	for _, shipped := range []string{"production", "single"} {
		source, err := os.ReadFile(environments + "/" + shipped + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(source)
	}
	f.Add([]byte(valid))
	f.Add([]byte(private))
	f.Add([]byte(""))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("network: {subnets: [{zone: 1}, [], null]}"))
	f.Add([]byte("<<: {region: x}\n---\n- 1"))
	f.Add([]byte("compute: {sleep: {from: '*/5 0-23 1,2 JAN SUN-SAT', until: ',', time_zone: ../../etc}, scaling: {}}"))
	f.Add([]byte("api: {allow: [::/0, 1.2.3.4/33], url_ttl: 9999999h}"))
	f.Fuzz(func(t *testing.T, source []byte) {
		e, err := Parse("f", "f.yaml", source)
		if err == nil {
			if e.Compute.Min > e.Compute.Max || e.Compute.Initial < e.Compute.Min || e.Compute.Initial > e.Compute.Max ||
				e.API.MaxURLTTL < e.API.URLTTL || e.API.MaxURLTTL > settings.MaxURLTTL ||
				e.Network != nil && e.Network.Private() == (e.Network.Egress == EgressInternet) ||
				e.Network.Private() && e.Release.Delivery == Source && e.Network.Egress != EgressNAT ||
				e.API.Access != apisettings.Open && e.API.Access != apisettings.Restricted ||
				e.API.Access != apisettings.Restricted && (len(e.API.Keys) > 0 || e.API.OIDC != nil) ||
				e.Release.Delivery == Binary && (e.API.MaxBody < 1 || e.API.MaxLinkTTL < 1 || e.API.RateLimit == 0) ||
				e.KeepsState() != (e.Storage.StateBucket != "") ||
				e.API.URLTTL <= 0 || e.API.URLTTL > settings.MaxURLTTL || e.Project().String() == "" {
				t.Fatalf("accepted %+v", e)
			}
			return
		}
		if !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Fatalf("an error without its file: %q", err)
		}
	})
}
