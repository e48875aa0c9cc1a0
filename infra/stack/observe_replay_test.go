package stack_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/infra/observe"
)

// The alarms as Terraform gets them are replayed against what CloudWatch would know while something happens. Nothing
// here asks AWS: how it evaluates alarms is taken from its documentation.

const (
	before = 60 // minutes of routine before something happens
	after  = 90 // minutes that are replayed from then on
	drain  = 1  // minutes from the new fleet's health until the old one is gone
)

// replayedFleet is a kind of fleet that the replay is tried on: routine is a fleet at min, a new one starts at initial.
type replayedFleet struct {
	name              string
	boot              int // minutes
	min, initial, max int
}

var fleets = []replayedFleet{
	{"binary", 10, 2, 2, 6},
	{"source", 25, 2, 2, 2},
	{"starts at max", 10, 2, 4, 4},
}

func (f replayedFleet) alarms(t *testing.T) map[string]replayed {
	t.Helper()
	s := observed(t, func(p *observe.Props) {
		p.Min, p.Initial, p.Max, p.Boot = f.min, f.initial, f.max, time.Duration(f.boot)*time.Minute
	})
	named := map[string]replayed{}
	for _, each := range s.Resources("aws_cloudwatch_metric_alarm") {
		named[strings.TrimPrefix(each.Get("alarm_name").(string), "demo-")] = replay(t, each)
	}
	return named
}

func always(value float64) series { return func(int) float64 { return value } }

// from is first until a minute, then next.
func from(minute int, first, next series) series {
	return func(m int) float64 {
		if m < minute {
			return first(m)
		}
		return next(m)
	}
}

func between(start, end int, outside, inside series) series {
	return from(start, outside, from(end, inside, outside))
}

// routine is a fleet that serves: 600 requests a minute, fast, a failure now and then.
func (f replayedFleet) routine() history {
	return history{
		minutes: before + f.boot + after,
		balancer: map[string]series{
			"HealthyHostCount": always(float64(f.min)), "RequestCount": always(600),
			"HTTPCode_ELB_5XX_Count": always(none), "HTTPCode_Target_5XX_Count": func(m int) float64 { return float64(m % 2) },
			"TargetResponseTime": always(0.05),
		},
		group:   map[string]map[string]series{"old": group(always(float64(f.min)))},
		watched: func(int) string { return "old" },
	}
}

func group(wanted series) map[string]series {
	return map[string]series{"GroupDesiredCapacity": wanted, "CPUSurplusCreditsCharged": always(0)}
}

// started is the size that a fleet made at a minute wants: the first machine that is too many goes when target
// tracking has seen it for 15 minutes, and is not sooner seen than it has booted.
func (f replayedFleet) started(minute int) series {
	return from(minute, always(none), func(m int) float64 {
		return max(float64(f.initial-max(0, m-minute-f.boot)/18), float64(f.min))
	})
}

// deployed is a deploy at `before` whose new fleet takes all the time that it has.
func (f replayedFleet) deployed() history {
	h := f.routine()
	up := before + f.boot
	wanted := f.started(before)
	both := func(m int) float64 { return float64(f.min) + wanted(m) }
	h.balancer["HealthyHostCount"] = from(up-1, always(float64(f.min)), from(up+drain, both, wanted))
	h.balancer["HTTPCode_ELB_5XX_Count"] = between(up, up+drain, always(none), always(9))
	h.balancer["TargetResponseTime"] = between(up, up+4, always(0.05), always(3))
	h.group["new"] = group(wanted)
	h.watched = func(m int) string {
		if m < up {
			return "old"
		}
		return "new"
	}
	return h
}

// quiet takes all requests away, and with them all that is reported of requests.
func quiet(h history) history {
	for _, name := range []string{"RequestCount", "HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count", "TargetResponseTime"} {
		h.balancer[name] = always(none)
	}
	return h
}

func TestNoAlarmIsSentByWhatIsNormal(t *testing.T) {
	normal := map[string]func(f replayedFleet) history{
		"routine":                           replayedFleet.routine,
		"deploy":                            replayedFleet.deployed,
		"a deploy without a single request": func(f replayedFleet) history { return quiet(f.deployed()) },
		"the first deploy": func(f replayedFleet) history {
			h := quiet(f.routine())
			wanted := f.started(before)
			h.since = before + f.boot
			h.balancer["HealthyHostCount"] = from(before, always(none), from(h.since, always(0), wanted))
			h.group["old"] = group(wanted)
			return h
		},
		"a deploy that fails": func(f replayedFleet) history {
			h := f.routine()
			h.group["new"] = group(f.started(before))
			return h
		},
		"two deploys in a row": func(f replayedFleet) history {
			h := f.deployed()
			second := before + f.boot + 2
			up, wanted := second+f.boot, f.started(second)
			h.minutes += f.boot
			h.balancer["HealthyHostCount"] = from(up, h.balancer["HealthyHostCount"], wanted)
			h.group["newer"] = group(wanted)
			first := h.watched
			h.watched = func(m int) string {
				if m < up {
					return first(m)
				}
				return "newer"
			}
			return h
		},
		"one error at night": func(f replayedFleet) history {
			h := quiet(f.routine())
			h.balancer["RequestCount"] = between(before, before+1, always(none), always(1))
			h.balancer["HTTPCode_Target_5XX_Count"] = between(before, before+1, always(none), always(1))
			return h
		},
		"a machine dies and is replaced": func(f replayedFleet) history {
			h := f.routine()
			h.balancer["HealthyHostCount"] = between(before, before+f.boot+3, always(float64(f.min)), always(float64(f.min-1)))
			h.balancer["HTTPCode_ELB_5XX_Count"] = between(before, before+2, always(none), always(20))
			return h
		},
		"a night's sleep": func(f replayedFleet) history {
			h := quiet(f.routine())
			wake := before + 30
			h.balancer["HealthyHostCount"] = between(before, wake+f.boot, always(float64(f.min)), from(wake, always(none), always(0)))
			h.group["old"] = group(between(before, wake, always(float64(f.min)), always(0)))
			return h
		},
		"a peak that the fleet grows for": func(f replayedFleet) history {
			h := f.routine()
			h.group["old"] = group(between(before, before+12, always(float64(f.min)), always(float64(f.max))))
			return h
		},
	}
	for _, f := range fleets {
		alarms := f.alarms(t)
		for _, what := range slices.Sorted(maps.Keys(normal)) {
			h := normal[what](f)
			for late := range 3 {
				for _, name := range slices.Sorted(maps.Keys(alarms)) {
					if minutes := alarms[name].alarmed(h, late); len(minutes) > 0 {
						t.Errorf("%s, %s, metrics %d minutes late: %s is in ALARM in minutes %v; it began in %d", f.name, what, late, name, minutes, before)
					}
				}
			}
		}
	}
}

func TestAnAlarmIsSentWhenSomebodyHasToAct(t *testing.T) {
	f := fleets[0]
	alarms := f.alarms(t)
	for _, tt := range []struct {
		name   string
		change func(h history)
		want   map[string]int // alarm, and how many minutes it may take
	}{
		{"every machine fails for good", func(h history) {
			h.balancer["HealthyHostCount"] = from(before, always(2), always(0))
			h.balancer["HTTPCode_ELB_5XX_Count"] = from(before, always(none), always(600))
		}, map[string]int{"errors": 3, "unhealthy": 17}},
		{"no machine is left, so that requests are not even counted", func(h history) {
			h.balancer["HealthyHostCount"] = from(before, always(2), always(none))
			h.balancer["RequestCount"] = from(before, always(600), always(none))
			h.balancer["HTTPCode_Target_5XX_Count"] = from(before, always(0), always(none))
			h.balancer["HTTPCode_ELB_5XX_Count"] = from(before, always(none), always(5))
			h.balancer["TargetResponseTime"] = from(before, always(0.05), always(none))
		}, map[string]int{"errors": 9, "unhealthy": 17}},
		{"S3 refuses a tenth of what the machines ask", func(h history) {
			h.balancer["HTTPCode_Target_5XX_Count"] = from(before, always(0), always(60))
		}, map[string]int{"errors": 6}},
		{"a machine is not replaced", func(h history) {
			h.balancer["HealthyHostCount"] = from(before, always(2), always(1))
		}, map[string]int{"unhealthy": 17}},
		{"answers are slow", func(h history) {
			h.balancer["TargetResponseTime"] = from(before, always(0.05), always(2))
		}, map[string]int{"slow": 17}},
		{"the fleet cannot grow", func(h history) {
			h.group["old"]["GroupDesiredCapacity"] = from(before, always(2), always(6))
		}, map[string]int{"at-max": 17}},
		{"the fleet cannot grow, and its metrics have gaps", func(h history) {
			h.group["old"]["GroupDesiredCapacity"] = from(before, always(2), func(m int) float64 {
				if m%20 == 0 {
					return none
				}
				return 6
			})
		}, map[string]int{"at-max": 18}},
		{"credits are charged", func(h history) {
			h.group["old"]["CPUSurplusCreditsCharged"] = from(before, always(0), always(1))
		}, map[string]int{"credits": 17}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := f.routine()
			tt.change(h)
			for late := range 2 {
				for name, alarm := range alarms {
					minutes := alarm.alarmed(h, late)
					within, wanted := tt.want[name]
					switch {
					case !wanted && len(minutes) > 0:
						t.Errorf("%s: in ALARM in minutes %v", name, minutes)
					case wanted && (len(minutes) == 0 || minutes[0] > before+within+late || minutes[0] < before):
						t.Errorf("%s: in ALARM in minutes %v, want it within %d of %d", name, minutes, within, before)
					}
				}
			}
		})
	}
}
