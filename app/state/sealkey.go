package state

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/seal"
)

// sealingKeyTries bounds how often creating and reading may miss each other,
// which takes somebody who deletes the object meanwhile, or a store that shows a
// write late, unlike S3: hence the pause.
const (
	sealingKeyTries = 5
	sealingKeyPause = 200 * time.Millisecond
)

// OpenSealer returns the sealer with the key in the bucket. Where there is none
// it makes one, and of several servers that do so at once only one succeeds: the
// others take its key. Deleting the object and restarting every server is what
// invalidates all links and cursors at once.
func OpenSealer(ctx context.Context, o Objects) (*seal.Sealer, error) {
	ctx, cancel := context.WithTimeout(ctx, sealingKeyTries*callTimeout)
	defer cancel()
	for try := range sealingKeyTries {
		if try > 1 {
			select {
			case <-time.After(sealingKeyPause):
			case <-ctx.Done():
			}
		}
		body, _, err := o.Read(ctx, SealingKeyName, "")
		if err == nil {
			return parseSealingKey(body)
		}
		if object.CodeOf(err) != object.CodeNotFound {
			return nil, fmt.Errorf("read %s: %w", SealingKeyName, err)
		}
		key := make([]byte, seal.KeyBytes)
		_, _ = rand.Read(key) // never fails: crypto/rand ends the program first
		err = o.Create(ctx, SealingKeyName, []byte(base64.StdEncoding.EncodeToString(key)+"\n"))
		// Even where this was the one that wrote, what counts is what is there.
		if err != nil && !errors.Is(err, ErrExists) {
			return nil, fmt.Errorf("create %s: %w", SealingKeyName, err)
		}
	}
	return nil, fmt.Errorf("%s: it can neither be read nor created: does somebody delete it?", SealingKeyName)
}

// parseSealingKey's errors quote nothing of what was read.
func parseSealingKey(body []byte) (*seal.Sealer, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(body)))
	if err != nil {
		return nil, fmt.Errorf("%s is not base64: restore its first version", SealingKeyName)
	}
	s, err := seal.New(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: restore its first version", SealingKeyName, err)
	}
	return s, nil
}
