package synth_test

import (
	"os"
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// TestMain ends jsii's process, which removes the files that it unpacked.
func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}
