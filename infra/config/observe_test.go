package config

import "testing"

func TestObserveMistakes(t *testing.T) {
	t.Parallel()
	mistakes(t, private, cases{
		"no reader":            {change{"email: ops@example.org", "email: nobody"}, []string{`observe.email: "nobody" is not an e-mail address: alarms without a reader tell nobody`}},
		"days of no calendar":  {change{"logs_days: 30\n  error", "logs_days: 31\n  error"}, []string{"observe.logs_days: 31 is none of the days that CloudWatch knows: write one of 1 3 5 7 14 30"}},
		"no days":              {change{"logs_days: 30\n  error", "logs_days: 0\n  error"}, []string{"observe.logs_days: 0 is none of the days"}},
		"any error":            {change{"error_percent: 5", "error_percent: 0"}, []string{"observe.error_percent: 0 is not from 1 to 100"}},
		"more than all":        {change{"error_percent: 5", "error_percent: 101"}, []string{"observe.error_percent: 101 is not from 1 to 100"}},
		"no time":              {change{"p95: 1s", "p95: 0s"}, []string{"observe.p95: 0s is not above 0 and at most 1m0s"}},
		"longer than it takes": {change{"p95: 1s", "p95: 61s"}, []string{"observe.p95: 1m1s is not above 0 and at most 1m0s"}},
	})
}
