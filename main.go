// Command cloudstorage synthesizes Terraform from the files in infra/environments: run it with `cdktf synth`, or with
// `go run .`, from the project's root.
//
// CLOUDSTORAGE_ENV limits it to one environment, CLOUDSTORAGE_ENVIRONMENTS names another folder of files, CDKTF_OUTDIR
// moves the output, and a loopback AWS_ENDPOINT_URL makes it for the emulator (docs/emulator.md).
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/provider"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/release"
	"cloudstorage/infra/stack"
	"cloudstorage/infra/synth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Getenv, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	closeJSII()
	if err != nil {
		os.Exit(1)
	}
}

// closeJSII ends jsii's process and removes the files that it unpacked. jsii waits for the process in two places at
// once, and the one that comes second complains about nothing: nobody needs to read that.
func closeJSII() {
	if nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = nowhere
	}
	jsii.Close()
}

func run(ctx context.Context, getenv func(string) string, notes io.Writer) (err error) {
	root, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the project's root: %w", err)
	}
	var loaded chan loading
	inputs, err := synth.Prepare(ctx, synth.Options{
		Environments: cmp.Or(getenv("CLOUDSTORAGE_ENVIRONMENTS"), filepath.Join("infra", "environments")),
		Only:         getenv("CLOUDSTORAGE_ENV"),
		Root:         root,
		Releases:     release.Builder{Root: root, Cache: filepath.Join(root, ".cache")}.Remembering(),
		Target:       stack.TargetOf(getenv("AWS_ENDPOINT_URL")),
		Notes:        notes,
		Valid: func() {
			loaded = make(chan loading, 1)
			go load(loaded)
		},
	})
	var l loading
	if loaded != nil {
		l = <-loaded
	}
	if err := errors.Join(err, l.err); err != nil {
		return err
	}
	// jsii reports its failures, and constructs their refusals, by panics that carry an error.
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("synthesize: %v", failure)
		}
	}()
	inputs.Make(l.app)
	l.app.Synth()
	return nil
}

// loading is an app whose libraries are loaded, or why it is not.
type loading struct {
	app cdktf.App
	err error
}

// load makes the app and loads the provider's bindings, seconds of jsii's own process, beside the preparation of the
// releases. Nobody else uses jsii before it has answered: jsii is not safe for more.
func load(loaded chan<- loading) {
	var l loading
	defer func() {
		if failure := recover(); failure != nil {
			l.err = fmt.Errorf("load jsii: %v", failure)
		}
		loaded <- l
	}()
	l.app = cdktf.NewApp(nil)
	provider.AwsProvider_TfResourceType()
}
