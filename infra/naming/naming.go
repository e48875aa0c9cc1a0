// Package naming turns a project name into the names and tags of its resources; it is the only place that spells one.
package naming

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
)

// Project is a validated project name, such as "module02". Resource names, role names and tags derive from it.
type Project struct{ name string }

// MaxLength keeps every derived name inside the shortest limit that AWS sets: 32 characters for a load balancer,
// of which "-alb-5000" and the like take up to 12.
const MaxLength = 20

var projectPattern = regexp.MustCompile(`^[a-z](-?[a-z0-9])*$`)

// ParseProject accepts 1 to MaxLength lower-case letters, digits and single hyphens, starting with a letter and
// not ending in a hyphen: what bucket names, load balancer names and IAM names all allow.
func ParseProject(name string) (Project, error) {
	if len(name) > MaxLength {
		return Project{}, fmt.Errorf("%q has %d characters: use at most %d, so that load balancer names stay below AWS's 32", name, len(name), MaxLength)
	}
	if !projectPattern.MatchString(name) {
		return Project{}, fmt.Errorf("%q is not a project name: use lower-case letters, digits and single hyphens, starting with a letter", name)
	}
	return Project{name: name}, nil
}

// MustProject is ParseProject for names known at compile time, such as those in tests and examples.
func MustProject(name string) Project {
	p, err := ParseProject(name)
	if err != nil {
		panic(err)
	}
	return p
}

// String is the project name itself.
func (p Project) String() string { return p.name }

// Name is "<project_name>-<resource>", the name of a resource and the value of its Name tag.
func (p Project) Name(resource string) string { return p.name + "-" + resource }

// Prefix is "<project_name>-<resource>-", for resources that AWS completes with a unique suffix.
func (p Project) Prefix(resource string) string { return p.Name(resource) + "-" }

// LogGroup is "/<project_name>/<resource>", the name of a group of logs.
func (p Project) LogGroup(resource string) string { return "/" + p.name + "/" + resource }

// KeyAlias is "alias/<project_name>-<resource>", the name of a key in KMS.
func (p Project) KeyAlias(resource string) string { return "alias/" + p.Name(resource) }

// IAM is "<project_name>_<resource>", the form that the exercise gives to roles, profiles and policies.
func (p Project) IAM(resource string) string { return p.name + "_" + resource }

// Tags are the two tags that every taggable resource carries.
func (p Project) Tags(resource string) map[string]string {
	return map[string]string{"Name": p.Name(resource), "Project_name": p.name}
}

// RoutingTags are Tags and, in lower case too, the project_name that the exercise asks of the internet gateway and
// the route table.
func (p Project) RoutingTags(resource string) map[string]string {
	tags := p.Tags(resource)
	tags["project_name"] = p.name
	return tags
}

// FleetTags are Tags and the tag by which the exercise knows instances of the Auto Scaling group.
func (p Project) FleetTags(resource string) map[string]string {
	tags := maps.Clone(p.Tags(resource))
	tags["Autoscaling Flask"] = "flask-asg"
	return tags
}

// BucketName reports whether name is a valid name for a general purpose bucket of this project: it starts with
// "<project_name>-", ends in digits, has 3 to 63 lower-case letters, digits and hyphens.
func (p Project) BucketName(name string) error {
	switch {
	case !strings.HasPrefix(name, p.name+"-"):
		return fmt.Errorf("%q does not start with %q", name, p.name+"-")
	case len(name) > 63:
		return fmt.Errorf("%q has %d characters: S3 allows 63", name, len(name))
	case !bucketPattern.MatchString(name):
		return fmt.Errorf("%q is not a bucket name: use lower-case letters, digits and hyphens, and end it in a hyphen and digits, as in %q", name, p.Name("8302961457"))
	}
	return nil
}

var bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*-[0-9]+$`)

// PlaceholderDigits stand in the shipped environments in place of digits that are yours; `make init` replaces them.
const PlaceholderDigits = "0000000000"

// PlaceholderBucket reports whether name still carries PlaceholderDigits.
func PlaceholderBucket(name string) bool { return strings.HasSuffix(name, "-"+PlaceholderDigits) }
