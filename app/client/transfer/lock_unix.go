//go:build unix

package transfer

import (
	"errors"
	"os"
	"syscall"
)

// renamesOpen says whether a file that is open can get another name.
const renamesOpen = true

// lock keeps other processes from writing the same file. It ends with f. Not every
// file system can; what is taken is an error.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return err
	}
	return nil
}
