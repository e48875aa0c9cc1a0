package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"cloudstorage/app/object"
)

const (
	minLabel = 8           // columns
	maxLabel = 30          // the rest of the line is for the bar
	minBar   = 10          // where there is less, there is none
	settled  = time.Second // a file that takes less has no line of its own: it would only flicker
)

// meter knows how far files are. Its lines are a table: a line for each file
// that is under way, and below them one for all.
type meter struct {
	label string // of the line for all: "" is how many files there are, each of which has a line, too

	done, total  int64 // bytes, of the files that have begun
	files, ended int
	pace         pace
	active       map[object.Key]*activity
}

// activity is a file under way.
type activity struct {
	name        string
	number      int // in which it began
	began       time.Time
	done, total int64
	pace        pace
}

func newMeter(label string, now time.Time) *meter {
	return &meter{label: label, pace: newPace(now), active: map[object.Key]*activity{}}
}

// moved notes that so many more bytes of a file are there; fewer, where some
// must be moved again.
func (m *meter) moved(key object.Key, bytes, total int64, now time.Time) {
	a := m.active[key]
	if a == nil {
		m.files++
		a = &activity{name: string(key), number: m.files, began: now, pace: newPace(now)}
		m.active[key] = a
	}
	if total > 0 { // else it is not known, or nothing
		m.total += total - a.total
		a.total = total
	}
	a.done += bytes
	m.done += bytes
}

// end notes that a file is not under way any more. What is missing of one that
// failed is not waited for.
func (m *meter) end(key object.Key, ok bool) {
	a := m.active[key]
	if a == nil {
		return
	}
	delete(m.active, key)
	m.ended++
	if !ok {
		m.done -= a.done
		m.total -= a.total
	}
}

// lines is the table as of now, on a terminal of that size.
func (m *meter) lines(now time.Time, width, height int) []string {
	var under []*activity
	for _, a := range m.active {
		if now.Sub(a.began) >= settled {
			under = append(under, a)
		}
	}
	slices.SortFunc(under, func(a, b *activity) int { return cmp.Compare(a.number, b.number) })
	// The line for all, and the one where the cursor is.
	room := max(height-2, 0)
	var lines []string
	label := m.label
	if label == "" {
		label = fmt.Sprintf("%d files", m.ended)
		for i, a := range under {
			if i == room-1 && len(under) > room {
				lines = append(lines, runewidth.Truncate(fmt.Sprintf("… and %d more", len(under)-i), max(width-1, 0), ""))
				break
			}
			if i == room {
				break
			}
			lines = append(lines, row(a.name, a.done, a.total, a.pace.at(now, a.done), width))
		}
	}
	return append(lines, row(label, m.done, m.total, m.pace.at(now, m.done), width))
}

// row is a line of the table. What a narrow terminal has no room for is left out,
// the bar first; of a long name the end is shown.
func row(name string, done, total int64, perSecond float64, width int) string {
	room := max(width-1, 0) // in the last column, some terminals begin a new line
	amount, eta, share := byteCount(done), "-", ""
	if total > 0 || done == 0 {
		amount += " / " + byteCount(total)
		eta = remaining(total-done, perSecond)
	}
	if total > 0 {
		share = fmt.Sprintf("%3d%%", min(max(done*100/total, 0), 100))
	}
	amount = fmt.Sprintf("%23s", amount)
	rate := fmt.Sprintf("%12s  ETA %-8s", byteCount(int64(perSecond))+"/s", eta)
	all := amount + "  " + rate
	bar := 0
	if spare := room - len(all) - len("  []  ") - minLabel; spare >= minBar {
		bar = max(minBar, spare-(maxLabel-minLabel))
		all = amount + "  [" + filled(done, total, bar) + "]  " + rate
	}
	for _, rest := range []string{all, amount, share} {
		if label := room - len(rest) - 2; label >= minLabel {
			label = min(label, maxLabel)
			return runewidth.FillRight(tail(printable(name), label), label) + "  " + strings.TrimRight(rest, " ")
		}
	}
	return share[:min(len(share), room)]
}

// tail is the end of a name, in at most width columns.
func tail(name string, width int) string {
	if extra := runewidth.StringWidth(name) - width; extra > 0 {
		return runewidth.TruncateLeft(name, extra+1, "…")
	}
	return name
}

// filled is a bar.
func filled(done, total int64, width int) string {
	n := 0
	if total > 0 {
		n = int(float64(width) * min(max(float64(done)/float64(total), 0), 1))
	}
	if n == width {
		return strings.Repeat("=", width)
	}
	return strings.Repeat("=", n) + ">" + strings.Repeat("-", width-n-1)
}

// remaining is how long so many bytes take.
func remaining(bytes int64, perSecond float64) string {
	seconds := float64(bytes) / perSecond
	switch {
	case bytes <= 0:
		return "0s"
	case perSecond < 1 || seconds > 99*3600:
		return "-"
	}
	return time.Duration(math.Ceil(seconds) * float64(time.Second)).String()
}

// memory is how long what was counts as much as what is.
const memory = 5 * time.Second

// pace is how fast something goes: an average in which what was long ago counts
// ever less.
type pace struct {
	began, since time.Time
	done         int64   // by since
	sum          float64 // bytes a second, as if nothing had moved before it began
	perSecond    float64
}

func newPace(now time.Time) pace { return pace{began: now, since: now} }

// at notes how much is done by now, and returns bytes a second.
func (p *pace) at(now time.Time, done int64) float64 {
	took := max(now.Sub(p.since), time.Millisecond)
	if p.since != p.began && took < redrawEvery/2 {
		return p.perSecond
	}
	rate := max(float64(done-p.done)/took.Seconds(), 0)
	p.sum += (rate - p.sum) * weight(took)
	p.since, p.done = p.since.Add(took), done
	p.perSecond = p.sum / weight(p.since.Sub(p.began))
	return p.perSecond
}

// weight is what the last so many seconds count of all that was ever.
func weight(d time.Duration) float64 { return 1 - math.Exp(-d.Seconds()/memory.Seconds()) }
