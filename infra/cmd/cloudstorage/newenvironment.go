package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"cloudstorage/infra/config"
	"cloudstorage/infra/naming"
)

// localName is the environment of this machine.
const localName = "local"

// A name stands in file names, stack names and make's variables.
var environmentName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// newEnvironment is the text of an environment that is like another, with a project name of its own and placeholders
// where a name has to be unique: bucket names, and the domain that a DNS record makes.
func (p *project) newEnvironment(name string, o initOptions) (string, error) {
	for _, special := range []string{config.AccountName, localName} {
		if name == special || o.from == special {
			return "", fmt.Errorf("%s is no environment of AWS's: nothing is made from it, and it is made from nothing", special)
		}
	}
	if !environmentName.MatchString(name) {
		return "", fmt.Errorf("%q is not an environment's name: use lower-case letters, digits and hyphens, starting with a letter", name)
	}
	if _, err := os.Stat(p.environmentFile(name)); err == nil {
		return "", fmt.Errorf("%s is there already: without FROM, init makes it yours", p.environmentFile(name))
	}
	set, err := config.LoadDir(p.environments())
	if err != nil {
		return "", err
	}
	only, err := set.Only(o.from)
	if err != nil {
		return "", err
	}
	from := only.Environments[0]
	project, err := projectName(name, from, set.Environments, o)
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(p.environmentFile(o.from))
	if err != nil {
		return "", fmt.Errorf("reading the environment: %w", err)
	}
	text := strings.ReplaceAll(string(source), "ENV="+o.from, "ENV="+name)
	var errs []error
	replace := func(section, key, value string) {
		changed, err := setValue(text, section, key, value)
		if err != nil {
			errs = append(errs, err)
			return
		}
		text = changed
	}
	replace("", "project_name", project)
	for key, bucket := range map[string]string{
		"bucket": from.Storage.Bucket, "releases_bucket": from.Storage.ReleasesBucket, "state_bucket": from.Storage.StateBucket, "logs_bucket": from.Storage.LogsBucket,
	} {
		if bucket != "" {
			own := project + strings.TrimPrefix(bucket, from.ProjectName)
			replace("storage", key, lastDigits.ReplaceAllString(own, naming.PlaceholderDigits))
		}
	}
	if from.Traffic.Domain != "" {
		replace("traffic", "domain", "files."+config.ReservedDomain)
		replace("traffic", "hosted_zone", config.ReservedDomain)
	}
	return text, errors.Join(errs...)
}

// projectName is the new environment's: roles are named after it, so no other environment of the account has it.
func projectName(name string, from *config.Environment, all []*config.Environment, o initOptions) (string, error) {
	project := o.project
	if project == "" {
		if project = from.ProjectName + "-" + name; len(project) > naming.MaxLength {
			project = name
		}
	}
	if _, err := naming.ParseProject(project); err != nil {
		return "", fmt.Errorf("project name %w: choose one with PROJECT=", err)
	}
	for _, e := range all {
		if e.ProjectName == project {
			return "", fmt.Errorf("project name %q is %s's, and role names would collide in one account: choose another with PROJECT=", project, e.Name)
		}
	}
	return project, nil
}
