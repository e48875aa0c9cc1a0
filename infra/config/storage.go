package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"cloudstorage/app/settings/apisettings"
)

func (e *Environment) validateStorage() {
	s := e.Storage
	e.doc.bucket("storage.bucket", e.project, s.Bucket)
	switch {
	case e.Release.Delivery == Binary && s.ReleasesBucket == "":
		e.doc.at("storage.releases_bucket", "missing: the binary delivery keeps its builds there")
	case e.Release.Delivery == Binary:
		e.doc.bucket("storage.releases_bucket", e.project, s.ReleasesBucket)
		if s.ReleasesBucket == s.Bucket {
			e.doc.at("storage.releases_bucket", "%q is the data bucket too: the API must not reach its own release, so give it another", s.ReleasesBucket)
		}
	case s.ReleasesBucket != "":
		e.doc.at("storage.releases_bucket", "%q would stay empty: remove it, or set release.delivery to binary", s.ReleasesBucket)
	}
	e.validateStateBucket()
	if s.UndoDays < 0 {
		e.doc.at("storage.undo_days", "%d is below 0: give days, or 0 for forever", s.UndoDays)
	}
	switch {
	case s.ExpireDays < 0:
		e.doc.at("storage.expire_days", "%d is below 0: give days, or 0 for never", s.ExpireDays)
	case s.ExpireDays > 0 && s.UndoDays == 0:
		e.doc.at("storage.expire_days", "%d would free nothing: undo_days is 0, so expired files stay as old versions forever: set undo_days to 1 or more", s.ExpireDays)
	}
	e.doc.choice("storage.encryption", s.Encryption, EncryptionS3, EncryptionKMS)
	e.validateOrigins()
	e.validateLogs()
}

func (e *Environment) validateStateBucket() {
	s := e.Storage
	const path = "storage.state_bucket"
	switch {
	case e.KeepsState() && s.StateBucket == "":
		e.doc.at(path, "missing: the API keeps its own state there: keys, what seals links, revoked links")
	case e.KeepsState():
		e.doc.bucket(path, e.project, s.StateBucket)
		switch s.StateBucket {
		case s.Bucket:
			e.doc.at(path, "%q is the data bucket too: callers would list and read the API's own state, so give it another", s.StateBucket)
		case s.ReleasesBucket:
			e.doc.at(path, "%q is the releases bucket too: the API must not write where its releases are, so give it another", s.StateBucket)
		}
	case s.StateBucket != "":
		e.doc.at(path, "%q would stay empty, since the server that is built from source keeps no state but keys: remove it, or set api.access to restricted, or release.delivery to binary", s.StateBucket)
	}
}

// KeepsState says whether the server has state of its own: the whole server always, the one that is built from source
// who may call.
func (e *Environment) KeepsState() bool {
	return e.Release.Delivery == Binary || e.API.Access == apisettings.Restricted
}

func (e *Environment) validateOrigins() {
	seen := map[string]bool{}
	for i, origin := range e.Storage.WebOrigins {
		path := fmt.Sprintf("storage.web_origins[%d]", i)
		if err := webOrigin(origin); err != nil {
			e.doc.at(path, "%q %v", origin, err)
		} else if seen[origin] {
			e.doc.at(path, "%q is listed twice: keep one", origin)
		}
		seen[origin] = true
	}
	if e.doc.given("storage.web_origins") && len(e.Storage.WebOrigins) == 0 {
		e.doc.at("storage.web_origins", "names no web site: list some, or remove the key")
	}
}

// originPattern is an origin as browsers send it: scheme, host and a port that is not the scheme's own, in lower case,
// with nothing behind it. S3 compares the text, so another spelling would never match.
// Source: https://www.rfc-editor.org/rfc/rfc6454#section-6.2
var originPattern = regexp.MustCompile(`^(?:https://[a-z0-9.-]+(?::[0-9]{1,5})?|http://localhost:[0-9]{1,5})$`)

func webOrigin(text string) error {
	switch {
	case strings.Contains(text, "*"):
		return errors.New("would let the pages of sites that you don't know use presigned URLs: name each site")
	case strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "http://localhost"):
		return errors.New("is not encrypted: write https://, or http://localhost:port for development")
	case !originPattern.MatchString(text):
		return errors.New("is not an origin: write https:// and a host in lower case, perhaps :port, and nothing behind it, or http://localhost:port")
	case strings.HasPrefix(text, "https://") && strings.HasSuffix(text, ":443"):
		return errors.New("names the port that browsers leave out: remove :443")
	}
	return nil
}

func (e *Environment) validateLogs() {
	s := e.Storage
	if s.LogsBucket == "" {
		if e.doc.given("storage.logs_days") {
			e.doc.at("storage.logs_days", "%d days of nothing: name logs_bucket, or remove it", s.LogsDays)
		}
		const wayOut = "true, and there is no bucket for them: name storage.logs_bucket, or remove it"
		if e.Network != nil && e.Network.FlowLogs {
			e.doc.at("network.flow_logs", wayOut)
		}
		if e.Traffic.AccessLogs {
			e.doc.at("traffic.access_logs", wayOut)
		}
		return
	}
	e.doc.bucket("storage.logs_bucket", e.project, s.LogsBucket)
	switch s.LogsBucket {
	case s.Bucket:
		e.doc.at("storage.logs_bucket", "%q is the data bucket too: the log of a bucket inside itself never ends, so give it another", s.LogsBucket)
	case s.ReleasesBucket:
		e.doc.at("storage.logs_bucket", "%q is the releases bucket too: what machines run must not lie where AWS writes logs, so give it another", s.LogsBucket)
	case s.StateBucket:
		e.doc.at("storage.logs_bucket", "%q is the state bucket too: who may call must not lie where AWS writes logs, so give it another", s.LogsBucket)
	}
	if s.LogsDays < 1 {
		e.doc.at("storage.logs_days", "%d is below 1: give days, or remove it for %d", s.LogsDays, defaultLogsDays)
	}
}
