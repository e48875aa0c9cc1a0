// Package composefile reads the composer's compose file as Compose itself does:
// its schema, variables, anchors and defaults.
package composefile

import (
	"context"
	"fmt"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// Name is the file's name, in app/composer.
const Name = "docker-compose.yml"

// Load reads the file at path with the variables env, and with nothing of this
// process's own environment or of a .env beside the file. Relative paths in it
// become absolute. A variable that is missing is an error with what to run.
func Load(ctx context.Context, path string, env map[string]string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{path})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	options.Environment = env
	project, err := options.LoadProject(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return project, nil
}
