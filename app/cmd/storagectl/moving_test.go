package main

import (
	"strings"
	"testing"
)

func TestRatesAreReadAsCurlAndWgetDo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"": 0, "1": 1, "1000": 1000, "500k": 512_000, "500K": 512_000, "2.5m": 2_621_440, "2M": 2 << 20, "1G": 1 << 30, "0.5k": 512} {
		if got, err := parseRate(text); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"0", "-1", "k", "1kk", "1e3", "fast", "1 k", "0x10", "inf", "NaN", "99999999G", "0.5"} {
		if got, err := parseRate(text); err == nil || !strings.Contains(err.Error(), "--limit-rate") {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
}
