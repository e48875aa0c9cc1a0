package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

const (
	keyFile = "module02.pem"
	keyBits = 4096 // the largest that EC2 takes
)

func newKey(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "key",
		Short: "Make the ssh key " + keyFile + " (RSA, mode 0400); an existing one is kept",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path := filepath.Join(p.root, keyFile)
			switch err := writeKey(path); {
			case errors.Is(err, fs.ErrExist):
				p.note("%s is there already and stays as it is", path)
				return nil
			case err != nil:
				return err
			}
			p.note("made %s: keep it to yourself and back it up; only its public half reaches Terraform and AWS", path)
			return nil
		},
	}
}

// writeKey makes a private key for EC2. It never replaces a file: a machine may be waiting for the key in it.
func writeKey(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("making %s: %w", path, fs.ErrExist)
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o400)
	if err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	err = pem.Encode(f, &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := errors.Join(err, f.Close()); err != nil {
		// A file of ours that holds half a key.
		return fmt.Errorf("making %s: %w", path, errors.Join(err, os.Remove(path)))
	}
	return nil
}
