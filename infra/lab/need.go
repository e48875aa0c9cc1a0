//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// packages are what the lab needs beside what `make up` needs, by the command that each brings.
var packages = []struct{ command, name string }{
	{"mmdebstrap", "mmdebstrap"}, {"systemd-nspawn", "systemd-container"}, {"haproxy", "haproxy"}, {"nft", "nftables"}, {"ip", "iproute2"},
}

// CheckNeeds says, in one line, what is missing on this machine and how to install it.
func CheckNeeds() error {
	if os.Geteuid() != 0 {
		return errors.New("the lab makes namespaces and mounts, so it needs root: sudo -E env PATH=\"$PATH\" make lab")
	}
	var missing []string
	for _, p := range packages {
		if _, err := exec.LookPath(p.command); err != nil {
			missing = append(missing, p.name)
		}
	}
	if missing != nil {
		return fmt.Errorf("missing: apt-get install --no-install-recommends %s debian-archive-keyring", strings.Join(missing, " "))
	}
	return nil
}
