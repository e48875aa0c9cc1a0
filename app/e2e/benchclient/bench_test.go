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
	"syscall"
	"testing"
	"time"

	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/service"
)

var (
	rounds  = flag.Int("rounds", 3, "how often each client does each thing")
	mebi    = flag.Int("mib", 4096, "MiB of the large file")
	count   = flag.Int("files", 10_000, "how many small files")
	listed  = flag.Int("listed", 100_000, "how many files are listed")
	clients = flag.String("clients", "storagectl,s5cmd,aws,rclone", "which are measured; s5cmd always is")
)

const (
	smallSize = 4 << 10
	reference = "s5cmd" // the speed that all are compared with
)

// BenchmarkClient compares storagectl with clients that talk to the storage
// themselves.
func BenchmarkClient(b *testing.B) {
	g := gatewaytest.Start(b)
	env := daemontest.Environ(b, g, nil)
	server := daemontest.Start(b, service.Program(), env)
	dir := b.TempDir()
	bucket := env["STORAGE_BUCKET"]
	stored := filepath.Join(g.Objects, bucket)
	subjects := slices.DeleteFunc(append([]subject{ours(b, dir, server.Address)}, rivals(b, g, bucket)...), func(s subject) bool {
		return s.name != reference && !slices.Contains(strings.Split(*clients, ","), s.name)
	})
	large, many := filepath.Join(dir, "large"), filepath.Join(dir, "many")
	fill(b, large, int64(*mebi)<<20)
	for i := range *count {
		fill(b, filepath.Join(many, fmt.Sprint(i%100), fmt.Sprint(i)), smallSize)
	}
	// Written as the gateway keeps them: only their names are asked for.
	for i := range *listed {
		fill(b, filepath.Join(stored, "listed", fmt.Sprint(i%100), fmt.Sprint(i)), 1)
	}

	taken := map[string][]usage{}
	do := func(s subject, what string, args []string) string {
		syscall.Sync() // what others wrote is not this one's to wait for
		u, err := measure(b.Context(), s.environ, args[0], args[1:]...)
		if err != nil {
			b.Fatal(err)
		}
		taken[what+s.name] = append(taken[what+s.name], u)
		fmt.Fprintf(os.Stderr, "%s, %s: %s\n", what, s.name, u.wall.Round(time.Millisecond))
		return u.said
	}
	labels := []string{
		fmt.Sprintf("%d MiB up", *mebi), fmt.Sprintf("%d MiB down", *mebi),
		fmt.Sprintf("%d × 4 KiB up", *count), fmt.Sprintf("%d × 4 KiB down", *count), fmt.Sprintf("list %d", *listed),
	}
	for round := range *rounds { // taking turns, so that whatever else the machine does falls on all
		for _, s := range subjects {
			at := fmt.Sprintf("%s-%d", s.name, round)
			to := filepath.Join(dir, at)
			if err := os.MkdirAll(to, 0o755); err != nil {
				b.Fatal(err)
			}
			do(s, labels[0], s.up(large, at+"/large"))
			do(s, labels[1], s.down(at+"/large", filepath.Join(to, "large")))
			same(b, large, filepath.Join(to, "large"))
			do(s, labels[2], s.upAll(many, at+"/many"))
			do(s, labels[3], s.downAll(at+"/many", filepath.Join(to, "many")))
			for i := range *count {
				name := filepath.Join("many", fmt.Sprint(i%100), fmt.Sprint(i))
				same(b, filepath.Join(dir, name), filepath.Join(to, name))
			}
			if said := do(s, labels[4], s.list("listed/")); strings.Count(said, "\n") != *listed {
				b.Fatalf("%s listed %d files of %d", s.name, strings.Count(said, "\n"), *listed)
			}
			for _, over := range []string{to, filepath.Join(stored, at)} {
				if err := os.RemoveAll(over); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	fmt.Fprintf(os.Stdout, "\n%-22s %-10s %8s %8s %10s   %s\n", "", "", "wall", "CPU", "memory", "of s5cmd: wall, CPU, memory")
	for _, what := range labels {
		of := median(taken[what+reference])
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
