package stack_test

import (
	"testing"

	"github.com/aws/jsii-runtime-go"
)

// TestMain ends jsii's process, which removes the files that it unpacked.
func TestMain(m *testing.M) {
	defer jsii.Close()
	m.Run()
}
