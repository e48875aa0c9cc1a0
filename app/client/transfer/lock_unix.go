//go:build unix

package transfer

import (
	"os"
	"syscall"
)

// renamesOpen says whether a file that is open can get another name.
const renamesOpen = true

// lock keeps other processes from writing the same file. It ends with f.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
