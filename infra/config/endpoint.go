package config

import (
	"net"
	"net/url"
)

// OnThisMachine reports whether an AWS_ENDPOINT_URL is a loopback address, which makes it an emulator's.
func OnThisMachine(endpoint string) bool {
	parsed, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(parsed.Hostname())
	return parsed.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
