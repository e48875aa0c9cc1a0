package upload

import (
	"fmt"

	"cloudstorage/app/object"
)

// The limits of an upload in parts, in bytes.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const (
	MinPart  = 5 << 20            // of all parts but the last
	MaxPart  = 5 << 30            // of each part
	MaxParts = 10_000             // they are numbered from 1
	MaxSize  = MaxParts * MaxPart // 48.8 TiB, which AWS rounds to 50 TB
)

// Plan is how content is cut into parts.
type Plan struct {
	Part  int64 // bytes of each part but the last
	Count int   // how many parts
	Last  int64 // bytes of the last part
}

// NewPlan cuts size bytes into parts of at least want bytes (0 leaves it to the
// plan), larger where there would be too many of them, in whole MiB. The last
// part may be smaller; content without a byte is one empty part.
func NewPlan(size, want int64) (Plan, error) {
	switch {
	case size < 0:
		return Plan{}, invalid(fmt.Sprintf("a file cannot have %d bytes", size))
	case size > MaxSize:
		return Plan{}, &object.Error{Code: object.CodeTooLarge, Op: "plan parts",
			Message: fmt.Sprintf("the file has %d bytes: the storage takes at most %d", size, int64(MaxSize))}
	case want < 0 || want > MaxPart:
		return Plan{}, invalid(fmt.Sprintf("a part cannot have %d bytes: ask for %d to %d", want, MinPart, int64(MaxPart)))
	}
	const unit = 1 << 20 // MaxPart is a multiple of it
	part := up(max(want, MinPart, up(size, MaxParts)), unit) * unit
	count := max(1, up(size, part))
	return Plan{Part: part, Count: int(count), Last: size - (count-1)*part}, nil
}

// Range returns the first byte of a part, which is numbered from 1, and how many
// it has.
func (p Plan) Range(number int) (first, length int64) {
	first = int64(number-1) * p.Part
	if number == p.Count {
		return first, p.Last
	}
	return first, p.Part
}

// CheckNumber says whether a part can have that number.
func CheckNumber(number int) error {
	if number < 1 || number > MaxParts {
		return invalid(fmt.Sprintf("a part cannot have the number %d: use 1 to %d", number, MaxParts))
	}
	return nil
}

// up is a/b, rounded up.
func up(a, b int64) int64 { return (a + b - 1) / b }

func invalid(message string) error {
	return &object.Error{Code: object.CodeInvalid, Op: "plan parts", Message: message}
}
