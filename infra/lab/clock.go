//go:build linux

package lab

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// clock is what a running process takes for the time of day. It cannot be set: all of a kernel's processes share one. But
// Go asks no kernel what time it is: it calls a function that the kernel puts into each process's memory (vdso(7)), and
// that copy can be changed.
type clock struct {
	pid         int
	entry, cave uint64 // addresses of the function, and of room that nothing uses
	original    []byte // what was at the entry
}

// jump is the size of the jump that is put in the function's place. Where a thread is in the midst of the function, it
// goes on in what is left of it.
const jump = 5

// stand-in for clock_gettime(clock, *time): it asks the kernel, and adds to the time of day.
//
//	mov eax, 228; syscall; test eax, eax; jne out; test edi, edi; jne out; add qword [rsi], …; out: ret
var standIn = []byte{
	0xb8, 228, 0, 0, 0, 0x0f, 0x05, 0x85, 0xc0, 0x75, 11, 0x85, 0xff, 0x75, 7, 0x48, 0x81, 0x06, 0, 0, 0, 0, 0xc3,
}

// standInSeconds is where in it the seconds are that it adds.
const standInSeconds = 18

// findClock looks for the function in a process.
func findClock(pid int) (clock, error) {
	fail := func(err error) (clock, error) { return clock{}, fmt.Errorf("the clock of process %d: %w", pid, err) }
	if runtime.GOARCH != "amd64" {
		return fail(fmt.Errorf("how it is set on %s is not known here, only on amd64", runtime.GOARCH))
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return fail(err)
	}
	var begin, end uint64
	for line := range strings.Lines(string(maps)) {
		if strings.HasSuffix(strings.TrimSpace(line), "[vdso]") {
			if _, err := fmt.Sscanf(line, "%x-%x", &begin, &end); err != nil {
				return fail(err)
			}
		}
	}
	if end == 0 {
		return fail(errors.New("it has none of its own"))
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return fail(err)
	}
	defer memory.Close()
	image := make([]byte, end-begin)
	if _, err := memory.ReadAt(image, int64(begin)); err != nil {
		return fail(err)
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return fail(err)
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return fail(err)
	}
	at := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == "__vdso_clock_gettime" })
	if at < 0 {
		return fail(errors.New("it has no clock_gettime"))
	}
	entry, cave := symbols[at].Value, uint64(len(image)-len(standIn))
	if entry+jump > cave || slices.ContainsFunc(image[cave:], func(b byte) bool { return b != 0 }) {
		return fail(errors.New("there is no room for another"))
	}
	return clock{pid: pid, entry: begin + entry, cave: begin + cave, original: image[entry : entry+jump]}, nil
}

// add puts the clock wrong by seconds, from now on until it is put right.
func (c clock) add(seconds int32) error {
	code := slices.Clone(standIn)
	binary.LittleEndian.PutUint32(code[standInSeconds:], uint32(seconds))
	to := binary.LittleEndian.AppendUint32([]byte{0xe9}, uint32(c.cave-c.entry-jump))
	return c.write(change{c.cave, code}, change{c.entry, to}) // in this order: nothing jumps to what is not there
}

// change is of memory.
type change struct {
	address uint64
	bytes   []byte
}

// right puts the clock right again.
func (c clock) right() error { return c.write(change{c.entry, c.original}) }

// write changes the process's memory while none of its threads runs.
func (c clock) write(changes ...change) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("set the clock of process %d: %w", c.pid, err)
		}
	}()
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", c.pid), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer memory.Close()
	if err := syscall.Kill(c.pid, syscall.SIGSTOP); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, syscall.Kill(c.pid, syscall.SIGCONT)) }()
	for still := false; !still; runtime.Gosched() {
		if still, err = stopped(c.pid); err != nil {
			return err
		}
	}
	for _, ch := range changes {
		if _, err := memory.WriteAt(ch.bytes, int64(ch.address)); err != nil {
			return err
		}
	}
	return nil
}

// stopped tells whether all threads of a process are, as proc(5) has it.
func stopped(pid int) (bool, error) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false, err
	}
	if len(threads) == 0 {
		return false, errors.New("it has ended")
	}
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			return false, nil //nolint:nilerr // it has just ended, so there are others to look at
		}
		switch state := strings.TrimSpace(string(text[bytes.LastIndexByte(text, ')')+1:])); state[:1] {
		case "T", "t":
		case "Z", "X":
			return false, errors.New("it has ended")
		default:
			return false, nil
		}
	}
	return true, nil
}

// api is the API's process on the machine, as seen from here.
func (m *machine) api(ctx context.Context) (int, error) {
	said, err := m.run(ctx, "systemctl", "show", "--property=MainPID", "--value", unit)
	if err != nil {
		return 0, err
	}
	leader, err := m.leader()
	if err != nil {
		return 0, err
	}
	home, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", leader))
	if err != nil {
		return 0, err
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, p := range processes {
		if its, err := os.Readlink(p + "/ns/pid"); err != nil || its != home {
			continue // of another machine, or it has just ended
		}
		status, err := os.ReadFile(p + "/status")
		if err != nil {
			continue // as above
		}
		for line := range strings.Lines(string(status)) {
			if ids := strings.Fields(line); len(ids) > 1 && ids[0] == "NSpid:" && ids[len(ids)-1] == strings.TrimSpace(said) {
				return strconv.Atoi(filepath.Base(p))
			}
		}
	}
	return 0, fmt.Errorf("%s runs no process %s", m.ID, strings.TrimSpace(said))
}
