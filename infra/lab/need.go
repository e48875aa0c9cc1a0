//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// packages are what the lab needs beside what `make up` needs, by the command that each brings.
var packages = []struct{ command, name string }{
	{"mmdebstrap", "mmdebstrap"}, {"systemd-nspawn", "systemd-container"}, {"haproxy", "haproxy"}, {"nft", "nftables"}, {"ip", "iproute2"},
}

// try does one of everything that a lab does to the machine it runs on, in namespaces of its own.
const try = `
mount --make-rprivate /
mount -t tmpfs lab /mnt
mkdir /mnt/low /mnt/up /mnt/work /mnt/all
mount -t overlay -o lowerdir=/mnt/low,upperdir=/mnt/up,workdir=/mnt/work lab /mnt/all
mount -t proc proc /proc
ip link add lab type bridge
ip link add one type veth peer name other
ip addr add 192.0.2.1/24 dev lab
nft add table inet lab
bash -ec "$3" enclose "$2/one" "$1" true
for h in $1; do rmdir $h/$2/one $h/$2; done`

// ErrNotPermitted is of a machine on which there can be no lab, whatever is installed.
var ErrNotPermitted = errors.New("this machine does not permit a lab")

// Permitted tries whether this machine lets its user make what a lab is made of.
func Permitted(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: it makes namespaces and mounts, and this is not root", ErrNotPermitted)
	}
	if err := CheckNeeds(); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--net", "--fork", "bash", "-exc", try, "try",
		strings.Join(hierarchies(), " "), cgroupPrefix+strconv.Itoa(os.Getpid()), enclose).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %w: %s", ErrNotPermitted, err, strings.ReplaceAll(lastLines(string(out), 2), "\n", ": "))
	}
	return nil
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
