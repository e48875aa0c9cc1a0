package synth_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"cloudstorage/infra/release"
	"cloudstorage/infra/synth"
)

// recordingReleases remember which architectures a binary was asked for.
type recordingReleases struct {
	fixtureReleases
	architectures *[]string
}

func (r recordingReleases) Binary(ctx context.Context, architecture string) (release.Binary, error) {
	*r.architectures = append(*r.architectures, architecture)
	return r.fixtureReleases.Binary(ctx, architecture)
}

func TestTheBinaryIsBuiltForTheMachinesThatRunIt(t *testing.T) {
	for environment, want := range map[string]string{"local": "x86_64", "production": "arm64"} {
		var asked []string
		if _, err := prepare(t, synth.Options{Only: environment, Releases: recordingReleases{architectures: &asked}}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(asked, []string{want}) {
			t.Errorf("%s: a binary for %s, want %s", environment, strings.Join(asked, ", "), want)
		}
	}
}
