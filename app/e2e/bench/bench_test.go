package bench

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3file"
	"cloudstorage/app/s3store/s3sign"
)

var rounds = flag.Int("rounds", 5, "how often each route of each server is measured")

// The load, small enough for a machine of two cores: one for the server, one for
// the clients.
const (
	connections = 16
	duration    = 2 * time.Second
	warmUp      = 2 * time.Second
	files       = 100 // in the bucket that is listed
)

// targets are what the product promises.
const (
	signingOfBare  = 0.7
	signingOfFlask = 60.0
)

// server is a program that is measured, on one core.
type server struct {
	name    string
	address string
	process *os.Process
}

// BenchmarkRoutes compares the API with net/http by itself and with the
// exercise's design in Flask and boto3.
func BenchmarkRoutes(b *testing.B) {
	g := gatewaytest.Start(b)
	settings := append(environ(g, fill(b, g, files), g.NewBucket(b)), "GOMAXPROCS=1")
	dir := b.TempDir()
	api := &server{name: "storaged", address: freeAddress(b)}
	start(b, api, command(append(settings, "STORAGE_ADDRESS="+api.address), build(b, dir, "../../cmd/storaged")))
	bare := &server{name: "net/http", address: freeAddress(b)}
	start(b, bare, command(settings, build(b, dir, "./bare"), bare.address))
	flask := &server{name: "Flask + boto3", address: freeAddress(b)}
	_, port, _ := strings.Cut(flask.address, ":")
	start(b, flask, command(settings, python(b), "exercise.py", port))

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // the clients'
	fmt.Fprintf(os.Stdout, "\n%-21s %-13s %9s %9s %9s %11s %9s %14s\n", "route", "server", "answers/s", "p50", "p99", "of net/http", "of Flask", "CPU an answer")
	for _, path := range []string{"/", "/download/report.pdf", "/list_files"} {
		size := measure(b, api, path, warmUp).size
		pathOf := map[*server]string{api: path, bare: fmt.Sprintf("/%d", size), flask: path}
		results := map[*server][]result{}
		for _, s := range []*server{bare, flask} {
			measure(b, s, pathOf[s], warmUp)
		}
		for range *rounds { // taking turns, so that whatever else the machine does falls on all
			for _, s := range []*server{api, bare, flask} {
				results[s] = append(results[s], measure(b, s, pathOf[s], duration))
			}
		}
		for _, s := range []*server{api, bare, flask} {
			m := median(results[s])
			fmt.Fprintf(os.Stdout, "%-21s %-13s %9.0f %9s %9s %11.2f %9.1f %14s\n", path, s.name, m.rate, m.p50.Round(time.Microsecond), m.p99.Round(10*time.Microsecond),
				ratio(results[s], results[bare]), ratio(results[s], results[flask]), m.cpu.Round(100*time.Nanosecond))
		}
		b.ReportMetric(ratio(results[api], results[bare]), strings.Trim(path, "/")+"-of-net/http")
	}
	fmt.Fprintf(os.Stdout, "targets for signing (/download): %.1f of net/http, %.0f times Flask\n", signingOfBare, signingOfFlask)
}

func measure(b *testing.B, s *server, path string, d time.Duration) result {
	b.Helper()
	before := cpuTime(b, s.process)
	r, err := load{s.address, path, connections, d}.run(b.Context())
	if err != nil {
		b.Fatalf("%s: %v", s.name, err)
	}
	r.cpu = (cpuTime(b, s.process) - before) / time.Duration(r.answers)
	return r
}

// median is that of each number by itself.
func median(results []result) result {
	pick := func(less func(a, b result) int) result {
		sorted := slices.SortedFunc(slices.Values(results), less)
		return sorted[len(sorted)/2]
	}
	return result{
		rate: pick(func(a, b result) int { return int(a.rate - b.rate) }).rate,
		p50:  pick(func(a, b result) int { return int(a.p50 - b.p50) }).p50,
		p99:  pick(func(a, b result) int { return int(a.p99 - b.p99) }).p99,
		cpu:  pick(func(a, b result) int { return int(a.cpu - b.cpu) }).cpu,
	}
}

// ratio is the median of the rounds' ratios.
func ratio(of, to []result) float64 {
	var ratios []float64
	for i := range of {
		ratios = append(ratios, of[i].rate/to[i].rate)
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// fill makes a bucket with so many files and returns its name.
func fill(b *testing.B, g gatewaytest.Gateway, files int) string {
	b.Helper()
	bucket := g.NewBucket(b)
	s, err := s3store.Open(b.Context(), s3store.Config{
		Bucket: bucket, Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey,
	})
	if err != nil {
		b.Fatal(err)
	}
	store := s3file.Files{Store: s3sign.New(s)}
	for i := range files {
		k := object.Key(fmt.Sprintf("reports/%04d.pdf", i))
		if _, err := store.Put(b.Context(), k, strings.NewReader("x"), file.PutOptions{Size: 1}); err != nil {
			b.Fatal(err)
		}
	}
	return bucket
}

// start starts a server, waits until it answers, and ends it with the benchmark.
func start(b *testing.B, s *server, cmd *exec.Cmd) {
	b.Helper()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s.process = cmd.Process
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // as killed, or before its time, which is told below
		close(ended)
	}()
	b.Cleanup(func() {
		_ = cmd.Process.Kill() // an error means that it has ended
		<-ended
	})
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+s.address+"/", http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			_ = answer.Body.Close()
			return
		}
		select {
		case <-ended:
			b.Fatalf("%s ended: %s", s.name, cmd.ProcessState)
		case <-deadline.C:
			b.Fatalf("%s does not answer at %s", s.name, s.address)
		case <-again.C:
		}
	}
}

func command(environ []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), name, args...) // start ends it
	cmd.Env = append(os.Environ(), environ...)
	return cmd
}

func build(b *testing.B, dir, source string) string {
	b.Helper()
	program := filepath.Join(dir, filepath.Base(source))
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-o", program, source).CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", source, err, out)
	}
	return program
}

// python returns a Python that has Flask and boto3, in the project's cache.
func python(b *testing.B) string {
	b.Helper()
	venv, err := filepath.Abs("../../../.cache/bench/venv")
	if err != nil {
		b.Fatal(err)
	}
	program := filepath.Join(venv, "bin", "python")
	for _, args := range [][]string{{"python3", "-m", "venv", venv}, {program, "-m", "pip", "install", "--quiet", "-r", "requirements.txt"}} {
		if out, err := exec.CommandContext(b.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
			b.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	return program
}

func freeAddress(b *testing.B) string {
	b.Helper()
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
