package emulator

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// API asks an emulated AWS directly, without an SDK. It checks no signatures; only the credential's scope matters,
// which tells it the service that is meant.
type API struct {
	Endpoint string
}

// UserData returns the bytes that a launch of the template's newest version would hand to the instance.
func (a API) UserData(ctx context.Context, launchTemplateID string) ([]byte, error) {
	body, err := a.Query(ctx, "ec2", url.Values{
		"Action":                  {"DescribeLaunchTemplateVersions"},
		"Version":                 {"2016-11-15"},
		"LaunchTemplateId":        {launchTemplateID},
		"LaunchTemplateVersion.1": {"$Latest"},
	})
	if err != nil {
		return nil, fmt.Errorf("reading launch template %s: %w", launchTemplateID, err)
	}
	var versions struct {
		Items []struct {
			UserData string `xml:"launchTemplateData>userData"`
		} `xml:"launchTemplateVersionSet>item"`
	}
	if err := xml.Unmarshal(body, &versions); err != nil {
		return nil, fmt.Errorf("reading launch template %s: %w", launchTemplateID, err)
	}
	if len(versions.Items) == 0 || versions.Items[len(versions.Items)-1].UserData == "" {
		return nil, fmt.Errorf("launch template %s has no user-data", launchTemplateID)
	}
	userData, err := base64.StdEncoding.DecodeString(versions.Items[len(versions.Items)-1].UserData)
	if err != nil {
		return nil, fmt.Errorf("user-data of launch template %s: %w", launchTemplateID, err)
	}
	return userData, nil
}

// Query calls a service that takes its parameters as a form, and returns its XML.
func (a API) Query(ctx context.Context, service string, form url.Values) ([]byte, error) {
	return a.call(ctx, service, http.MethodPost, "/", "application/x-www-form-urlencoded", form.Encode())
}

// Enforce has every call checked, by its signature and the caller's policies, or none.
// Source: https://docs.getmoto.org/en/latest/docs/iam.html
func (a API) Enforce(ctx context.Context, on bool) error {
	unchecked := "inf"
	if on {
		unchecked = "0"
	}
	if _, err := a.call(ctx, "iam", http.MethodPost, "/moto-api/reset-auth", "", unchecked); err != nil {
		return fmt.Errorf("have the emulator check permissions: %w", err)
	}
	return nil
}

// Object returns an object's bytes.
func (a API) Object(ctx context.Context, bucket, key string) ([]byte, error) {
	body, err := a.call(ctx, "s3", http.MethodGet, objectPath(bucket, key), "", "")
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", bucket, key, err)
	}
	return body, nil
}

func objectPath(bucket, key string) string {
	return (&url.URL{Path: "/" + bucket + "/" + key}).EscapedPath()
}

func (a API) call(ctx context.Context, service, method, path, contentType, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.Endpoint+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20000101/"+Region+"/"+service+
		"/aws4_request, SignedHeaders=host, Signature=0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, fmt.Errorf("%s: %s", res.Status, strings.TrimSpace(string(answer)))
	}
	return answer, nil
}
