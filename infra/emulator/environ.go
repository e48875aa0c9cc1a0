package emulator

import (
	"maps"
	"os"
	"slices"
	"strings"
)

// Region is where the emulated account's resources are.
const Region = "eu-west-1"

// Environ is an environment by name.
type Environ map[string]string

// OwnEnviron returns this process's environment.
func OwnEnviron() Environ {
	e := Environ{}
	for _, line := range os.Environ() {
		if name, value, ok := strings.Cut(line, "="); ok && name != "" {
			e[name] = value
		}
	}
	return e
}

// Emulated returns a copy that can reach nothing but the emulator at endpoint: whatever named an account, a
// profile or another endpoint is gone.
func (e Environ) Emulated(endpoint string) Environ {
	out := Environ{}
	for name, value := range e {
		if !strings.HasPrefix(name, "AWS_") {
			out[name] = value
		}
	}
	maps.Copy(out, Environ{
		"AWS_ENDPOINT_URL":            endpoint,
		"AWS_ACCESS_KEY_ID":           "test",
		"AWS_SECRET_ACCESS_KEY":       "test",
		"AWS_REGION":                  Region,
		"AWS_CONFIG_FILE":             os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
		"AWS_EC2_METADATA_DISABLED":   "true",
	})
	return out
}

// With returns a copy with some variables set.
func (e Environ) With(set Environ) Environ {
	out := maps.Clone(e)
	if out == nil {
		out = Environ{}
	}
	maps.Copy(out, set)
	return out
}

// Lines is the environment as os/exec wants it, sorted.
func (e Environ) Lines() []string {
	lines := make([]string, 0, len(e))
	for name, value := range e {
		lines = append(lines, name+"="+value)
	}
	slices.Sort(lines)
	return lines
}
