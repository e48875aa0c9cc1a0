//go:build linux

package lab

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const describedHealth = `<DescribeTargetHealthResponse xmlns="x"><DescribeTargetHealthResult><TargetHealthDescriptions>
<member><HealthCheckPort>5000</HealthCheckPort><TargetHealth><State>healthy</State></TargetHealth><Target><Id>i-1</Id></Target></member>
<member><HealthCheckPort>5000</HealthCheckPort><TargetHealth><State>healthy</State></TargetHealth><Target><Id>i-2</Id></Target></member>
</TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>`

func TestTerraformIsToldTheHealthThatMachinesReallyHave(t *testing.T) {
	t.Parallel()
	emulated := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/other" {
			_, _ = io.WriteString(w, "<Other><Id>i-1</Id><TargetHealth/></Other>")
			return
		}
		_, _ = io.WriteString(w, describedHealth)
	}))
	defer emulated.Close()
	handler, err := gate(emulated.URL, func(id string) bool { return id == "i-2" })
	if err != nil {
		t.Fatal(err)
	}
	gate := httptest.NewServer(handler)
	defer gate.Close()
	ask := func(path, service string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, gate.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20000101/eu-west-1/"+service+"/aws4_request")
		res, err := gate.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	one, two, _ := strings.Cut(ask("/", "elasticloadbalancing"), "i-1")
	if !strings.Contains(one, "<State>initial</State>") || !strings.Contains(two, "<State>healthy</State>") {
		t.Errorf("told %s … %s", one, two)
	}
	for path, service := range map[string]string{"/other": "elasticloadbalancing", "/": "ec2"} {
		if got := ask(path, service); strings.Contains(got, "initial") {
			t.Errorf("%s of %s was changed: %s", path, service, got)
		}
	}
}
