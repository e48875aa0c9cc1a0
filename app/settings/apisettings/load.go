package apisettings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"cloudstorage/app/oidc"
	"cloudstorage/app/settings"
)

// Load reads the settings with getenv, as settings.Load does.
func Load(getenv func(string) string) (Settings, error) {
	base, err := settings.Load(getenv)
	errs := []error{err}
	refuse := func(name, value, want string) {
		errs = append(errs, fmt.Errorf("%s=%q: %s", name, value, want))
	}
	number := func(name string, def, low, high int64, or string) int64 {
		value := getenv(name)
		if value == "" {
			return def
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < low || n > high {
			refuse(name, value, fmt.Sprintf("set a number from %d to %d%s, such as %d", low, high, or, def))
		}
		return n
	}
	// limit is a number too, or -1 for any number; 0 would shut everybody out.
	limit := func(name string, def int) int {
		if getenv(name) == "-1" {
			return -1
		}
		return int(number(name, int64(def), 1, 1_000_000, ", or -1 for any number"))
	}
	s := Settings{
		Settings:       base,
		Access:         Access(getenv(EnvAccess)),
		StateBucket:    getenv(EnvStateBucket),
		ExerciseRoutes: Routes(getenv(EnvExerciseRoutes)),
		MaxBody:        number(EnvMaxBody, DefaultMaxBody, 1, LimitMaxBody, ""),
		MaxLinkTTL:     DefaultMaxLinkTTL,
		RateLimit:      limit(EnvRateLimit, DefaultRateLimit),
		MaxConcurrency: limit(EnvMaxConcurrency, DefaultMaxConcurrency),
		MetricsAddress: getenv(EnvMetricsAddress),
		Traces:         getenv(EnvTraces),
	}
	if s.Access != Open && s.Access != Restricted {
		refuse(EnvAccess, string(s.Access), "say who may call: restricted (keys and tokens) or open (whoever reaches the port)")
	}
	if !settings.ValidBucket(s.StateBucket) || s.StateBucket == base.Bucket {
		refuse(EnvStateBucket, s.StateBucket, "set the name of the bucket with the API's own state, which is not the one with the files")
	}
	switch s.ExerciseRoutes {
	case AllRoutes, ReadRoutes, NoRoutes:
	case "":
		s.ExerciseRoutes = AllRoutes
		if s.Access == Restricted {
			s.ExerciseRoutes = ReadRoutes
		}
	default:
		refuse(EnvExerciseRoutes, string(s.ExerciseRoutes), "set all, read or none")
	}
	if value := getenv(EnvMaxLinkTTL); value != "" {
		d, err := time.ParseDuration(value)
		if err != nil || d < time.Second || d > LimitMaxLinkTTL || d%time.Second != 0 {
			refuse(EnvMaxLinkTTL, value, fmt.Sprintf("set a duration of whole seconds from 1s to %s, such as %s", LimitMaxLinkTTL, DefaultMaxLinkTTL))
		}
		s.MaxLinkTTL = d
	}
	if value := getenv(EnvOIDC); value != "" {
		if s.OIDC, err = parseOIDC(value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", EnvOIDC, err))
		}
	}
	for _, origin := range list(getenv(EnvWebOrigins)) {
		if !ValidOrigin(origin) {
			refuse(EnvWebOrigins, origin, "set sites as browsers name them, such as https://files.example.org, with commas between")
		}
		s.WebOrigins = append(s.WebOrigins, origin)
	}
	for _, block := range list(getenv(EnvTrustedProxies)) {
		p, err := netip.ParsePrefix(block)
		if err != nil {
			refuse(EnvTrustedProxies, block, "set blocks of addresses, such as 10.0.0.0/16, with commas between")
		}
		s.TrustedProxies = append(s.TrustedProxies, p)
	}
	if s.MetricsAddress != "" && !settings.ValidAddress(s.MetricsAddress) {
		refuse(EnvMetricsAddress, s.MetricsAddress, "set an IP address (or nothing, for all) and a port, such as 127.0.0.1:9090")
	}
	if s.Traces != "" {
		if !ValidTraces(s.Traces) {
			refuse(EnvTraces, s.Traces, "set http:// or https:// with a host, such as http://127.0.0.1:4318, or leave it unset")
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Settings{}, err
	}
	return s, nil
}

// Environ renders the settings as NAME=value lines that Load reads back. Zero
// fields are left out.
func (s Settings) Environ() []string {
	lines := s.Settings.Environ()
	add := func(name, value string, set bool) {
		if set {
			lines = append(lines, name+"="+value)
		}
	}
	add(EnvAccess, string(s.Access), s.Access != "")
	add(EnvExerciseRoutes, string(s.ExerciseRoutes), s.ExerciseRoutes != "")
	add(EnvMaxBody, strconv.FormatInt(s.MaxBody, 10), s.MaxBody != 0)
	add(EnvMaxConcurrency, strconv.Itoa(s.MaxConcurrency), s.MaxConcurrency != 0)
	add(EnvMaxLinkTTL, s.MaxLinkTTL.String(), s.MaxLinkTTL != 0)
	add(EnvMetricsAddress, s.MetricsAddress, s.MetricsAddress != "")
	if s.OIDC != nil {
		add(EnvOIDC, renderOIDC(*s.OIDC), true)
	}
	add(EnvRateLimit, strconv.Itoa(s.RateLimit), s.RateLimit != 0)
	add(EnvStateBucket, s.StateBucket, s.StateBucket != "")
	var blocks []string
	for _, p := range s.TrustedProxies {
		blocks = append(blocks, p.String())
	}
	add(EnvTrustedProxies, strings.Join(blocks, ","), len(blocks) > 0)
	add(EnvWebOrigins, strings.Join(s.WebOrigins, ","), len(s.WebOrigins) > 0)
	add(EnvTraces, s.Traces, s.Traces != "")
	return lines
}

// ValidTraces says whether s can be where traces go.
func ValidTraces(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// ValidOrigin says whether s is an origin as a browser sends it: scheme, host
// and, where it is not the scheme's own, port.
func ValidOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && s == u.Scheme+"://"+u.Host && s == strings.ToLower(s)
}

func list(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, ",")
}

func parseOIDC(text string) (*oidc.Config, error) {
	var c oidc.Config
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON document")
	}
	return &c, c.Validate()
}

// renderOIDC is one line: an environment file of systemd takes it as it is, as
// long as it has no backslash, which whoever writes the settings refuses.
func renderOIDC(c oidc.Config) string {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(c) // strings and lists of strings
	return strings.TrimSuffix(line.String(), "\n")
}
