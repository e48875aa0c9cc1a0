//go:build linux

package lab

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestEveryMistakeCanStillBeMade(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	for name, m := range mistakes {
		if _, err := m.made(root); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Contains(Keys(), m.foundBy) {
			t.Errorf("%s is found by %q, which is no scenario", name, m.foundBy)
		}
	}
}

func TestARunGoesThroughWhatWasChosen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o    Options
		want []string
	}{
		"quick":          {Options{}, []string{"boot", "refused", "kill", "deploy", "audit"}},
		"full":           {Options{Full: true}, Keys()},
		"quick, source":  {Options{Source: true}, []string{"boot", "audit"}},
		"full, source":   {Options{Source: true, Full: true}, []string{"boot", "launch", "audit"}},
		"named":          {Options{Only: []string{"hang", "kill"}}, []string{"boot", "kill", "hang", "audit"}},
		"mistake":        {Options{Break: "digest"}, []string{"boot", "tampered", "audit"}},
		"mistake, named": {Options{Break: "digest", Only: []string{"kill"}}, []string{"boot", "kill", "audit"}},
	} {
		var got []string
		for _, s := range chosen(c.o) {
			got = append(got, s.key)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatALabCannotDoIsSaid(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"no such scenario":         {Only: []string{"kil"}},
		"no such mistake":          {Break: "drains"},
		"mistake, other delivery":  {Break: "drain", Source: true},
		"scenario, other delivery": {Only: []string{"refused"}, Source: true},
	} {
		if CheckOptions(o) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, o := range []Options{{Only: Keys(), Break: "drain"}, {Only: []string{"launch"}, Source: true}} {
		if err := CheckOptions(o); err != nil {
			t.Error(err)
		}
	}
}

func TestAMistakeIsFoundByWhatItsScenarioSays(t *testing.T) {
	t.Parallel()
	report := func(key, fault string) Report {
		return Report{Scenarios: []Scenario{{Key: "boot"}, {Key: key, Name: "a scenario", Fault: fault}}}
	}
	for _, c := range []struct {
		report Report
		found  bool
	}{
		{report("tampered", "the deploy went well; 0 machines refused"), true},
		{report("tampered", "a machine was too slow"), false},
		{report("kill", "the deploy went well"), false},
		{report("tampered", ""), false},
		{Report{}, false},
	} {
		if err := Found("digest", c.report); strings.Contains(err.Error(), "NOT found") == c.found {
			t.Errorf("%v: %v", c.report, err)
		}
	}
}
