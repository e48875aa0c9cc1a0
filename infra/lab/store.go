//go:build linux

package lab

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cloudstorage/app/e2e/build"
	"cloudstorage/app/sigv4"
	"cloudstorage/infra/emulator"
)

const (
	// storeDomain is where S3 is in the emulated region: machines and clients use AWS's own names.
	storeDomain = "s3." + emulator.Region + ".amazonaws.com"
	// roleGood is how long the role's credentials are good for. EC2 gives them for 6 hours; these are so near their end that
	// the API renews them every minute.
	roleGood = 14 * time.Minute
)

// store is S3's data plane: a real S3 server behind AWS's names, with a certificate that the lab's machines trust.
type store struct {
	fault atomic.Int32 // of type storeFault
	delay atomic.Int64 // of each answer, a time.Duration
	count atomic.Int64 // of requests

	log         io.Writer
	endpoint    string
	root, role  credentials
	certificate tls.Certificate
	authority   []byte // PEM

	mu      sync.Mutex // of what follows
	in      io.Writer
	out     *bufio.Reader
	buckets map[string]bool
	synced  map[string]bool // bucket/key
}

// foreignBucket is there, and no business of the role's.
const foreignBucket = "somebody-elses"

// storeFault is what goes wrong with S3.
type storeFault int32

const (
	storeWell   storeFault = iota
	storeGone              // connections are closed without an answer
	storeSlow              // answers take storeDelay
	storeResets            // every third request's connection is reset
)

const storeDelay = 2 * time.Second

// startStore runs the server until ctx is done.
func startStore(ctx context.Context, dir string, out io.Writer) (*store, error) {
	program, err := build.Program("gateway")
	if err != nil {
		return nil, err
	}
	s := &store{log: out, buckets: map[string]bool{}, synced: map[string]bool{}}
	if err := s.certify(); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, filepath.Join(dir, "s3"), storeDomain)
	cmd.Stderr = out
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the S3 server: %w", err)
	}
	s.in, s.out = stdin, bufio.NewReader(stdout)
	context.AfterFunc(ctx, func() { _ = cmd.Wait() })
	var ready struct {
		Endpoint       string `json:"endpoint"`
		AccessKey      string `json:"access_key"`
		SecretKey      string `json:"secret_key"`
		GuestAccessKey string `json:"guest_access_key"`
		GuestSecretKey string `json:"guest_secret_key"`
	}
	if err := s.read(&ready); err != nil {
		return nil, err
	}
	s.endpoint = ready.Endpoint
	s.root = credentials{ready.AccessKey, ready.SecretKey}
	// The guest may do nothing but what bucket policies allow it: those of the role.
	s.role = credentials{ready.GuestAccessKey, ready.GuestSecretKey}
	if err := s.create(foreignBucket); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *store) read(answer any) error {
	line, err := s.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, answer)
	}
	if err != nil {
		return fmt.Errorf("read what the S3 server says: %w", err)
	}
	return nil
}

// certify makes an authority for this one lab, and the server's certificate.
func (s *store) certify() error {
	until := time.Now().Add(24 * time.Hour)
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "The lab's authority"}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: storeDomain}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until,
		DNSNames: []string{storeDomain, "*." + storeDomain, modulesName}, IPAddresses: []net.IP{net.ParseIP(accountAddress)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, key.Public(), caKey)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	s.authority = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	s.certificate = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return nil
}

// trust is a pool with the lab's authority only.
func (s *store) trust() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.authority)
	return pool
}

// serve answers by HTTPS in the namespace until ctx is done.
func (s *store) serve(ctx context.Context, in space, address string) error {
	upstream, err := url.Parse(s.endpoint)
	if err != nil {
		return err
	}
	l, err := in.listen(ctx, net.ListenConfig{}, net.JoinHostPort(address, "443"))
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorLog:  log.New(s.log, "S3: ", log.LstdFlags), // callers that went away
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}
	serveUntil(ctx, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{s.certificate}}), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if early(r.URL.Query().Get("X-Amz-Date")) {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>Request is not valid yet</Message></Error>")
			return
		}
		delay := time.Duration(s.delay.Load())
		switch storeFault(s.fault.Load()) {
		case storeGone:
			panic(http.ErrAbortHandler) // the connection is closed
		case storeSlow:
			delay = storeDelay
		case storeResets:
			switch s.count.Add(1) % 6 {
			case 0: // before it has done anything
				reset(w, nil)
				return
			case 3: // when it has, in the midst of the answer
				done := httptest.NewRecorder()
				proxy.ServeHTTP(done, r)
				reset(w, done)
				return
			}
		}
		if delay > 0 {
			select {
			case <-time.After(delay):
			case <-r.Context().Done():
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	return nil
}

// maxSkew is how far ahead S3 lets clocks be. The lab's server looks at a signed URL's end only.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
const maxSkew = 15 * time.Minute

// early tells whether a URL was signed at a time that is yet to come.
func early(signed string) bool {
	at, err := time.Parse(sigv4.TimeFormat, signed)
	return err == nil && time.Until(at) > maxSkew
}

// reset resets the connection, after the first half of the answer if it has a body.
func reset(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // the connection is closed
	}
	if answer != nil && answer.Body.Len() > 1 {
		body := answer.Body.Bytes()
		res := answer.Result()
		res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(body[:len(body)/2])), int64(len(body))
		_ = res.Write(c) // it says that the body is too short, or that the caller is gone
	}
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	if plain, ok := c.(*net.TCPConn); ok {
		_ = plain.SetLinger(0)
	}
	_ = c.Close()
}

// sync brings what Terraform made in the emulated S3 into the real one: buckets, objects, and the role's permissions as
// bucket policies.
func (s *store) sync(ctx context.Context, a account, role string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, err := a.buckets(ctx)
	if err != nil {
		return err
	}
	allowed, err := a.permissions(ctx, role)
	if err != nil {
		return err
	}
	for _, bucket := range names {
		if !s.buckets[bucket] {
			if err := s.create(bucket); err != nil {
				return err
			}
			if err := s.allow(ctx, bucket, allowed); err != nil {
				return err
			}
			s.buckets[bucket] = true
		}
		keys, err := a.objects(ctx, bucket)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if s.synced[bucket+"/"+key] {
				continue
			}
			content, err := a.api.Object(ctx, bucket, key)
			if err != nil {
				return err
			}
			if err := s.put(ctx, bucket, key, content); err != nil {
				return err
			}
			s.synced[bucket+"/"+key] = true
		}
	}
	return nil
}

func (s *store) create(bucket string) error {
	if _, err := fmt.Fprintln(s.in, bucket); err != nil {
		return fmt.Errorf("create bucket %s: %w", bucket, err)
	}
	var answer struct{ Bucket, Error string }
	if err := s.read(&answer); err != nil {
		return err
	}
	if answer.Bucket != bucket {
		return fmt.Errorf("create bucket %s: %s", bucket, answer.Error)
	}
	return nil
}

// allow gives the role on a bucket what its own policy allows it there. Conditions are left out: that of ours, that the
// bucket is in the account, is one that this server does not know.
func (s *store) allow(ctx context.Context, bucket string, policy []statement) error {
	type granted struct {
		statement
		Principal map[string]string
	}
	var grants []granted
	for _, st := range policy {
		arn, ok := st.Resource.(string)
		if of, _, _ := strings.Cut(strings.TrimPrefix(arn, "arn:aws:s3:::"), "/"); ok && of == bucket {
			grants = append(grants, granted{st, map[string]string{"AWS": s.role.AccessKey}})
		}
	}
	if grants == nil {
		return nil
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": grants})
	if err != nil {
		return err
	}
	return s.send(ctx, http.MethodPut, bucket, "/", []sigv4.Param{{Name: "policy"}}, text)
}

func (s *store) put(ctx context.Context, bucket, key string, content []byte) error {
	return s.send(ctx, http.MethodPut, bucket, "/"+key, nil, content)
}

// send sends a request as the account's owner.
func (s *store) send(ctx context.Context, method, bucket, path string, query []sigv4.Param, content []byte) error {
	base, err := url.Parse(s.endpoint + "/" + bucket)
	if err != nil {
		return err
	}
	signer := sigv4.New(sigv4.Credentials{AccessKeyID: s.root.AccessKey, SecretAccessKey: s.root.SecretKey}, emulator.Region, *base)
	target := signer.Presign(sigv4.Request{Method: method, Path: path, Time: time.Now(), Expires: time.Minute, Query: query})
	r, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(content))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("%s s3://%s%s: %w", method, bucket, path, err)
	}
	defer res.Body.Close()
	if res.StatusCode > 299 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 4096)) // what there is of it helps
		return fmt.Errorf("%s s3://%s%s: %s %s", method, bucket, path, res.Status, text)
	}
	return nil
}

// hosts are AWS's names of the buckets, all at one address, and the module proxy's: the lines of a hosts file.
func (s *store) hosts(address string, buckets []string) string {
	lines := "127.0.0.1 localhost\n" + address + " " + storeDomain + "\n" + clientAddress + " " + modulesName + "\n"
	for _, b := range append([]string{foreignBucket}, buckets...) {
		lines += address + " " + b + "." + storeDomain + "\n"
	}
	return lines
}

func writeFile(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o644)
}
