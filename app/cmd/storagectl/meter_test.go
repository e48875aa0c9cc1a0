package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"cloudstorage/app/object"
)

const mib = 1 << 20

func TestTheTableShowsEachFileAndTheWhole(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	m := newMeter("", begin)
	m.moved("photos/1.jpg", 0, 100*mib, begin)
	m.moved("photos/\x1b[2J\u202e2.jpg", 0, 100*mib, begin)
	if got, want := m.lines(begin.Add(time.Second/2), 100, 24), 1; len(got) != want {
		t.Errorf("files that have just begun have lines: %q", got)
	}
	later := begin.Add(2 * time.Second)
	m.moved("photos/1.jpg", 50*mib, 100*mib, later)
	m.moved("photos/\x1b[2J\u202e2.jpg", 20*mib, 100*mib, later)
	m.moved("small", 4, 4, later)
	m.end("small", true)
	want := []string{
		`photos/1.jpg                       50.0 MiB / 100.0 MiB  [======>-----]    25.0 MiB/s  ETA 2s`,
		`photos/\x1b[2J\u202e2.jpg          20.0 MiB / 100.0 MiB  [==>---------]    10.0 MiB/s  ETA 8s`,
		`1 files                            70.0 MiB / 200.0 MiB  [====>-------]    36.7 MiB/s  ETA 4s`,
	}
	if got := m.lines(later, 100, 24); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// What failed is not waited for; what must be moved again counts once.
	m.moved("photos/1.jpg", -50*mib, 100*mib, later)
	m.moved("photos/1.jpg", 0, 100*mib, later)
	m.end("photos/\x1b[2J\u202e2.jpg", false)
	if m.total != 100*mib+4 || m.done != 4 || len(m.active) != 1 {
		t.Errorf("%d of %d bytes, %d under way", m.done, m.total, len(m.active))
	}
	m.end("never", true)
	if m.ended != 2 {
		t.Errorf("%d have ended", m.ended)
	}
}

func TestTheTableFitsAnyTerminal(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	m := newMeter("", begin)
	for i := range 40 {
		key := object.Key(fmt.Sprintf("%02d/ein sehr langer Ordner/日本語の長いファイル名/e\u0301\x1b\u202e/%s", i, strings.Repeat("x", i)))
		m.moved(key, 0, 1<<40, begin)
		m.moved(key, int64(i)<<35, 1<<40, begin)
	}
	now := begin.Add(time.Minute)
	for width := range 200 {
		for _, height := range []int{0, 1, 2, 3, 10, 24, 100} {
			lines := m.lines(now, width, height)
			if len(lines) > max(height-1, 1) || len(lines) > 41 {
				t.Fatalf("%d × %d: %d lines", width, height, len(lines))
			}
			for _, line := range lines {
				if got := runewidth.StringWidth(line); got > max(width-1, 0) || strings.ContainsAny(line, "\x1b\n\u202e") {
					t.Fatalf("%d × %d: a line of %d columns: %q", width, height, got, line)
				}
			}
		}
	}
	if got := m.lines(now, 100, 6); len(got) != 5 || got[3] != "… and 37 more" || !strings.HasPrefix(got[4], "0 files") {
		t.Errorf("a low terminal shows %q", got)
	}
}

func TestARowLeavesOutWhatHasNoRoom(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{
		120: `folder/a-long-name.bin                1.0 MiB / 4.0 MiB  [========>-----------------------]     1.0 MiB/s  ETA 3s`,
		80:  `…ng-name.bin        1.0 MiB / 4.0 MiB  [==>-------]     1.0 MiB/s  ETA 3s`,
		70:  `…a-long-name.bin        1.0 MiB / 4.0 MiB     1.0 MiB/s  ETA 3s`,
		40:  `…long-name.bin        1.0 MiB / 4.0 MiB`,
		20:  `…ong-name.bin   25%`,
		8:   ` 25%`,
		3:   ` 2`,
		0:   ``,
	} {
		if got := row("folder/a-long-name.bin", mib, 4*mib, mib, width); got != want {
			t.Errorf("%d columns:\n%q, want\n%q", width, got, want)
		}
	}
}

func TestRemainingTimeIsToldWhereItIsKnown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		bytes     int64
		perSecond float64
		want      string
	}{{0, 0, "0s"}, {-1, 5, "0s"}, {100, 0, "-"}, {100, 0.5, "-"}, {100, 30, "4s"}, {3700, 1, "1h1m40s"}, {1 << 60, 1000, "-"}} {
		if got := remaining(tt.bytes, tt.perSecond); got != tt.want {
			t.Errorf("%d bytes at %g: %q, want %q", tt.bytes, tt.perSecond, got, tt.want)
		}
	}
}

func TestThePaceFollowsWhatIsNow(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := newPace(now)
	done := int64(0)
	run := func(perSecond int64, d time.Duration) float64 {
		rate := 0.0
		for range int(d / redrawEvery) {
			now = now.Add(redrawEvery)
			done += perSecond / int64(time.Second/redrawEvery)
			rate = p.at(now, done)
		}
		return rate
	}
	if got := run(1000, time.Minute); got < 990 || got > 1010 {
		t.Errorf("steady 1000: %g", got)
	}
	if got := run(0, memory); got < 300 || got > 450 { // 1/e
		t.Errorf("stalled for %s: %g", memory, got)
	}
	if got := run(0, time.Minute); got > 1 {
		t.Errorf("stalled for a minute: %g", got)
	}
	if got := run(-100, time.Second); got < 0 {
		t.Errorf("backwards: %g", got)
	}
}
