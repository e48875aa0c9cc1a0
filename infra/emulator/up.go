package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"cloudstorage/app/settings"
)

// local is the environment that runs on this machine.
const local = "local"

// Options of the local system.
type Options struct {
	Root         string // the project's root folder
	State        string // folder of what is made and goes with Down; "": .cache/emulator in Root
	Environments string // folder of environment files; "": the project's own
	Port         int    // of the API on 127.0.0.1; 0: settings.Port
	EmulatorPort int    // of the emulated AWS on 127.0.0.1; 0: the one it has, or a free one
	Out          io.Writer
}

func (o Options) places() places {
	cache := filepath.Join(o.Root, ".cache")
	return places{cache: cache, run: cmp.Or(o.State, filepath.Join(cache, "emulator"))}
}

// up is one run of Up.
type up struct {
	Options
	places
	*Progress
	state state
	api   API
	tools *Tools
	// python has moto.
	python string
	// What this run started, and so ends when it fails.
	startedEmulator, startedServer bool
}

// Up makes the whole system run on this machine, or brings a running one up to date with the project: it starts the
// emulated AWS, applies the environment local to it and runs the API with the settings of its launch template. Both
// keep running when it returns. When it fails or ctx ends, whatever it started is ended.
func Up(ctx context.Context, o Options) (err error) {
	if o.Port == 0 {
		o.Port = settings.Port
	}
	u := &up{Options: o, places: o.places(), Progress: &Progress{Out: o.Out}}
	unlock, err := lock(ctx, u.lock())
	if err != nil {
		return err
	}
	defer unlock()
	began := time.Now()
	if u.state, err = u.readState(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, u.undo())
		}
	}()

	if err := u.Step("checking what is needed", func() (string, error) { return u.prerequisites(ctx) }); err != nil {
		return err
	}
	if err := u.Step("emulated AWS", func() (string, error) { return u.emulatedAWS(ctx) }); err != nil {
		return err
	}
	if err := u.Step("synthesizing environment local", func() (string, error) { return u.synth(ctx) }); err != nil {
		return err
	}
	outputs := map[string]map[string]string{}
	for _, stack := range []string{local + "-storage", local + "-api"} {
		err := u.Step("terraform apply "+stack, func() (result string, err error) {
			outputs[stack], result, err = u.apply(ctx, stack)
			return result, err
		})
		if err != nil {
			return err
		}
	}
	launchTemplate := outputs[local+"-api"]["launch_template_id"]
	if err := u.Step("the API, from the launch template "+launchTemplate, func() (string, error) { return u.serve(ctx, launchTemplate) }); err != nil {
		return err
	}
	u.tell(outputs, time.Since(began))
	return nil
}

// prerequisites finds or installs everything that is needed, before anything is started. Each thing that is missing
// is a line of the error.
func (u *up) prerequisites(ctx context.Context) (string, error) {
	node, nodeErr := CheckNode(ctx)
	var motoErr, portErr, toolsErr error
	u.python, motoErr = FindMoto(ctx, u.downloads(), u.Note)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	// Our own server may have the port.
	if serving := u.state.Server != nil && u.state.Server.Alive() && u.state.Address == u.address(); !serving {
		portErr = checkPort(ctx, u.Port, "the API", "PORT")
	}
	if u.EmulatorPort == u.Port {
		portErr = errors.Join(portErr, fmt.Errorf("PORT and EMULATOR_PORT are both %d: choose two, or leave EMULATOR_PORT out", u.Port))
	}
	u.tools, toolsErr = FindTools(ctx, u.Root, u.cache, u.Note)
	if err := errors.Join(nodeErr, motoErr, portErr, toolsErr); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, Node.js %s, Terraform %s", runtime.Version(), node, u.tools.Version), nil
}

func (u *up) address() string { return net.JoinHostPort(loopback, strconv.Itoa(u.Port)) }

// emulatedAWS keeps the emulator that runs, or starts one on a clean slate.
func (u *up) emulatedAWS(ctx context.Context) (string, error) {
	if u.state.Emulator != nil && u.state.Emulator.Alive() {
		m := Moto{Process: *u.state.Emulator, Port: u.state.Port}
		if u.EmulatorPort != 0 && u.EmulatorPort != m.Port {
			return "", fmt.Errorf("it runs on port %d already, not on %d: `make down` first", m.Port, u.EmulatorPort)
		}
		if m.answers(ctx) {
			u.api = API{m.Endpoint()}
			return "runs already at " + m.Endpoint(), nil
		}
		u.Note("it runs but does not answer: ending it")
	}
	if err := u.startOver(); err != nil {
		return "", err
	}
	m, err := StartMoto(ctx, MotoOptions{Python: u.python, Port: u.EmulatorPort, Log: u.motoLog()})
	if err != nil {
		return "", err
	}
	u.startedEmulator = true
	u.api = API{m.Endpoint()}
	u.state = state{Emulator: &m.Process, Port: m.Port, EmulatorAt: time.Now()}
	return "moto at " + m.Endpoint(), u.writeState(u.state)
}

// startOver ends what an earlier run left and removes its files: the emulated account was in the memory of a
// process that is gone, so Terraform's state describes nothing any more.
func (u *up) startOver() error {
	if !u.used() {
		return nil
	}
	u.Note("the emulator of an earlier run is gone, and everything in it: starting over")
	if err := stopAll(u.state); err != nil {
		return err
	}
	u.state = state{}
	return u.clear()
}

func (u *up) synth(ctx context.Context) (string, error) {
	if err := os.MkdirAll(u.binaries(), 0o755); err != nil {
		return "", fmt.Errorf("making %s: %w", u.binaries(), err)
	}
	program, err := BuildSynth(ctx, u.Root, u.binaries())
	if err != nil {
		return "", err
	}
	return "", Synth(ctx, SynthOptions{
		Program: program, Root: u.Root, Environment: local, Environments: u.Environments, Outdir: u.outdir(), Emulator: u.api.Endpoint,
	})
}

func (u *up) apply(ctx context.Context, stack string) (outputs map[string]string, result string, err error) {
	log, err := os.Create(u.terraformLog(stack))
	if err != nil {
		return nil, "", fmt.Errorf("logging terraform: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	watch := &resourceCounter{}
	s, err := u.tools.Stack(StackDir(u.outdir(), stack), StackOptions{Emulator: u.api.Endpoint, Out: io.MultiWriter(log, watch), Err: log})
	if err != nil {
		return nil, "", err
	}
	if err := s.Init(ctx); err != nil {
		return nil, "", err
	}
	changes, err := s.Plan(ctx)
	if err != nil {
		return nil, "", err
	}
	result = "no changes"
	if changes {
		stop := u.report(watch)
		err := s.ApplyPlan(ctx)
		stop()
		if err != nil {
			return nil, "", err
		}
		result = fmt.Sprintf("%d resources made or changed", watch.done.Load())
	}
	outputs, err = s.Output(ctx)
	return outputs, result, err
}

// report says every 10 s how far Terraform is (a load balancer alone takes it a minute), until it is stopped.
func (u *up) report(watch *resourceCounter) (stop func()) {
	const every = 10 * time.Second
	tick := time.NewTicker(every)
	quit, stopped := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() {
		defer close(stopped)
		for {
			select {
			case <-tick.C:
				u.Note("%d resources so far, %s", watch.done.Load(), brief(time.Since(began)))
			case <-quit:
				return
			}
		}
	}()
	return func() {
		tick.Stop()
		close(quit)
		<-stopped
	}
}

// resourceCounter counts the resources that Terraform says it finished.
type resourceCounter struct{ done atomic.Int64 }

var finished = regexp.MustCompile(`: (Creation|Modifications|Destruction) complete after `)

func (c *resourceCounter) Write(text []byte) (int, error) {
	c.done.Add(int64(len(finished.FindAll(text, -1))))
	return len(text), nil
}

// serve runs the API, unless the one that runs is the same release with the same settings.
func (u *up) serve(ctx context.Context, launchTemplate string) (string, error) {
	if launchTemplate == "" {
		return "", errors.New("the stack local-api has no output launch_template_id")
	}
	s, err := fetchServer(ctx, u.api, launchTemplate, u.address(), u.run)
	if err != nil {
		return "", err
	}
	if old := u.state.Server; old != nil {
		if old.Alive() && u.state.Digest == s.digest && healthy(ctx, "http://"+s.address+settings.ReadyPath) {
			return "runs already with this release and these settings", nil
		}
		u.Note("ending the one that runs: its release or its settings changed")
		if err := old.Stop(serverGrace); err != nil {
			return "", err
		}
		u.forgetServer()
	}
	// Still checked here: the port may have been taken while Terraform worked.
	if err := checkPort(ctx, u.Port, "the API", "PORT"); err != nil {
		return "", err
	}
	process, err := s.start(ctx, u.serverLog())
	if err != nil {
		return "", err
	}
	u.startedServer = true
	u.state.Server, u.state.Address, u.state.Digest, u.state.ServerAt = process, s.address, s.digest, time.Now()
	removeOldPrograms(u.run, s.program)
	return "ready at http://" + s.address, u.writeState(u.state)
}

func (u *up) forgetServer() {
	u.state.Server, u.state.Address, u.state.Digest, u.state.ServerAt = nil, "", "", time.Time{}
}

// undo ends what this run started; what ran before it goes on.
func (u *up) undo() error {
	if u.startedEmulator {
		u.Print("ending what was started\n")
		return errors.Join(stopAll(u.state), u.clearKeepingLogs())
	}
	if u.startedServer {
		err := u.state.Server.Stop(serverGrace)
		u.forgetServer()
		return errors.Join(err, u.writeState(u.state))
	}
	if u.state.Server != nil && !u.state.Server.Alive() {
		u.forgetServer()
	}
	if u.state.Emulator != nil {
		return u.writeState(u.state)
	}
	return nil
}

// clearKeepingLogs is clear, except for what tells why a run failed.
func (u *up) clearKeepingLogs() error {
	logs, err := filepath.Glob(filepath.Join(u.run, "*.log"))
	if err != nil {
		return fmt.Errorf("keeping logs: %w", err)
	}
	kept := filepath.Join(filepath.Dir(u.run), "logs")
	if err := os.RemoveAll(kept); err != nil {
		return fmt.Errorf("keeping logs: %w", err)
	}
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return fmt.Errorf("keeping logs: %w", err)
	}
	for _, log := range logs {
		if err := os.Rename(log, filepath.Join(kept, filepath.Base(log))); err != nil {
			return fmt.Errorf("keeping logs: %w", err)
		}
	}
	u.Print("its logs are in %s\n", kept)
	return u.clear()
}

// tell prints how to use what runs now.
func (u *up) tell(outputs map[string]map[string]string, took time.Duration) {
	address := u.state.Address
	u.Print("\nThe storage API serves at http://%s (up in %s).\n\n", address, brief(took))
	host, _, _ := strings.Cut(address, ":")
	client := host
	if port := portOf(address); port != strconv.Itoa(settings.Port) {
		client = address
	}
	u.Print("The client:\n")
	for _, args := range []string{"ping", "upload --filename README.md", "list", "download --filename README.md", "delete --filename README.md"} {
		u.Print("  make client ARGS='--ip %s %s'\n", client, args)
	}
	u.Print("curl:\n  curl http://%s/list_files\n  curl -T README.md http://%s/v1/files/README.md\n  curl -L http://%s/v1/files/README.md\n", address, address, address)
	u.Print("The API describes itself at http://%s/docs.\n\nThe stacks' outputs:\n", address)
	for _, stack := range slices.Sorted(maps.Keys(outputs)) {
		for _, name := range slices.Sorted(maps.Keys(outputs[stack])) {
			u.Print("  %s.%s = %s\n", stack, name, outputs[stack][name])
		}
	}
	u.Print("\nThe emulated AWS: AWS_ENDPOINT_URL=%s (in memory: `make down` or the end of its process forgets every file)\n", u.api.Endpoint)
	u.Print("Logs: %s\n", strings.Join([]string{u.serverLog(), u.motoLog()}, ", "))
}

// stopAll ends both processes; the server first, since it depends on the other.
func stopAll(s state) error {
	var errs []error
	if s.Server != nil {
		errs = append(errs, s.Server.Stop(serverGrace))
	}
	if s.Emulator != nil {
		errs = append(errs, s.Emulator.Stop(motoGrace))
	}
	return errors.Join(errs...)
}
