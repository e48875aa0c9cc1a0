package composefile_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/google/go-cmp/cmp"

	"cloudstorage/app/composer/composefile"
	"cloudstorage/app/composer/envfile"
)

// written are the variables that `make composer-env` writes, with an API key.
func written(t *testing.T) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), envfile.Name)
	if _, err := envfile.Write(path, map[string]string{envfile.StorageKey: "cst_key"}); err != nil {
		t.Fatal(err)
	}
	env, err := dotenv.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func load(t *testing.T, env map[string]string) *types.Project {
	t.Helper()
	project, err := composefile.Load(t.Context(), filepath.Join("..", composefile.Name), env)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// airflow are the services that run Airflow, but for the one that prepares it.
var airflow = []string{
	"airflow-cli", "airflow-dag-processor", "airflow-flower", "airflow-scheduler", "airflow-triggerer", "airflow-webserver", "airflow-worker",
}

// besideTheAPI are the services that work on files.
var besideTheAPI = []string{"airflow-triggerer", "airflow-worker"}

func TestTheServicesAreTheSeedsAndTheDAGProcessor(t *testing.T) {
	t.Parallel()
	want := slices.Sorted(slices.Values(append([]string{"airflow-init", "postgres", "redis"}, airflow...)))
	project := load(t, written(t))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(project.Services))); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if len(project.DisabledServices) > 0 {
		t.Errorf("%v start only under a profile: `up -d` leaves them out", project.DisabledServices.GetProfiles())
	}
}

func TestImagesArePinnedToAVersion(t *testing.T) {
	t.Parallel()
	// postgres has two numbers, the others three.
	version := regexp.MustCompile(`^[a-z/]+:\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$`)
	images := map[string]bool{}
	for name, s := range load(t, written(t)).Services {
		if !version.MatchString(s.Image) {
			t.Errorf("%s: image %s is not pinned", name, s.Image)
		}
		if s.Build != nil {
			t.Errorf("%s is built: the image is what is pinned", name)
		}
		if strings.HasPrefix(name, "airflow") {
			images[s.Image] = true
		}
	}
	if len(images) != 1 {
		t.Errorf("Airflow's services run several images: %v", slices.Sorted(maps.Keys(images)))
	}
}

func TestPortsAreOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		moved map[string]string
		want  map[string]string
	}{
		{"the seed's", nil, map[string]string{"airflow-webserver": "8080", "airflow-flower": "5555", "postgres": "5432", "redis": "6379"}},
		{"moved",
			map[string]string{"AIRFLOW_PORT": "1", "FLOWER_PORT": "2", "POSTGRES_PORT": "3", "REDIS_PORT": "4"},
			map[string]string{"airflow-webserver": "1", "airflow-flower": "2", "postgres": "3", "redis": "4"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := written(t)
			maps.Copy(env, tt.moved)
			got := map[string]string{}
			for name, s := range load(t, env).Services {
				for _, p := range s.Ports {
					if p.HostIP != "127.0.0.1" {
						t.Errorf("%s listens on %q", name, p.HostIP)
					}
					got[name] += p.Published
				}
				if onHost := s.NetworkMode == "host"; onHost != slices.Contains(besideTheAPI, name) || onHost && len(s.Ports) > 0 {
					t.Errorf("%s: network %q with ports %v", name, s.NetworkMode, s.Ports)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("published ports (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryServiceThatStaysHasAHealthCheck(t *testing.T) {
	t.Parallel()
	for name, s := range load(t, written(t)).Services {
		if name == "airflow-init" { // its health is its exit code
			if s.HealthCheck != nil || s.Restart != "no" {
				t.Errorf("airflow-init must run once: %+v, restart %q", s.HealthCheck, s.Restart)
			}
			continue
		}
		if h := s.HealthCheck; h == nil || h.Disable || len(h.Test) < 2 || h.Interval == nil || h.Timeout == nil || h.Retries == nil || h.StartPeriod == nil {
			t.Errorf("%s has no whole health check: %+v", name, h)
		}
		if s.Restart != types.RestartPolicyUnlessStopped {
			t.Errorf("%s: restart %q", name, s.Restart)
		}
	}
}

func TestServicesWaitForWhatTheyNeed(t *testing.T) {
	t.Parallel()
	const healthy, done = types.ServiceConditionHealthy, types.ServiceConditionCompletedSuccessfully
	want := map[string]map[string]string{
		"postgres": {}, "redis": {},
		"airflow-init":      {"postgres": healthy, "redis": healthy},
		"airflow-webserver": {"postgres": healthy, "airflow-init": done},
	}
	for _, name := range airflow {
		if want[name] == nil {
			want[name] = map[string]string{"postgres": healthy, "redis": healthy, "airflow-init": done, "airflow-webserver": healthy}
		}
	}
	got := map[string]map[string]string{}
	for name, s := range load(t, written(t)).Services {
		got[name] = map[string]string{}
		for on, d := range s.DependsOn {
			got[name][on] = d.Condition
			if !d.Required {
				t.Errorf("%s starts without %s", name, on)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what waits for what (-want +got):\n%s", diff)
	}
}

func TestAMissingSecretFailsAndSaysWhatToRun(t *testing.T) {
	t.Parallel()
	all := written(t)
	if len(all) != 9 {
		t.Fatalf("make composer-env writes %v", slices.Sorted(maps.Keys(all)))
	}
	for name := range all {
		for how, env := range map[string]map[string]string{"unset": maps.Clone(all), "empty": maps.Clone(all)} {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				delete(env, name)
				if how == "empty" {
					env[name] = ""
				}
				_, err := composefile.Load(t.Context(), filepath.Join("..", composefile.Name), env)
				if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "run make composer-env") {
					t.Errorf("error %v", err)
				}
			})
		}
	}
}

func TestSecretsComeFromTheEnvironmentFileOnly(t *testing.T) {
	t.Parallel()
	secrets := regexp.MustCompile(`PASSWORD|SECRET|FERNET|AUTH$|_CONN$|BACKEND$|BROKER_URL$|STORAGE_KEY`)
	env := written(t)
	first, second := load(t, env), load(t, written(t))
	for name, s := range first.Services {
		for variable, value := range s.Environment {
			if !secrets.MatchString(variable) {
				continue
			}
			other := second.Services[name].Environment[variable]
			if variable != envfile.StorageKey && *value == *other {
				t.Errorf("%s: two environment files give %s the same value %s", name, variable, *value)
			}
		}
		for _, word := range slices.Concat(s.Command, s.Entrypoint) {
			for variable, secret := range env {
				if strings.Contains(word, secret) {
					t.Errorf("%s: %s stands in the command %q", name, variable, word)
				}
			}
		}
	}
}

func TestAllOfAirflowSignsAndChecksAlike(t *testing.T) {
	t.Parallel()
	project := load(t, written(t))
	for _, variable := range []string{
		"AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API_AUTH__JWT_ISSUER", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY",
		"AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__AUTH_MANAGER",
	} {
		values := map[string]bool{}
		for _, name := range append([]string{"airflow-init"}, airflow...) {
			value := project.Services[name].Environment[variable]
			if value == nil || *value == "" {
				t.Errorf("%s has no %s", name, variable)
				continue
			}
			values[*value] = true
		}
		if len(values) > 1 {
			t.Errorf("%s differs between services", variable)
		}
	}
}

func TestOnlyWhatWorksOnFilesHoldsTheAPIKey(t *testing.T) {
	t.Parallel()
	for name, s := range load(t, written(t)).Services {
		_, has := s.Environment[envfile.StorageKey]
		if has != slices.Contains(besideTheAPI, name) {
			t.Errorf("%s: holds the API key: %t", name, has)
		}
		for variable := range s.Environment {
			if strings.HasPrefix(variable, "AWS_") {
				t.Errorf("%s: %s: Airflow reaches files through the API only", name, variable)
			}
		}
	}
}

func TestDAGsAreReadOnlyAndTheRestIsInVolumes(t *testing.T) {
	t.Parallel()
	composer, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	project := load(t, written(t))
	for name, s := range project.Services {
		got := map[string]string{}
		for _, v := range s.Volumes {
			got[v.Target] = v.Source
			if v.Type == types.VolumeTypeBind && !v.ReadOnly {
				t.Errorf("%s can write to %s", name, v.Source)
			}
		}
		want := map[string]string{
			"/opt/airflow/dags": filepath.Join(composer, "dags"), "/opt/airflow/plugins": filepath.Join(composer, "plugins"), "/opt/airflow/logs": "logs",
		}
		switch name {
		case "postgres":
			want = map[string]string{"/var/lib/postgresql/data": "metastore"}
		case "redis":
			want = map[string]string{"/data": "broker"}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: volumes (-want +got):\n%s", name, diff)
		}
	}
	if got := slices.Sorted(maps.Keys(project.Volumes)); !slices.Equal(got, []string{"broker", "logs", "metastore"}) {
		t.Errorf("named volumes %v", got)
	}
}
