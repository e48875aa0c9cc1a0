package bootstrap

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Where things lie on a machine.
const (
	SettingsPath = "/etc/storaged/settings.env" // the server's settings, NAME=value lines
	ReleasePath  = "/etc/storaged/release.env"  // what the install script installs, NAME=value lines
	UnitPath     = "/etc/systemd/system/storaged.service"
	InstallPath  = "/usr/local/lib/storaged/install"
	SourcePath   = "/usr/local/src/storaged/" // the source delivery's files
)

// The lines of ReleasePath.
const (
	EnvBucket  = "RELEASE_BUCKET"  // binary
	EnvKey     = "RELEASE_KEY"     // binary
	EnvSHA256  = "RELEASE_SHA256"  // binary
	EnvRegion  = "RELEASE_REGION"  // binary
	EnvGo      = "RELEASE_GO"      // source: the oldest Go that builds it
	EnvGoProxy = "RELEASE_GOPROXY" // source: the GOPROXY, or nothing
	EnvGoSum   = "RELEASE_GOSUM"   // source: the SHA-256 of go.sum, without its lines of go.mod files
)

// Limit is how many bytes of user-data EC2 takes, before base64.
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
const Limit = 16384

var (
	//go:embed storaged.service
	unit string
	//go:embed common.sh
	commonScript string
	//go:embed install.sh
	installScript string
	//go:embed install-binary.sh
	binaryScript string
	//go:embed install-source.sh
	sourceScript string
)

// Settings are a server's settings, as NAME=value lines that systemd gives it unchanged: no value begins with a quote,
// holds a backslash or ends in white space.
// Source: https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile=
type Settings interface{ Environ() []string }

// Release is what a machine installs: the API, from exactly one of Source and Binary, and what ships its logs.
type Release struct {
	Source *Source
	Binary *Binary
	Logs   *Logs // nil: the journal stays on the machine
}

// Source is built on the machine.
type Source struct {
	Files     map[string]string // by slash path from the module's root
	GoVersion string            // the oldest Go that builds it
	GoProxy   string            // GOPROXY; "" is the distribution's own
	Sum       string            // the SHA-256 of go.sum, without its lines of go.mod files
}

// Binary is fetched with the machine's role and verified.
type Binary struct{ Region, Bucket, Key, SHA256 string }

// TooLargeError says by how much a rendered user-data misses Limit.
type TooLargeError struct{ Size int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("user-data has %d bytes, %d more than the %d that EC2 takes: set release.delivery to binary, or bake less source", e.Size, e.Size-Limit, Limit)
}

// Render makes the user-data, compressed: cloud-init unpacks it. The same input gives the same bytes.
func Render(server Settings, release Release) ([]byte, error) {
	if (release.Source == nil) == (release.Binary == nil) {
		return nil, errors.New("render user-data: give a source or a binary, not both and not neither")
	}
	written, err := files(server, release)
	if err != nil {
		return nil, fmt.Errorf("render user-data: %w", err)
	}
	commands := []string{InstallPath}
	if release.Logs != nil {
		commands = append(commands, ShipPath)
	}
	config, err := cloudConfig(written, commands)
	if err != nil {
		return nil, fmt.Errorf("render user-data: %w", err)
	}
	var packed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = writer.Write(config)
		err = errors.Join(err, writer.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("compress user-data: %w", err)
	}
	if packed.Len() > Limit {
		return nil, &TooLargeError{Size: packed.Len()}
	}
	return packed.Bytes(), nil
}

func files(server Settings, release Release) ([]file, error) {
	install := binaryScript
	var variables []string
	var more []file
	if b := release.Binary; b != nil {
		variables = []string{EnvRegion + "=" + b.Region, EnvBucket + "=" + b.Bucket, EnvKey + "=" + b.Key, EnvSHA256 + "=" + b.SHA256}
	} else {
		install = sourceScript
		variables = []string{EnvGo + "=" + release.Source.GoVersion, EnvGoProxy + "=" + quote(release.Source.GoProxy), EnvGoSum + "=" + release.Source.Sum}
		var err error
		if more, err = packed(release.Source.Files); err != nil {
			return nil, err
		}
	}
	if release.Logs != nil {
		logs, err := release.Logs.files()
		if err != nil {
			return nil, err
		}
		more = append(logs, more...)
	}
	return append([]file{
		{SettingsPath, "0644", strings.Join(server.Environ(), "\n") + "\n"},
		{ReleasePath, "0644", strings.Join(variables, "\n") + "\n"},
		{UnitPath, "0644", unit},
		{InstallPath, "0755", script(commonScript, installScript, install)},
	}, more...), nil
}

// quote protects what a shell would read as more than one word. config allows no quote inside.
func quote(value string) string { return "'" + value + "'" }

var commentLines = regexp.MustCompile(`(?m)^[ \t]*#[^!].*\n|^\n`)

// script joins its parts, without whole-line comments and blank lines: every byte of user-data counts.
func script(parts ...string) string {
	return "#!/bin/bash\n" + commentLines.ReplaceAllString(strings.Join(parts, ""), "")
}
