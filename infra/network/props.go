package network

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"regexp"

	"cloudstorage/infra/naming"
)

// Egress is the way out of the subnets that machines are in. S3 is reached by a gateway endpoint with every one.
type Egress string

// The ways out.
const (
	Internet  Egress = "internet"  // everywhere; machines have public addresses, so there are no private subnets
	Endpoints Egress = "endpoints" // the AWS services that are named, by interface endpoints
	None      Egress = "none"      // nowhere else
	NAT       Egress = "nat"       // everywhere, through a NAT gateway in each zone
)

// Props are what a network needs.
type Props struct {
	// Project names and tags every resource. Required.
	Project naming.Project
	// Region is the AWS region of the zones, such as eu-west-1. Required.
	Region string
	// CIDR is the VPC's IPv4 block, /16 to /28. Required.
	CIDR netip.Prefix
	// Subnets are public, one a zone: they have the route to the internet gateway, and machines in them get a public
	// address. Required: at least one.
	Subnets []Subnet
	// PrivateSubnets hold the machines, one a zone, in zones of Subnets; nothing in them has a public address.
	// Default: none, the machines are in Subnets.
	PrivateSubnets []Subnet
	// Egress is the machines' way out: Internet without private subnets, Endpoints, None or NAT with them.
	// Default: Internet without, None with.
	Egress Egress
	// Endpoints are AWS services, such as ssmmessages, in AWS's spelling behind com.amazonaws.<region>. Required with
	// the egress Endpoints, refused with every other.
	Endpoints []string
	// Buckets are what machines may use in S3 besides Amazon Linux's packages. Default: none.
	Buckets []Bucket
	// FlowLogsBucket gets a record of every connection, below FlowLogsPrefix. Default "": none is kept.
	FlowLogsBucket string
}

// Subnet is a block of addresses in an availability zone.
type Subnet struct {
	// Zone is the availability zone, such as eu-west-1a. Construct ids carry it, so another zone takes nothing away.
	Zone string
	// CIDR is a block inside the VPC's, /16 to /28, that overlaps no other.
	CIDR netip.Prefix
}

// Bucket is a bucket and what machines may do with it, whoever they are: their role may allow less.
type Bucket struct {
	// Name of the bucket. Required.
	Name string
	// Actions on the bucket itself, such as s3:ListBucket. Default: none.
	Actions []string
	// ObjectActions on what is in it, such as s3:GetObject. Required.
	ObjectActions []string
}

var servicePattern = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*$`)

type mistakes []error

func (m *mistakes) add(format string, args ...any) {
	*m = append(*m, fmt.Errorf("network: "+format, args...))
}

// Validate reports what no network could be made of.
func (p Props) Validate() error {
	var found mistakes
	if p.Region == "" {
		found.add("Region is empty: name the region of the zones, such as eu-west-1")
	}
	if !p.CIDR.IsValid() {
		found.add("CIDR is missing: give the VPC a block such as 10.0.0.0/16")
	} else if !fits(p.CIDR) {
		found.add("CIDR %s is not an IPv4 block of /16 to /28 without host bits: AWS takes no other", p.CIDR)
	}
	if len(p.Subnets) == 0 {
		found.add("Subnets is empty: a VPC without a subnet holds nothing")
	}
	found = append(found, p.validateSubnets()...)
	found = append(found, p.validateEgress()...)
	for _, b := range p.Buckets {
		if b.Name == "" || len(b.ObjectActions) == 0 {
			found.add("bucket %q has no name or no ObjectActions: say what machines do with it", b.Name)
		}
	}
	return errors.Join(found...)
}

// fits reports whether AWS takes the block for a VPC or a subnet.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
func fits(block netip.Prefix) bool {
	return block.IsValid() && block.Addr().Is4() && block.Bits() >= 16 && block.Bits() <= 28 && block == block.Masked()
}

// validateSubnets checks every subnet against the VPC, its kind's zones and all the subnets before it.
func (p Props) validateSubnets() mistakes {
	var found mistakes
	public := map[string]bool{}
	var before []netip.Prefix
	check := func(kind string, s Subnet, zones map[string]bool) {
		if s.Zone == "" || zones[s.Zone] {
			found.add("%s zone %q is empty or taken: give each %s subnet a zone of its own", kind, s.Zone, kind)
		}
		zones[s.Zone] = true
		switch {
		case !fits(s.CIDR):
			found.add("%s subnet %s of zone %q is not an IPv4 block of /16 to /28 without host bits: AWS takes no other", kind, s.CIDR, s.Zone)
			return
		case fits(p.CIDR) && (!p.CIDR.Contains(s.CIDR.Addr()) || s.CIDR.Bits() < p.CIDR.Bits()):
			found.add("%s subnet %s of zone %q is outside the VPC's %s: choose a block inside it", kind, s.CIDR, s.Zone, p.CIDR)
		}
		for _, other := range before {
			if other.Overlaps(s.CIDR) {
				found.add("%s subnet %s of zone %q overlaps %s: choose another block", kind, s.CIDR, s.Zone, other)
				break
			}
		}
		before = append(before, s.CIDR)
	}
	for _, s := range p.Subnets {
		check("public", s, public)
	}
	private := map[string]bool{}
	for _, s := range p.PrivateSubnets {
		check("private", s, private)
		if !public[s.Zone] {
			found.add("private zone %q has no public subnet: the load balancer could not reach it, add one to Subnets", s.Zone)
		}
	}
	return found
}

func (p Props) validateEgress() mistakes {
	var found mistakes
	switch egress := p.egress(); {
	case egress != Internet && egress != Endpoints && egress != None && egress != NAT:
		found.add("egress %q is none of internet, endpoints, none and nat: choose one", egress)
	case egress == Internet && p.private():
		found.add("egress internet needs public addresses, and private subnets have none: choose endpoints, none or nat, or remove PrivateSubnets")
	case egress != Internet && !p.private():
		found.add("egress %s without private subnets: public ones reach the internet anyway, add PrivateSubnets or choose internet", egress)
	case egress == Endpoints && len(p.Endpoints) == 0:
		found.add("egress endpoints names none: add services to Endpoints, such as ssmmessages, or choose none")
	case egress != Endpoints && len(p.Endpoints) > 0:
		found.add("Endpoints %q are only made with egress endpoints: remove them, or choose that", p.Endpoints)
	}
	named := map[string]bool{}
	for _, service := range p.Endpoints {
		switch {
		case !servicePattern.MatchString(service):
			found.add("endpoint %q is not a service: write what stands behind com.amazonaws.<region>., such as ssmmessages", service)
		case service == "s3":
			found.add("endpoint s3 would cost money: the gateway endpoint, which every network has, reaches S3 without charge; remove it")
		case named[service]:
			found.add("endpoint %s is named twice: remove one", service)
		}
		named[service] = true
	}
	return found
}

func (p Props) private() bool { return len(p.PrivateSubnets) > 0 }

// egress is Egress with its default.
func (p Props) egress() Egress {
	if p.private() {
		return cmp.Or(p.Egress, None)
	}
	return cmp.Or(p.Egress, Internet)
}
