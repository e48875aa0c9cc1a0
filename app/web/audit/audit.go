// Package audit writes that something was changed, in one shape whichever route
// did it.
package audit

import (
	"context"
	"log/slog"

	"cloudstorage/app/object"
)

// Change is who did what, to which version of which file, in which request.
type Change struct {
	Who       string // the caller's id
	Did       string // such as file.delete
	Key       object.Key
	Version   string // the one that it made; "" where it made none
	RequestID string
}

// Write adds a line to the log.
func Write(ctx context.Context, log *slog.Logger, c Change, more ...slog.Attr) {
	attrs := append([]slog.Attr{
		slog.String("who", c.Who),
		slog.String("did", c.Did),
		slog.String("key", string(c.Key)),
		slog.String("version", c.Version),
		slog.String("request_id", c.RequestID),
	}, more...)
	log.LogAttrs(ctx, slog.LevelInfo, "audit", attrs...)
}
