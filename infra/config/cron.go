package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// cronField is what one field of a cron expression can say.
type cronField struct {
	name      string
	low, high int
	names     []string // of the values from low on
}

// The fields that EC2 Auto Scaling takes, in cron's traditional syntax.
// Sources: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html and
// https://man7.org/linux/man-pages/man5/crontab.5.html
var cronFields = []cronField{
	{name: "minute", low: 0, high: 59},
	{name: "hour", low: 0, high: 23},
	{name: "day of the month", low: 1, high: 31},
	{name: "month", low: 1, high: 12, names: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{name: "day of the week", low: 0, high: 7, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// parseCron says what is wrong with an expression.
func parseCron(expression string) error {
	texts := strings.Fields(expression)
	if len(texts) != len(cronFields) {
		return fmt.Errorf("%d fields", len(texts))
	}
	for i, field := range cronFields {
		for item := range strings.SplitSeq(texts[i], ",") {
			if err := field.check(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// check reads one item of a field's list: *, a value or a range, the first and the last perhaps with a step.
func (f cronField) check(item string) error {
	span, step, stepped := strings.Cut(item, "/")
	if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1 || n > f.high) {
		return fmt.Errorf("the step %q of the %s is not from 1 to %d", step, f.name, f.high)
	}
	if span == "*" {
		return nil
	}
	from, to, isRange := strings.Cut(span, "-")
	if stepped && !isRange {
		return fmt.Errorf("a step of the %s needs * or a range before it, not %q", f.name, span)
	}
	low, err := f.value(from)
	if err != nil || !isRange {
		return err
	}
	high, err := f.value(to)
	if err != nil {
		return err
	}
	if low > high {
		return fmt.Errorf("the range %q of the %s runs backwards", span, f.name)
	}
	return nil
}

func (f cronField) value(text string) (int, error) {
	if i := slices.Index(f.names, strings.ToLower(text)); i >= 0 {
		return f.low + i, nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || int(n) < f.low || int(n) > f.high {
		return 0, fmt.Errorf("the %s %q is not from %d to %d", f.name, text, f.low, f.high)
	}
	return int(n), nil
}
