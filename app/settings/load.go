package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// Load reads the settings with getenv (os.Getenv, or a map's look-up in a test)
// and fills in the defaults. All errors come at once, joined; each names the
// variable, its value and the way out.
func Load(getenv func(string) string) (Settings, error) {
	var errs []error
	refuse := func(name, value, want string) {
		errs = append(errs, fmt.Errorf("%s=%q: %s", name, value, want))
	}
	duration := func(name string, def, low, high time.Duration) time.Duration {
		value := getenv(name)
		if value == "" {
			return def
		}
		d, err := time.ParseDuration(value)
		if err != nil || d < low || d > high || d%time.Second != 0 {
			refuse(name, value, fmt.Sprintf("set a duration of whole seconds from %s to %s, such as %s", low, high, def))
			return def
		}
		return d
	}

	s := Settings{
		Bucket:       getenv(EnvBucket),
		Region:       getenv(EnvRegion),
		Address:      getenv(EnvAddress),
		URLTTL:       duration(EnvURLTTL, DefaultURLTTL, MinURLTTL, MaxURLTTL),
		MaxURLTTL:    duration(EnvMaxURLTTL, MaxURLTTL, MinURLTTL, MaxURLTTL),
		DrainTimeout: duration(EnvDrainTimeout, DefaultDrainTimeout, time.Second, MaxDrainTimeout),
		Endpoint:     getenv(EnvEndpoint),
	}
	if !ValidBucket(s.Bucket) {
		refuse(EnvBucket, s.Bucket, "set the name of the S3 bucket: 3 to 63 lower-case letters, digits, dots and hyphens")
	}
	if !regionName.MatchString(s.Region) {
		refuse(EnvRegion, s.Region, "set the bucket's region, such as eu-west-1")
	}
	if s.URLTTL > s.MaxURLTTL {
		refuse(EnvURLTTL, s.URLTTL.String(), fmt.Sprintf("the bucket refuses URLs older than %s=%s: set at most that", EnvMaxURLTTL, s.MaxURLTTL))
	}
	if s.Address == "" {
		s.Address = DefaultAddress
	} else if !ValidAddress(s.Address) {
		refuse(EnvAddress, s.Address, "set an IP address (or nothing, for all) and a port, such as 127.0.0.1:5000 or :5000")
	}
	if value := getenv(EnvLogLevel); value != "" {
		if err := s.LogLevel.UnmarshalText([]byte(value)); err != nil {
			refuse(EnvLogLevel, value, "set debug, info, warn or error")
		}
	}
	if s.Endpoint != "" && !validEndpoint(s.Endpoint) {
		refuse(EnvEndpoint, s.Endpoint, "set http:// or https:// with a host and nothing after it, or leave it unset for AWS")
	}
	if len(errs) > 0 {
		return Settings{}, errors.Join(errs...)
	}
	return s, nil
}

// Environ renders the settings as sorted NAME=value lines that Load reads back.
// Zero fields are left out: Load fills in their defaults.
func (s Settings) Environ() []string {
	var lines []string
	add := func(name, value string, set bool) {
		if set {
			lines = append(lines, name+"="+value)
		}
	}
	add(EnvEndpoint, s.Endpoint, s.Endpoint != "")
	add(EnvRegion, s.Region, s.Region != "")
	add(EnvAddress, s.Address, s.Address != "")
	add(EnvBucket, s.Bucket, s.Bucket != "")
	add(EnvDrainTimeout, s.DrainTimeout.String(), s.DrainTimeout != 0)
	add(EnvLogLevel, s.LogLevel.String(), s.LogLevel != slog.LevelInfo)
	add(EnvMaxURLTTL, s.MaxURLTTL.String(), s.MaxURLTTL != 0)
	add(EnvURLTTL, s.URLTTL.String(), s.URLTTL != 0)
	return lines
}

// ValidBucket says whether name can be a bucket's.
func ValidBucket(name string) bool { return bucketName.MatchString(name) }

// ValidAddress wants host:port. A host name is refused, since what it resolves
// to decides who can reach the server.
func ValidAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if _, err := netip.ParseAddr(host); host != "" && err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// validEndpoint wants scheme://host[:port] and nothing else, so that the path
// of a URL below it is the bucket and the key.
func validEndpoint(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	return u.Hostname() != "" && u.User == nil && (u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == ""
}
