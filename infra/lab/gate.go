//go:build linux

package lab

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// gate stands between Terraform and the emulated AWS, whose targets are always healthy: of a target's health it tells
// what the lab's balancer knows. So Terraform waits for machines that really serve, and fails where they never do.
func gate(emulated string, healthy func(id string) bool) (http.Handler, error) {
	upstream, err := url.Parse(emulated)
	if err != nil {
		return nil, fmt.Errorf("gate: %w", err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: func(res *http.Response) error {
			if !strings.Contains(res.Request.Header.Get("Authorization"), "/elasticloadbalancing/") {
				return nil
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				return err
			}
			_ = res.Body.Close()
			body = withHealth(body, healthy)
			res.Body = io.NopCloser(bytes.NewReader(body))
			res.ContentLength = int64(len(body))
			res.Header.Set("Content-Length", strconv.Itoa(len(body)))
			return nil
		},
	}, nil
}

var (
	targetHealth = regexp.MustCompile(`(?s)<TargetHealth>.*?</TargetHealth>`)
	targetID     = regexp.MustCompile(`<Id>([^<]+)</Id>`)
)

// withHealth rewrites the answer of DescribeTargetHealth; all others it leaves as they are.
func withHealth(body []byte, healthy func(id string) bool) []byte {
	if !bytes.Contains(body, []byte("<DescribeTargetHealthResponse")) {
		return body
	}
	parts := bytes.SplitAfter(body, []byte("</member>"))
	for i, part := range parts {
		id := targetID.FindSubmatch(part)
		if id == nil {
			continue
		}
		state := "<TargetHealth><State>initial</State></TargetHealth>"
		if healthy(string(id[1])) {
			state = "<TargetHealth><State>healthy</State></TargetHealth>"
		}
		parts[i] = targetHealth.ReplaceAll(part, []byte(state))
	}
	return bytes.Join(parts, nil)
}
