package observe

import (
	"maps"
	"slices"
)

// dashboard is the body that CloudWatch takes.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
type dashboard struct {
	Start          string   `json:"start"`
	PeriodOverride string   `json:"periodOverride"`
	Widgets        []widget `json:"widgets"`
}

type widget struct {
	Type       string `json:"type"`
	X          int    `json:"x"`
	Y          int    `json:"y"`
	Width      int    `json:"width"`
	Height     int    `json:"height"`
	Properties any    `json:"properties"`
}

type graphProperties struct {
	Title       string       `json:"title"`
	Region      string       `json:"region"`
	View        string       `json:"view"`
	Period      int          `json:"period"`
	Start       string       `json:"start,omitempty"`
	End         string       `json:"end,omitempty"`
	Metrics     []any        `json:"metrics"`
	Annotations *annotations `json:"annotations,omitempty"`
}

type annotations struct {
	Horizontal []annotation `json:"horizontal"`
}

type annotation struct {
	Label string  `json:"label"`
	Value float64 `json:"value"`
}

type logProperties struct {
	Title  string `json:"title"`
	Region string `json:"region"`
	View   string `json:"view"`
	Query  string `json:"query"`
}

type alarmProperties struct {
	Title  string   `json:"title"`
	Alarms []string `json:"alarms"`
}

// marked draws a line at a value that matters.
func (w widget) marked(label string, value float64) widget {
	return w.changed(func(g *graphProperties) { g.Annotations = &annotations{[]annotation{{label, value}}} })
}

// since gives a graph a range of its own, until now.
func (w widget) since(start string) widget {
	return w.changed(func(g *graphProperties) { g.Start, g.End = start, "P0D" })
}

// in takes a graph's metrics from another region.
func (w widget) in(region string) widget {
	return w.changed(func(g *graphProperties) { g.Region = region })
}

func (w widget) changed(change func(*graphProperties)) widget {
	g := w.Properties.(graphProperties)
	change(&g)
	w.Properties = g
	return w
}

type options struct {
	Stat  string `json:"stat"`
	Label string `json:"label"`
	YAxis string `json:"yAxis,omitempty"`
}

func (m metric) line(label string) any { return m.drawn(options{Stat: m.stat, Label: label}) }

func (m metric) onTheRight(label string) any {
	return m.drawn(options{Stat: m.stat, Label: label, YAxis: "right"})
}

// drawn is the metric as a graph takes it: namespace, name, each dimension and its value, options.
func (m metric) drawn(o options) any {
	parts := []any{m.namespace, m.name}
	for _, key := range slices.Sorted(maps.Keys(m.dimensions)) {
		parts = append(parts, key, *m.dimensions[key])
	}
	return append(parts, o)
}

// columns is the width of a dashboard.
const columns = 24

// row is a line of widgets of one height, which share its width evenly.
type row struct {
	height  int
	widgets []widget
}

// grid places rows below each other, so that no widget covers another.
func grid(rows ...row) []widget {
	var placed []widget
	y := 0
	for _, r := range rows {
		width := columns / len(r.widgets)
		for i, w := range r.widgets {
			w.X, w.Y, w.Width, w.Height = i*width, y, width, r.height
			placed = append(placed, w)
		}
		y += r.height
	}
	return placed
}
