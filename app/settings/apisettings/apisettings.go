// Package apisettings is the one home of the settings that only the whole server
// has, beside those of package settings, which it shares with the exercise's.
package apisettings

import (
	"net/netip"
	"time"

	"cloudstorage/app/oidc"
	"cloudstorage/app/settings"
)

// The environment variables.
const (
	EnvAccess         = "STORAGE_ACCESS"
	EnvStateBucket    = "STORAGE_STATE_BUCKET"
	EnvOIDC           = "STORAGE_OIDC"
	EnvExerciseRoutes = "STORAGE_EXERCISE_ROUTES"
	EnvMaxBody        = "STORAGE_MAX_BODY"
	EnvMaxLinkTTL     = "STORAGE_MAX_LINK_TTL"
	EnvWebOrigins     = "STORAGE_WEB_ORIGINS"
	EnvTrustedProxies = "STORAGE_TRUSTED_PROXIES"
	EnvRateLimit      = "STORAGE_RATE_LIMIT"
	EnvMaxConcurrency = "STORAGE_MAX_CONCURRENCY"
	EnvMetricsAddress = "STORAGE_METRICS_ADDRESS"
	EnvTraces         = "OTEL_EXPORTER_OTLP_ENDPOINT" // OpenTelemetry's own name
)

// Defaults and limits.
const (
	DefaultMaxBody        = 64 << 20 // what an instance of 1 GiB streams many of
	LimitMaxBody          = 5 << 30  // S3's own for one PUT
	DefaultMaxLinkTTL     = 30 * 24 * time.Hour
	LimitMaxLinkTTL       = 366 * 24 * time.Hour
	DefaultRateLimit      = 100 // requests a second of one caller, with as many at once
	DefaultMaxConcurrency = 1024
)

// Access says who may call.
type Access string

// Who may call.
const (
	Open       Access = "open"       // whoever reaches the port
	Restricted Access = "restricted" // who has a key, or a token of the issuer
)

// Routes says which of the exercise's routes are served.
type Routes string

// The exercise's routes. Those that change something are off unless somebody
// asks for them: a GET that deletes is one prefetch away from an accident.
const (
	AllRoutes  Routes = "all"
	ReadRoutes Routes = "read" // no /delete, no /upload
	NoRoutes   Routes = "none"
)

// Settings are the whole server's settings. A zero field stands for its
// default, but for Access and StateBucket, which are required.
type Settings struct {
	settings.Settings

	Access         Access         // who may call
	StateBucket    string         // the bucket with the API's own state
	OIDC           *oidc.Config   // whose tokens are accepted beside keys; nil is nobody's
	ExerciseRoutes Routes         // default: all where access is open, read where it is restricted
	MaxBody        int64          // bytes that a PUT through the API takes
	MaxLinkTTL     time.Duration  // how long a share link lives at most, in whole seconds
	WebOrigins     []string       // the sites whose pages may call, such as https://files.example.org
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	RateLimit      int            // requests a second of one caller; -1 is any number
	MaxConcurrency int            // requests at once; -1 is any number
	MetricsAddress string         // where Prometheus asks, apart from the API; "" is nowhere
	Traces         string         // an OTLP endpoint; "" sends no traces
}
