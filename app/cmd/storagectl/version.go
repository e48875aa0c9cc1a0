package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// What a release is, as the linker is told (app/internal/dist).
var (
	releaseVersion string // v1.2.3
	releaseCommit  string // git's full hash
	releaseDate    string // the commit's, RFC 3339 in UTC
)

// version says what this program was built from: a release, or what the Go
// command knows of another build, which is (devel) outside of version control.
func version() string {
	version, commit, date := releaseVersion, releaseCommit, releaseDate
	if info, ok := debug.ReadBuildInfo(); ok && version == "" {
		version = info.Main.Version
		for _, setting := range info.Settings {
			switch setting.Key {
			case "vcs.revision":
				commit = setting.Value
			case "vcs.time":
				date = setting.Value
			}
		}
	}
	text := version
	if text == "" {
		text = "unknown"
	}
	if commit != "" {
		text += fmt.Sprintf(" (commit %s, %s)", commit, date)
	}
	return fmt.Sprintf("%s %s %s/%s", text, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
