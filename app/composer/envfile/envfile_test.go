package envfile_test

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/google/go-cmp/cmp"

	"cloudstorage/app/composer/envfile"
)

var generated = []string{
	"POSTGRES_PASSWORD", "REDIS_PASSWORD", "AIRFLOW_FERNET_KEY", "AIRFLOW_SECRET_KEY", "AIRFLOW_JWT_SECRET", "AIRFLOW_ADMIN_PASSWORD",
	"FLOWER_PASSWORD", "STORAGE_URL",
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestSecretsAreGeneratedForTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), envfile.Name)
	got, err := envfile.Write(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(envfile.Result{Added: generated, Missing: []string{"STORAGE_KEY"}}, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if m := mode(t, path); m != 0o600 {
		t.Errorf("mode %o", m)
	}
	env, err := dotenv.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for name, value := range env {
		if other, twice := seen[value]; twice {
			t.Errorf("%s and %s have the same value", name, other)
		}
		seen[value] = name
		switch {
		case name == "STORAGE_URL":
			if value != "http://127.0.0.1:5000" {
				t.Errorf("STORAGE_URL=%s is not where `make up` listens", value)
			}
		case name == "AIRFLOW_FERNET_KEY":
			if key, err := base64.URLEncoding.DecodeString(value); err != nil || len(key) != 32 {
				t.Errorf("the Fernet key has %d bytes: %v", len(key), err)
			}
		case !regexp.MustCompile(`^[A-Za-z0-9]{26,}$`).MatchString(value):
			t.Errorf("%s has not 128 bits, or not letters and digits only: %q", name, value)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("left beside it: %v, %v", entries, err)
	}
}

func TestWhatIsThereStays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, content string
		given         map[string]string
		added         []string
	}{
		{"all of it", strings.Join(generated, "=old\n") + "=old\nSTORAGE_KEY=old\n", map[string]string{"STORAGE_URL": "http://new", "STORAGE_KEY": "new"}, nil},
		{"a line without its end", "# mine\nPOSTGRES_PASSWORD=old", nil, generated[1:]},
		{"an export", "export POSTGRES_PASSWORD=old\n", nil, generated[1:]},
		{"a comment is not a value", "#POSTGRES_PASSWORD=old\n", nil, generated},
		{"no value is none", "POSTGRES_PASSWORD=\n", nil, generated},
		{"the key comes later", strings.Join(generated, "=old\n") + "=old\n", map[string]string{"STORAGE_KEY": "cst_new"}, []string{"STORAGE_KEY"}},
		{"nothing", "", nil, generated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), envfile.Name)
			if err := os.WriteFile(path, []byte(tt.content), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := envfile.Write(path, tt.given)
			if err != nil || !slices.Equal(got.Added, tt.added) {
				t.Errorf("added %v, %v; want %v", got.Added, err, tt.added)
			}
			after := read(t, path)
			if !strings.HasPrefix(after, tt.content) {
				t.Errorf("%q became %q", tt.content, after)
			}
			if m := mode(t, path); m != 0o600 {
				t.Errorf("mode %o", m)
			}
			env, err := dotenv.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range generated {
				if env[name] == "" {
					t.Errorf("%s has no value in\n%s", name, after)
				}
			}
			if got, err := envfile.Write(path, nil); err != nil || len(got.Added) > 0 || read(t, path) != after {
				t.Errorf("a second run added %v, %v", got.Added, err)
			}
		})
	}
}

func TestWhatACallerGivesIsTakenOrRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	given := map[string]string{"STORAGE_URL": "https://files.example.com", "STORAGE_KEY": "cst_a-b_c"}
	if got, err := envfile.Write(filepath.Join(dir, "good"), given); err != nil || len(got.Missing) > 0 {
		t.Errorf("result %+v, %v", got, err)
	}
	env, err := dotenv.Read(filepath.Join(dir, "good"))
	if err != nil || env["STORAGE_URL"] != given["STORAGE_URL"] || env["STORAGE_KEY"] != given["STORAGE_KEY"] {
		t.Errorf("wrote %v, %v", env, err)
	}
	for _, value := range []string{"a b", "a\nb", "$a", "a#b", `"a"`, "a'", `a\`} {
		path, value := filepath.Join(dir, "bad"), "cst_"+value
		if _, err := envfile.Write(path, map[string]string{"STORAGE_KEY": value}); err == nil || !strings.Contains(err.Error(), "STORAGE_KEY") || strings.Contains(err.Error(), "cst_") {
			t.Errorf("STORAGE_KEY=%q: error %v", value, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file was written for %q: %v", value, err)
		}
	}
}

func TestOfTwoAtOnceOneWritesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), envfile.Name)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			// One that comes between finds the file and adds nothing, or is told that it is there.
			if _, err := envfile.Write(path, nil); err != nil && !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := strings.Count(read(t, path), "POSTGRES_PASSWORD="); n != 1 {
		t.Errorf("%d passwords", n)
	}
}
