package emulator

import (
	"context"
	"fmt"
	"time"

	"cloudstorage/app/settings"
)

// Status is what runs of the local system.
type Status struct {
	Emulator Part
	API      Part
}

// Part is one of the two processes.
type Part struct {
	Name    string
	Running bool
	Healthy bool // it answers; the API: and reaches its bucket
	PID     int
	URL     string
	Since   time.Time
}

// Up tells whether everything runs and answers.
func (s Status) Up() bool { return s.Emulator.Healthy && s.API.Healthy }

// String is one line for a person.
func (p Part) String() string {
	switch {
	case !p.Running:
		return fmt.Sprintf("%-17s does not run", p.Name)
	case !p.Healthy:
		return fmt.Sprintf("%-17s does not answer at %s (process %d, since %s)", p.Name, p.URL, p.PID, p.Since.Format(time.DateTime))
	}
	return fmt.Sprintf("%-17s healthy at %s (process %d, since %s)", p.Name, p.URL, p.PID, p.Since.Format(time.DateTime))
}

// ReadStatus looks at what the last Up left.
func ReadStatus(ctx context.Context, o Options) (Status, error) {
	s, err := o.places().readState()
	if err != nil {
		return Status{}, err
	}
	st := Status{Emulator: Part{Name: "the emulated AWS"}, API: Part{Name: "the API"}}
	if s.Emulator != nil && s.Emulator.Alive() {
		m := Moto{Process: *s.Emulator, Port: s.Port}
		st.Emulator.Running, st.Emulator.PID, st.Emulator.URL, st.Emulator.Since = true, m.PID, m.Endpoint(), s.EmulatorAt
		st.Emulator.Healthy = m.answers(ctx)
	}
	if s.Server != nil && s.Server.Alive() {
		st.API.Running, st.API.PID, st.API.URL, st.API.Since = true, s.Server.PID, "http://"+s.Address, s.ServerAt
		st.API.Healthy = healthy(ctx, st.API.URL+settings.ReadyPath)
	}
	return st, nil
}
