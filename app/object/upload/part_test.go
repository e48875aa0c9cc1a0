package upload_test

import (
	"testing"

	"cloudstorage/app/object"
	"cloudstorage/app/object/upload"
)

const mib = 1 << 20

func TestPlansAtTheEdges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		size, want int64
		plan       upload.Plan
	}{
		{"nothing", 0, 0, upload.Plan{Part: 5 * mib, Count: 1, Last: 0}},
		{"a byte", 1, 0, upload.Plan{Part: 5 * mib, Count: 1, Last: 1}},
		{"one part", 5 * mib, 0, upload.Plan{Part: 5 * mib, Count: 1, Last: 5 * mib}},
		{"a byte more", 5*mib + 1, 0, upload.Plan{Part: 5 * mib, Count: 2, Last: 1}},
		{"all of the smallest parts", 50_000 * mib, 0, upload.Plan{Part: 5 * mib, Count: 10_000, Last: 5 * mib}},
		{"too much for the smallest parts", 50_000*mib + 1, 0, upload.Plan{Part: 6 * mib, Count: 8334, Last: 2*mib + 1}},
		{"a byte below the most", upload.MaxSize - 1, 0, upload.Plan{Part: upload.MaxPart, Count: 10_000, Last: upload.MaxPart - 1}},
		{"the most", upload.MaxSize, 0, upload.Plan{Part: upload.MaxPart, Count: 10_000, Last: upload.MaxPart}},
		{"a wish below the least", 20 * mib, 1, upload.Plan{Part: 5 * mib, Count: 4, Last: 5 * mib}},
		{"a wish", 20 * mib, 8 * mib, upload.Plan{Part: 8 * mib, Count: 3, Last: 4 * mib}},
		{"a wish that is no whole MiB", 20 * mib, 8*mib + 1, upload.Plan{Part: 9 * mib, Count: 3, Last: 2 * mib}},
		{"a wish that makes too many parts", 100_000 * mib, 8 * mib, upload.Plan{Part: 10 * mib, Count: 10_000, Last: 10 * mib}},
		{"the largest wish", upload.MaxPart + 1, upload.MaxPart, upload.Plan{Part: upload.MaxPart, Count: 2, Last: 1}},
	}
	for _, tt := range tests {
		if plan, err := upload.NewPlan(tt.size, tt.want); err != nil || plan != tt.plan {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, plan, err, tt.plan)
		}
	}
}

func TestPlansThatNoStoreTakesAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		size, want int64
		code       object.Code
	}{
		{"less than nothing", -1, 0, object.CodeInvalid},
		{"more than the most", upload.MaxSize + 1, 0, object.CodeTooLarge},
		{"a negative wish", 1, -1, object.CodeInvalid},
		{"a wish above the largest part", 1, upload.MaxPart + 1, object.CodeInvalid},
	}
	for _, tt := range tests {
		if plan, err := upload.NewPlan(tt.size, tt.want); object.CodeOf(err) != tt.code {
			t.Errorf("%s: %+v, %v; want %s", tt.name, plan, err, tt.code)
		}
	}
}

func TestPartNumbersBeginAtOne(t *testing.T) {
	t.Parallel()
	for number, good := range map[int]bool{-1: false, 0: false, 1: true, 10_000: true, 10_001: false} {
		if err := upload.CheckNumber(number); (err == nil) != good || err != nil && object.CodeOf(err) != object.CodeInvalid {
			t.Errorf("%d: %v", number, err)
		}
	}
}

// FuzzPlan checks that parts keep the limits and join without a gap.
func FuzzPlan(f *testing.F) {
	for _, size := range []int64{0, 1, 5 * mib, 50_000 * mib, 50_000*mib + 1, upload.MaxSize, upload.MaxSize + 1} {
		f.Add(size, int64(0))
		f.Add(size, int64(7*mib+3))
	}
	f.Fuzz(func(t *testing.T, size, want int64) {
		p, err := upload.NewPlan(size, want)
		if good := size >= 0 && size <= upload.MaxSize && want >= 0 && want <= upload.MaxPart; good != (err == nil) {
			t.Fatalf("NewPlan(%d, %d): %v, want good = %v", size, want, err, good)
		}
		if err != nil {
			return
		}
		if p.Part < max(upload.MinPart, want) || p.Part > upload.MaxPart || p.Count < 1 || p.Count > upload.MaxParts || p.Last > p.Part || p.Last < 0 || p.Last == 0 && size > 0 {
			t.Errorf("NewPlan(%d, %d) = %+v", size, want, p)
		}
		next := int64(0)
		for number := 1; number <= p.Count; number++ {
			first, length := p.Range(number)
			if first != next {
				t.Fatalf("%+v: part %d begins at %d, want %d", p, number, first, next)
			}
			next = first + length
		}
		if next != size {
			t.Errorf("%+v: the parts have %d bytes, want %d", p, next, size)
		}
	})
}
