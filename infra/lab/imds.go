//go:build linux

package lab

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// metadataAddress is where an instance asks about itself.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
const metadataAddress = "169.254.169.254"

const (
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	maxTokenTTL = 21600 // seconds
)

// credentials are what an instance's role signs with.
type credentials struct{ AccessKey, SecretKey string }

// metadata is the instances' metadata service, version 2: it tells instances apart by their address, wants a token, and
// what it sends lives as few hops as the launch templates say.
type metadata struct {
	gone  atomic.Bool  // answers nothing: an outage
	unmet atomic.Int64 // requests that got nothing

	mu        sync.Mutex
	instances map[string]described // by address
	tokens    map[string]token
}

type described struct {
	instance
	credentials
	good time.Duration // how long credentials are good that are given now
}

type token struct {
	address string
	expires time.Time
}

func newMetadata() *metadata {
	return &metadata{instances: map[string]described{}, tokens: map[string]token{}}
}

// add makes an instance known.
func (m *metadata) add(i instance, c credentials, good time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.instances[i.Address.String()] = described{i, c, good}
}

func (m *metadata) remove(i instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.instances, i.Address.String())
}

// serve answers in the namespace until ctx is done.
func (m *metadata) serve(ctx context.Context, s space, hops int) error {
	// The hop limit is the time to live of what is sent: a container on the machine, one hop further, gets nothing.
	l, err := s.listen(ctx, net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TTL, hops) })
		return errors.Join(err, failed)
	}}, net.JoinHostPort(metadataAddress, "80"))
	if err != nil {
		return err
	}
	serveUntil(ctx, l, m)
	return nil
}

// serveUntil serves in the background until ctx is done.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: dialTimeout, ErrorLog: log.New(io.Discard, "", 0)} // callers that went away
	go func() { _ = server.Serve(l) }()                                                                      // it ends when it is closed
	context.AfterFunc(ctx, func() { _ = server.Close() })
}

func (m *metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.gone.Load() {
		m.unmet.Add(1)
		panic(http.ErrAbortHandler) // the connection is cut
	}
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch {
	case r.Method == http.MethodPut && strings.TrimSuffix(r.URL.Path, "/") == "/latest/api/token":
		m.issue(w, r, address)
	case r.Method != http.MethodGet:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case !m.valid(r.Header.Get(tokenHeader), address):
		w.WriteHeader(http.StatusUnauthorized)
	default:
		m.tell(w, r, address)
	}
}

func (m *metadata) issue(w http.ResponseWriter, r *http.Request, address string) {
	ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
	// What comes through a proxy is refused, as AWS does.
	if err != nil || ttl < 1 || ttl > maxTokenTTL || r.Header.Get("X-Forwarded-For") != "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	text := rand.Text()
	m.mu.Lock()
	m.tokens[text] = token{address, time.Now().Add(time.Duration(ttl) * time.Second)}
	m.mu.Unlock()
	w.Header().Set(ttlHeader, strconv.Itoa(ttl))
	_, _ = w.Write([]byte(text))
}

func (m *metadata) valid(text, address string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, known := m.tokens[text]
	return known && t.address == address && time.Now().Before(t.expires)
}

// tell answers a leaf of the tree, or lists a folder.
func (m *metadata) tell(w http.ResponseWriter, r *http.Request, address string) {
	m.mu.Lock()
	i, known := m.instances[address]
	m.mu.Unlock()
	path, ok := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), "/latest")
	if !known || !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	path = strings.TrimPrefix(path, "/")
	tree := i.tree()
	if value, found := tree[path]; found {
		_, _ = w.Write([]byte(value))
		return
	}
	children := map[string]bool{}
	for name := range tree {
		if below, found := strings.CutPrefix(name, path+"/"); found || path == "" {
			if path == "" {
				below = name
			}
			first, _, folder := strings.Cut(below, "/")
			if folder {
				first += "/"
			}
			children[first] = true
		}
	}
	if len(children) == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = w.Write([]byte(strings.Join(slices.Sorted(maps.Keys(children)), "\n")))
}

func (d described) tree() map[string]string {
	region := d.Zone[:len(d.Zone)-1]
	signs, _ := json.Marshal(map[string]string{
		"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": d.AccessKey, "SecretAccessKey": d.SecretKey, "Token": "",
		"LastUpdated": time.Now().UTC().Format(time.RFC3339), "Expiration": time.Now().Add(d.good).UTC().Format(time.RFC3339),
	}) // strings only
	document, _ := json.Marshal(map[string]string{
		"instanceId": d.ID, "region": region, "availabilityZone": d.Zone, "imageId": d.Image, "instanceType": d.Type, "privateIp": d.Address.String(),
	}) // strings only
	return map[string]string{
		"dynamic/instance-identity/document":           string(document),
		"meta-data/ami-id":                             d.Image,
		"meta-data/iam/security-credentials/" + d.Role: string(signs),
		"meta-data/instance-id":                        d.ID,
		"meta-data/instance-type":                      d.Type,
		"meta-data/local-ipv4":                         d.Address.String(),
		"meta-data/placement/availability-zone":        d.Zone,
		"meta-data/placement/region":                   region,
		"user-data":                                    string(d.UserData),
	}
}
