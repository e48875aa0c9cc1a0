//go:build linux

package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httputil"
	"net/url"
	"strings"

	appsettings "cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
	apistate "cloudstorage/app/state"
	"cloudstorage/infra/emulator"
)

// accountAddress is where machines reach the emulated account. It has no name: of one, the emulator would take the first
// part for a bucket.
const accountAddress = "192.0.2.11"

// permissions tries from inside a machine, as its role, what the role's own policies allow and what they do not: the
// emulated account decides, which reads them as they are. The S3 server that data moves through knows only copies.
func (l *lab) permissions(ctx context.Context, s *Scenario) (err error) {
	m, err := l.controller.victim()
	if err != nil {
		return err
	}
	releases, release, _, err := l.release(ctx)
	if err != nil {
		return err
	}
	settings, err := m.settings()
	if err != nil {
		return err
	}
	files, state := settings[appsettings.EnvBucket], settings[apisettings.EnvStateBucket]
	role, err := l.controller.assume(ctx, m.Role)
	if err != nil {
		return err
	}
	if err := l.serveAccount(ctx); err != nil {
		return err
	}
	resume := l.controller.hold()
	defer resume()
	if err := l.controller.api.Enforce(ctx, true); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.controller.api.Enforce(context.WithoutCancel(ctx), false)) }()

	tries := []struct {
		what, call string
		allowed    bool
	}{
		{"fetching its release", "get-object --bucket " + releases + " --key " + release + " /dev/null", true},
		{"storing a file", "put-object --bucket " + files + " --key permitted", true},
		{"reading a file", "get-object --bucket " + files + " --key permitted /dev/null", true},
		{"listing files", "list-objects-v2 --bucket " + files, true},
		{"deleting a file", "delete-object --bucket " + files + " --key permitted", true},
		{"listing the API's state", "list-objects-v2 --bucket " + state, true},
		{"replacing its release", "put-object --bucket " + releases + " --key " + release, false},
		{"deleting its release", "delete-object --bucket " + releases + " --key " + release, false},
		{"listing the releases", "list-objects-v2 --bucket " + releases, false},
		{"reading beside the releases", "get-object --bucket " + releases + " --key other/build /dev/null", false},
		{"replacing the API's keys", "put-object --bucket " + state + " --key " + apistate.KeyringName, false},
		{"deleting the bucket", "delete-bucket --bucket " + files, false},
		{"opening the bucket to all", "put-bucket-acl --acl public-read --bucket " + files, false},
		{"making a bucket", "create-bucket --bucket made-by-a-machine", false},
	}
	const done = "it is done"
	for _, try := range tries {
		out, err := m.run(ctx, "env", append(role, "sh", "-c", "aws --endpoint-url https://"+accountAddress+" s3api "+try.call+" 2>&1 && echo "+done)...)
		said := lastLines(out, 1)
		switch {
		case err == nil && said == done:
			said = "allowed"
		case err != nil && strings.Contains(out, "AccessDenied"):
			said = "refused"
		}
		want := map[bool]string{true: "allowed", false: "refused"}[try.allowed]
		s.promise(said == want, "%s: %s", try.what, said)
		s.figure(try.what, "%s", said)
	}
	return nil
}

// assume gets session credentials for a role, as EC2 does for its machines, and returns them as the environment of AWS's
// command line.
func (c *controller) assume(ctx context.Context, role string) ([]string, error) {
	var answer struct {
		AccessKeyID     string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		SecretAccessKey string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		SessionToken    string `xml:"AssumeRoleResult>Credentials>SessionToken"`
	}
	var described struct {
		ARN string `xml:"GetRoleResult>Role>Arn"`
	}
	if err := c.ask(ctx, "iam", iamVersion, "GetRole", url.Values{"RoleName": {role}}, &described); err != nil {
		return nil, err
	}
	err := c.ask(ctx, "sts", stsVersion, "AssumeRole", url.Values{"RoleSessionName": {"lab"}, "RoleArn": {described.ARN}}, &answer)
	return []string{
		"AWS_ACCESS_KEY_ID=" + answer.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + answer.SecretAccessKey, "AWS_SESSION_TOKEN=" + answer.SessionToken,
		"AWS_DEFAULT_REGION=" + emulator.Region,
	}, err
}

// serveAccount serves the emulated account at an address that the machines' way to S3 leads to.
func (l *lab) serveAccount(ctx context.Context) error {
	upstream, err := url.Parse(l.controller.api.Endpoint)
	if err != nil {
		return err
	}
	if err := sh(ctx, `ip -n %s addr replace %s/24 dev eth0`, storage, accountAddress); err != nil {
		return err
	}
	listener, err := storage.listen(ctx, net.ListenConfig{}, net.JoinHostPort(accountAddress, "443"))
	if err != nil {
		return fmt.Errorf("serve the emulated account: %w", err)
	}
	serveUntil(ctx, tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{l.controller.store.certificate}}), &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host // it is signed
		},
	})
	return nil
}
