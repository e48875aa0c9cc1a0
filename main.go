// Command cloudstorage synthesizes Terraform from the files in infra/environments: run it with `cdktf synth`, or with
// `go run .`, from the project's root.
//
// CLOUDSTORAGE_ENV limits it to one environment, CLOUDSTORAGE_ENVIRONMENTS names another folder of files, CDKTF_OUTDIR
// moves the output, and a loopback AWS_ENDPOINT_URL makes it for the emulator (docs/emulator.md).
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/aws/jsii-runtime-go"
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
	inputs, err := synth.Prepare(ctx, synth.Options{
		Environments: cmp.Or(getenv("CLOUDSTORAGE_ENVIRONMENTS"), filepath.Join("infra", "environments")),
		Only:         getenv("CLOUDSTORAGE_ENV"),
		Root:         root,
		Releases:     release.Builder{Root: root, Cache: filepath.Join(root, ".cache")}.Remembering(),
		Target:       stack.TargetOf(getenv("AWS_ENDPOINT_URL")),
		Notes:        notes,
	})
	if err != nil {
		return err
	}
	// jsii reports its failures, and constructs their refusals, by panics that carry an error.
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("synthesize: %v", failure)
		}
	}()
	app := cdktf.NewApp(nil)
	inputs.Make(app)
	app.Synth()
	return nil
}
