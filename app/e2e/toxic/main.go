// Command toxic is a real proxy that makes connections slow, cut or silent on
// demand: toxiproxy with its own HTTP API, on a free port of the loopback
// interface. It is a module of its own so that its dependencies stay out of the
// product's.
//
// It prints one line of JSON (see ready) once it serves, and stops when its
// standard input closes, so that it never outlives its test.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// ready is the line of output.
type ready struct {
	API string `json:"api"` // where proxies and their toxics are made
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "toxic:", err)
		os.Exit(1)
	}
}

func run() error {
	zerolog.SetGlobalLevel(zerolog.Disabled)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	proxies := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	server := &http.Server{Handler: proxies.Routes(), ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	if err := json.NewEncoder(os.Stdout).Encode(ready{"http://" + l.Addr().String()}); err != nil {
		return err
	}
	closed := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		closed <- err
	}()
	select {
	case err := <-failed:
		return err
	case err := <-closed:
		return err
	}
}
