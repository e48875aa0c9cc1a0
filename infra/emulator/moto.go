package emulator

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// motoDeadline bounds the start: importing moto takes 2 s, on a cold and busy machine many times that.
	motoDeadline = 2 * time.Minute
	motoGrace    = 5 * time.Second
)

// motoServer is moto's server for Terraform: see the text itself.
//
//go:embed moto_server.py
var motoServer []byte

// MotoOptions say how to start an emulated AWS.
type MotoOptions struct {
	Python string // that has moto, from FindMoto
	Port   int    // 0: a free one
	Log    string // file that takes its output; the program is written beside it
}

// Moto is an emulated AWS account. All that it holds is in its memory.
type Moto struct {
	Process
	Port int
}

// Endpoint is the AWS_ENDPOINT_URL that reaches it.
func (m *Moto) Endpoint() string { return motoEndpoint(m.Port) }

// Stop ends it, and with it everything it holds.
func (m *Moto) Stop() error { return m.Process.Stop(motoGrace) }

func motoEndpoint(port int) string {
	return "http://" + net.JoinHostPort(loopback, strconv.Itoa(port))
}

// StartMoto starts an emulated AWS and waits until it answers. It runs until it is stopped, also when this process
// has ended; when starting it fails, nothing is left running.
func StartMoto(ctx context.Context, o MotoOptions) (*Moto, error) {
	if o.Port != 0 {
		if err := checkPort(ctx, o.Port, "the emulator", "EMULATOR_PORT"); err != nil {
			return nil, err
		}
	}
	env := Environ{}
	for name, value := range OwnEnviron() {
		if !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "MOTO_") {
			env[name] = value
		}
	}
	program := filepath.Join(filepath.Dir(o.Log), "moto_server.py")
	if err := writeFile(program, motoServer, 0o644); err != nil {
		return nil, err
	}
	r, err := start(command{
		path: o.Python,
		args: []string{program, "-H", loopback, "-p", strconv.Itoa(o.Port)},
		env: env.With(Environ{
			"MOTO_ACM_VALIDATION_WAIT": "0",
			"PYTHONUNBUFFERED":         "1",
		}).Lines(),
		log: o.Log,
	})
	if err != nil {
		return nil, err
	}
	m := &Moto{Process: r.Process, Port: o.Port}
	waiting, cancel := context.WithTimeout(ctx, motoDeadline)
	defer cancel()
	err = r.until(waiting, func(ctx context.Context) bool {
		if m.Port == 0 {
			m.Port = announcedPort(o.Log)
		}
		return m.Port != 0 && m.answers(ctx)
	})
	if err != nil {
		_ = m.Stop() // the reason to stop is the error to tell
		return nil, fmt.Errorf("starting the emulator with %s: %w\n%s", o.Python, err, tail(o.Log, 10))
	}
	return m, nil
}

// answers tells whether moto serves, by a page that only moto has.
func (m *Moto) answers(ctx context.Context) bool {
	return healthy(ctx, m.Endpoint()+"/moto-api/")
}

// announced is how moto's web server says where it listens; asked for port 0 it takes a free one, which no other
// program can take first.
var announced = regexp.MustCompile(`Running on http://127\.0\.0\.1:(\d+)`)

func announcedPort(log string) int {
	text, err := os.ReadFile(log)
	if err != nil {
		return 0
	}
	found := announced.FindSubmatch(text)
	if found == nil {
		return 0
	}
	port, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return 0
	}
	return port
}

// healthy tells whether a GET is answered with 200 soon.
func healthy(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}
