package sigv4_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"cloudstorage/app/object"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/sigv4"
)

const region = "eu-west-1"

var (
	longLived = sigv4.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	session   = sigv4.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret", SessionToken: strings.Repeat("IQoJb3JpZ2luX2VjE+/=", 40)}
	start     = time.Date(2024, 1, 2, 3, 4, 5, 678, time.UTC)
)

func base(t testing.TB, s string) url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return *u
}

// sdk signs r with the AWS SDK's own signer.
func sdk(t testing.TB, signer *v4.Signer, c sigv4.Credentials, base url.URL, r sigv4.Request) string {
	t.Helper()
	target := base
	prefix := strings.TrimSuffix(base.Path, "/")
	target.Path = prefix + r.Path
	target.RawPath = prefix + strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(r.Path), "+", "%20"), "%2F", "/")
	query := url.Values{"X-Amz-Expires": {strconv.Itoa(int(r.Expires / time.Second))}}
	for _, p := range r.Query {
		query.Set(p.Name, p.Value)
	}
	target.RawQuery = query.Encode()
	header := http.Header{}
	for _, p := range r.Header {
		header[textproto.CanonicalMIMEHeaderKey(p.Name)] = []string{p.Value}
	}
	request := &http.Request{Method: r.Method, URL: &target, Host: target.Host, Header: header}
	signed, _, err := signer.PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken},
		request, "UNSIGNED-PAYLOAD", "s3", region, r.Time)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func newSDK() *v4.Signer {
	return v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
}

// requests are every kind that the store signs.
func requests() map[string]sigv4.Request {
	r := func(method, path string, query, header []sigv4.Param) sigv4.Request {
		return sigv4.Request{Method: method, Path: path, Time: start, Expires: 10 * time.Minute, Query: query, Header: header}
	}
	return map[string]sigv4.Request{
		"a download": r("GET", "/report.pdf", nil, nil),
		"a download with another name": r("GET", "/a b", []sigv4.Param{
			{Name: "versionId", Value: "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY"},
			{Name: "response-content-type", Value: "text/plain; charset=utf-8"},
			{Name: "response-content-disposition", Value: `attachment; filename*=UTF-8''%C3%A4.txt`},
		}, nil),
		"an upload of given content": r("PUT", "/a/ü", nil, []sigv4.Param{
			{Name: "x-amz-checksum-sha256", Value: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
			{Name: "if-none-match", Value: "*"},
			{Name: "content-type", Value: "  text/plain;   charset=utf-8 "},
		}),
		"a part":     r("PUT", "/a", []sigv4.Param{{Name: "uploadId", Value: "2~x/y"}, {Name: "partNumber", Value: "10000"}}, nil),
		"the bucket": r("POST", "/", nil, nil),
	}
}

func TestURLsAreByteEqualToTheSDKs(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"https://module02-1.s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/a.b.c", "http://127.0.0.1:9000/b/"} {
		for _, c := range []sigv4.Credentials{longLived, session} {
			ours, theirs := sigv4.New(c, region, base(t, endpoint)), newSDK()
			check := func(name string, r sigv4.Request) {
				t.Helper()
				if got, want := ours.Presign(r), sdk(t, theirs, c, base(t, endpoint), r); got != want {
					t.Errorf("%s at %s:\n got %s\nwant %s", name, endpoint, got, want)
				}
			}
			for name, r := range requests() {
				check(name, r)
			}
			for _, name := range objecttest.Names() {
				check(name, sigv4.Request{Method: "GET", Path: "/" + name, Time: start, Expires: time.Second})
			}
		}
	}
}

func TestEverySignatureHasTheKeyOfItsDay(t *testing.T) {
	t.Parallel()
	endpoint := base(t, "https://b-1.s3.eu-west-1.amazonaws.com")
	ours := sigv4.New(session, region, endpoint)
	midnight := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	for _, at := range []time.Time{
		midnight, midnight.Add(-time.Second), midnight.Add(time.Second), midnight.AddDate(1, 0, 0), midnight.Add(-time.Nanosecond),
		midnight.In(time.FixedZone("west", -11*3600)), midnight.Add(-time.Second).In(time.FixedZone("east", 14*3600)),
	} {
		r := sigv4.Request{Method: "GET", Path: "/a", Time: at, Expires: time.Minute}
		if got, want := ours.Presign(r), sdk(t, newSDK(), session, endpoint, r); got != want {
			t.Errorf("at %s:\n got %s\nwant %s", at, got, want)
		}
	}
}

func TestSignaturesAtMidnightDoNotMix(t *testing.T) {
	t.Parallel()
	endpoint := base(t, "https://b-1.s3.eu-west-1.amazonaws.com")
	ours := sigv4.New(session, region, endpoint)
	midnight := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	var workers sync.WaitGroup
	for i := range 8 {
		r := sigv4.Request{Method: "GET", Path: fmt.Sprint("/", i), Time: midnight.Add(time.Duration(i%2-1) * time.Second), Expires: time.Minute}
		want := sdk(t, newSDK(), session, endpoint, r)
		workers.Go(func() {
			for range 200 {
				if got := ours.Presign(r); got != want {
					t.Errorf("signed %s, want %s", got, want)
				}
			}
		})
	}
	workers.Wait()
}

// Sign is checked against the definition of the signing key.
func TestSignIsAnHMACByTheKeyOfTheDay(t *testing.T) {
	t.Parallel()
	key := []byte("AWS4" + longLived.SecretAccessKey)
	for _, part := range []string{"20240102", region, "s3", "aws4_request", "policy"} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	s := sigv4.New(longLived, region, base(t, "https://b"))
	if got, want := s.Sign("policy", start), hex.EncodeToString(key); got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
	if got, want := s.Credential(start), "AKIAIOSFODNN7EXAMPLE/20240102/eu-west-1/s3/aws4_request"; got != want {
		t.Errorf("by %s, want %s", got, want)
	}
}

// A URL costs the memory of its string, and nothing else.
func TestAURLCostsOneAllocation(t *testing.T) {
	s := sigv4.New(session, region, base(t, "https://module02-1.s3.eu-west-1.amazonaws.com"))
	for name, r := range requests() {
		s.Presign(r) // the day's key
		// A garbage collection in between may empty the pool.
		if n := testing.AllocsPerRun(1000, func() { s.Presign(r) }); n > 1 && !raceEnabled {
			t.Errorf("%s: %v allocations, want 1", name, n)
		}
	}
}

// FuzzPresign compares URLs with the SDK's, for any key, time, credentials and
// header.
func FuzzPresign(f *testing.F) {
	for _, name := range objecttest.Names() {
		f.Add(name, int64(1704164645), uint32(600), "AKIA", "secret", "", "", "", uint8(0))
		f.Add(name, int64(1704164645), uint32(604800), "ASIA/+", "s/+=", "token/+= ", "text/plain;  charset=utf-8", name, uint8(31))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f.Add("a/b", random.Int64N(253402300799), random.Uint32N(604801), "A", strconv.Itoa(int(random.Uint32())), strconv.Itoa(int(random.Uint32())), "a/b", "x", uint8(random.UintN(256)))
	}
	endpoint := base(f, "https://module02-1.s3.eu-west-1.amazonaws.com")
	f.Fuzz(func(t *testing.T, name string, unix int64, seconds uint32, id, secret, token, contentType, text string, extras uint8) {
		key, err := object.ParseKey(name)
		if err != nil || unix < 0 || unix > 253402300799 { // year 9999
			return
		}
		r := sigv4.Request{Method: "GET", Path: "/" + string(key), Time: time.Unix(unix, 0), Expires: time.Duration(seconds) * time.Second}
		for i, p := range []sigv4.Param{{Name: "versionId", Value: text}, {Name: "partNumber", Value: text}, {Name: "response-content-type", Value: contentType}} {
			if extras>>i&1 == 1 {
				r.Query = append(r.Query, p)
			}
		}
		for i, p := range []sigv4.Param{{Name: "x-amz-checksum-sha256", Value: text}, {Name: "content-type", Value: contentType}, {Name: "if-none-match", Value: "*"}} {
			if extras>>(i+3)&1 == 1 {
				r.Header = append(r.Header, p)
			}
		}
		c := sigv4.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}
		if got, want := sigv4.New(c, region, endpoint).Presign(r), sdk(t, newSDK(), c, endpoint, r); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	})
}
