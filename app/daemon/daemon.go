// Package daemon runs a server as a program: arguments, settings, signals. The
// programs differ in what they serve.
package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"cloudstorage/app/settings"
	"cloudstorage/app/web"
)

// Exit codes.
const (
	Done   = 0
	Failed = 1
	Usage  = 2 // the command line or the settings
)

const usage = `storaged serves the storage API on port 5000.

Usage: storaged [--version | --help]

Its settings are environment variables:
  STORAGE_BUCKET         the S3 bucket (required)
  AWS_REGION             the bucket's region (required)
  STORAGE_ADDRESS        where to listen (:5000)
  STORAGE_URL_TTL        how long a presigned URL lives, 1s to 168h (10m)
  STORAGE_MAX_URL_TTL    how long the bucket lets one live, 1s to 168h (168h)
  STORAGE_LOG_LEVEL      debug, info, warn or error (info)
  STORAGE_DRAIN_TIMEOUT  how long requests may finish after SIGTERM, 1s to 5m (25s)
  AWS_ENDPOINT_URL       an S3 endpoint in place of AWS, path-style
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
                         credentials (the instance's role)
`

// Program is what the servers differ in.
type Program struct {
	// Help says which settings it has beside those that every server has.
	Help string
	// Load reads the settings: the log's level, and what serves until ctx is done.
	Load func(getenv func(string) string) (slog.Level, func(ctx context.Context, log *slog.Logger) error, error)
}

// Main is Run in a process of its own: it serves until a signal.
func Main(p Program) int {
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // before the drain begins: a second one kills at once
		stop()
	}()
	return Run(ctx, p, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
}

// Run is the whole program: it serves until ctx is done and returns the exit
// code.
func Run(ctx context.Context, p Program, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("storaged", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	version := flags.Bool("version", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage, p.Help)
		return Done
	case err != nil || flags.NArg() > 0:
		fmt.Fprintln(stderr, "storaged: wrong arguments: run storaged --help")
		return Usage
	case *version:
		fmt.Fprintln(stdout, "storaged", Version())
		return Done
	}
	level, serve, err := p.Load(getenv)
	if err != nil {
		fmt.Fprintf(stderr, "storaged: wrong settings (see storaged --help):\n%v\n", err)
		return Usage
	}
	log := slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: level}))
	if err := serve(ctx, log); err != nil {
		log.Error("failed", "error", err.Error())
		return Failed
	}
	log.Info("stopped")
	return Done
}

// Serve listens where cfg says and serves until ctx is done.
func Serve(ctx context.Context, server *web.Server, cfg settings.Settings, log *slog.Logger) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", cfg.Address, err)
	}
	log.Info("listening", "address", l.Addr().String(), "bucket", cfg.Bucket, "version", Version())
	return server.Serve(ctx, l)
}

// Version names the module's version, which is (devel) for a build from
// its source, and the Go that built it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version + " " + info.GoVersion
}
