// Command composer-env writes the composer's .env, which its compose file needs.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"cloudstorage/app/composer/envfile"
)

func main() { os.Exit(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr)) }

// run returns the exit code. It says names only, never a secret.
func run(args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	if len(args) != 1 {
		fmt.Fprintln(stderr, "usage: composer-env FOLDER, the one of the compose file")
		return 2
	}
	path := filepath.Join(args[0], envfile.Name)
	result, err := envfile.Write(path, map[string]string{
		envfile.StorageURL: getenv(envfile.StorageURL), envfile.StorageKey: getenv(envfile.StorageKey),
	})
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	if len(result.Added) == 0 {
		fmt.Fprintf(stdout, "%s has all that is needed and stays as it is\n", path)
	} else {
		fmt.Fprintf(stdout, "wrote to %s: %s\n", path, strings.Join(result.Added, ", "))
	}
	if len(result.Missing) > 0 {
		fmt.Fprintf(stdout, "still missing: %s, an API key with the verbs list, read and write (docs/api.md#who-may-call). Then:\n"+
			"  STORAGE_KEY=cst_… make composer-env\nAn API that anyone may call, as `make up` gives, looks at no key: STORAGE_KEY=none will do.\n", envfile.StorageKey)
	}
	return 0
}
