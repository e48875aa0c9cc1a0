// Package sshkey reads the public half of a private key file; the private half never leaves it.
package sshkey

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Public is the public half of the PEM private key in file, in OpenSSH's format, without a comment. It is "" where
// there is no such file.
func Public(file string) (string, error) {
	pem, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read private key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return "", fmt.Errorf("%s is not a private key without a passphrase: %w: move it away and run `make key`", file, err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))), nil
}
