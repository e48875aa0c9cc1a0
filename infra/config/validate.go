package config

import (
	"regexp"
	"slices"
	"strings"
)

// The user-data writes it into a shell script: the characters of URLs and lists, and nothing that a shell expands.
var goproxyPattern = regexp.MustCompile(`^[A-Za-z0-9._~:/?=,|@%+-]*$`)

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

func (e *Environment) validate() {
	e.project = e.doc.project(e.ProjectName)
	e.doc.region(e.Region)
	e.doc.accountID(e.AccountID)
	e.validateBackend()
	e.validateStorage()
	e.validateCompute()
	e.validateNetwork()
	e.validateTraffic()
	e.validateAPI()
	e.validateObserve()
	e.doc.choice("release.delivery", e.Release.Delivery, Source, Binary)
	if !goproxyPattern.MatchString(e.Release.GoProxy) {
		e.doc.at("release.goproxy", "%q is not a GOPROXY list: write URLs, direct or off, separated by commas", e.Release.GoProxy)
	}
	if e.SSH != nil {
		if !strings.HasSuffix(e.SSH.Key, ".pem") || strings.ContainsAny(e.SSH.Key, `/\`) {
			e.doc.at("ssh.key", "%q is not the name of a .pem file in the project's root: `make key` makes one", e.SSH.Key)
		}
		e.doc.blocks("ssh.allow", e.SSH.Allow)
	}
}

func (e *Environment) validateBackend() {
	b := e.Backend
	switch {
	case b == nil:
	case b.Bucket == "":
		e.doc.at("backend.bucket", "missing: name the state bucket that the account stack made")
	case slices.Contains([]string{e.Storage.Bucket, e.Storage.ReleasesBucket, e.Storage.StateBucket, e.Storage.LogsBucket}, b.Bucket):
		e.doc.at("backend.bucket", "%q is one of storage's buckets: the state knows everything, so name the state bucket that the account stack made", b.Bucket)
	}
}
