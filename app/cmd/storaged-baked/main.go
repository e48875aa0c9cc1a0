// Command storaged-baked is storaged with less in it: the exercise's routes, and
// files and keys below /v1, small enough to travel as source in a machine's
// user-data. Its settings are those of storaged.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"cloudstorage/app/baked"
	"cloudstorage/app/state"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills at once
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := baked.Serve(ctx, os.Getenv, log, time.Tick(state.RereadEvery)); err != nil {
		log.Error("failed", "error", err.Error())
		os.Exit(1)
	}
}
