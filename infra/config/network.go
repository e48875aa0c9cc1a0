package config

import (
	"fmt"
	"strings"
)

func (e *Environment) validateNetwork() {
	n := e.Network
	switch {
	case e.Compute.Kind == Instance && n != nil:
		e.doc.at("network", "an instance runs in the default VPC: remove it, or set compute.kind to fleet")
		return
	case e.Compute.Kind == Fleet && n == nil:
		e.doc.at("network", "missing: a fleet needs its own VPC, with a subnet in two zones")
		return
	case n == nil:
		return
	}
	e.doc.ipv4("network.cidr", n.CIDR)
	all := e.validateSubnets("network.subnets", n.Subnets, nil)
	public := map[string]bool{}
	for _, s := range n.Subnets {
		public[s.Zone] = true
	}
	if len(public) < 2 {
		e.doc.at("network.subnets", "%d zone: a load balancer needs subnets in two or more", len(public))
	}
	e.validateSubnets("network.private_subnets", n.PrivateSubnets, all)
	private := map[string]bool{}
	for i, s := range n.PrivateSubnets {
		private[s.Zone] = true
		if !public[s.Zone] {
			e.doc.at(subnetPath("network.private_subnets", i)+".zone", "%q has no public subnet, which the load balancer and a NAT gateway need there: add one to network.subnets", s.Zone)
		}
	}
	switch {
	case len(private) == 1:
		e.doc.at("network.private_subnets", "1 zone: a fleet that outlives a zone needs two or more")
	case len(private) == 0 && e.doc.given("network.private_subnets"):
		e.doc.at("network.private_subnets", "none listed: list one in each zone, or remove the key")
	}
	e.validateEgress()
}

// placed is a subnet with where it stands in the file.
type placed struct {
	path string
	Subnet
}

// validateSubnets checks the subnets at key against the VPC, each other and those placed before, and returns all.
func (e *Environment) validateSubnets(key string, subnets []Subnet, before []placed) []placed {
	zones := map[string]string{}
	for i, s := range subnets {
		path := subnetPath(key, i)
		if !strings.HasPrefix(s.Zone, e.Region) || len(s.Zone) != len(e.Region)+1 {
			e.doc.at(path+".zone", "%q is not a zone of %s: write one such as %sa", s.Zone, e.Region, e.Region)
		}
		if first, taken := zones[s.Zone]; taken {
			e.doc.at(path+".zone", "%q is %s's already: a load balancer takes one subnet a zone", s.Zone, first)
		}
		zones[s.Zone] = path
		if e.doc.ipv4(path+".cidr", s.CIDR) {
			vpc := e.Network.CIDR
			if vpc.IsValid() && (!vpc.Contains(s.CIDR.Addr()) || s.CIDR.Bits() < vpc.Bits()) {
				e.doc.at(path+".cidr", "%s is outside the VPC's %s: choose a block inside it", s.CIDR, vpc)
			}
			for _, other := range before {
				if other.CIDR.IsValid() && other.CIDR.Overlaps(s.CIDR) {
					e.doc.at(path+".cidr", "%s overlaps %s of %s: choose another block", s.CIDR, other.CIDR, other.path)
				}
			}
		}
		before = append(before, placed{path, s})
	}
	return before
}

func subnetPath(key string, i int) string { return fmt.Sprintf("%s[%d]", key, i) }
