package sshkey

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestOnlyThePublicHalfIsRead(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edBlock, err := ssh.MarshalPrivateKey(edKey, "")
	if err != nil {
		t.Fatal(err)
	}
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(edKey, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, content, want, wantErr string
	}{
		{"RSA", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})), "ssh-rsa AAAA", ""},
		{"ed25519", string(pem.EncodeToMemory(edBlock)), "ssh-ed25519 AAAA", ""},
		{"with a passphrase", string(pem.EncodeToMemory(locked)), "", "is not a private key without a passphrase"},
		{"something else", "hello", "", "move it away and run `make key`"},
	} {
		file := filepath.Join(t.TempDir(), "k.pem")
		if err := os.WriteFile(file, []byte(tc.content), 0o400); err != nil {
			t.Fatal(err)
		}
		got, err := Public(file)
		if tc.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		if err != nil || !strings.HasPrefix(got, tc.want) || strings.ContainsAny(got, "\n") || strings.Contains(got, "PRIVATE") {
			t.Errorf("%s: %q %v", tc.name, got, err)
		}
	}
}

func TestAMissingKeyIsNoError(t *testing.T) {
	t.Parallel()
	if got, err := Public(filepath.Join(t.TempDir(), "none.pem")); got != "" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}
