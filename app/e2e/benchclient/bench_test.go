package benchclient

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/build"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/service"
)

var (
	rounds = flag.Int("rounds", 3, "how often each client does each thing")
	mebi   = flag.Int("mib", 1024, "MiB of the large file")
	count  = flag.Int("files", 10_000, "how many small files")
)

const smallSize = 4 << 10

// subject is a client that is measured.
type subject struct {
	name string
	args func(doing, from, to string) []string
}

// BenchmarkClient compares package transfer with s5cmd, which talks to the
// storage itself, with its credentials.
func BenchmarkClient(b *testing.B) {
	g := gatewaytest.Start(b)
	env := daemontest.Environ(b, g, nil)
	server := daemontest.Start(b, service.Program(), env)
	rival, err := build.Program("s5cmd")
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	mover := filepath.Join(dir, "mover")
	if _, err := measure(b.Context(), nil, "go", "build", "-trimpath", "-o", mover, "./mover"); err != nil {
		b.Fatal(err)
	}
	credentials := []string{"AWS_ACCESS_KEY_ID=" + g.AccessKey, "AWS_SECRET_ACCESS_KEY=" + g.SecretKey, "AWS_REGION=" + g.Region}
	bucket := "s3://" + env["STORAGE_BUCKET"] + "/"
	subjects := []subject{
		{"transfer", func(doing, from, to string) []string { return []string{mover, server.Address, doing, from, to} }},
		{"s5cmd", func(doing, from, to string) []string {
			verb := []string{rival, "--endpoint-url", g.Endpoint, "--log", "error"}
			switch {
			case doing == "list":
				return append(verb, "ls", bucket+from+"*")
			case doing == "up" && strings.HasSuffix(to, "/"):
				return append(verb, "cp", from+"/", bucket+to)
			case doing == "up":
				return append(verb, "cp", from, bucket+to)
			case strings.HasSuffix(from, "/"):
				return append(verb, "cp", bucket+from+"*", to+"/")
			}
			return append(verb, "cp", bucket+from, to+"/")
		}},
	}
	large, many := filepath.Join(dir, "large"), filepath.Join(dir, "many")
	fill(b, large, int64(*mebi)<<20)
	for i := range *count {
		fill(b, filepath.Join(many, fmt.Sprint(i%100), fmt.Sprint(i)), smallSize)
	}

	taken := map[string][]usage{}
	do := func(s subject, what, doing, from, to string) {
		args := s.args(doing, from, to)
		u, err := measure(b.Context(), credentials, args[0], args[1:]...)
		if err != nil {
			b.Fatal(err)
		}
		taken[what+s.name] = append(taken[what+s.name], u)
	}
	labels := []string{
		fmt.Sprintf("%d MiB up", *mebi), fmt.Sprintf("%d MiB down", *mebi),
		fmt.Sprintf("%d × 4 KiB up", *count), fmt.Sprintf("%d × 4 KiB down", *count), fmt.Sprintf("list %d", *count),
	}
	for round := range *rounds { // taking turns, so that whatever else the machine does falls on all
		for _, s := range subjects {
			at := fmt.Sprintf("%s-%d", s.name, round) // of which no name is a folder and a file
			to := filepath.Join(dir, at)
			if err := os.MkdirAll(to, 0o755); err != nil {
				b.Fatal(err)
			}
			do(s, labels[0], "up", large, at+".large")
			do(s, labels[1], "down", at+".large", to)
			same(b, large, filepath.Join(to, at+".large"))
			do(s, labels[2], "up", many, at+"/")
			do(s, labels[3], "down", at+"/", to)
			for i := range *count {
				name := filepath.Join(fmt.Sprint(i%100), fmt.Sprint(i))
				same(b, filepath.Join(many, name), filepath.Join(to, name))
			}
			do(s, labels[4], "list", at+"/", "")
			if err := os.RemoveAll(to); err != nil {
				b.Fatal(err)
			}
		}
	}
	fmt.Fprintf(os.Stdout, "\n%-22s %-10s %8s %8s %10s   %s\n", "", "", "wall", "CPU", "memory", "of s5cmd: wall, CPU, memory")
	for _, what := range labels {
		of := median(taken[what+"s5cmd"])
		for _, s := range subjects {
			u := median(taken[what+s.name])
			fmt.Fprintf(os.Stdout, "%-22s %-10s %7.2fs %7.2fs %6d MiB   %.2f %.2f %.2f\n", what, s.name, u.wall.Seconds(), u.cpu.Seconds(), u.peak>>20,
				u.wall.Seconds()/of.wall.Seconds(), u.cpu.Seconds()/of.cpu.Seconds(), float64(u.peak)/float64(of.peak))
		}
	}
}

// median is that of each number by itself.
func median(all []usage) usage {
	pick := func(less func(a, b usage) int) usage {
		sorted := slices.SortedFunc(slices.Values(all), less)
		return sorted[len(sorted)/2]
	}
	return usage{
		wall: pick(func(a, b usage) int { return int(a.wall - b.wall) }).wall,
		cpu:  pick(func(a, b usage) int { return int(a.cpu - b.cpu) }).cpu,
		peak: pick(func(a, b usage) int { return int(a.peak - b.peak) }).peak,
	}
}

// fill writes a file of size bytes that no program can compress.
func fill(b *testing.B, path string, size int64) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{byte(time.Now().UnixNano())})
	if _, err := io.CopyN(f, random, size); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

func same(b *testing.B, want, got string) {
	b.Helper()
	if digest(b, want) != digest(b, got) {
		b.Fatalf("%s came back as other bytes", want)
	}
}

func digest(b *testing.B, path string) (sum [sha256.Size]byte) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		b.Fatal(err)
	}
	h.Sum(sum[:0])
	return sum
}
