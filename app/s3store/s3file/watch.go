package s3file

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"cloudstorage/app/s3store"
)

// errStalled ends a transfer that does not move.
var errStalled = errors.New("S3 neither gives nor takes a byte")

// watch ends a transfer that S3 lets hang. While somebody else is waited for, it
// rests.
type watch struct {
	ctx    context.Context // of the transfer
	cancel context.CancelCauseFunc
	limit  time.Duration
	timer  *time.Timer
}

// watch begins at once; end must be called.
func (f Files) watch(ctx context.Context) *watch {
	w := &watch{limit: cmp.Or(f.Stall, s3store.CallTimeout)}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(w.limit, func() { w.cancel(errStalled) })
	return w
}

func (w *watch) begin() { w.timer.Reset(w.limit) }
func (w *watch) rest()  { w.timer.Stop() }

// end ends the transfer, too.
func (w *watch) end() {
	w.timer.Stop()
	w.cancel(nil)
}

// cause is why the transfer failed, which says err.
func (w *watch) cause(err error) error {
	if errors.Is(context.Cause(w.ctx), errStalled) {
		return errStalled
	}
	return err
}

// download is content as S3 gives it.
type download struct {
	io.ReadCloser
	watch *watch
}

func (d download) Read(p []byte) (int, error) {
	d.watch.begin()
	n, err := d.ReadCloser.Read(p)
	d.watch.rest()
	if err != nil && !errors.Is(err, io.EOF) {
		err = d.watch.cause(err)
	}
	return n, err
}

func (d download) Close() error {
	err := d.ReadCloser.Close()
	d.watch.end()
	return err
}
