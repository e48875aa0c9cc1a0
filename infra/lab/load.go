//go:build linux

package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"cloudstorage/app/client"
	"cloudstorage/app/object"
)

// rate is how many requests a second arrive, whether or not those before were answered.
const rate = 200

// listEvery is how many requests there are for each list, which is the one that S3 must answer. Turns are taken, so it has
// no factor in common with a number of machines: all of them get lists.
const listEvery = 19

// listPath is the only route of the load that needs S3. It has few files whatever the client uploads: the lab's S3 is a
// folder, of which a list of 800 files costs a processor a quarter of a second, and one of few files 1 ms.
const listPath = "/v1/files?prefix=load/&limit=10"

// requestTimeout is when a caller gives up.
const requestTimeout = 15 * time.Second

// outside is where callers are, with the names that they know.
type outside struct {
	api   string            // http://address:port
	names map[string]string // addresses by host name
	store *store
}

func (o outside) transport() *http.Transport {
	return &http.Transport{
		DialContext: internet.dial(o.names), TLSClientConfig: &tls.Config{RootCAs: o.store.trust()},
		MaxIdleConnsPerHost: 1000, ResponseHeaderTimeout: requestTimeout, IdleConnTimeout: 30 * time.Second,
	}
}

// traffic is what callers saw.
type traffic struct {
	Requests int            `json:"requests"`
	Failed   map[string]int `json:"failed,omitempty"` // by cause
	Lists    int            `json:"lists_failed"`     // of those that failed; all others are signatures
	P50      time.Duration  `json:"p50"`
	P99      time.Duration  `json:"p99"`
	Max      time.Duration  `json:"max"`
	// Disturbed is from the first failure to the last.
	Disturbed   time.Duration `json:"disturbed"`
	lastFailure time.Time

	// The real client, which retries, beside it: transfers of whole files, and those that failed.
	Transfers       int            `json:"transfers"`
	TransfersFailed map[string]int `json:"transfers_failed,omitempty"`
}

func (t traffic) failed() int { return sum(t.Failed) }

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

func causes(counts map[string]int) string {
	var parts []string
	for _, cause := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d × %s", counts[cause], cause))
	}
	return strings.Join(parts, ", ")
}

// load sends requests until it is stopped.
type load struct {
	stop context.CancelFunc
	done chan traffic
}

// begin starts a load: signatures and some lists, with open-loop arrivals, and a real client that uploads and
// downloads files. kept learns what was uploaded.
func (o outside) begin(ctx context.Context, kept *ledger) *load {
	until, stop := context.WithCancel(ctx)
	l := &load{stop: stop, done: make(chan traffic, 1)}
	go func() {
		var t traffic
		var both sync.WaitGroup
		both.Go(func() { o.attack(until, &t) })
		both.Go(func() { t.Transfers, t.TransfersFailed = o.transfer(ctx, until, kept) })
		both.Wait()
		l.done <- t
	}()
	return l
}

// end stops the load and returns what came of it.
func (l *load) end() traffic {
	l.stop()
	return <-l.done
}

// callers begins a load of a scenario, and returns what ends it: what callers saw is told also of one that does not get
// to its end.
func (l *lab) callers(ctx context.Context, s *Scenario) (end func() traffic) {
	load := l.outside.begin(ctx, l.kept)
	return sync.OnceValue(func() traffic {
		t := load.end()
		s.saw(t)
		return t
	})
}

func (o outside) attack(ctx context.Context, t *traffic) {
	transport := o.transport()
	// A connection for each request: on one that was used before, Go sends what was not answered again, and haproxy closes
	// where an ALB answers 502, so that it may.
	transport.DisableKeepAlives = true
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: transport, Timeout: requestTimeout}),
		vegeta.MaxBody(1<<16),
	)
	var targets []vegeta.Target
	for n := range listEvery {
		path := []string{"/download/load.txt", "/upload/load.txt"}[n%2]
		if n == 0 {
			path = listPath
		}
		targets = append(targets, vegeta.Target{Method: http.MethodGet, URL: o.api + path})
	}
	targeter := vegeta.NewStaticTargeter(targets...)
	context.AfterFunc(ctx, func() { attacker.Stop() })
	var latencies []time.Duration
	var first, last time.Time
	t.Failed = map[string]int{}
	for r := range attacker.Attack(targeter, vegeta.Rate{Freq: rate, Per: time.Second}, 0, "load") {
		t.Requests++
		latencies = append(latencies, r.Latency)
		if r.Code == http.StatusOK {
			continue
		}
		t.Failed[cause(r)]++
		if strings.HasSuffix(r.URL, listPath) {
			t.Lists++
		}
		if at := r.Timestamp; first.IsZero() || at.Before(first) {
			first = at
		}
		if at := r.Timestamp; at.After(last) {
			last = at
		}
	}
	slices.Sort(latencies)
	if n := len(latencies); n > 0 {
		t.P50, t.P99, t.Max = latencies[n/2], latencies[n*99/100], latencies[n-1]
	}
	t.Disturbed, t.lastFailure = last.Sub(first), last
}

// cause names why a request failed.
func cause(r *vegeta.Result) string {
	switch {
	case r.Code != 0:
		return strconv.Itoa(int(r.Code))
	case strings.Contains(r.Error, "Client.Timeout") || strings.Contains(r.Error, "timeout"):
		return "timeout"
	case strings.Contains(r.Error, "EOF") || strings.Contains(r.Error, "reset"):
		return "connection cut"
	case strings.Contains(r.Error, "refused"):
		return "refused"
	}
	return r.Error
}

// ledger remembers what was uploaded with success: the digests, by key.
type ledger struct {
	mu      sync.Mutex
	digests map[object.Key][sha256.Size]byte
	next    int
}

func newLedger() *ledger { return &ledger{digests: map[object.Key][sha256.Size]byte{}} }

// file makes the next file, which is like no other.
func (k *ledger) file() (object.Key, []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next++
	key := object.Key(fmt.Sprintf("lab/%06d.bin", k.next))
	return key, bytes.Repeat([]byte(key+"\n"), 2000+k.next)
}

func (k *ledger) keep(key object.Key, content []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.digests[key] = sha256.Sum256(content)
}

func (o outside) client() (*client.Client, error) {
	return client.New(o.api, client.WithTransport(o.transport()))
}

// transferEvery is the pace of the client: two files a second.
const transferEvery = 500 * time.Millisecond

// transfer uploads files and downloads each again until it is told to end; what was begun is finished within ctx.
func (o outside) transfer(ctx, until context.Context, kept *ledger) (files int, failed map[string]int) {
	failed = map[string]int{}
	c, err := o.client()
	if err != nil {
		return 1, map[string]int{err.Error(): 1}
	}
	defer c.Close()
	pace := time.NewTicker(transferEvery)
	defer pace.Stop()
	for {
		select {
		case <-until.Done():
			return files, failed
		case <-pace.C:
		}
		key, content := kept.file()
		err := o.roundTrip(ctx, c, key, content, kept)
		files++
		if err != nil {
			failed[err.Error()]++
		}
	}
}

var errChanged = errors.New("a file came back changed")

func (o outside) roundTrip(ctx context.Context, c *client.Client, key object.Key, content []byte, kept *ledger) error {
	if _, err := c.Upload(ctx, key, bytes.NewReader(content), int64(len(content)), nil); err != nil {
		return err
	}
	kept.keep(key, content)
	var back bytes.Buffer
	if _, err := c.Download(ctx, key, &back, nil); err != nil {
		return err
	}
	if !bytes.Equal(back.Bytes(), content) {
		return errChanged
	}
	return nil
}

// compared is how many files are downloaded at once at the end.
const compared = 8

// audit downloads all that was ever uploaded and returns how many files there are and how many are lost or changed. One
// that cannot be compared is an error.
func (o outside) audit(ctx context.Context, kept *ledger) (files, lost int, err error) {
	c, err := o.client()
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	listed, err := c.List(ctx)
	if err != nil {
		return 0, 0, err
	}
	there := map[object.Key]bool{}
	for _, info := range listed {
		there[info.Key] = true
	}
	kept.mu.Lock()
	wanted := maps.Clone(kept.digests)
	kept.mu.Unlock()
	keys := make(chan object.Key)
	var all sync.WaitGroup
	var mu sync.Mutex
	var failures []error
	for range compared {
		all.Go(func() {
			for key := range keys {
				digest := sha256.New()
				_, err := c.Download(ctx, key, digest, nil)
				mu.Lock()
				switch {
				case object.CodeOf(err) == object.CodeNotFound || err == nil && (!there[key] || [sha256.Size]byte(digest.Sum(nil)) != wanted[key]):
					lost++
				case err != nil:
					failures = append(failures, err)
				}
				mu.Unlock()
			}
		})
	}
	for key := range wanted {
		keys <- key
	}
	close(keys)
	all.Wait()
	if len(failures) > 0 {
		return 0, 0, fmt.Errorf("%d files could not be compared: %w", len(failures), failures[0])
	}
	return len(wanted), lost, nil
}
