//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"cloudstorage/infra/emulator"
)

// Options of a lab.
type Options struct {
	Root string // the project's folder
	Out  io.Writer
	Full bool // goes through the scenarios that take minutes, too
	// Source tries the other delivery, which is built on the machines: the boot alone.
	Source bool
	Only   []string // keys of scenarios; nil: all
	Break  string   // a mistake to make, which the lab must find; "": none
	Keep   bool     // keeps the logs of one that went well, too
}

// suffix tells apart what the labs of the two deliveries, which may run side by side, leave in one folder.
func (o Options) suffix() string {
	if o.Source {
		return "-source"
	}
	return ""
}

// runDir is the folder that the lab works in.
func (o Options) runDir() string { return filepath.Join(o.Root, ".cache", "lab", "run"+o.suffix()) }

// name tells the lab's control groups and processes from any other's. It begins with this process's id.
func (o Options) name() string { return cgroupPrefix + strconv.Itoa(os.Getpid()) + o.suffix() }

// lab is one run.
type lab struct {
	Options
	*emulator.Progress
	cache, run string
	log        *os.File
	controller *controller
	deployer   *deployer
	outside    outside
	kept       *ledger
	report     Report
	asides     int                    // machines that were set aside
	image      func() (string, error) // waits for the root file system
	// Of the source delivery: where this machine's Go is, and the modules that it has downloaded.
	compiler, modules string
}

// Run builds everything, goes through the scenarios and returns what they showed. It expects to be the process that
// Isolated started.
func Run(ctx context.Context, o Options) (Report, error) {
	cache := filepath.Join(o.Root, ".cache", "lab")
	l := &lab{Options: o, Progress: &emulator.Progress{Out: o.Out}, cache: cache, run: o.runDir(), kept: newLedger(), report: Report{Began: time.Now()}}
	if err := enter(l.run); err != nil {
		return l.report, err
	}
	weight := first
	if o.Source {
		weight = usual
	}
	if err := prioritize(os.Getenv(envInside), weight); err != nil {
		l.Note("others may take the processors from it: %v", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var err error
	if l.log, err = os.Create(filepath.Join(l.run, "lab.log")); err != nil {
		return l.report, err
	}
	err = l.scenarios(ctx)
	if l.image != nil && ctx.Err() != nil {
		_, _ = l.image() // it was told to stop, and takes what it has made with it
	}
	if err != nil || len(l.report.Failed()) > 0 || o.Keep {
		err = errors.Join(err, l.keepLogs())
	}
	return l.report, err
}

// save writes the report as far as it goes.
func (l *lab) save() error {
	l.report.Took = seconds(time.Since(l.report.Began))
	return l.report.save(filepath.Join(l.cache, "report"+l.suffix()+".json"))
}

// prepare makes all that the scenarios need, up to an emulated account that is empty.
func (l *lab) prepare(ctx context.Context) error {
	var python string
	d := &deployer{root: l.Root, environment: environmentBinary, environments: filepath.Join(l.run, "environments"), outdir: filepath.Join(l.run, "cdktf.out"), log: l.log}
	if l.Source {
		d.environment = environmentSource
	}
	l.deployer = d
	err := l.Step("what is needed", func() (_ string, err error) {
		if _, err = emulator.CheckNode(ctx); err != nil {
			return "", err
		}
		if python, err = emulator.FindMoto(ctx, filepath.Join(l.Root, ".cache", "emulator"), l.Note); err != nil {
			return "", err
		}
		if d.tools, err = emulator.FindTools(ctx, l.Root, filepath.Join(l.Root, ".cache"), l.Note); err != nil {
			return "", err
		}
		bin := filepath.Join(l.Root, ".cache", "bin")
		if m, broken := mistakes[l.Break]; broken {
			d.program, err = m.build(ctx, l.Root, filepath.Join(l.run, "mistake"))
		} else {
			d.program, err = emulator.BuildSynth(ctx, l.Root, bin)
		}
		if err != nil {
			return "", err
		}
		if out, err := exec.CommandContext(ctx, "go", "build", "-C", l.Root, "-o", l.storagectl(), "./app/cmd/storagectl").CombinedOutput(); err != nil {
			return "", fmt.Errorf("build storagectl: %w\n%s", err, out)
		}
		if l.Source {
			if l.compiler, l.modules, err = goFolders(ctx); err != nil {
				return "", err
			}
		}
		return "", os.CopyFS(d.environments, os.DirFS(filepath.Join(l.Root, "infra", "lab", "environments")))
	})
	if err != nil {
		return err
	}
	// The first machine is not before the load balancer, which takes a minute.
	l.image = eventually(func() (string, error) { return makeImage(ctx, l.cache, l.Note) })
	return l.Step("networks, S3 and the emulated AWS", func() (string, error) { return "", l.surround(ctx, python) })
}

func (l *lab) storagectl() string { return filepath.Join(l.run, "storagectl") }

// eventually calls f in the background. What it returns waits for f, and returns what f did.
func eventually[T any](f func() (T, error)) func() (T, error) {
	var value T
	var err error
	done := make(chan struct{})
	go func() {
		value, err = f()
		close(done)
	}()
	return func() (T, error) {
		<-done
		return value, err
	}
}

func (l *lab) surround(ctx context.Context, python string) error {
	if err := buildNetworks(ctx); err != nil {
		return err
	}
	s, err := startStore(ctx, l.run, l.log)
	if err != nil {
		return err
	}
	if err := s.serve(ctx, storage, storeAddress); err != nil {
		return err
	}
	if l.Source {
		if err := s.serveModules(ctx, l.modules); err != nil {
			return err
		}
	}
	moto, err := emulator.StartMoto(ctx, emulator.MotoOptions{Python: python, Log: filepath.Join(l.run, "moto.log")})
	if err != nil {
		return err
	}
	c := &controller{
		account: account{emulator.API{Endpoint: moto.Endpoint()}}, store: s, metadata: newMetadata(), dir: l.run, log: l.log, note: l.Note,
		boot: boot{
			image: l.image, dir: filepath.Join(l.run, "machines"), cgroup: os.Getenv(envInside), authority: s.authority,
			compiler: l.compiler,
		},
		machines: map[string]*machine{}, known: map[string]bool{}, leaving: map[string]bool{},
	}
	l.controller = c
	handler, err := gate(moto.Endpoint(), func(id string) bool {
		c.mu.Lock()
		b := c.balancer
		c.mu.Unlock()
		return b != nil && b.healthy(id)
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serveUntil(ctx, listener, handler)
	l.deployer.endpoint = "http://" + listener.Addr().String()
	go c.run(ctx)
	return nil
}

// look finds what callers need, once the system runs: the balancer's address, and the names that S3 has.
func (l *lab) look(ctx context.Context) error {
	names, err := l.controller.buckets(ctx)
	if err != nil {
		return err
	}
	hosts := map[string]string{storeDomain: storeAddress}
	for _, n := range names {
		hosts[n+"."+storeDomain] = storeAddress
	}
	b := l.controller.balancer
	l.outside = outside{api: "http://" + netip.AddrPortFrom(b.address, uint16(b.Listen)).String(), names: hosts, store: l.controller.store}
	// Names for storagectl: nobody else's /etc/hosts changes.
	file := filepath.Join(l.run, "hosts")
	if err := writeFile(file, l.controller.store.hosts(storeAddress, names)); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(l.run, "authority.pem"), string(l.controller.store.authority)); err != nil {
		return err
	}
	return sh(ctx, "mount --bind %s /etc/hosts", file)
}

// ctl runs the real storagectl outside.
func (l *lab) ctl(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := internet.command(ctx, l.storagectl(), append([]string{"--ip", l.outside.api}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(l.run, "authority.pem"), "HTTP_PROXY=", "HTTPS_PROXY=", "http_proxy=", "https_proxy=", "ALL_PROXY=", "all_proxy=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("storagectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// goneLogs is the folder of what machines said that are gone.
const goneLogs = "gone"

// keepLogs saves what tells why a lab failed, before the kernel removes it.
func (l *lab) keepLogs() error {
	dir := filepath.Join(l.cache, "logs"+l.suffix())
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var errs []error
	for _, name := range []string{"lab.log", "moto.log", "haproxy.cfg"} {
		text, err := os.ReadFile(filepath.Join(l.run, name))
		if err == nil {
			errs = append(errs, os.WriteFile(filepath.Join(dir, name), text, 0o644))
		}
	}
	if gone := filepath.Join(l.run, goneLogs); exists(gone) {
		errs = append(errs, os.CopyFS(filepath.Join(dir, goneLogs), os.DirFS(gone)))
	}
	if c := l.controller; c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, m := range c.machines {
			errs = append(errs, m.save(context.Background(), dir))
		}
	}
	l.Note("logs: %s", dir)
	return errors.Join(errs...)
}

func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}
