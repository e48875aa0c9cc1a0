// Package limit keeps one caller, or all of them together, from taking more of
// the server than their share.
package limit

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"cloudstorage/app/auth"
	"cloudstorage/app/settings"
	"cloudstorage/app/web"
	"cloudstorage/app/web/clientip"
)

const (
	// maxBuckets bounds the memory of a Limiter, to about 4 MB. Beyond it whoever
	// has not called for longest is forgotten, and begins anew with a full bucket.
	maxBuckets = 10_000

	// addressFactor is how many callers' worth of requests an address may send:
	// an office or a mobile network has one for many people.
	addressFactor = 10

	// networkBits of an IPv6 address are a customer's network; the rest they
	// choose freely.
	// Source: https://www.rfc-editor.org/rfc/rfc4291#section-2.5.4
	networkBits = 64
)

// Limiter bounds the requests of each caller by a token bucket: so many a
// second, and as many at once after a pause. It is safe for concurrent use.
type Limiter struct {
	perSecond int

	mu      sync.Mutex
	buckets *simplelru.LRU[who, *rate.Limiter]
}

// who is a caller or, where nobody is known, a network.
type who struct {
	caller  string
	network netip.Prefix
}

// New returns a limiter for so many requests a second, 1 or more; -1 is any
// number.
func New(perSecond int) *Limiter {
	buckets, err := simplelru.NewLRU[who, *rate.Limiter](maxBuckets, nil)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Limiter{perSecond: perSecond, buckets: buckets}
}

// Allow charges a caller, whose id an authenticator gave, for one request. Where
// it is not ok, nothing is charged, and the next request is after wait.
func (l *Limiter) Allow(caller string, now time.Time) (wait time.Duration, ok bool) {
	return l.take(who{caller: caller}, now)
}

// AllowAddress does the same for an address; one of IPv6 counts with its /64.
func (l *Limiter) AllowAddress(a netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	bits := a.BitLen()
	if a.Is6() {
		bits = networkBits
	}
	network, _ := a.Prefix(bits) // only an address that is none has no prefix: those share a bucket
	return l.take(who{network: network}, now)
}

func (l *Limiter) take(w who, now time.Time) (time.Duration, bool) {
	if l.perSecond < 0 {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, found := l.buckets.Get(w)
	if !found {
		bucket = rate.NewLimiter(rate.Limit(l.perSecond), l.perSecond)
		l.buckets.Add(w, bucket)
	}
	reservation := bucket.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// Charge charges whoever sends r: the caller, or the address where access is open
// or the caller is not known. Its error is the answer.
func (l *Limiter) Charge(r *http.Request, caller auth.Caller, now time.Time) error {
	if caller.ID == "" || caller.ID == auth.Anyone().ID {
		return refusal(l.AllowAddress(clientip.Of(r), now))
	}
	return refusal(l.Allow(caller.ID, now))
}

// Addresses charges the address of every request, before anybody asks who sends
// it: a request with a key that nobody knows costs too. An address has more than
// a caller, so it only stops who floods the server. The health check is free:
// a balancer that is not answered replaces the machine.
func Addresses(perSecond int) echo.MiddlewareFunc {
	if perSecond < 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	l := New(perSecond * addressFactor)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.URL.Path != settings.HealthPath {
				if err := refusal(l.AllowAddress(clientip.Of(r), time.Now())); err != nil {
					return err
				}
			}
			return next(c)
		}
	}
}

// refusal is the answer to who must wait.
func refusal(wait time.Duration, ok bool) error {
	if ok {
		return nil
	}
	seconds := (wait + time.Second - 1).Truncate(time.Second)
	return &web.Error{Status: http.StatusTooManyRequests, RetryAfter: seconds, Message: "too many requests: wait as long as Retry-After says, and ask for many files in one request where there is one for it"}
}
