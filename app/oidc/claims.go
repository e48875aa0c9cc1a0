package oidc

import (
	"encoding/json"
	"slices"
	"strings"

	"cloudstorage/app/auth"
)

// grants returns what the rules grant to a token with these claims.
func (c Config) grants(claims map[string]json.RawMessage) []auth.Grant {
	var all []auth.Grant
	for _, r := range c.Rules {
		if slices.Contains(values(r.Claim, claims[r.Claim]), r.Value) {
			all = append(all, r.Grant)
		}
	}
	return all
}

// values returns a claim's values: none where it is neither a string nor a list
// of strings.
func values(name string, raw json.RawMessage) []string {
	var one string
	var list []string
	switch {
	case json.Unmarshal(raw, &one) == nil && spaced(name):
		return strings.Fields(one)
	case json.Unmarshal(raw, &one) == nil:
		return []string{one}
	case json.Unmarshal(raw, &list) == nil:
		return list
	}
	return nil
}

// spaced says whether a claim's string is a list.
func spaced(claim string) bool { return claim == "scope" || claim == "scp" }
