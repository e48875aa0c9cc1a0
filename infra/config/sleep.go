package config

import (
	"regexp"
	"time"
	_ "time/tzdata" // machines without a time zone database read the same files
)

// timeZonePattern keeps out the names that mean something else on each machine, and abbreviations.
var timeZonePattern = regexp.MustCompile(`^UTC$|^[A-Z][A-Za-z]*(/[A-Za-z0-9_+-]+)+$`)

func (e *Environment) validateSleep(s *Sleep) {
	e.doc.cron("compute.sleep.from", s.From)
	e.doc.cron("compute.sleep.until", s.Until)
	if s.From != "" && s.From == s.Until {
		e.doc.at("compute.sleep.until", "%q is from's time too: choose another", s.Until)
	}
	if _, err := time.LoadLocation(s.TimeZone); err != nil || !timeZonePattern.MatchString(s.TimeZone) {
		e.doc.at("compute.sleep.time_zone", "%q is not a time zone: write an IANA name such as Europe/Paris", s.TimeZone)
	}
	if e.Compute.Scaling != nil {
		e.doc.at("compute.sleep", "a scaling policy would wake the fleet: remove sleep or scaling")
	} else if e.Compute.Min != e.Compute.Max {
		e.doc.at("compute.sleep", "min is %d and max is %d, and the fleet wakes at one size: make them equal, or remove it", e.Compute.Min, e.Compute.Max)
	}
	if e.Observe != nil {
		e.doc.at("compute.sleep", "the alarm on healthy hosts would be sent every night: remove sleep or observe")
	}
}

// cron checks a time that Auto Scaling repeats.
func (d *document) cron(path, expression string) {
	if expression == "" {
		d.at(path, `missing: write five fields, such as "0 20 * * 1-5"`)
	} else if err := parseCron(expression); err != nil {
		d.at(path, `%q: %v: write minute, hour, day, month and weekday, such as "0 20 * * 1-5"`, expression, err)
	}
}
