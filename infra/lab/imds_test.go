//go:build linux

package lab

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

func TestMetadataWantsATokenOfTheInstanceThatAsks(t *testing.T) {
	t.Parallel()
	m := newMetadata()
	for _, address := range []string{"10.0.0.4", "10.0.0.5"} {
		m.add(instance{ID: "i-" + address, Zone: "eu-west-1a", Role: "api", Address: netip.MustParseAddr(address), UserData: []byte("data of " + address)},
			credentials{"access", "secret"}, time.Hour)
	}
	ask := func(from, method, path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		r.RemoteAddr = from + ":1234"
		for n := 0; n < len(header); n += 2 {
			r.Header.Set(header[n], header[n+1])
		}
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		return w
	}
	const tokens = "/latest/api/token"
	mine := ask("10.0.0.4", "PUT", tokens, ttlHeader, "60").Body.String()
	for name, test := range map[string]struct {
		from, method, path string
		header             []string
		status             int
		body               string
	}{
		"without a token":             {"10.0.0.4", "GET", "/latest/meta-data/instance-id", nil, http.StatusUnauthorized, ""},
		"with the neighbour's":        {"10.0.0.5", "GET", "/latest/meta-data/instance-id", []string{tokenHeader, mine}, http.StatusUnauthorized, ""},
		"with its own":                {"10.0.0.4", "GET", "/latest/meta-data/instance-id", []string{tokenHeader, mine}, http.StatusOK, "i-10.0.0.4"},
		"user-data":                   {"10.0.0.4", "GET", "/latest/user-data", []string{tokenHeader, mine}, http.StatusOK, "data of 10.0.0.4"},
		"the role's name":             {"10.0.0.4", "GET", "/latest/meta-data/iam/security-credentials/", []string{tokenHeader, mine}, http.StatusOK, "api"},
		"a folder":                    {"10.0.0.4", "GET", "/latest/meta-data/placement", []string{tokenHeader, mine}, http.StatusOK, "availability-zone\nregion"},
		"what is not there":           {"10.0.0.4", "GET", "/latest/meta-data/public-ipv4", []string{tokenHeader, mine}, http.StatusNotFound, ""},
		"a token without a life":      {"10.0.0.4", "PUT", tokens, nil, http.StatusBadRequest, ""},
		"a token that lives too long": {"10.0.0.4", "PUT", tokens, []string{ttlHeader, "21601"}, http.StatusBadRequest, ""},
		"a token through a proxy":     {"10.0.0.4", "PUT", tokens, []string{ttlHeader, "60", "X-Forwarded-For", "1.2.3.4"}, http.StatusBadRequest, ""},
		"a change":                    {"10.0.0.4", "POST", "/latest/user-data", []string{tokenHeader, mine}, http.StatusMethodNotAllowed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(test.from, test.method, test.path, test.header...)
			if got.Code != test.status || got.Body.String() != test.body {
				t.Errorf("%d %q, want %d %q", got.Code, got.Body, test.status, test.body)
			}
		})
	}
	var signs map[string]string
	if err := json.Unmarshal(ask("10.0.0.4", "GET", "/latest/meta-data/iam/security-credentials/api", tokenHeader, mine).Body.Bytes(), &signs); err != nil || signs["AccessKeyId"] != "access" || signs["Expiration"] == "" {
		t.Errorf("credentials %v, %v", signs, err)
	}
}
