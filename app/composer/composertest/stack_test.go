//go:build composer && linux

package composertest

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"

	"cloudstorage/app/composer/composefile"
	"cloudstorage/app/composer/envfile"
)

// Both are made by the Makefile.
var (
	venv    = flag.String("venv", "../../../.cache/composer/venv", "the virtual environment with Airflow")
	servers = flag.String("servers", "../../../.cache/composer/servers", "the folder with PostgreSQL and Redis")
)

// stack are the services of the compose file, as processes.
//
// What a container would give is given so: names of services are addresses of
// the loopback interface; a mount's target is a folder of this run, which holds
// a copy of what is mounted read-only; what an image sets and does by itself is
// in images_test.go.
type stack struct {
	t       *testing.T
	project *types.Project
	env     map[string]string // of the .env file and the ports
	dir     string
	mark    string
	paths   *strings.Replacer // of mounts
	hosts   *regexp.Regexp

	mu      sync.Mutex
	running map[string]*process
	logs    []*process // all that ever ran
}

// newStack reads the compose file with what `make composer-env` writes and free
// ports. Nothing runs yet.
func newStack(t *testing.T, given map[string]string) *stack {
	t.Helper()
	if _, err := os.Stat(filepath.Join(*venv, "bin", "airflow")); err != nil {
		t.Fatalf("%v\nrun make composer-test, which installs it", err)
	}
	// Not t.TempDir: PostgreSQL, as another user, must get in.
	dir, err := os.MkdirTemp("", "composer-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, dir: dir, mark: rand.Text(), running: map[string]*process{}}
	t.Cleanup(s.end)

	path := filepath.Join(dir, envfile.Name)
	if _, err := envfile.Write(path, given); err != nil {
		t.Fatal(err)
	}
	if s.env, err = dotenv.Read(path); err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 4)
	for i, name := range []string{"AIRFLOW_PORT", "FLOWER_PORT", "POSTGRES_PORT", "REDIS_PORT"} {
		s.env[name] = strconv.Itoa(ports[i])
	}
	if s.project, err = composefile.Load(t.Context(), filepath.Join("..", composefile.Name), s.env); err != nil {
		t.Fatal(err)
	}
	s.hosts = regexp.MustCompile(`(//|@)(` + strings.Join(s.project.ServiceNames(), "|") + `):`)
	s.mount()
	s.copyServers()
	return s
}

// freePorts are ports of the loopback interface that were free a moment ago.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	var listeners []net.Listener // at once, so that no port comes twice
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	for _, l := range listeners {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return ports
}

// mount makes a folder for each volume and each mounted folder.
func (s *stack) mount() {
	s.t.Helper()
	folders := map[string]string{}
	for _, service := range s.project.Services {
		for _, v := range service.Volumes {
			folder := filepath.Join(s.dir, "volumes", filepath.Base(v.Source))
			if folders[v.Target] == folder {
				continue
			}
			folders[v.Target] = folder
			if v.Type != types.VolumeTypeBind {
				if err := os.MkdirAll(folder, 0o777); err != nil {
					s.t.Fatal(err)
				}
				continue
			}
			if err := os.CopyFS(folder, os.DirFS(v.Source)); err != nil {
				s.t.Fatalf("mount %s: %v", v.Source, err)
			}
		}
	}
	var pairs []string
	for _, target := range slices.Backward(slices.Sorted(maps.Keys(folders))) { // the longer first
		pairs = append(pairs, target, folders[target])
	}
	s.paths = strings.NewReplacer(pairs...)
}

// here translates what a container is told into what a process here must be.
func (s *stack) here(text string) string {
	return s.hosts.ReplaceAllString(s.paths.Replace(text), "${1}127.0.0.1:")
}

// command is args as they would run in the container of a service.
func (s *stack) command(ctx context.Context, name string, args []string) *exec.Cmd {
	service := s.project.Services[name]
	env := s.imageEnvironment(name)
	for variable, value := range service.Environment {
		env[variable] = s.here(*value)
	}
	words := make([]string, len(args))
	for i, word := range args {
		words[i] = s.here(word)
	}
	program := words[0]
	for _, dir := range filepath.SplitList(env["PATH"]) { // the container's, not this process's
		if path := filepath.Join(dir, program); !strings.Contains(program, "/") && isFile(path) {
			program = path
		}
	}
	cmd := exec.CommandContext(ctx, program, words[1:]...)
	cmd.Dir = filepath.Join(s.dir, "home", name)
	for variable, value := range env {
		cmd.Env = append(cmd.Env, variable+"="+value)
	}
	if err := os.MkdirAll(cmd.Dir, 0o777); err != nil {
		s.t.Fatal(err)
	}
	return cmd
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// start runs a service's own command.
func (s *stack) start(name string) (*process, error) {
	service := s.project.Services[name]
	args := slices.Concat([]string(service.Entrypoint), []string(service.Command))
	if name == "postgres" {
		args = []string{"postgres"} // what its image runs
	}
	cmd := s.command(context.Background(), name, args) // stop ends it
	if err := s.prepareImage(name, cmd); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", name, err)
	}
	p, err := start(name, cmd, filepath.Join(s.dir, name+".log"))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[name] = p
	s.logs = append(s.logs, p)
	return p, nil
}

// exec runs a command beside a running service, as docker compose exec does, and
// returns what it writes to standard output.
func (s *stack) exec(ctx context.Context, name string, args ...string) (string, error) {
	cmd := s.command(ctx, name, args)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s in %s: %w\n%s%s", strings.Join(args, " "), name, err, out, &stderr)
	}
	return string(out), nil
}

// check runs a service's own health check once.
func (s *stack) check(name string) error {
	health := s.project.Services[name].HealthCheck
	args := []string(health.Test[1:])
	if health.Test[0] == "CMD-SHELL" {
		args = []string{"/bin/sh", "-c", health.Test[1]}
	}
	// Its own timeout is for a machine that does nothing else.
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Duration(*health.Timeout))
	defer cancel()
	_, err := s.exec(ctx, name, args...)
	return err
}

// wait returns once a service meets a condition of depends_on.
func (s *stack) wait(p *process, condition string) error {
	switch condition {
	case types.ServiceConditionCompletedSuccessfully:
		select {
		case <-p.ended:
			return p.how
		case <-time.After(patience):
			return errPatience
		}
	case types.ServiceConditionHealthy:
		return until(p.ended, func() (bool, string) {
			err := s.check(p.name)
			return err == nil, fmt.Sprint(err)
		})
	}
	return fmt.Errorf("the condition %s is not known here", condition)
}

// up starts services and all that they wait for, in the order that depends_on
// says. A service that does not get ready keeps what waits for it from starting.
func (s *stack) up(names ...string) error {
	var mu sync.Mutex
	tasks := map[string]func() error{}
	// once does what is to be done once for all that wait for it.
	once := func(what string, do func() error) error {
		mu.Lock()
		if tasks[what] == nil {
			tasks[what] = sync.OnceValue(do)
		}
		task := tasks[what]
		mu.Unlock()
		return task()
	}
	all := func(names []string, do func(name string) error) error {
		errs := make([]error, len(names))
		var wg sync.WaitGroup
		for i, name := range names {
			wg.Go(func() { errs[i] = do(name) })
		}
		wg.Wait()
		return errors.Join(errs...)
	}
	var started func(name string) error
	started = func(name string) error {
		return once(name, func() error {
			needs := s.project.Services[name].DependsOn
			if err := all(slices.Sorted(maps.Keys(needs)), func(need string) error {
				condition := needs[need].Condition
				return once(need+" "+condition, func() error {
					if err := started(need); err != nil {
						return err
					}
					if err := s.wait(s.process(need), condition); err != nil {
						return fmt.Errorf("%s is not %s: %w", need, condition, err)
					}
					return nil
				})
			}); err != nil {
				return err
			}
			_, err := s.start(name)
			return err
		})
	}
	return all(names, started)
}

// process is a service that runs.
func (s *stack) process(name string) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[name]
}

// healthy waits until a service that runs is healthy.
func (s *stack) healthy(t *testing.T, name string) {
	t.Helper()
	p := s.process(name)
	if err := s.wait(p, types.ServiceConditionHealthy); err != nil {
		t.Fatalf("%s does not get healthy: %v\n%s", name, err, p.tail())
	}
}

// again starts a service that was stopped and waits until it is healthy.
func (s *stack) again(t *testing.T, name string) {
	t.Helper()
	if _, err := s.start(name); err != nil {
		t.Fatal(err)
	}
	s.healthy(t, name)
}

// stop ends a service as docker compose stop does.
func (s *stack) stop(name string) {
	s.mu.Lock()
	p := s.running[name]
	delete(s.running, name)
	s.mu.Unlock()
	grace := 10 * time.Second // Compose's own
	if period := s.project.Services[name].StopGracePeriod; period != nil {
		grace = time.Duration(*period)
	}
	signal, whole := s.imageStop(name)
	p.stop(signal, whole, grace)
}

// end stops everything, also what left its group, and removes the folder.
func (s *stack) end() {
	if s.t.Failed() {
		for _, p := range s.logs {
			s.t.Log(p.tail())
		}
	}
	order := slices.Sorted(maps.Keys(s.running)) // Airflow before what it works on
	for _, name := range order {
		s.stop(name)
	}
	for _, pid := range marked(s.mark) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // an error means that it has ended
	}
	if err := os.RemoveAll(s.dir); err != nil {
		s.t.Error(err)
	}
}
