// Package gatewaytest gives tests a real S3 server that verifies signatures: the
// gateway module beside it.
package gatewaytest

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"cloudstorage/app/e2e/child"
)

// Gateway is a running S3 server. It ends with its test.
type Gateway struct {
	Endpoint  string `json:"endpoint"` // http://127.0.0.1:port, path-style
	Region    string `json:"region"`   // what requests must be signed for
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`

	// The guest's signatures are good, but it may do nothing.
	GuestAccessKey string `json:"guest_access_key"`
	GuestSecretKey string `json:"guest_secret_key"`

	// Objects is the folder where each bucket is a folder, and each object a file.
	Objects string `json:"-"`

	child   *child.Child
	buckets *atomic.Int64
}

// Start starts a gateway with no buckets.
func Start(t testing.TB) Gateway {
	t.Helper()
	g := Gateway{buckets: &atomic.Int64{}}
	dir := t.TempDir()
	g.Objects = filepath.Join(dir, "objects")
	g.child = child.Start(t, "gateway", &g, dir)
	return g
}

// NewBucket creates an empty bucket and returns its name.
func (g Gateway) NewBucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("module02-%08d", g.buckets.Add(1))
	var answer struct{ Bucket, Error string }
	g.child.Do(t, name, &answer)
	if answer.Bucket != name {
		t.Fatalf("create bucket %s: %s", name, answer.Error)
	}
	return name
}

// Stop ends the gateway and returns when it has gone, for tests of its absence.
func (g Gateway) Stop() { g.child.Stop() }
