package seal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"cloudstorage/app/seal"
)

func sealer(t testing.TB, fill byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{fill}, seal.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestATokenGivesBackWhatWasSealed(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	for _, payload := range []string{"", "a", "näme + %/?&", strings.Repeat("x", 2000), "\x00\xff"} {
		token := s.Seal("cursor", []byte(payload))
		got, err := s.Open("cursor", token)
		if err != nil || string(got) != payload {
			t.Errorf("%q: %q, %v", payload, got, err)
		}
		if strings.ContainsAny(token, "+/=&?% ") {
			t.Errorf("%q needs escaping in a URL", token)
		}
	}
}

func TestATokenOfAnotherKeyOrPurposeIsBroken(t *testing.T) {
	t.Parallel()
	token := sealer(t, 1).Seal("cursor", []byte("a"))
	if _, err := sealer(t, 2).Open("cursor", token); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("another key: %v", err)
	}
	if _, err := sealer(t, 1).Open("link", token); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("another purpose: %v", err)
	}
}

func TestEveryChangedCharacterBreaksAToken(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	token := s.Seal("cursor", []byte("page 2"))
	for i := range token {
		for _, c := range []byte("A_z9=.") {
			changed := []byte(token)
			if changed[i] == c {
				continue
			}
			changed[i] = c
			if _, err := s.Open("cursor", string(changed)); !errors.Is(err, seal.ErrBroken) {
				t.Fatalf("%s was opened: %v", changed, err)
			}
		}
		for _, c := range []string{"\r", "\n", "A"} {
			if _, err := s.Open("cursor", token[:i]+c+token[i:]); !errors.Is(err, seal.ErrBroken) {
				t.Fatalf("with %q at %d: %v", c, i, err)
			}
		}
		if _, err := s.Open("cursor", token[:i]); !errors.Is(err, seal.ErrBroken) {
			t.Fatalf("%s was opened", token[:i])
		}
	}
}

func TestAKeyOfAnotherSizeIsRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := seal.New(make([]byte, n)); err == nil {
			t.Errorf("%d bytes were taken", n)
		}
	}
}

// FuzzOpen holds that what opens is what Seal makes of it, to the letter.
func FuzzOpen(f *testing.F) {
	s := sealer(f, 1)
	for _, payload := range []string{"", "a", "page 2"} {
		f.Add(s.Seal("cursor", []byte(payload)))
	}
	f.Add("")
	f.Add(s.Seal("cursor", []byte("a")) + "\n")
	f.Add(strings.Repeat("A", 22))
	f.Fuzz(func(t *testing.T, token string) {
		payload, err := s.Open("cursor", token)
		if err == nil && s.Seal("cursor", payload) != token {
			t.Fatalf("%q opens, and is not what sealing %q gives", token, payload)
		}
	})
}
