// Package settings is the one home of the server's settings: their names,
// defaults, limits and spelling. The server reads them, the infrastructure
// writes them, so the two cannot drift apart.
package settings

import (
	"log/slog"
	"time"
)

// What the load balancer, the security groups and the server agree on.
const (
	Port       = 5000       // where the API listens, unless EnvAddress says otherwise
	HealthPath = "/healthz" // 200 while the process serves; knows nothing of S3
	ReadyPath  = "/readyz"  // 200 while S3 answers and the server is not draining

	// IdleTimeout is how long the server keeps a quiet connection: above the
	// balancer's 60 s, so that it never reuses one that was just closed.
	IdleTimeout = 75 * time.Second
)

// The environment variables. AWS's own names are used where AWS has one.
const (
	EnvBucket       = "STORAGE_BUCKET"
	EnvAddress      = "STORAGE_ADDRESS"
	EnvURLTTL       = "STORAGE_URL_TTL"
	EnvMaxURLTTL    = "STORAGE_MAX_URL_TTL"
	EnvLogLevel     = "STORAGE_LOG_LEVEL"
	EnvDrainTimeout = "STORAGE_DRAIN_TIMEOUT"
	EnvRegion       = "AWS_REGION"
	EnvEndpoint     = "AWS_ENDPOINT_URL"
)

// Defaults and limits.
const (
	DefaultAddress      = ":5000"
	DefaultURLTTL       = 10 * time.Minute
	MinURLTTL           = time.Second
	MaxURLTTL           = 7 * 24 * time.Hour // S3 refuses more, and the default of Settings.MaxURLTTL
	DefaultDrainTimeout = 25 * time.Second   // below the balancer's 30 s of deregistration
	MaxDrainTimeout     = 5 * time.Minute
)

// Settings are the server's settings. A zero field stands for its default.
type Settings struct {
	Bucket       string        // the bucket that the API serves; required
	Region       string        // the bucket's region; required
	Address      string        // host:port to listen on; port 0 takes a free one
	URLTTL       time.Duration // how long a presigned URL lives, in whole seconds
	MaxURLTTL    time.Duration // the age at which the bucket refuses one, in whole seconds: URLTTL is at most this
	LogLevel     slog.Level    // the least level that is logged; zero is info
	DrainTimeout time.Duration // how long requests in flight may take once the server is told to stop
	Endpoint     string        // an S3 endpoint in place of AWS (emulator, gateway), path-style; "" is AWS
}
