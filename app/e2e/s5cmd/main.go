// Command s5cmd is the client that ours is measured against, as its authors
// made it. It is a module of its own so that its dependencies stay out of the
// product's.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/peak/s5cmd/v2/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command.Main(ctx, os.Args)
	stop()
	if err != nil {
		os.Exit(1)
	}
}
