package client

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"cloudstorage/app/object"
)

// DefaultPort is the API's port where an address names none.
const DefaultPort = 5000

// maxHostBytes is the longest DNS name.
const maxHostBytes = 253

// ParseAddress reads what people call the address of an API:
//
//	10.0.0.7  api.example.com  ::1  [::1]      http, on DefaultPort
//	10.0.0.7:80  api.example.com:80  [::1]:80  http, on that port
//	https://api.example.com/storage            as it says; the port is the scheme's own
//
// The unspecified addresses 0.0.0.0 and :: mean this machine and become its
// loopback address. The result has a scheme, a host and no slash at its end.
func ParseAddress(s string) (*url.URL, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, invalidAddress(s, "it is empty")
	}
	if strings.Contains(s, "://") {
		return parseURL(s)
	}
	host, port, err := splitHost(s)
	if err != nil {
		return nil, invalidAddress(s, err.Error())
	}
	if port == "" {
		port = strconv.Itoa(DefaultPort)
	}
	return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}, nil
}

func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, invalidAddress(s, "it is no valid URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalidAddress(s, "its scheme is neither http nor https")
	case u.User != nil:
		return nil, invalidAddress(u.Redacted(), "it holds a user name, which the API does not take")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, invalidAddress(s, "it has a query or a fragment")
	case strings.Count(u.Host, ":") > 1 && !strings.HasPrefix(u.Host, "["):
		return nil, invalidAddress(s, "an IPv6 address in a URL stands in brackets")
	}
	host, port, err := splitHost(strings.TrimSuffix(u.Host, ":"))
	if err != nil {
		return nil, invalidAddress(s, err.Error())
	}
	base := &url.URL{Scheme: u.Scheme, Host: host}
	if port != "" {
		base.Host = net.JoinHostPort(host, port)
	} else if strings.Contains(host, ":") {
		base.Host = "[" + host + "]"
	}
	base.Path = strings.TrimRight(u.Path, "/")
	base.RawPath = strings.TrimRight(u.EscapedPath(), "/")
	return base, nil
}

// splitHost takes a host with or without a port and returns the host without
// brackets. The port is "" where there is none.
func splitHost(s string) (host, port string, err error) {
	_, bareErr := netip.ParseAddr(s)
	switch inner, bracketed := strings.CutPrefix(s, "["); {
	case bareErr == nil:
		host = s
	case bracketed && strings.HasSuffix(inner, "]"):
		host = strings.TrimSuffix(inner, "]")
	case bracketed || strings.Count(s, ":") == 1:
		if host, port, err = net.SplitHostPort(s); err != nil {
			return "", "", fmt.Errorf("it is no host:port")
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", "", fmt.Errorf("the port %q is not a number from 1 to 65535", port)
		}
	case strings.Contains(s, ":"):
		return "", "", fmt.Errorf("it is no IPv6 address")
	default:
		host = s
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil && addr.Unmap() == netip.IPv4Unspecified():
		return "127.0.0.1", port, nil
	case err == nil && addr.IsUnspecified():
		return "::1", port, nil
	case err == nil && (addr.Is6() || !strings.HasPrefix(s, "[")):
		return host, port, nil
	case strings.HasPrefix(s, "["):
		return "", "", fmt.Errorf("what stands in brackets is no IPv6 address")
	}
	return host, port, checkName(host)
}

// checkName refuses what cannot be a DNS name, so that a slip is named here and
// not by a resolver.
func checkName(host string) error {
	if host == "" {
		return fmt.Errorf("it has no host")
	}
	if len(host) > maxHostBytes {
		return fmt.Errorf("the host name has %d bytes, at most %d are possible", len(host), maxHostBytes)
	}
	for _, r := range host {
		if r == '/' {
			return fmt.Errorf("it has a path but no scheme: begin it with http:// or https://")
		}
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' && r != '.' {
			return fmt.Errorf("%q cannot be in a host name", r)
		}
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 {
			return fmt.Errorf("the parts of a host name have 1 to 63 bytes")
		}
	}
	if _, err := strconv.Atoi(labels[len(labels)-1]); err == nil {
		return fmt.Errorf("it is no IPv4 address, and no host name ends in a number")
	}
	return nil
}

func invalidAddress(s, why string) error {
	return &Error{Code: object.CodeInvalid, Message: fmt.Sprintf(
		"%q is no address of the storage API: %s (examples: 10.0.0.7, api.example.com:5000, https://api.example.com)", s, why)}
}
