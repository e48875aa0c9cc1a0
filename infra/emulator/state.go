package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// state is what one command leaves for the next: the processes that run and what they were started with.
type state struct {
	Emulator   *Process  `json:"emulator,omitempty"`
	Port       int       `json:"emulator_port,omitempty"`
	EmulatorAt time.Time `json:"emulator_since,omitzero"`

	Server   *Process  `json:"server,omitempty"`
	Address  string    `json:"server_address,omitempty"` // 127.0.0.1:5000
	Digest   string    `json:"server_digest,omitempty"`  // of the release and the settings that it runs with
	ServerAt time.Time `json:"server_since,omitzero"`
}

// places are the files of the local system, all of them in folders that git ignores.
type places struct {
	cache string // what can be made again: programs, downloads
	run   string // one life of the local system
}

func (p places) binaries() string  { return filepath.Join(p.cache, "bin") }
func (p places) downloads() string { return filepath.Join(p.cache, "emulator") }
func (p places) state() string     { return filepath.Join(p.run, "state.json") }
func (p places) motoLog() string   { return filepath.Join(p.run, "moto.log") }
func (p places) serverLog() string { return filepath.Join(p.run, "storaged.log") }
func (p places) outdir() string    { return filepath.Join(p.run, "cdktf.out") }
func (p places) lock() string      { return filepath.Join(p.run, "lock") }

func (p places) terraformLog(stack string) string {
	return filepath.Join(p.run, "terraform."+stack+".log")
}

// kept are the entries of the folder that outlive `make down`: they cost a download.
func (p places) kept(name string) bool {
	return name == "venv" || name == "venv.lock" || name == "lock"
}

func (p places) readState() (state, error) {
	var s state
	text, err := os.ReadFile(p.state())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading what the last `make up` left: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("%s is damaged (%w): end the processes it names, if any, and remove it", p.state(), err)
	}
	return s, nil
}

func (p places) writeState(s state) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", p.state(), err)
	}
	return writeFile(p.state(), append(text, '\n'), 0o644)
}

// clear removes everything that belongs to one life of the emulator, Terraform's state of it included: what that
// state describes went with the emulator's memory.
func (p places) clear() error {
	entries, err := os.ReadDir(p.run)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("clearing %s: %w", p.run, err)
	}
	for _, entry := range entries {
		if p.kept(entry.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(p.run, entry.Name())); err != nil {
			return fmt.Errorf("clearing %s: %w", p.run, err)
		}
	}
	return nil
}

// used tells whether there is anything to clear.
func (p places) used() bool {
	entries, err := os.ReadDir(p.run)
	if err != nil {
		return false
	}
	for _, entry := range entries {
		if !p.kept(entry.Name()) {
			return true
		}
	}
	return false
}
