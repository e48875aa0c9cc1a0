package link_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/link"
	"cloudstorage/app/object"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/seal"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

const maxTTL = 30 * 24 * time.Hour

// fakeRevocations keeps them in memory, and fails with err where it is set.
type fakeRevocations struct {
	by  map[link.ID]string
	err error
}

func (f *fakeRevocations) Revoke(_ context.Context, l link.Link, by string) error {
	if f.err == nil {
		f.by[l.ID] = by
	}
	return f.err
}

func (f *fakeRevocations) Revoked(_ context.Context, id link.ID) (bool, error) {
	_, revoked := f.by[id]
	return revoked, f.err
}

func sealer(t testing.TB, fill byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{fill}, seal.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newLinks(t testing.TB) (*link.Links, *fakeRevocations) {
	f := &fakeRevocations{by: map[link.ID]string{}}
	return link.New(sealer(t, 1), f, maxTTL), f
}

func mustMake(t *testing.T, ls *link.Links, l link.Link) (link.Link, string) {
	t.Helper()
	made, token, err := ls.Make(l, now)
	if err != nil {
		t.Fatal(err)
	}
	return made, token
}

func TestALinkGivesBackWhatItWasMadeFor(t *testing.T) {
	t.Parallel()
	ls, _ := newLinks(t)
	for _, name := range objecttest.Names() {
		for _, version := range []string{"", "3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo"} {
			made, token := mustMake(t, ls, link.Link{Key: object.Key(name), Version: version, Expires: now.Add(time.Hour), By: "oidc:ann"})
			got, err := ls.Open(t.Context(), token, now)
			want := link.Link{ID: made.ID, Key: object.Key(name), Version: version, Expires: now.Add(time.Hour).Truncate(time.Second), By: "oidc:ann"}
			if err != nil || got != want || made != want {
				t.Errorf("%q: %+v, %v, want %+v", name, got, err, want)
			}
			if url.PathEscape(token) != token || url.QueryEscape(token) != token {
				t.Errorf("%q: %s needs escaping in a URL", name, token)
			}
		}
	}
}

func TestALinkToAShortNameIsShort(t *testing.T) {
	t.Parallel()
	ls, _ := newLinks(t)
	made, token := mustMake(t, ls, link.Link{Key: "reports/2026.pdf", Expires: now.Add(maxTTL), By: "ci"})
	if len(token) > 75 || len(made.ID.String()) != 16 {
		t.Errorf("%s has %d characters, its id %s", token, len(token), made.ID)
	}
	longest := link.Link{Key: object.Key(strings.Repeat("k", object.MaxKeyBytes)), Version: strings.Repeat("v", 1024), Expires: now.Add(maxTTL), By: strings.Repeat("b", 300)}
	_, token = mustMake(t, ls, longest)
	if _, err := ls.Open(t.Context(), token, now); err != nil {
		t.Errorf("the longest link: %v", err)
	}
}

func TestTwoLinksToTheSameFileDiffer(t *testing.T) {
	t.Parallel()
	ls, f := newLinks(t)
	l := link.Link{Key: "a", Expires: now.Add(time.Hour), By: "ci"}
	one, first := mustMake(t, ls, l)
	_, second := mustMake(t, ls, l)
	if err := ls.Revoke(t.Context(), one, "ann", now); err != nil || f.by[one.ID] != "ann" {
		t.Fatal(err)
	}
	var ended *link.EndedError
	if _, err := ls.Open(t.Context(), first, now); !errors.As(err, &ended) || ended.Why != link.Revoked || ended.ID != one.ID {
		t.Errorf("the revoked one: %v", err)
	}
	if _, err := ls.Open(t.Context(), second, now); err != nil {
		t.Errorf("the other one: %v", err)
	}
	if got, err := ls.Read(first); err != nil || got != one {
		t.Errorf("who decides about it still reads %+v, %v", got, err)
	}
}

func TestALinkEndsToTheSecond(t *testing.T) {
	t.Parallel()
	ls, f := newLinks(t)
	made, token := mustMake(t, ls, link.Link{Key: "a", Expires: now.Add(time.Hour), By: "ci"})
	if _, err := ls.Open(t.Context(), token, made.Expires.Add(-1)); err != nil {
		t.Errorf("just before: %v", err)
	}
	var ended *link.EndedError
	_, err := ls.Open(t.Context(), token, made.Expires)
	if !errors.As(err, &ended) || ended.Why != link.Expired {
		t.Errorf("at its end: %v", err)
	}
	if revoked := (&link.EndedError{Why: link.Revoked}); ended.Message() != revoked.Message() {
		t.Errorf("the holder can tell %q from %q", ended.Message(), revoked.Message())
	}
	if err := ls.Revoke(t.Context(), made, "ann", made.Expires); err != nil || len(f.by) != 0 {
		t.Errorf("revoking what has ended: %v, %v", f.by, err)
	}
}

func TestALinkIsNotOpenedWhereRevocationsCannotBeAsked(t *testing.T) {
	t.Parallel()
	ls, f := newLinks(t)
	_, token := mustMake(t, ls, link.Link{Key: "a", Expires: now.Add(time.Hour), By: "ci"})
	f.err = &object.Error{Code: object.CodeUnavailable, Op: "s3:GetObject", Message: "no answer"}
	if l, err := ls.Open(t.Context(), token, now); object.CodeOf(err) != object.CodeUnavailable || l != (link.Link{}) {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestALinkMustEndInTime(t *testing.T) {
	t.Parallel()
	ls, _ := newLinks(t)
	for name, tt := range map[string]struct {
		l    link.Link
		want string
	}{
		"ended":        {link.Link{Expires: now}, "ended already"},
		"no time":      {link.Link{}, "ended already"},
		"part of one":  {link.Link{Expires: now.Truncate(time.Second).Add(999 * time.Millisecond)}, "ended already"},
		"too late":     {link.Link{Expires: now.Add(maxTTL + time.Second)}, "by 2026-02-01T03:04:05Z"},
		"long version": {link.Link{Expires: now.Add(time.Hour), Version: strings.Repeat("v", 1025)}, "version"},
	} {
		tt.l.Key = "a"
		if _, token, err := ls.Make(tt.l, now); object.CodeOf(err) != object.CodeInvalid || !strings.Contains(err.Error(), tt.want) || token != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoLinkIsBroken(t *testing.T) {
	t.Parallel()
	ls, f := newLinks(t)
	_, token := mustMake(t, ls, link.Link{Key: "a", Expires: now.Add(time.Hour), By: "ci"})
	_, foreign := mustMake(t, link.New(sealer(t, 2), f, maxTTL), link.Link{Key: "a", Expires: now.Add(time.Hour)})
	for name, s := range map[string]string{
		"nothing":         "",
		"a cut one":       token[:len(token)-1],
		"a longer one":    token + "A",
		"another server":  foreign,
		"a cursor":        sealer(t, 1).Seal("cursor", []byte("a")),
		"far too long":    strings.Repeat("A", 1<<20),
		"a line break":    token + "\n",
		"another format":  sealer(t, 1).Seal("link", append([]byte{9}, make([]byte, 40)...)),
		"a length beyond": sealer(t, 1).Seal("link", append([]byte{1}, bytes.Repeat([]byte{0xff}, 40)...)),
	} {
		if _, err := ls.Open(t.Context(), s, now); !errors.Is(err, link.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzToken holds that a link that opens is what its token says to the letter,
// even where the payload is sealed by us and not by Make; and that what nobody
// sealed never opens.
func FuzzToken(f *testing.F) {
	ls, _ := newLinks(f)
	s := sealer(f, 1)
	for _, l := range []link.Link{{Key: "a"}, {Key: "näme + %/?&", Version: "v", By: "ci"}, {Key: object.Key(strings.Repeat("k", 1024)), By: "oidc:x"}} {
		l.Expires = now.Add(time.Hour)
		_, token, err := ls.Make(l, now)
		if err != nil {
			f.Fatal(err)
		}
		payload, err := s.Open("link", token)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, text []byte) {
		if l, err := ls.Read(base64.RawURLEncoding.EncodeToString(text)); !errors.Is(err, link.ErrBroken) {
			t.Fatalf("%x, which nobody sealed, opens as %+v, %v", text, l, err)
		}
		l, err := ls.Read(s.Seal("link", text))
		if err != nil {
			if l != (link.Link{}) || !errors.Is(err, link.ErrBroken) {
				t.Fatalf("%x: %+v, %v", text, l, err)
			}
			return
		}
		if _, err := object.ParseKey(string(l.Key)); err != nil || !bytes.HasSuffix(text, []byte(l.Key)) {
			t.Fatalf("%x names %q: %v", text, l.Key, err)
		}
	})
}
