package config

import (
	"regexp"
	"strings"
)

var (
	instanceTypePattern = regexp.MustCompile(`^([a-z]+)([0-9]+)([a-z]*)(-[a-z0-9]+)*\.[a-z0-9-]+$`)
	imagePattern        = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)
	// Source of names and paths: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
	policyPattern = regexp.MustCompile(`^arn:(?:aws|aws-cn|aws-us-gov):iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$`)
)

func (e *Environment) validateCompute() {
	c := e.Compute
	e.doc.choice("compute.kind", c.Kind, Fleet, Instance)
	e.doc.choice("compute.architecture", c.Architecture, X8664, ARM64)
	if parts := instanceTypePattern.FindStringSubmatch(c.InstanceType); parts == nil {
		e.doc.at("compute.instance_type", "%q is not an instance type: write one such as t3.micro", c.InstanceType)
	} else if built := architectureOf(parts[1], parts[2], parts[3]); built != c.Architecture && (c.Architecture == X8664 || c.Architecture == ARM64) {
		e.doc.at("compute.instance_type", "%q is %s and architecture is %s: change one of the two", c.InstanceType, built, c.Architecture)
	}
	switch c.Kind {
	case Instance:
		e.validateInstance()
	case Fleet:
		e.validateFleet()
	}
	if c.Image != "" && !imagePattern.MatchString(c.Image) {
		e.doc.at("compute.image", "%q is not an image: write one such as ami-0123456789abcdef0, or remove it for the newest", c.Image)
	}
	if arn := c.PermissionsBoundary; arn != "" {
		switch parts := policyPattern.FindStringSubmatch(arn); {
		case parts == nil:
			e.doc.at("compute.permissions_boundary", "%q is not the ARN of a policy: write arn:aws:iam::<account>:policy/<name>", arn)
		case e.AccountID != "" && parts[1] != "aws" && parts[1] != e.AccountID:
			e.doc.at("compute.permissions_boundary", "the policy is account %s's, and account_id is %s: name one there", parts[1], e.AccountID)
		}
	}
}

func (e *Environment) validateInstance() {
	c := e.Compute
	if c.Min != 0 || c.Max != 0 || e.doc.given("compute.initial") {
		e.doc.at("compute", "min and max belong to a fleet, and initial does: remove them, or set kind to fleet")
	}
	if c.Scaling != nil {
		e.doc.at("compute.scaling", "one instance has no other size: remove it, or set kind to fleet")
	}
	if c.Sleep != nil {
		e.doc.at("compute.sleep", "an instance has no group that could start it again: remove it, or set kind to fleet")
	}
	if e.API.Direct {
		e.doc.at("api.direct", "an instance is always reached directly: remove it")
	}
}

func (e *Environment) validateFleet() {
	c := e.Compute
	switch {
	case c.Min < 1:
		e.doc.at("compute.min", "%d is below 1: a fleet keeps at least one instance", c.Min)
	case c.Min > c.Max:
		e.doc.at("compute.min", "%d is above max, %d: raise max or lower min", c.Min, c.Max)
	case c.Initial < c.Min || c.Initial > c.Max:
		e.doc.at("compute.initial", "%d is not from min to max, %d to %d: choose a size between them", c.Initial, c.Min, c.Max)
	}
	if s := c.Scaling; s != nil {
		e.validateScaling(s)
	}
	if s := c.Sleep; s != nil {
		e.validateSleep(s)
	}
}

func (e *Environment) validateScaling(s *Scaling) {
	requests, cpu := e.doc.given("compute.scaling.requests_per_target"), e.doc.given("compute.scaling.cpu_percent")
	if !requests && !cpu {
		e.doc.at("compute.scaling", "no target: give requests_per_target, cpu_percent or both")
	}
	if requests && s.RequestsPerTarget < 1 {
		e.doc.at("compute.scaling.requests_per_target", "%d is below 1: give requests a minute, or remove it", s.RequestsPerTarget)
	}
	if cpu && (s.CPUPercent < 1 || s.CPUPercent > 100) {
		e.doc.at("compute.scaling.cpu_percent", "%d is not from 1 to 100: give a percentage, or remove it", s.CPUPercent)
	}
	if e.Compute.Min == e.Compute.Max {
		e.doc.at("compute.scaling", "min and max are both %d, so there is nothing to scale: raise max, or remove it", e.Compute.Max)
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
