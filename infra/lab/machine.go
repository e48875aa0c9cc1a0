//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"cloudstorage/infra/bootstrap"
)

const (
	// stopGrace is above the unit's TimeoutStopSec.
	stopGrace = 40 * time.Second
	// killGrace is how long the kernel may take to end what was killed.
	killGrace = 5 * time.Second
	// machineBytes bounds what a machine may write; it lies in memory.
	machineBytes = "2g"
)

// machine is an instance that runs.
type machine struct {
	instance
	space   space
	dir     string
	root    string // of its file system
	nspawn  *exec.Cmd
	ended   chan struct{} // closed when it is off
	started time.Time

	once sync.Once
}

// boot is what every machine gets from the lab, beside what its instance says.
type boot struct {
	image     func() (string, error) // folder of the root file system, once it is made
	dir       string                 // where machines live
	cgroup    string                 // name
	hosts     string                 // lines of /etc/hosts
	authority []byte                 // certificate that it trusts, PEM
	compiler  string                 // folder of Go, as the distribution's own would be; "": none
	groups    func(id string) []netip.Addr
}

// enclose starts a command in control groups of its own, as its root: without this, the systemd of one machine stops the others.
const enclose = `
set -e
group=$1 layout=$2; shift 2
for h in $layout; do mkdir -p $h/$group; echo $$ >$h/$group/cgroup.procs; done
exec unshare --cgroup --mount --propagation private bash -ec '
layout=$1; shift
for h in $layout; do
  umount $h
  case $h in
  */systemd) mount -t cgroup -o none,name=systemd lab $h ;;
  *) mount -t cgroup2 lab $h ;;
  esac
done
exec "$@"' enclosed "$layout" "$@"
`

// start boots an instance. It returns when its first process runs.
func (b boot) start(ctx context.Context, i instance) (_ *machine, err error) {
	short := strings.TrimPrefix(i.ID, "i-")
	short = short[max(0, len(short)-8):]
	m := &machine{instance: i, space: space("m-" + short), dir: filepath.Join(b.dir, i.ID), ended: make(chan struct{}), started: time.Now()}
	m.root = filepath.Join(m.dir, "root")
	defer func() {
		if err != nil {
			err = fmt.Errorf("boot %s: %w", i.ID, err)
		}
	}()
	if err := m.connect(ctx, b.groups); err != nil {
		return nil, err
	}
	if err := m.fill(ctx, b); err != nil {
		return nil, err
	}
	console, err := os.Create(filepath.Join(m.dir, "console"))
	if err != nil {
		return nil, err
	}
	defer console.Close()
	args := []string{"-ec", enclose, "enclose", b.cgroup + "/" + short, strings.Join(hierarchies(), " "),
		"systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--network-namespace-path=" + m.space.path(), "--machine=m-" + short,
		"--directory=" + m.root, "--link-journal=no", "--resolv-conf=off", "--console=pipe", "--boot"}
	m.nspawn = exec.Command("bash", args...) //nolint:noctx // it is ended by its own shutdown, or with the namespace
	m.nspawn.Stdout, m.nspawn.Stderr = console, console
	m.started = time.Now()
	if err := m.nspawn.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = m.nspawn.Wait() // how it went is on its console
		close(m.ended)
	}()
	return m, nil
}

// connect makes the machine's network: its address, the routes of its subnet, its security groups.
func (m *machine) connect(ctx context.Context, groups func(string) []netip.Addr) error {
	via := gateway(m.Subnet.Block)
	if err := addSubnet(ctx, m.Subnet.Block); err != nil {
		return err
	}
	routes := fmt.Sprintf("ip -n %s route add %s via %s\n", m.space, m.Subnet.Network, via)
	switch {
	case m.Subnet.Internet:
		routes += fmt.Sprintf("ip -n %s route add default via %s\n", m.space, via)
	case m.Subnet.S3:
		routes += fmt.Sprintf("ip -n %s route add %s via %s\n", m.space, storeBlock, via)
	}
	err := sh(ctx, `
ip netns add %[1]s
ip -n %[1]s link set lo up
ip link add %[1]s netns %[2]s type veth peer name eth0 netns %[1]s
ip -n %[2]s link set %[1]s master lab up
ip -n %[1]s link set eth0 up
ip -n %[1]s addr add %[3]s/%[4]d dev eth0
ip -n %[1]s route add %[5]s/32 dev eth0
%[6]s`, m.space, router, m.Address, m.Subnet.Block.Bits(), metadataAddress, routes)
	if err != nil {
		return err
	}
	return filter(ctx, m.space, firewall(m.In, m.Out, groups))
}

// fill makes the machine's file system: the image, the seed that cloud-init reads, and what AWS's image has by itself.
func (m *machine) fill(ctx context.Context, b boot) error {
	image, err := b.image()
	if err != nil {
		return err
	}
	err = sh(ctx, `
mkdir -p %[1]s/layer %[2]s
mount -t tmpfs -o size=%[4]s,mode=755 lab %[1]s/layer
mkdir %[1]s/layer/up %[1]s/layer/work
mount -t overlay -o lowerdir=%[3]s,upperdir=%[1]s/layer/up,workdir=%[1]s/layer/work lab %[2]s
`, m.dir, m.root, image, machineBytes)
	if err != nil {
		return err
	}
	if b.compiler != "" {
		err := sh(ctx, `
mkdir -p %[1]s/usr/local/go
mount --bind -o ro %[2]s %[1]s/usr/local/go
ln -s ../go/bin/go %[1]s/usr/local/bin/go`, m.root, b.compiler)
		if err != nil {
			return err
		}
	}
	const bundle = "/etc/ssl/certs/ca-certificates.crt"
	trusted, err := os.ReadFile(m.root + bundle)
	if err != nil {
		return err
	}
	const seed = "/var/lib/cloud/seed/nocloud/"
	host := "ip-" + strings.ReplaceAll(m.Address.String(), ".", "-")
	return errors.Join(
		writeFile(m.root+bundle, string(trusted)+string(b.authority)),
		writeFile(m.root+"/etc/hosts", b.hosts+"127.0.1.1 "+host+"\n"),
		writeFile(m.root+seed+"meta-data", "instance-id: "+m.ID+"\nlocal-hostname: "+host+"\n"),
		writeFile(m.root+seed+"user-data", string(m.UserData)),
	)
}

// settings are the API's, as the user-data has them.
func (m *machine) settings() (map[string]string, error) {
	files, err := bootstrap.Files(m.UserData)
	if err != nil {
		return nil, fmt.Errorf("read the user-data of %s: %w", m.ID, err)
	}
	return bootstrap.Variables(files[bootstrap.SettingsPath]), nil
}

// leader is the machine's first process, as seen from here.
func (m *machine) leader() (int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(m.nspawn.Process.Pid) {
			return strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	return 0, fmt.Errorf("%s has no first process", m.ID)
}

// run runs a command inside the machine.
func (m *machine) run(ctx context.Context, name string, args ...string) (string, error) {
	pid, err := m.leader()
	if err != nil {
		return "", err
	}
	inside := append([]string{"--target", strconv.Itoa(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--", name}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", inside...)
	cmd.WaitDelay = killGrace // what it began lives on inside, and holds the pipe
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s on %s: %w: %s", name, m.ID, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// die ends the machine as a failing host does: from one moment to the next, it neither answers nor refuses.
func (m *machine) die(ctx context.Context) error {
	if err := sh(ctx, `ip -n %s link set %s down`, router, m.space); err != nil {
		return err
	}
	return m.kill()
}

func (m *machine) kill() error {
	if m.off() {
		return nil
	}
	// The machine's first process, not nspawn: without that one it would live on.
	pid, err := m.leader()
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", m.ID, err)
	}
	select {
	case <-m.ended:
		return nil
	case <-time.After(killGrace):
		return fmt.Errorf("kill %s: it has not ended", m.ID)
	}
}

// shutDown ends the machine as EC2 ends an instance: its system stops its services first.
func (m *machine) shutDown() error {
	if m.off() {
		return nil
	}
	if err := m.nspawn.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("shut %s down: %w", m.ID, err)
	}
	select {
	case <-m.ended:
		return nil
	case <-time.After(stopGrace):
		return m.kill()
	}
}

// discard removes what a machine that is off leaves: memory and network.
func (m *machine) discard(ctx context.Context) error {
	var err error
	m.once.Do(func() {
		err = sh(ctx, `umount --recursive %[1]s; umount %[2]s/layer; ip netns del %[3]s; rm -rf %[2]s`, m.root, m.dir, m.space)
	})
	return err
}

// off tells whether the machine has ended.
func (m *machine) off() bool {
	select {
	case <-m.ended:
		return true
	default:
		return false
	}
}

// booted tells whether cloud-init has finished.
func (m *machine) booted() bool {
	_, err := os.Stat(m.root + "/var/lib/cloud/data/result.json")
	return !errors.Is(err, fs.ErrNotExist) && err == nil
}

// save writes what a machine says of itself into a folder.
func (m *machine) save(ctx context.Context, dir string) error {
	text := m.logs()
	if !m.off() {
		if out, err := m.run(ctx, "journalctl", "--no-pager"); err == nil {
			text += "== journal, without what went well\n" + unwell(out)
		}
	}
	return writeFile(filepath.Join(dir, m.ID+".log"), text)
}

// unwell leaves out the log's lines about what went well: hundreds a second.
func unwell(journal string) string {
	var kept strings.Builder
	for line := range strings.Lines(journal) {
		if !strings.Contains(line, `"status":200`) && !strings.Contains(line, `"msg":"audit"`) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// logs are what a machine says of itself: its console and what cloud-init printed.
func (m *machine) logs() string {
	var all strings.Builder
	for _, path := range []string{filepath.Join(m.dir, "console"), m.root + "/var/log/cloud-init-output.log"} {
		text, err := os.ReadFile(path)
		if err == nil {
			fmt.Fprintf(&all, "== %s\n%s\n", filepath.Base(path), text)
		}
	}
	return all.String()
}
