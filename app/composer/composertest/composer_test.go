//go:build composer && linux

package composertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/composer/envfile"
)

// What is landed, and what becomes of it.
const (
	orders    = `[{"id": 1, "item": "sofa", "price": 249.90}, {"id": 2, "item": "lamp, red", "note": "=1+1"}]`
	ordersCSV = "id,item,price,note\r\n1,sofa,249.90,\r\n2,\"lamp, red\",,'=1+1\r\n"
)

// TestServices tries what each service is for, on one stack: bringing it up takes
// longest. Each part leaves all services running, and uses files of its own.
func TestServices(t *testing.T) {
	began := time.Now()
	api := newStorage(t)
	s := newStack(t, map[string]string{envfile.StorageURL: api.url, envfile.StorageKey: api.airflow})
	names := s.project.ServiceNames()
	if err := s.up(names...); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if s.project.Services[name].HealthCheck != nil {
			s.healthy(t, name)
		}
	}
	t.Logf("all services are up after %s", time.Since(began).Round(time.Second))
	a := signIn(t, s)
	a.knows(t, "json_to_csv")
	a.knows(t, "wait_for_file")

	for _, part := range []struct {
		name string
		try  func(t *testing.T, s *stack, a airflow, api *storage)
	}{
		{"postgres holds the metastore that init migrated, for those who know the password", postgresHoldsTheMetastore},
		{"redis is the broker, for those who know the password", redisIsTheBroker},
		{"init makes the administrator, and a second run changes nothing", initMakesTheAdministrator},
		{"the web server lets in who knows the password", webLogin},
		{"the health of scheduler, DAG processor and triggerer is told by the body", healthByBody},
		{"the command line answers", commandLine},
		{"flower lists the worker, for those who know the password", flowerListsTheWorker},
		{"a task stays queued while the worker is stopped, and succeeds after", workerStopped},
		{"a deferred task stays deferred while the triggerer is stopped, and resumes", triggererStopped},
		{"no run goes on while the scheduler is stopped", schedulerStopped},
		{"JSON that is landed becomes CSV, once, and a bad file fails alone", jsonToCSV},
	} {
		t.Run(part.name, func(t *testing.T) {
			began := time.Now()
			part.try(t, s, a, api)
			t.Logf("%s", time.Since(began).Round(time.Second))
		})
	}
}

// psql runs a statement as the user airflow with a password.
func psql(t *testing.T, s *stack, password, statement string) (string, error) {
	t.Helper()
	out, err := s.exec(t.Context(), "postgres", "/usr/bin/env", "PGPASSWORD="+password,
		"psql", "-h", "127.0.0.1", "-p", s.env["POSTGRES_PORT"], "-U", "airflow", "-d", "airflow", "-Atc", statement)
	return strings.TrimSpace(out), err
}

func postgresHoldsTheMetastore(t *testing.T, s *stack, _ airflow, _ *storage) {
	for _, table := range []string{"alembic_version", "alembic_version_fab"} {
		if out, err := psql(t, s, s.env["POSTGRES_PASSWORD"], "select count(*) from "+table); err != nil || out != "1" {
			t.Errorf("%s has %s revisions: %v", table, out, err)
		}
	}
	if _, err := psql(t, s, "wrong", "select 1"); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("with a wrong password: %v", err)
	}
}

func redisIsTheBroker(t *testing.T, s *stack, _ airflow, _ *storage) {
	ping := []string{"redis-cli", "-p", s.env["REDIS_PORT"], "ping"}
	if out, err := s.exec(t.Context(), "redis", ping...); err != nil || out != "PONG\n" {
		t.Errorf("answered %q, %v", out, err)
	}
	if out, err := s.exec(t.Context(), "redis", append([]string{"/usr/bin/env", "REDISCLI_AUTH=wrong"}, ping...)...); err != nil || !strings.Contains(out, "NOAUTH") {
		t.Errorf("with a wrong password it answered %q, %v", out, err)
	}
}

func initMakesTheAdministrator(t *testing.T, s *stack, a airflow, _ *storage) {
	users := func() string {
		out, err := psql(t, s, s.env["POSTGRES_PASSWORD"], "select u.username, u.password, r.name from ab_user u "+
			"join ab_user_role ur on ur.user_id = u.id join ab_role r on r.id = ur.role_id")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := users()
	if fields := strings.Split(before, "|"); len(fields) != 3 || fields[0] != "admin" || fields[2] != "Admin" || strings.Contains(before, s.env["AIRFLOW_ADMIN_PASSWORD"]) {
		t.Errorf("users: %s", before)
	}
	init, err := s.start("airflow-init")
	if err != nil {
		t.Fatal(err)
	}
	if <-init.ended; init.how != nil {
		t.Fatalf("the second run: %v\n%s", init.how, init.tail())
	}
	if after := users(); after != before {
		t.Errorf("users after the second run: %s; before: %s", after, before)
	}
	if status, _ := a.newToken(t, "admin", s.env["AIRFLOW_ADMIN_PASSWORD"]); status != http.StatusCreated {
		t.Errorf("the administrator after the second run: status %d", status)
	}
}

func webLogin(t *testing.T, s *stack, a airflow, _ *storage) {
	password := s.env["AIRFLOW_ADMIN_PASSWORD"]
	for _, tt := range []struct {
		name, user, password string
		page, token          int
	}{
		{"right", "admin", password, http.StatusOK, http.StatusCreated},
		{"wrong password", "admin", "airflow", http.StatusUnauthorized, http.StatusUnauthorized},
		{"wrong user", "airflow", password, http.StatusUnauthorized, http.StatusUnauthorized},
	} {
		if status := a.logIn(t, tt.user, tt.password); status != tt.page {
			t.Errorf("%s: status %d behind the page", tt.name, status)
		}
		if status, _ := a.newToken(t, tt.user, tt.password); status != tt.token {
			t.Errorf("%s: status %d of a token", tt.name, status)
		}
	}
	for token, want := range map[string]int{"": http.StatusUnauthorized, "made.up.token": http.StatusForbidden} {
		if status := (airflow{url: a.url, token: token}).do(t, http.MethodGet, "/api/v2/dags", nil, nil); status != want {
			t.Errorf("token %q: status %d", token, status)
		}
	}
}

func healthByBody(t *testing.T, _ *stack, a airflow, _ *storage) {
	for part, facts := range a.health(t) {
		if facts["status"] != "healthy" {
			t.Errorf("%s: %v", part, facts)
		}
	}
	if got := slices.Sorted(maps.Keys(a.health(t))); !slices.Equal(got, []string{"dag_processor", "metadatabase", "scheduler", "triggerer"}) {
		t.Errorf("parts: %v", got)
	}
}

func commandLine(t *testing.T, s *stack, _ airflow, _ *storage) {
	out, err := s.exec(t.Context(), "airflow-cli", "airflow", "dags", "list", "--output", "json")
	if err != nil {
		t.Fatal(err)
	}
	var dags []struct {
		ID string `json:"dag_id"`
	}
	_, list, _ := strings.Cut(out, "[{") // behind warnings
	if err := json.Unmarshal([]byte("[{"+list), &dags); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	var listed []string
	for _, dag := range dags {
		listed = append(listed, dag.ID)
	}
	if slices.Sort(listed); !slices.Equal(listed, []string{"json_to_csv", "wait_for_file"}) {
		t.Errorf("listed %v", listed)
	}
}

func flowerListsTheWorker(t *testing.T, s *stack, _ airflow, _ *storage) {
	const user = "admin"
	password := s.env["FLOWER_PASSWORD"]
	worker := "celery@" + s.imageEnvironment("airflow-worker")["HOSTNAME"]
	eventually(t, "the worker is listed", func() (bool, string) {
		status, text := flower(t, s, "/api/workers?status=true", user, password)
		var workers map[string]bool
		err := json.Unmarshal([]byte(text), &workers)
		return status == http.StatusOK && err == nil && len(workers) == 1 && workers[worker], fmt.Sprint(status, text)
	})
	if status, text := flower(t, s, "/workers", user, password); status != http.StatusOK || !strings.Contains(text, worker) {
		t.Errorf("the page: status %d:\n%s", status, text)
	}
	for _, path := range []string{"/", "/workers", "/api/workers"} {
		for _, credentials := range [][2]string{{"", ""}, {user, "wrong"}, {"airflow", password}} {
			if status, _ := flower(t, s, path, credentials[0], credentials[1]); status != http.StatusUnauthorized {
				t.Errorf("%s as %q: status %d", path, credentials[0], status)
			}
		}
	}
}

// heartbeats waits until the scheduler has gone on twice: it would have done by
// then what it does.
func heartbeats(t *testing.T, a airflow) {
	t.Helper()
	seen := map[string]bool{}
	eventually(t, "the scheduler goes on", func() (bool, string) {
		seen[a.health(t)["scheduler"]["latest_scheduler_heartbeat"]] = true
		return len(seen) == 3, fmt.Sprint(seen)
	})
}

func workerStopped(t *testing.T, s *stack, a airflow, _ *storage) {
	s.stop("airflow-worker")
	if err := s.check("airflow-worker"); err == nil {
		t.Error("the worker is stopped and healthy")
	}
	run := a.run(t, "json_to_csv", map[string]any{"prefix": "landing/none/"})
	a.reaches(t, run, "find_new", "queued")
	eventually(t, "the task is at the broker", func() (bool, string) {
		out, err := s.exec(t.Context(), "redis", "redis-cli", "-p", s.env["REDIS_PORT"], "llen", "default")
		return err == nil && out == "1\n", fmt.Sprint(out, err)
	})
	heartbeats(t, a)
	a.reaches(t, run, "find_new", "queued")

	s.again(t, "airflow-worker")
	a.succeeds(t, run)
}

func triggererStopped(t *testing.T, s *stack, a airflow, api *storage) {
	const key = "landing/late/orders.json"
	run := a.run(t, "wait_for_file", map[string]any{"key": key, "wait": 3600, "every": 1})
	a.reaches(t, run, "wait", "deferred")

	s.stop("airflow-triggerer")
	api.land(t, key, orders)
	eventually(t, "the triggerer's absence is noticed", func() (bool, string) {
		facts := a.health(t)["triggerer"]
		return facts["status"] != "healthy", fmt.Sprint(facts)
	})
	if err := s.check("airflow-triggerer"); err == nil {
		t.Error("the triggerer is stopped and healthy")
	}
	heartbeats(t, a)
	a.reaches(t, run, "wait", "deferred")

	s.again(t, "airflow-triggerer")
	a.succeeds(t, run)
}

func schedulerStopped(t *testing.T, s *stack, a airflow, _ *storage) {
	s.stop("airflow-scheduler")
	run := a.run(t, "json_to_csv", map[string]any{"prefix": "landing/none/"})
	eventually(t, "the scheduler's absence is noticed", func() (bool, string) {
		facts := a.health(t)["scheduler"]
		return facts["status"] != "healthy", fmt.Sprint(facts)
	})
	if err := s.check("airflow-scheduler"); err == nil {
		t.Error("the scheduler is stopped and healthy")
	}
	for _, i := range a.instances(t, run) {
		if i.State != "" {
			t.Errorf("%s is %s without a scheduler", i.ID, i.State)
		}
	}
	s.again(t, "airflow-scheduler")
	a.succeeds(t, run)
}

func jsonToCSV(t *testing.T, _ *stack, a airflow, api *storage) {
	const prefix = "landing/shop/"
	params := map[string]any{"prefix": prefix}
	api.land(t, prefix+"orders.json", orders)
	api.land(t, "landing/elsewhere.json", orders)
	run := a.run(t, "json_to_csv", params)
	a.succeeds(t, run)

	csv := "csv/" + prefix + "orders.json." + etag(t, api, prefix+"orders.json") + ".csv"
	if got := api.run(t, "get", csv, "--to", "-"); got != ordersCSV {
		t.Errorf("downloaded %q, want %q", got, ordersCSV)
	}
	if got := api.run(t, "ls", "--recursive", "csv/"); got != csv+"\n" {
		t.Errorf("made %q", got)
	}

	before, versions := api.all(t), api.run(t, "versions", csv, "--json")
	a.succeeds(t, a.run(t, "json_to_csv", params))
	if after := api.all(t); after != before {
		t.Errorf("after the second run:\n%s\nbefore:\n%s", after, before)
	}
	if after := api.run(t, "versions", csv, "--json"); after != versions {
		t.Errorf("the second run wrote again:\n%s\nbefore:\n%s", after, versions)
	}

	api.land(t, prefix+"bad.json", `[{"id": 1}, {"id":`)
	api.land(t, prefix+"later.json", `{"id": 3}`)
	run = a.run(t, "json_to_csv", params)
	if state := a.ends(t, run); state != "failed" {
		t.Errorf("the run with a bad file: %s", state)
	}
	states := map[string]int{}
	for _, i := range a.instances(t, run) {
		states[i.ID+" "+i.State]++
		log := a.log(t, run, i)
		if bad := i.State == "failed"; i.ID == "to_csv" && strings.Contains(log, prefix+"bad.json") != bad {
			t.Errorf("%s %s tells of the bad file: %t\n%s", i.ID, i.State, !bad, log)
		}
	}
	if want := map[string]int{"find_new success": 1, "to_csv success": 1, "to_csv failed": 1}; !maps.Equal(states, want) {
		t.Errorf("tasks: %v", states)
	}
	later := "csv/" + prefix + "later.json." + etag(t, api, prefix+"later.json") + ".csv"
	if got, want := api.run(t, "ls", "--recursive", "csv/"), later+"\n"+csv+"\n"; got != want {
		t.Errorf("made %q, want %q", got, want)
	}
	if got := api.run(t, "get", later, "--to", "-"); got != "id\r\n3\r\n" {
		t.Errorf("downloaded %q", got)
	}
	if after := api.run(t, "versions", csv, "--json"); after != versions {
		t.Errorf("the bad file's run wrote the other file again:\n%s\nbefore:\n%s", after, versions)
	}
}

// etag is the ETag of a file as storagectl tells it.
func etag(t *testing.T, api *storage, key string) string {
	t.Helper()
	var file struct{ ETag string }
	if err := json.Unmarshal([]byte(api.run(t, "stat", key, "--json")), &file); err != nil {
		t.Fatal(err)
	}
	return strings.Trim(file.ETag, `"`)
}

func TestAWrongDatabasePasswordFailsInitAndNothingElseStarts(t *testing.T) {
	s := newStack(t, map[string]string{envfile.StorageKey: "none"})
	// The volume was made with another password than .env has now.
	other := "another"
	s.project.Services["postgres"].Environment["POSTGRES_PASSWORD"] = &other
	err := s.up(s.project.ServiceNames()...)
	if err == nil || !strings.Contains(err.Error(), "airflow-init is not service_completed_successfully") {
		t.Errorf("error %v", err)
	}
	if got := slices.Sorted(maps.Keys(s.running)); !slices.Equal(got, []string{"airflow-init", "postgres", "redis"}) {
		t.Errorf("started: %v", got)
	}
	init := s.process("airflow-init")
	if init == nil {
		t.Fatal("init did not run")
	}
	<-init.ended
	if log := init.tail(); init.how == nil || !strings.Contains(log, "password authentication failed") || strings.Contains(log, s.env["POSTGRES_PASSWORD"]) {
		t.Errorf("init: %v\n%s", init.how, log)
	}
}
