package emulator

import "testing"

func TestAtLeastComparesVersionsByTheirNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version, minimum string
		want             bool
	}{
		{"5.2.1", "5.1", true},
		{"5.1", "5.1", true},
		{"5.1.0rc1", "5.1", true},
		{"5.0.28", "5.1", false},
		{"5.10.0", "5.9", true},
		{"10.0", "9.9.9", true},
		{"4", "5.1", false},
		{"v20.11.1", "20", true},
		{"v18.19.0\n", "20", false},
		{"1.11.4", "1.10", true},
		{"1.9.8", "1.10", false},
		{"", "1", false},
		{"unknown", "1", false},
	} {
		if got := atLeast(c.version, c.minimum); got != c.want {
			t.Errorf("atLeast(%q, %q) = %v, want %v", c.version, c.minimum, got, c.want)
		}
	}
}
