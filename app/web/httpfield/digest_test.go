package httpfield_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"cloudstorage/app/web/httpfield"
)

func TestADigestIsReadOrRefused(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("text"))
	b64 := base64.StdEncoding.EncodeToString(sum[:])
	const other = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
	for _, tt := range []struct {
		fields []string
		fault  string // "" where it is read
	}{
		{[]string{"sha-256=:" + b64 + ":"}, ""},
		{[]string{"sha-256=:" + b64 + ":, " + other}, ""},
		{[]string{other, "  sha-256=:" + b64 + ":\t"}, ""},
		{[]string{"sha-256=:" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + ":, sha-256=:" + b64 + ":"}, ""},
		{[]string{other}, "no sha-256"},
		{[]string{""}, "cannot be read"},
		{[]string{"sha-256"}, "cannot be read"},
		{[]string{"sha-256="}, "cannot be read"},
		{[]string{"sha-256=:"}, "cannot be read"},
		{[]string{"sha-256=::"}, "cannot be read"},
		{[]string{"sha-256=" + b64}, "cannot be read"},
		{[]string{"SHA-256=:" + b64 + ":"}, "cannot be read"},
		{[]string{"sha-256=:" + b64[1:] + ":"}, "cannot be read"},
		{[]string{"sha-256=:" + b64[:20] + "\n" + b64[20:] + ":"}, "cannot be read"},
		{[]string{"sha-256=:" + b64 + ":;a=1"}, "cannot be read"},
		{[]string{"sha-256=:" + b64 + ":,"}, "cannot be read"},
		{[]string{"sha-256=:" + base64.StdEncoding.EncodeToString(sum[:31]) + ":"}, "cannot be read"},
	} {
		got, err := httpfield.ContentDigest(tt.fields)
		switch {
		case tt.fault == "" && (err != nil || got == nil || *got != sum):
			t.Errorf("%q: %x, %v", tt.fields, got, err)
		case tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)):
			t.Errorf("%q: %v, want %q", tt.fields, err, tt.fault)
		}
	}
	if got, err := httpfield.ContentDigest(nil); got != nil || err != nil {
		t.Errorf("no digest: %x, %v", got, err)
	}
}

func FuzzContentDigest(f *testing.F) {
	for _, seed := range []string{"", "sha-256=::", "sha-256=:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=:, sha-512=:AA==:", "a=:", "*=:AA==:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		got, err := httpfield.ContentDigest([]string{field})
		if err != nil {
			return
		}
		// What is read is in the field, up to bits that pad.
		written := base64.StdEncoding.EncodeToString(got[:])
		if !strings.Contains(field, "sha-256=:"+written[:42]) {
			t.Errorf("%q is read as %s", field, written)
		}
		if again, err := httpfield.ContentDigest([]string{"sha-256=:" + written + ":"}); err != nil || *again != *got {
			t.Errorf("%s: %x, %v", written, again, err)
		}
	})
}
