package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cloudstorage/app/auth"
	"cloudstorage/app/oidc"
	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/app/state"
)

// maxRate is what the server takes at most, of requests a second and at once.
const maxRate = 1_000_000

func (e *Environment) validateAPI() {
	a := e.API
	e.doc.blocks("api.allow", a.Allow)
	e.doc.urlTTL("api.url_ttl", a.URLTTL)
	switch {
	case !e.doc.given("api.max_url_ttl"): // it is url_ttl
	case a.MaxURLTTL < a.URLTTL:
		e.doc.at("api.max_url_ttl", "%s is below url_ttl, %s: the bucket would refuse the API's own URLs, so raise it or lower url_ttl", a.MaxURLTTL, a.URLTTL)
	default:
		e.doc.urlTTL("api.max_url_ttl", a.MaxURLTTL)
	}
	switch e.Release.Delivery {
	case Binary:
		e.validateAccess()
		e.validateLimits()
	case Source:
		e.validateAccess()
		for _, key := range []string{"oidc", "max_body", "max_link_ttl", "rate_limit", "max_concurrency", "metrics_address", "traces"} {
			if path := "api." + key; e.doc.given(path) {
				e.doc.at(path, "the server that is built from source has keys, the exercise's routes and /v1/files only: remove it, or set release.delivery to binary")
			}
		}
	}
}

func (e *Environment) validateAccess() {
	a := e.API
	switch a.Access {
	case apisettings.Restricted:
		e.validateKeys()
		if e.Release.Delivery == Binary {
			e.validateOIDC()
		}
	case apisettings.Open:
		for _, key := range []string{"keys", "oidc"} {
			if path := "api." + key; e.doc.given(path) {
				e.doc.at(path, "access is open, to whoever connects, so nobody would be asked for one: remove it, or set access to restricted")
			}
		}
	case "":
		e.doc.at("api.access", "missing: say who may call: restricted (who has a key, or a token of the issuer) or open (whoever connects)")
	default:
		e.doc.choice("api.access", string(a.Access), string(apisettings.Open), string(apisettings.Restricted))
	}
	e.doc.choice("api.exercise_routes", string(a.ExerciseRoutes), string(apisettings.AllRoutes), string(apisettings.ReadRoutes), string(apisettings.NoRoutes))
}

func (e *Environment) validateLimits() {
	a := e.API
	if a.MaxBody < 1 || a.MaxBody > apisettings.LimitMaxBody {
		e.doc.at("api.max_body", "%d is not from 1 to %d bytes: S3 takes no larger upload in one piece", a.MaxBody, int64(apisettings.LimitMaxBody))
	}
	if a.MaxLinkTTL < time.Second || a.MaxLinkTTL > apisettings.LimitMaxLinkTTL || a.MaxLinkTTL%time.Second != 0 {
		e.doc.at("api.max_link_ttl", "%s is not whole seconds from 1s to %s: revocations are kept no longer", a.MaxLinkTTL, hours(apisettings.LimitMaxLinkTTL))
	}
	if a.RateLimit != -1 && (a.RateLimit < 1 || a.RateLimit > maxRate) {
		e.doc.at("api.rate_limit", "%d is not from 1 to %d requests a second: give one, or -1 for any number", a.RateLimit, maxRate)
	}
	if a.MaxConcurrency != -1 && (a.MaxConcurrency < 1 || a.MaxConcurrency > maxRate) {
		e.doc.at("api.max_concurrency", "%d is not from 1 to %d requests at once: give one, or -1 for any number", a.MaxConcurrency, maxRate)
	}
	if a.MetricsAddress != "" && !settings.ValidAddress(a.MetricsAddress) {
		e.doc.at("api.metrics_address", "%q is not an IP address and a port, such as 127.0.0.1:9090", a.MetricsAddress)
	}
	if a.Traces != "" && !apisettings.ValidTraces(a.Traces) {
		e.doc.at("api.traces", "%q is not http:// or https:// with a host, such as http://10.20.16.9:4318", a.Traces)
	}
	e.doc.plain("api.traces", a.Traces)
}

func hours(d time.Duration) string { return fmt.Sprintf("%dh", d/time.Hour) }

func (e *Environment) validateKeys() {
	ring, err := e.Keyring()
	if err != nil {
		e.doc.found("api.keys", "api.keys", "key", err)
		return
	}
	if text, err := json.Marshal(ring); err != nil || len(text) > state.MaxObjectBytes {
		e.doc.at("api.keys", "%d keys are %d bytes, and servers read %d: remove what expired, or give groups of callers tokens of an issuer", len(e.API.Keys), len(text), state.MaxObjectBytes)
	}
}

// Keyring is who may call with an API key, as the servers read it.
func (e *Environment) Keyring() (auth.Keyring, error) {
	keys := make([]auth.Key, len(e.API.Keys))
	for i, k := range e.API.Keys {
		keys[i] = auth.Key{ID: k.ID, SHA256: k.SHA256, Verbs: k.Verbs, Prefixes: k.Prefixes, Expires: k.Expires}
	}
	return auth.NewKeyring(keys)
}

// Config is the issuer as the server is told of it.
func (o *OIDC) Config() *oidc.Config {
	if o == nil {
		return nil
	}
	c := &oidc.Config{Issuer: o.Issuer, Audience: o.Audience}
	for _, r := range o.Rules {
		c.Rules = append(c.Rules, oidc.Rule{Claim: r.Claim, Value: r.Value, Grant: auth.Grant{Verbs: r.Verbs, Prefixes: r.Prefixes}})
	}
	return c
}

func (e *Environment) validateOIDC() {
	o := e.API.OIDC
	if o == nil {
		return
	}
	if err := o.Config().Validate(); err != nil {
		e.doc.found("api.oidc", "api.oidc.rules", "rule", err)
	}
	e.doc.plain("api.oidc.issuer", o.Issuer)
	e.doc.plain("api.oidc.audience", o.Audience)
	for i, r := range o.Rules {
		path := fmt.Sprintf("api.oidc.rules[%d]", i)
		e.doc.plain(path+".claim", r.Claim)
		e.doc.plain(path+".value", r.Value)
		for j, prefix := range r.Prefixes {
			e.doc.plain(fmt.Sprintf("%s.prefixes[%d]", path, j), prefix)
		}
	}
	if n := e.Network; n.Private() && (n.Egress == EgressNone || n.Egress == EgressEndpoints) {
		e.doc.at("api.oidc", "machines have no route to %s, whose keys they need: egress is %s; set network.egress to nat, or remove private_subnets and egress", o.Issuer, n.Egress)
	}
}

// plain refuses what the settings file of a machine would not give back: its text is JSON inside a line that systemd
// reads, where a backslash, with which JSON writes quotes and line breaks, begins an escape of systemd's own.
// Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile=
func (d *document) plain(path, text string) {
	unfit := func(r rune) bool { return r == '\\' || r == '"' || !unicode.IsGraphic(r) }
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unfit) {
		d.at(path, "%q holds a backslash, a quote, a line break or another character that a machine's settings file does not keep: remove it", text)
	}
}

// found records what one of the API's own checks says. What it says of an entry begins with the entry's kind and number,
// and stands at that of the list; all else stands at path.
func (d *document) found(path, list, kind string, err error) {
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		d.at(path, "%v", err)
		return
	}
	for _, each := range all.Unwrap() {
		at, text, i := path, each.Error(), 0
		if _, err := fmt.Sscanf(text, kind+" %d:", &i); err == nil {
			at = fmt.Sprintf("%s[%d]", list, i)
			_, text, _ = strings.Cut(text, ": ")
		}
		for line := range strings.SplitSeq(text, "\n") {
			d.at(at, "%s", line)
		}
	}
}
