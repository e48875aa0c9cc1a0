//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// envInside tells the second of the lab's two processes that it is that one.
	envInside = "CLOUDSTORAGE_LAB_INSIDE"

	cgroupPrefix = "cloudstorage-lab-"
	// endGrace is how long an interrupted lab may take to say how it went; then the kernel ends it.
	endGrace = 10 * time.Second
)

// Inside tells whether this process is the one that Isolated started.
func Inside() bool { return os.Getenv(envInside) != "" }

// Isolated runs this program again, with these arguments, as the first process of its own process and mount namespaces. When that process ends, by itself or by force, the kernel ends every process below it and removes its
// mounts and network namespaces; when this one ends, the kernel ends that one. What is left are folders, which go here.
func Isolated(ctx context.Context, o Options, arguments []string) (err error) {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("isolate the lab: %w", err)
	}
	unlock, err := lockRun(o.runDir())
	if err != nil {
		return err
	}
	defer unlock()
	name := o.name()
	defer func() { err = errors.Join(err, removeCgroups(name)) }()
	removeOrphans()

	cmd := exec.Command(self, arguments...) //nolint:noctx // ended below, gently first
	cmd.Env = append(os.Environ(), envInside+"="+name)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, o.Out, o.Out
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
		// A Ctrl-C is for this process, which passes it on.
		Setpgid: true,
	}
	// Pdeathsig is about the thread, not the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("isolate the lab: %w", err)
	}
	ended := make(chan struct{})
	var how error
	go func() {
		how = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return how
	case <-ctx.Done():
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)                             // it may have ended meanwhile
	kill := time.AfterFunc(endGrace, func() { _ = cmd.Process.Kill() }) // an error means that it has ended
	defer kill.Stop()
	<-ended
	return ctx.Err()
}

// lockRun makes the folder that the lab works in, empty, and refuses a second lab beside this one.
func lockRun(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the lab's folder: %w", err)
	}
	lock, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("lock the lab: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("a lab runs already (%s is locked): wait for it, or end it", dir)
	}
	return func() {
		_ = os.RemoveAll(dir) // empty: what was in it was mounted elsewhere
		_ = lock.Close()
	}, nil
}

// hierarchies are the control group hierarchies that systemd uses, in either of the kernel's layouts.
func hierarchies() []string {
	const root = "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(root, "cgroup.controllers")); err == nil {
		return []string{root}
	}
	return []string{filepath.Join(root, "systemd"), filepath.Join(root, "unified")}
}

// grouped are the hierarchies in which a lab makes control groups.
func grouped() []string {
	all := hierarchies()
	if p := findProcessors().hierarchy; !slices.Contains(all, p) {
		all = append(all, p)
	}
	return all
}

// removeCgroups removes what a lab made there, once its processes are gone.
func removeCgroups(name string) error {
	var errs []error
	for _, h := range grouped() {
		var err error
		for range 50 { // the kernel takes a moment to forget the last process
			if err = removeTree(filepath.Join(h, name)); err == nil {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// removeOrphans removes the control groups of labs that were killed themselves, which had no moment left to do it.
func removeOrphans() {
	for _, h := range grouped() {
		groups, err := filepath.Glob(filepath.Join(h, cgroupPrefix+"*"))
		if err != nil {
			continue
		}
		for _, group := range groups {
			id, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(group), cgroupPrefix), "-")
			if !exists("/proc/" + id) {
				_ = removeTree(group) // another lab may be at it, too
			}
		}
	}
}

// removeTree removes the folders below dir, deepest first: the files of a control group are not removed.
func removeTree(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case d.IsDir():
			dirs = append(dirs, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		if err := syscall.Rmdir(dirs[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", dirs[i], err)
		}
	}
	return nil
}

// enter prepares the namespaces from inside: nothing that is mounted here is seen, or outlives us, elsewhere.
func enter(run string) error {
	mount := func(source, target, kind string, flags uintptr, data string) error {
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(source, target, kind, flags, data); err != nil {
			return fmt.Errorf("mount %s: %w", target, err)
		}
		return nil
	}
	// What would be seen elsewhere is not even begun.
	if err := mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	return errors.Join(
		mount("proc", "/proc", "proc", 0, ""),
		mount("cloudstorage-lab", "/run/netns", "tmpfs", 0, "mode=755"),
		mount("cloudstorage-lab", "/run/systemd/nspawn", "tmpfs", 0, "mode=755"),
		mount("cloudstorage-lab", run, "tmpfs", 0, "mode=755"),
	)
}

// leftovers lists what a lab that has ended left on this machine: control groups, mounts, processes, its folder. Network
// namespaces are held by mounts and processes only.
func leftovers(o Options, name string) ([]string, error) {
	var found []string
	for _, h := range grouped() {
		if group := filepath.Join(h, name); exists(group) {
			found = append(found, group)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.HasPrefix(line, "cloudstorage-lab ") || strings.Contains(line, o.runDir()) {
			found = append(found, "mount "+strings.TrimSpace(line))
		}
	}
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil, err
	}
	for _, path := range environs {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), envInside+"="+name+"\x00") {
			found = append(found, "process "+filepath.Base(filepath.Dir(path)))
		}
	}
	if exists(o.runDir()) {
		found = append(found, o.runDir())
	}
	return found, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
