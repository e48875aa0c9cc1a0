package auth

// Caller is somebody known.
type Caller struct {
	// ID names the caller in logs: a key's id, or "oidc:" and an issuer's
	// subject, so that neither can pass for the other.
	ID string
	// Grants are what the caller may do; each stands for itself, so that a verb
	// of one is not allowed under a prefix of another.
	Grants []Grant
}

var anyone = Caller{ID: "anyone", Grants: []Grant{{Verbs: Verbs(), Prefixes: []string{""}}}}

// Anyone is the caller where nobody is asked who they are. The caller of this
// must not change its grants.
func Anyone() Caller { return anyone }

// May returns a *ForbiddenError unless the caller may do v to the file called
// name. To list, name is the listing's prefix: all names below it must be
// below one of the caller's.
func (c Caller) May(v Verb, name string) error {
	for _, g := range c.Grants {
		if g.allows(v, name) {
			return nil
		}
	}
	return &ForbiddenError{Caller: c.ID, Verb: v, Name: name}
}
