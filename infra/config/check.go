package config

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"cloudstorage/app/settings"
	"cloudstorage/infra/naming"
)

// The checks that several settings share.

var (
	regionPattern  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	emailPattern   = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
)

// given reports whether the file mentions the value at path.
func (d *document) given(path string) bool {
	_, ok := d.lines[path]
	return ok
}

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

// urlTTL checks an age of presigned URLs.
func (d *document) urlTTL(path string, ttl time.Duration) {
	if ttl < settings.MinURLTTL || ttl > settings.MaxURLTTL || ttl%time.Second != 0 {
		d.at(path, "%s is not whole seconds from 1s to 168h: S3 refuses presigned URLs over 7 days", ttl)
	}
}

// ipv4 checks a block of a VPC: IPv4, /16 to /28, with no host bits set.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
func (d *document) ipv4(path string, block netip.Prefix) bool {
	switch {
	case !block.IsValid():
		if !d.given(path) {
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
