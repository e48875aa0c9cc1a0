package emulator

import (
	"context"
	"fmt"
)

// Down ends the local system and removes its files, except what costs a download. It says so when nothing runs.
func Down(ctx context.Context, o Options) error {
	p, progress := o.places(), &Progress{Out: o.Out}
	unlock, err := lock(ctx, p.lock())
	if err != nil {
		return err
	}
	defer unlock()
	s, err := p.readState()
	if err != nil {
		return err
	}
	stopped := 0
	for _, part := range []struct {
		name    string
		process *Process
		stop    func() error
	}{
		{"the API", s.Server, func() error { return s.Server.Stop(serverGrace) }},
		{"the emulated AWS", s.Emulator, func() error { return s.Emulator.Stop(motoGrace) }},
	} {
		if part.process == nil || !part.process.Alive() {
			continue
		}
		stopped++
		if err := progress.Step(fmt.Sprintf("ending %s (process %d)", part.name, part.process.PID), func() (string, error) { return "ended", part.stop() }); err != nil {
			return err
		}
	}
	if err := p.clear(); err != nil {
		return err
	}
	if stopped == 0 {
		progress.Print("Nothing runs.\n")
		return nil
	}
	progress.Print("Nothing runs any more. The emulated AWS was in memory: its buckets and their files are gone.\n")
	return nil
}
