package emulator

import (
	"strconv"
	"strings"
)

// atLeast compares dotted versions by their numbers; what follows the numbers of a part (5.1.0rc1) is ignored,
// and a missing part is 0.
func atLeast(version, minimum string) bool {
	have, want := numbers(version), numbers(minimum)
	for i := range want {
		h := 0
		if i < len(have) {
			h = have[i]
		}
		if h != want[i] {
			return h > want[i]
		}
	}
	return true
}

func numbers(version string) []int {
	var out []int
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.TrimSpace(version), "v"), ".") {
		digits := part
		if i := strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
			digits = part[:i]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		out = append(out, n)
		if digits != part {
			break
		}
	}
	return out
}
