package config

import (
	"slices"
	"testing"
)

func TestComputeMistakes(t *testing.T) {
	t.Parallel()
	mistakes(t, private, cases{
		"initial below min":              {change{"initial: 3", "initial: 1"}, []string{"compute.initial: 1 is not from min to max, 2 to 6"}},
		"initial above max":              {change{"initial: 3", "initial: 7"}, []string{"compute.initial: 7 is not from min to max, 2 to 6"}},
		"initial of nothing":             {change{"initial: 3", "initial: 0"}, []string{"compute.initial: 0 is not from min to max, 2 to 6"}},
		"scaling without a target":       {change{"scaling:\n    requests_per_target: 30000\n    cpu_percent: 60\n", "scaling: {}\n"}, []string{"compute.scaling: no target: give requests_per_target, cpu_percent or both"}},
		"no request":                     {change{"requests_per_target: 30000", "requests_per_target: 0"}, []string{"compute.scaling.requests_per_target: 0 is below 1"}},
		"more than all of the processor": {change{"cpu_percent: 60", "cpu_percent: 101"}, []string{"compute.scaling.cpu_percent: 101 is not from 1 to 100"}},
		"no processor":                   {change{"cpu_percent: 60", "cpu_percent: 0"}, []string{"compute.scaling.cpu_percent: 0 is not from 1 to 100"}},
		"nothing to scale":               {change{"max: 6\n  initial: 3", "max: 2"}, []string{"compute.scaling: min and max are both 2, so there is nothing to scale"}},
		"an image's name":                {change{"ami-0123456789abcdef0", "al2023"}, []string{`compute.image: "al2023" is not an image: write one such as ami-0123456789abcdef0`}},
		"a role as boundary":             {change{":policy/team/boundary", ":role/boundary"}, []string{`compute.permissions_boundary: "arn:aws:iam::210987654321:role/boundary" is not the ARN of a policy`}},
		"another account's boundary":     {change{"iam::210987654321", "iam::111122223333"}, []string{"compute.permissions_boundary: the policy is account 111122223333's, and account_id is 210987654321"}},
	})
}

func TestAnInstanceTakesNothingOfAFleet(t *testing.T) {
	t.Parallel()
	const sizes = "min: 2\n  max: 6\n  initial: 3\n  scaling:\n    requests_per_target: 30000\n    cpu_percent: 60\n"
	mistakes(t, private, cases{
		"anything": {change{"kind: fleet", "kind: instance"}, []string{
			"network: an instance runs in the default VPC", "traffic: an instance has no load balancer",
			"compute: min and max belong to a fleet", "compute.scaling: one instance has no other size",
			"observe: the dashboard and the alarms read the load balancer's metrics, and an instance has none",
		}},
		"sleep": {slices.Concat(change{"kind: fleet", "kind: instance", sizes, "sleep: {from: 0 20 * * *, until: 0 7 * * *}\n"}, noObserve), []string{
			"network: ", "traffic: ", "compute.sleep: an instance has no group that could start it again",
		}},
	})
}

func TestAFleetSleepsOnlyWhereNothingWakesIt(t *testing.T) {
	t.Parallel()
	with := func(c ...string) change { return slices.Concat(sleeping, c) }
	mistakes(t, private, cases{
		"no start":        {with("    from: 0 20 * * MON-FRI\n", ""), []string{"compute.sleep.from: missing: write five fields"}},
		"no end":          {with("    until: 30 7 * * 1-5\n", ""), []string{"compute.sleep.until: missing: write five fields"}},
		"not a time":      {with("0 20 * * MON-FRI", "20:00"), []string{`compute.sleep.from: "20:00": 1 fields: write minute, hour, day, month and weekday`}},
		"no such hour":    {with("30 7 * * 1-5", "30 24 * * 1-5"), []string{`compute.sleep.until: "30 24 * * 1-5": the hour "24" is not from 0 to 23`}},
		"both at once":    {with("30 7 * * 1-5", "0 20 * * MON-FRI"), []string{`compute.sleep.until: "0 20 * * MON-FRI" is from's time too`}},
		"no such zone":    {with("Europe/Paris", "Europe/Atlantis"), []string{`compute.sleep.time_zone: "Europe/Atlantis" is not a time zone`}},
		"an abbreviation": {with("Europe/Paris", "CET"), []string{`compute.sleep.time_zone: "CET" is not a time zone`}},
		"this machine's":  {with("Europe/Paris", "Local"), []string{`compute.sleep.time_zone: "Local" is not a time zone`}},
		"two sizes":       {with("max: 2", "max: 3"), []string{"compute.sleep: min is 2 and max is 3, and the fleet wakes at one size"}},
		"alarms":          {with("release:\n", "observe:\n  email: ops@example.org\nrelease:\n"), []string{"compute.sleep: the alarm on healthy hosts would be sent every night"}},
		"scaling":         {with("max: 2", "max: 3\n  scaling: {cpu_percent: 50}"), []string{"compute.sleep: a scaling policy would wake the fleet"}},
	})
}
