package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"cloudstorage/app/settings"
	"cloudstorage/infra/naming"
)

var (
	regionPattern       = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	accountPattern      = regexp.MustCompile(`^[0-9]{12}$`)
	emailPattern        = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	instanceTypePattern = regexp.MustCompile(`^([a-z]+)([0-9]+)([a-z]*)(-[a-z0-9]+)*\.[a-z0-9-]+$`)
	// The user-data writes it into a shell script: the characters of URLs and lists, and nothing that a shell expands.
	goproxyPattern = regexp.MustCompile(`^[A-Za-z0-9._~:/?=,|@%+-]*$`)
)

// What a file that names the section and not the value gets.
const (
	defaultLogsDays     = 90
	defaultWAFRequests  = 2000
	defaultObserveDays  = 30
	defaultErrorPercent = 5
	defaultP95          = time.Second
)

// Parse decodes and validates an environment's text. name is the environment's, file is only for messages. The error
// holds every mistake, one a line.
func Parse(name, file string, source []byte) (*Environment, error) {
	e := &Environment{Name: name}
	e.doc = decode(file, source, e)
	e.defaults()
	e.validate()
	if err := e.doc.err(); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *Environment) defaults() {
	e.Compute.Architecture = cmp.Or(e.Compute.Architecture, X8664)
	if _, given := e.doc.lines["api.url_ttl"]; !given {
		e.API.URLTTL = settings.DefaultURLTTL
	}
	if _, given := e.doc.lines["api.max_url_ttl"]; !given {
		e.API.MaxURLTTL = e.API.URLTTL
	}
	e.Storage.Encryption = cmp.Or(e.Storage.Encryption, EncryptionS3)
	if e.Storage.LogsBucket != "" {
		e.Storage.LogsDays = cmp.Or(e.Storage.LogsDays, defaultLogsDays)
	}
	if n := e.Network; n != nil {
		if n.Private() {
			n.Egress = cmp.Or(n.Egress, EgressEndpoints)
		}
		n.Egress = cmp.Or(n.Egress, EgressInternet)
		if _, given := e.doc.lines["network.endpoints"]; !given && n.Egress == EgressEndpoints {
			n.Endpoints = slices.Clone(DefaultEndpoints)
		}
	}
	if e.Traffic.WAF != nil {
		e.Traffic.WAF.RequestsPer5Minutes = cmp.Or(e.Traffic.WAF.RequestsPer5Minutes, defaultWAFRequests)
	}
	e.Compute.Initial = cmp.Or(e.Compute.Initial, e.Compute.Min)
	if e.Compute.Sleep != nil {
		e.Compute.Sleep.TimeZone = cmp.Or(e.Compute.Sleep.TimeZone, "UTC")
	}
	if o := e.Observe; o != nil {
		o.LogsDays = cmp.Or(o.LogsDays, defaultObserveDays)
		o.ErrorPercent = cmp.Or(o.ErrorPercent, defaultErrorPercent)
		o.P95 = cmp.Or(o.P95, defaultP95)
	}
	if e.Backend != nil {
		e.Backend.Region = cmp.Or(e.Backend.Region, e.Region)
	}
}

func (e *Environment) validate() {
	e.project = e.doc.project(e.ProjectName)
	e.doc.region(e.Region)
	e.doc.accountID(e.AccountID)
	if e.Backend != nil && e.Backend.Bucket == "" {
		e.doc.at("backend.bucket", "missing: name the state bucket that the account stack made")
	}
	e.validateStorage()
	e.validateCompute()
	e.validateNetwork()
	e.doc.choice("release.delivery", e.Release.Delivery, Source, Binary)
	if !goproxyPattern.MatchString(e.Release.GoProxy) {
		e.doc.at("release.goproxy", "%q is not a GOPROXY list: write URLs, direct or off, separated by commas", e.Release.GoProxy)
	}
	e.doc.blocks("api.allow", e.API.Allow)
	if e.API.URLTTL < settings.MinURLTTL || e.API.URLTTL > settings.MaxURLTTL || e.API.URLTTL%time.Second != 0 {
		e.doc.at("api.url_ttl", "%s is not whole seconds from 1s to 168h: S3 refuses presigned URLs over 7 days", e.API.URLTTL)
	}
	if e.SSH != nil {
		if !strings.HasSuffix(e.SSH.Key, ".pem") || strings.ContainsAny(e.SSH.Key, `/\`) {
			e.doc.at("ssh.key", "%q is not the name of a .pem file in the project's root: `make key` makes one", e.SSH.Key)
		}
		e.doc.blocks("ssh.allow", e.SSH.Allow)
	}
}

func (e *Environment) validateStorage() {
	e.doc.bucket("storage.bucket", e.project, e.Storage.Bucket)
	switch {
	case e.Release.Delivery == Binary && e.Storage.ReleasesBucket == "":
		e.doc.at("storage.releases_bucket", "missing: the binary delivery keeps its builds there")
	case e.Release.Delivery == Binary:
		e.doc.bucket("storage.releases_bucket", e.project, e.Storage.ReleasesBucket)
		if e.Storage.ReleasesBucket == e.Storage.Bucket {
			e.doc.at("storage.releases_bucket", "%q is the data bucket too: the API must not reach its own release, so give it another", e.Storage.ReleasesBucket)
		}
	case e.Storage.ReleasesBucket != "":
		e.doc.at("storage.releases_bucket", "%q would stay empty: remove it, or set release.delivery to binary", e.Storage.ReleasesBucket)
	}
	if e.Storage.UndoDays < 0 {
		e.doc.at("storage.undo_days", "%d is below 0: give days, or 0 for forever", e.Storage.UndoDays)
	}
}

func (e *Environment) validateCompute() {
	c := e.Compute
	e.doc.choice("compute.kind", c.Kind, Fleet, Instance)
	e.doc.choice("compute.architecture", c.Architecture, X8664, ARM64)
	if parts := instanceTypePattern.FindStringSubmatch(c.InstanceType); parts == nil {
		e.doc.at("compute.instance_type", "%q is not an instance type: write one such as t3.micro", c.InstanceType)
	} else if built := architectureOf(parts[1], parts[2], parts[3]); built != c.Architecture && (c.Architecture == X8664 || c.Architecture == ARM64) {
		e.doc.at("compute.instance_type", "%q is %s and architecture is %s: change one of the two", c.InstanceType, built, c.Architecture)
	}
	switch {
	case c.Kind == Instance && (c.Min != 0 || c.Max != 0):
		e.doc.at("compute", "min and max belong to a fleet: remove them, or set kind to fleet")
	case c.Kind == Fleet && c.Min < 1:
		e.doc.at("compute.min", "%d is below 1: a fleet keeps at least one instance", c.Min)
	case c.Kind == Fleet && c.Min > c.Max:
		e.doc.at("compute.min", "%d is above max, %d: raise max or lower min", c.Min, c.Max)
	}
	if c.Kind == Instance && e.API.Direct {
		e.doc.at("api.direct", "an instance is always reached directly: remove it")
	}
}

// architectureOf reads the family's name: Graviton families carry a g behind the generation (t4g, c7gn), and a1 is one.
// Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
func architectureOf(series, generation, options string) string {
	if strings.Contains(options, "g") || series+generation == "a1" {
		return ARM64
	}
	return X8664
}

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
	zones := map[string]string{}
	for i, s := range n.Subnets {
		path := subnetPath(i)
		if !strings.HasPrefix(s.Zone, e.Region) || len(s.Zone) != len(e.Region)+1 {
			e.doc.at(path+".zone", "%q is not a zone of %s: write one such as %sa", s.Zone, e.Region, e.Region)
		}
		if first, taken := zones[s.Zone]; taken {
			e.doc.at(path+".zone", "%q is %s's already: a load balancer takes one subnet a zone", s.Zone, first)
		}
		zones[s.Zone] = path
		if !e.doc.ipv4(path+".cidr", s.CIDR) {
			continue
		}
		if n.CIDR.IsValid() && (!n.CIDR.Contains(s.CIDR.Addr()) || s.CIDR.Bits() < n.CIDR.Bits()) {
			e.doc.at(path+".cidr", "%s is outside the VPC's %s: choose a block inside it", s.CIDR, n.CIDR)
		}
		for j, other := range n.Subnets[:i] {
			if other.CIDR.IsValid() && other.CIDR.Overlaps(s.CIDR) {
				e.doc.at(path+".cidr", "%s overlaps %s of %s: choose another block", s.CIDR, other.CIDR, subnetPath(j))
			}
		}
	}
	if len(zones) < 2 {
		e.doc.at("network.subnets", "%d zone: a load balancer needs subnets in two or more", len(zones))
	}
}

func subnetPath(i int) string { return fmt.Sprintf("network.subnets[%d]", i) }

func (d *document) project(name string) naming.Project {
	p, err := naming.ParseProject(name)
	if err != nil {
		d.at("project_name", "%v", err)
	}
	return p
}

func (d *document) region(region string) {
	if !regionPattern.MatchString(region) {
		d.at("region", "%q is not an AWS region: write one such as eu-west-1", region)
	}
}

func (d *document) accountID(id string) {
	if id != "" && !accountPattern.MatchString(id) {
		d.at("account_id", "%q is not an AWS account: write its 12 digits in quotes, or remove the key", id)
	}
}

func (d *document) bucket(path string, project naming.Project, name string) {
	if project.String() == "" {
		return // the project name's own problem is reported already
	}
	if err := project.BucketName(name); err != nil {
		d.at(path, "%v", err)
	}
}

func (d *document) choice(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		d.at(path, "%q is none of %s: write one of them", value, strings.Join(allowed, ", "))
	}
}

// ipv4 checks a block of a VPC: IPv4, /16 to /28, with no host bits set.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
func (d *document) ipv4(path string, block netip.Prefix) bool {
	switch {
	case !block.IsValid():
		if _, given := d.lines[path]; !given {
			d.at(path, "missing: write a block such as 10.0.0.0/16")
		}
	case !block.Addr().Is4() || block.Bits() < 16 || block.Bits() > 28:
		d.at(path, "%s is not an IPv4 block of /16 to /28: AWS takes no other", block)
	case block != block.Masked():
		d.at(path, "%s has host bits set: write %s", block, block.Masked())
	default:
		return true
	}
	return false
}

func (d *document) blocks(path string, blocks []netip.Prefix) {
	if len(blocks) == 0 {
		d.at(path, "nobody could connect: list address blocks, such as [198.51.100.7/32]")
	}
	seen := map[netip.Prefix]bool{}
	for _, block := range blocks {
		switch {
		case !block.IsValid(): // reported when it was read
		case block != block.Masked():
			d.at(path, "%s has host bits set: write %s", block, block.Masked())
		case seen[block]:
			d.at(path, "%s is listed twice: keep one", block)
		}
		seen[block] = true
	}
}
