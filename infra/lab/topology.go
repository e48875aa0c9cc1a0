//go:build linux

package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
)

// The lab's networks. Machines and the balancer are in the blocks of their own subnets; S3 and the clients are outside
// of the VPC, in blocks that are reserved for documentation.
const (
	router   space = "router"   // the VPC's router and the metadata service
	balance  space = "balancer" // the load balancer
	storage  space = "storage"  // S3
	internet space = "internet" // the clients, and what machines with a way out would reach

	storeAddress    = "192.0.2.10"
	storeBlock      = "192.0.2.0/24"
	clientAddress   = "198.51.100.10"
	strangerAddress = "203.0.113.10" // nobody lets it in
)

// buildNetworks makes the networks that every lab has. All are ports of one bridge, in the router's namespace. The bridge
// has an address of its own: by itself it takes the lowest of its ports', so whenever a machine came or went, all others
// might have sent to a router that was not there any more, for as long as they remembered it.
func buildNetworks(ctx context.Context) error {
	return sh(ctx, `
for n in %[1]s %[2]s %[3]s %[4]s; do ip netns add $n; ip -n $n link set lo up; done
ip -n %[1]s link add lab address 02:00:00:00:00:01 type bridge
ip -n %[1]s link set lab up
for a in 192.0.2.1/24 198.51.100.1/24 203.0.113.1/24 %[5]s/32; do ip -n %[1]s addr add $a dev lab; done
ip netns exec %[1]s sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
for n in %[2]s %[3]s %[4]s; do
  ip link add port-$n netns %[1]s type veth peer name eth0 netns $n
  ip -n %[1]s link set port-$n master lab up
  ip -n $n link set eth0 up
done
ip -n %[3]s addr add %[6]s/24 dev eth0
ip -n %[3]s route add default via 192.0.2.1
ip -n %[4]s addr add %[7]s/24 dev eth0
ip -n %[4]s addr add %[8]s/24 dev eth0
ip -n %[4]s route add default via 198.51.100.1
`, router, balance, storage, internet, metadataAddress, storeAddress, clientAddress, strangerAddress)
}

// gateway is a subnet's router: its first address, as in a VPC.
func gateway(block netip.Prefix) netip.Addr { return block.Masked().Addr().Next() }

// addSubnet gives the router its address in a subnet, once.
func addSubnet(ctx context.Context, block netip.Prefix) error {
	return sh(ctx, `ip -n %s addr replace %s/%d dev lab`, router, gateway(block), block.Bits())
}

// placeBalancer gives the balancer an address in each of its subnets, and its security group's rules. It returns the
// addresses.
func placeBalancer(ctx context.Context, t targets, rules string) ([]netip.Addr, error) {
	var addresses []netip.Addr
	for n, s := range t.Subnets {
		address := s.Block.Masked().Addr()
		for range 200 { // far from the machines
			address = address.Next()
		}
		if err := addSubnet(ctx, s.Block); err != nil {
			return nil, err
		}
		if err := sh(ctx, `ip -n %s addr add %s/%d dev eth0`, balance, address, s.Block.Bits()); err != nil {
			return nil, err
		}
		if n == 0 {
			if err := sh(ctx, `ip -n %s route add default via %s`, balance, gateway(s.Block)); err != nil {
				return nil, err
			}
		}
		addresses = append(addresses, address)
	}
	return addresses, filter(ctx, balance, rules)
}

// filter loads rules of nftables in a namespace.
func filter(ctx context.Context, s space, rules string) error {
	cmd := exec.CommandContext(ctx, "ip", "netns", "exec", string(s), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("firewall of %s: %w\n%s\n%s", s, err, out, rules)
	}
	return nil
}

// firewall writes security group rules as nftables takes them. groups tells the addresses of a security group's members. A
// prefix list is S3's, since no other is used. What belongs to an allowed connection passes; metadata is never filtered.
func firewall(in, out []rule, groups func(id string) []netip.Addr) string {
	var text strings.Builder
	chain := func(hook, side string, rules []rule) {
		fmt.Fprintf(&text, "  chain %s {\n    type filter hook %s priority 0; policy drop;\n", hook, hook)
		text.WriteString("    ct state established,related accept\n")
		fmt.Fprintf(&text, "    %s lo accept\n", map[string]string{"input": "iif", "output": "oif"}[hook])
		if hook == "output" {
			fmt.Fprintf(&text, "    ip daddr %s tcp dport 80 accept\n", metadataAddress)
		}
		for _, r := range rules {
			var who []string
			for _, b := range r.Blocks {
				who = append(who, b.String())
			}
			for _, g := range r.Groups {
				for _, a := range groups(g) {
					who = append(who, a.String())
				}
			}
			if r.Lists != nil {
				who = append(who, storeBlock)
			}
			for _, w := range who {
				fmt.Fprintf(&text, "    ip %s %s tcp dport %d-%d accept\n", side, w, r.From, r.To)
			}
		}
		text.WriteString("  }\n")
	}
	text.WriteString("table inet lab {\n")
	chain("input", "saddr", in)
	chain("output", "daddr", out)
	text.WriteString("}\n")
	return text.String()
}
