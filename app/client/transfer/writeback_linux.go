package transfer

import (
	"os"

	"golang.org/x/sys/unix"
)

// writeBack asks the system to begin to write bytes of a file to the disk, so
// that little is left when it must be there. It is only a hint.
func writeBack(f *os.File, first, length int64) {
	_ = unix.SyncFileRange(int(f.Fd()), first, length, unix.SYNC_FILE_RANGE_WRITE)
}
