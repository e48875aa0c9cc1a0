//go:build linux

package lab

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAFirewallLetsInWhomTheSecurityGroupNames(t *testing.T) {
	t.Parallel()
	in := []rule{
		{From: 5000, To: 5000, Groups: []string{"sg-balancer", "sg-nobody"}},
		{From: 22, To: 22, Blocks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}},
	}
	out := []rule{{From: 443, To: 443, Lists: []string{"pl-s3"}}}
	got := firewall(in, out, func(id string) []netip.Addr {
		return map[string][]netip.Addr{"sg-balancer": {netip.MustParseAddr("10.0.0.200"), netip.MustParseAddr("10.0.1.200")}}[id]
	})
	const want = `table inet lab {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif lo accept
    ip saddr 10.0.0.200 tcp dport 5000-5000 accept
    ip saddr 10.0.1.200 tcp dport 5000-5000 accept
    ip saddr 198.51.100.0/24 tcp dport 22-22 accept
  }
  chain output {
    type filter hook output priority 0; policy drop;
    ct state established,related accept
    oif lo accept
    ip daddr 169.254.169.254 tcp dport 80 accept
    ip daddr 192.0.2.0/24 tcp dport 443-443 accept
  }
}
`
	if got != want {
		t.Errorf("got %s", got)
	}
}

func TestTheBalancerNeverSendsARequestTwice(t *testing.T) {
	t.Parallel()
	got := configuration(targets{Listen: 5000}, "/run/x")
	if !strings.Contains(got, "retries 0\n") || strings.Contains(got, "redispatch") || !strings.Contains(got, "bind *:5000\n") {
		t.Errorf("got %s", got)
	}
}
