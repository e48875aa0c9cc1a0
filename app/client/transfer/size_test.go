package transfer

import "testing"

func TestThePartsOfAnObjectAreGuessed(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	for _, tt := range []struct {
		what string
		size int64
		etag string
		part int64
	}{
		{"this client's", 4 * gib, `"0123-256"`, 16 * mib},
		{"the AWS CLI's", 4 * gib, `"0123-512"`, 8 * mib},
		{"s5cmd's", 4 * gib, `"0123-82"`, 50 * mib},
		{"the least", 12 * mib, `"0123-3"`, 5 * mib},
		{"of a whole MiB", 7 * 23 * mib, `"0123-7"`, 23 * mib},
		{"of no whole MiB", 2_000_003, `"0123-3"`, 0},
	} {
		if got := likelyPart(tt.size, partsOf(tt.etag)); got != tt.part {
			t.Errorf("%s: %d, want %d", tt.what, got, tt.part)
		}
	}
	for etag, want := range map[string]int{`"0123"`: 0, `"0123-x"`: 0, `"0123-0"`: 0, `"0123-1"`: 1, ``: 0} {
		if got := partsOf(etag); got != want {
			t.Errorf("%s: %d parts, want %d", etag, got, want)
		}
	}
}
