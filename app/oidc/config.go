package oidc

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"cloudstorage/app/auth"
)

// Config says whose tokens are accepted, and what they allow.
type Config struct {
	// Issuer is the issuer's URL as its tokens spell it: https, or http on this
	// machine. Its keys are found by OpenID Connect Discovery. Required.
	Issuer string `json:"issuer"`
	// Audience is what the aud claim must name: this API, as the issuer knows it,
	// and not the application that asks for the token. Required.
	Audience string `json:"audience"`
	// Rules say what tokens allow: all that match are granted. A token that none
	// matches is somebody who may do nothing. Required.
	Rules []Rule `json:"rules"`
}

// Rule grants something to each token whose claim has a value.
type Rule struct {
	// Claim is the name of a claim at the token's top level: its value is a
	// string or a list of strings; scope and scp may be a list with blanks
	// between (RFC 9068, section 2.2.3).
	Claim string `json:"claim"`
	// Value is compared as it is, in upper and lower case.
	Value string `json:"value"`

	auth.Grant
}

// Validate reports all that is wrong.
func (c Config) Validate() error {
	var errs []error
	if !trusted(c.Issuer) {
		errs = append(errs, fmt.Errorf("issuer %q: give the URL that its tokens have as iss: https://… without query, or http:// on 127.0.0.1 or [::1]", c.Issuer))
	}
	if c.Audience == "" {
		errs = append(errs, errors.New("audience is empty: any token of the issuer would do, whatever it was meant for"))
	}
	if len(c.Rules) == 0 {
		errs = append(errs, errors.New("rules is empty: no token would allow anything"))
	}
	for i, r := range c.Rules {
		if err := r.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("rule %d: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

// Validate reports what is wrong with the rule.
func (r Rule) Validate() error {
	var errs []error
	if r.Claim == "" {
		errs = append(errs, errors.New("claim is empty: name one, such as groups"))
	}
	if r.Value == "" {
		errs = append(errs, fmt.Errorf("value of claim %q is empty: say which one grants this", r.Claim))
	}
	if spaced(r.Claim) && strings.Contains(r.Value, " ") {
		errs = append(errs, fmt.Errorf("value %q of claim %q has a blank: make a rule for each", r.Value, r.Claim))
	}
	return errors.Join(append(errs, r.Grant.Validate())...)
}

// trusted says whether what comes from the URL is what its owner sent.
func trusted(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && err == nil && ip.IsLoopback()
}
