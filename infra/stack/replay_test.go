package stack_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
	"testing"

	"cloudstorage/infra/internal/template"
)

// history is what CloudWatch would know: metrics by name, a value a minute, from minute 0. NaN is no data.
type history struct {
	minutes int
	// balancer has the metrics of the load balancer and its target group; group those that have the Auto Scaling
	// group's name, of each group.
	balancer map[string]series
	group    map[string]map[string]series
	// watched is the group that the alarms are about, in each minute.
	watched func(minute int) string
	// since is the minute in which the alarms are made.
	since int
}

type series func(minute int) float64

var none = math.NaN()

// value is what the metric had in a minute. The newest minutes have no data yet.
func (h history) value(namespace, name string, minute, now, late int) float64 {
	metrics := h.balancer
	if namespace != "AWS/ApplicationELB" {
		metrics = h.group[h.watched(now)]
	}
	if of := metrics[name]; of != nil && minute >= 0 && minute <= now-late {
		return of(minute)
	}
	return none
}

// replayed is an alarm as its Terraform says.
type replayed struct {
	t                 *testing.T
	windows, breaches int
	breached          func(value float64) bool
	queries           []replayedQuery
}

// replayedQuery is a metric, or an expression over the queries before it.
type replayedQuery struct {
	id                    string
	namespace, name, stat string
	window                int // minutes
	expression            ast.Expr
	returned              bool
}

func replay(t *testing.T, alarm template.Resource) replayed {
	t.Helper()
	// What else CloudWatch could do about missing data, the replay does not know.
	alarm.Wants(map[string]string{"treat_missing_data": "notBreaching"})
	threshold := alarm.Get("threshold").(float64)
	r := replayed{
		t: t, windows: number(t, alarm, "evaluation_periods"), breaches: number(t, alarm, "datapoints_to_alarm"),
		breached: map[string]func(float64) bool{
			"GreaterThanThreshold":          func(v float64) bool { return v > threshold },
			"GreaterThanOrEqualToThreshold": func(v float64) bool { return v >= threshold },
			"LessThanThreshold":             func(v float64) bool { return v < threshold },
		}[alarm.Get("comparison_operator").(string)],
	}
	queries, _ := alarm.Get("metric_query").([]any)
	if queries == nil {
		stat := alarm.Get("statistic")
		if stat == nil {
			stat = alarm.Get("extended_statistic")
		}
		r.queries = []replayedQuery{{
			namespace: alarm.Get("namespace").(string), name: alarm.Get("metric_name").(string), stat: stat.(string),
			window: number(t, alarm, "period") / 60, returned: true,
		}}
	}
	for i := range queries {
		path := fmt.Sprintf("metric_query.%d.", i)
		q := replayedQuery{id: alarm.Get(path + "id").(string), returned: alarm.Get(path+"return_data") == true}
		if expression, ok := alarm.Get(path + "expression").(string); ok {
			var err error
			if q.expression, err = parser.ParseExpr(expression); err != nil {
				t.Fatalf("%s: %s: %v", alarm.Address, expression, err)
			}
		} else {
			path += "metric."
			q.namespace, q.name, q.stat = alarm.Get(path+"namespace").(string), alarm.Get(path+"metric_name").(string), alarm.Get(path+"stat").(string)
			q.window = number(t, alarm, path+"period") / 60
		}
		r.queries = append(r.queries, q)
	}
	return r
}

func number(t *testing.T, r template.Resource, path string) int {
	t.Helper()
	value, ok := r.Get(path).(float64)
	if !ok {
		t.Fatalf("%s: %s is %v", r.Address, path, r.Get(path))
	}
	return int(value)
}

// alarmed are the minutes in which the alarm would be in ALARM.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
func (r replayed) alarmed(h history, late int) []int {
	var minutes []int
	for now := h.since; now < h.minutes; now++ {
		count := 0
		for i := range r.windows {
			if value := r.datapoint(h, now, i, late); !math.IsNaN(value) && r.breached(value) {
				count++
			}
		}
		if count >= r.breaches {
			minutes = append(minutes, now)
		}
	}
	return minutes
}

// datapoint is the alarm's value of the i-th window back from now.
func (r replayed) datapoint(h history, now, i, late int) float64 {
	values := map[string]float64{}
	for _, q := range r.queries {
		if q.expression != nil {
			values[q.id] = r.calculated(q.expression, values)
		} else {
			values[q.id] = r.aggregated(h, q, now, i, late)
		}
		if q.returned {
			return values[q.id]
		}
	}
	r.t.Fatal("no query returns data")
	return none
}

// aggregated is a metric's statistic over a window of minutes. That of 95 of 100 is the worst minute's.
func (r replayed) aggregated(h history, q replayedQuery, now, i, late int) float64 {
	result := none
	for minute := now - (i+1)*q.window + 1; minute <= now-i*q.window; minute++ {
		value := h.value(q.namespace, q.name, minute, now, late)
		switch {
		case math.IsNaN(value):
		case math.IsNaN(result):
			result = value
		case q.stat == "Sum":
			result += value
		case q.stat == "Minimum":
			result = min(result, value)
		case q.stat == "Maximum" || q.stat == "p95":
			result = max(result, value)
		default:
			r.t.Fatalf("the replay does not know the statistic %s", q.stat)
		}
	}
	return result
}

// calculated evaluates CloudWatch's arithmetic, whose syntax is that of Go as far as the alarms use it. What is
// calculated with no data is no data.
func (r replayed) calculated(node ast.Expr, values map[string]float64) float64 {
	switch n := node.(type) {
	case *ast.BasicLit:
		value, err := strconv.ParseFloat(n.Value, 64)
		if err != nil {
			r.t.Fatal(err)
		}
		return value
	case *ast.Ident:
		value, known := values[n.Name]
		if !known {
			r.t.Fatalf("no query before it is called %s", n.Name)
		}
		return value
	case *ast.BinaryExpr:
		return combined(r.t, n.Op, r.calculated(n.X, values), r.calculated(n.Y, values))
	case *ast.CallExpr:
		switch name := n.Fun.(*ast.Ident).Name; {
		case name == "FILL" && len(n.Args) == 2:
			if value := r.calculated(n.Args[0], values); !math.IsNaN(value) {
				return value
			}
			return r.calculated(n.Args[1], values)
		case name == "IF" && len(n.Args) == 3:
			switch condition := r.calculated(n.Args[0], values); {
			case math.IsNaN(condition):
				return none
			case condition != 0:
				return r.calculated(n.Args[1], values)
			}
			return r.calculated(n.Args[2], values)
		}
	}
	r.t.Fatalf("the replay does not know %T", node)
	return none
}

func combined(t *testing.T, operator token.Token, a, b float64) float64 {
	t.Helper()
	if math.IsNaN(a) || math.IsNaN(b) {
		return none
	}
	truth := func(yes bool) float64 {
		if yes {
			return 1
		}
		return 0
	}
	switch operator {
	case token.ADD:
		return a + b
	case token.MUL:
		return a * b
	case token.QUO:
		return a / b
	case token.LSS:
		return truth(a < b)
	case token.GTR:
		return truth(a > b)
	default:
		t.Fatalf("the replay does not know %s", operator)
		return none
	}
}
