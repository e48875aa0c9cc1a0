package stack

import (
	"cloudstorage/infra/config"
	"cloudstorage/infra/identity"
	"cloudstorage/infra/release"
)

func roleProps(e *config.Environment) identity.Props {
	p := identity.Props{Project: e.Project(), Bucket: e.Storage.Bucket, SessionManager: e.Compute.SessionManager}
	if e.Release.Delivery == config.Binary {
		p.ReleasesBucket, p.ReleasesPrefix = e.Storage.ReleasesBucket, release.Prefix
	}
	return p
}
