package main

import (
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"cloudstorage/app/client"
)

const (
	maxLabel     = 30                     // columns; the rest of the line is for the bar
	refreshEvery = 100 * time.Millisecond // often enough to look alive
)

// progress draws a bar on standard error where that is a terminal, unless --quiet. Call end
// when the transfer is over: a failed one takes its bar away.
func (p program) progress(o *options, name string) (moved client.Progress, end func(ok bool)) {
	if o.quiet || !p.isTerminal(p.stderr) {
		return nil, func(bool) {}
	}
	var container *mpb.Progress
	var bar *mpb.Bar
	moved = func(done, total int64) {
		if bar == nil {
			// Not before the first byte can move: a failure to sign has no bar.
			container = mpb.New(mpb.WithOutput(p.stderr), mpb.WithAutoRefresh(), mpb.WithRefreshRate(refreshEvery))
			began := time.Now()
			// A total of 0 lets it end by end alone: a full bar may have to start over.
			bar = container.AddBar(0,
				mpb.PrependDecorators(
					decor.Name(runewidth.Truncate(printable(name), maxLabel, "…"), decor.WCSyncSpaceR),
					decor.Any(func(s decor.Statistics) string {
						if s.Total == 0 { // or not known
							return byteCount(s.Current)
						}
						return byteCount(s.Current) + " / " + byteCount(s.Total)
					}, decor.WCSyncSpace)),
				mpb.AppendDecorators(
					decor.Any(func(s decor.Statistics) string {
						// mpb's own says nothing for a transfer that ends before its first line.
						return byteCount(int64(float64(s.Current)/time.Since(began).Seconds())) + "/s"
					}, decor.WCSyncSpace),
					decor.Name(" ETA "),
					decor.AverageETA(decor.ET_STYLE_GO)))
		}
		if total > 0 {
			bar.SetTotal(total, false)
		}
		bar.SetCurrent(done)
	}
	return moved, func(ok bool) {
		switch {
		case bar == nil:
			return
		case ok:
			bar.SetTotal(-1, true)
		default:
			bar.Abort(true)
		}
		container.Wait()
	}
}
