package config

import (
	"strings"
	"testing"
)

func TestCronTakesWhatAutoScalingTakes(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"0 20 * * *", "0 20 * * 1-5", "30 0 1 1,6,12 *", "*/15 8-18/2 * * MON-FRI", "0 9 * JAN-mar sun", "59 23 31 12 7", "0,30 7,19 * * 0", " 0  20 * * * ",
	} {
		if err := parseCron(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":                  "0 fields",
		"0 20 * *":          "4 fields",
		"0 20 * * * *":      "6 fields",
		"60 20 * * *":       `the minute "60" is not from 0 to 59`,
		"0 -1 * * *":        `the hour "" is not from 0 to 23`,
		"0 +1 * * *":        `the hour "+1" is not from 0 to 23`,
		"0 20 0 * *":        `the day of the month "0" is not from 1 to 31`,
		"0 20 * 13 *":       `the month "13" is not from 1 to 12`,
		"0 20 * * 8":        `the day of the week "8" is not from 0 to 7`,
		"0 20 * * FUN":      `the day of the week "FUN" is not from 0 to 7`,
		"0 20 * * FRI-MON":  `the range "FRI-MON" of the day of the week runs backwards`,
		"0 20 ? * *":        `the day of the month "?" is not from 1 to 31`,
		"0 20 * * 5L":       `the day of the week "5L"`,
		"0/5 20 * * *":      `a step of the minute needs * or a range before it, not "0"`,
		"*/0 20 * * *":      `the step "0" of the minute is not from 1 to 59`,
		"*/ 20 * * *":       `the step "" of the minute`,
		"0 20,, * * *":      `the hour "" is not from 0 to 23`,
		"cron(0 20 * * * )": "6 fields",
	} {
		if err := parseCron(bad); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", bad, err, want)
		}
	}
}
