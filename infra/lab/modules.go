//go:build linux

package lab

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
)

// modulesName is the module proxy that the source delivery's environment names.
const modulesName = "modules.example.net"

// goFolders tells where this machine's Go is and what its module cache has downloaded.
func goFolders(ctx context.Context) (compiler, modules string, err error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOMODCACHE").Output()
	if err != nil {
		return "", "", fmt.Errorf("ask for Go's folders: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 2 {
		return "", "", fmt.Errorf("go env answers %q", out)
	}
	return lines[0], filepath.Join(lines[1], "cache", "download"), nil
}

// serveModules is a module proxy outside, of what this machine has downloaded: it has the form that the go command asks for.
// Source: https://go.dev/ref/mod#module-cache
func (s *store) serveModules(ctx context.Context, folder string) error {
	l, err := internet.listen(ctx, net.ListenConfig{}, net.JoinHostPort(clientAddress, "443"))
	if err != nil {
		return err
	}
	serveUntil(ctx, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{s.certificate}}), http.FileServer(http.Dir(folder)))
	return nil
}
