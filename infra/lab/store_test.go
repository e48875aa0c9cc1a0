//go:build linux

package lab

import (
	"testing"
	"time"

	"cloudstorage/app/sigv4"
)

func TestAURLOfATimeToComeIsRefused(t *testing.T) {
	t.Parallel()
	for ahead, refused := range map[time.Duration]bool{time.Hour: true, time.Minute: false, 0: false, -time.Hour: false} {
		if got := early(time.Now().Add(ahead).UTC().Format(sigv4.TimeFormat)); got != refused {
			t.Errorf("%s ahead: refused %v", ahead, got)
		}
	}
	if early("") {
		t.Error("a request that is not signed by its URL is refused")
	}
}
