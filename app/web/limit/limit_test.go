package limit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"cloudstorage/app/auth"
	"cloudstorage/app/web"
	"cloudstorage/app/web/limit"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestACallerMaySendSoManyAtOnceAndThenSoManyASecond(t *testing.T) {
	t.Parallel()
	l := limit.New(4)
	for i := range 4 {
		if _, ok := l.Allow("a", start); !ok {
			t.Fatalf("request %d is refused", i)
		}
	}
	for range 100 { // who is refused is not charged
		if wait, ok := l.Allow("a", start); ok || wait != 250*time.Millisecond {
			t.Fatalf("one too many: %t, wait %s", ok, wait)
		}
	}
	if _, ok := l.Allow("b", start); !ok {
		t.Error("another caller is refused")
	}
	if _, ok := l.Allow("a", start.Add(249*time.Millisecond)); ok {
		t.Error("allowed too early")
	}
	if _, ok := l.Allow("a", start.Add(250*time.Millisecond)); !ok {
		t.Error("refused although it has waited as long as it was told")
	}
}

func TestMinusOneIsAnyNumber(t *testing.T) {
	t.Parallel()
	l := limit.New(-1)
	for range 10_000 {
		if _, ok := l.Allow("a", start); !ok {
			t.Fatal("refused")
		}
	}
}

func TestAnAddressOfIPv6CountsWithItsNetwork(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		a, b string
		same bool
	}{
		"one /64":          {"2001:db8::1", "2001:db8::ffff:1", true},
		"two /64":          {"2001:db8::1", "2001:db8:0:1::1", false},
		"two of IPv4":      {"203.0.113.7", "203.0.113.8", false},
		"one and the same": {"203.0.113.7", "203.0.113.7", true},
	} {
		l := limit.New(1)
		if _, ok := l.AllowAddress(netip.MustParseAddr(tt.a), start); !ok {
			t.Errorf("%s: the first is refused", name)
		}
		if _, ok := l.AllowAddress(netip.MustParseAddr(tt.b), start); ok == tt.same {
			t.Errorf("%s: the second is allowed: %t", name, ok)
		}
	}
}

func TestACallerCannotTakeAnAddressesPlace(t *testing.T) {
	t.Parallel()
	l := limit.New(1)
	l.Allow("203.0.113.7/32", start)
	l.Allow("", start)
	if _, ok := l.AllowAddress(netip.MustParseAddr("203.0.113.7"), start); !ok {
		t.Error("a caller's id was charged to an address")
	}
}

// TestMemoryIsBounded also pins who is forgotten: whoever called last is not.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l := limit.New(1)
	l.Allow("first", start)
	for i := range 10_000 {
		l.Allow(fmt.Sprint(i), start)
	}
	if _, ok := l.Allow("9999", start); ok {
		t.Error("the last caller was forgotten")
	}
	if _, ok := l.Allow("first", start); !ok {
		t.Error("10,001 callers are remembered")
	}
}

func TestCallersAtOnceGetNoMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	l := limit.New(100)
	var allowed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if _, ok := l.Allow("a", start); ok {
					allowed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if allowed.Load() != 100 {
		t.Errorf("%d of 800 were allowed, want 100", allowed.Load())
	}
}

func TestWhoIsKnownIsChargedAndElseTheAddress(t *testing.T) {
	t.Parallel()
	from := func(address string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = address
		return r
	}
	l := limit.New(1)
	for _, tt := range []struct {
		address string
		caller  auth.Caller
		ok      bool
	}{
		{"203.0.113.7:1", auth.Caller{ID: "a"}, true},
		{"203.0.113.8:1", auth.Caller{ID: "a"}, false}, // wherever it calls from
		{"203.0.113.7:1", auth.Caller{ID: "b"}, true},
		{"203.0.113.7:1", auth.Anyone(), true},
		{"203.0.113.7:2", auth.Caller{}, false}, // unknown, and the address has had its turn
		{"203.0.113.8:1", auth.Anyone(), true},
	} {
		if err := l.Charge(from(tt.address), tt.caller, start); (err == nil) != tt.ok {
			t.Errorf("%q from %s: %v", tt.caller.ID, tt.address, err)
		}
	}
}

// newServer answers / and /wait, which enters and leaves by the channels.
func newServer(entered chan<- struct{}, leave <-chan struct{}, use ...echo.MiddlewareFunc) *web.Server {
	s := web.New(web.Config{Log: slog.New(slog.DiscardHandler), Ready: func(context.Context) error { return nil }, DrainTimeout: time.Minute})
	for _, m := range use {
		s.Use(m)
	}
	s.Get("/", func(c echo.Context) error { return web.Answer(c, "seen", nil) })
	s.Get("/wait", func(c echo.Context) error {
		entered <- struct{}{}
		<-leave
		return web.Answer(c, "left", nil)
	})
	return s
}

func get(s *web.Server, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

// wantRefusal checks an answer's status, its wait and its shape.
func wantRefusal(t *testing.T, w *httptest.ResponseRecorder, status int, retryAfter string) {
	t.Helper()
	var body struct {
		Status  int
		Message string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Status != status || body.Message == "" {
		t.Errorf("body %s: %v", w.Body, err)
	}
	if w.Code != status || w.Header().Get("Retry-After") != retryAfter {
		t.Errorf("%d, Retry-After %q, want %d and %s", w.Code, w.Header().Get("Retry-After"), status, retryAfter)
	}
}

func TestAnAddressThatFloodsIsToldToWaitAndTheHealthCheckIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(nil, nil, limit.Addresses(2))
		for i := range 20 { // ten callers' worth
			if w := get(s, "/"); w.Code != http.StatusOK {
				t.Fatalf("request %d: %d", i, w.Code)
			}
		}
		wantRefusal(t, get(s, "/"), http.StatusTooManyRequests, "1")
		wantRefusal(t, get(s, "/no-such-route"), http.StatusTooManyRequests, "1")
		wantRefusal(t, get(s, "/readyz"), http.StatusTooManyRequests, "1")
		if w := get(s, "/healthz"); w.Code != http.StatusOK {
			t.Errorf("healthz: %d", w.Code)
		}
		time.Sleep(time.Second)
		if w := get(s, "/"); w.Code != http.StatusOK {
			t.Errorf("after the wait: %d", w.Code)
		}
	})
}

func TestAddressesMinusOneIsAnyNumber(t *testing.T) {
	t.Parallel()
	s := newServer(nil, nil, limit.Addresses(-1))
	for range 100 {
		if w := get(s, "/"); w.Code != http.StatusOK {
			t.Fatal(w.Code)
		}
	}
}

func TestAFullServerRefusesAtOnceAndIsAlive(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	s := newServer(entered, leave, limit.Concurrency(2))
	var waiting sync.WaitGroup
	for range 2 {
		waiting.Go(func() {
			if w := get(s, "/wait"); w.Code != http.StatusOK {
				t.Errorf("a request that had a place: %d", w.Code)
			}
		})
		<-entered
	}
	wantRefusal(t, get(s, "/"), http.StatusServiceUnavailable, "1")
	for _, path := range []string{"/healthz", "/readyz"} {
		if w := get(s, path); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	close(leave)
	waiting.Wait()
	if w := get(s, "/"); w.Code != http.StatusOK {
		t.Errorf("after the others left: %d", w.Code)
	}
}

func TestAPanicLeavesItsPlace(t *testing.T) {
	t.Parallel()
	s := newServer(nil, nil, limit.Concurrency(1))
	s.Get("/panic", func(echo.Context) error { panic("for the test") })
	get(s, "/panic")
	if w := get(s, "/"); w.Code != http.StatusOK {
		t.Errorf("after a panic: %d", w.Code)
	}
}

func TestConcurrencyMinusOneIsAnyNumber(t *testing.T) {
	t.Parallel()
	if w := get(newServer(nil, nil, limit.Concurrency(-1)), "/"); w.Code != http.StatusOK {
		t.Error(w.Code)
	}
}
