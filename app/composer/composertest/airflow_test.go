//go:build composer && linux

package composertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// airflow is a person at Airflow's API.
type airflow struct {
	url   string
	token string
}

// client asks nobody else: what runs here is on the loopback interface.
var client = &http.Client{Transport: &http.Transport{Proxy: nil}, Timeout: time.Minute}

// signIn gets a token for the administrator.
func signIn(t *testing.T, s *stack) airflow {
	t.Helper()
	a := airflow{url: "http://127.0.0.1:" + s.env["AIRFLOW_PORT"]}
	status, token := a.newToken(t, "admin", s.env["AIRFLOW_ADMIN_PASSWORD"])
	if status != http.StatusCreated {
		t.Fatalf("the administrator's token: status %d", status)
	}
	a.token = token
	return a
}

// newToken asks for a token by name and password.
func (a airflow) newToken(t *testing.T, user, password string) (status int, token string) {
	t.Helper()
	var answer struct {
		Token string `json:"access_token"`
	}
	status = a.do(t, http.MethodPost, "/auth/token", map[string]string{"username": user, "password": password}, &answer)
	return status, answer.Token
}

// do sends body as JSON and reads the answer's into answer if it is a success.
func (a airflow) do(t *testing.T, method, path string, body, answer any) (status int) {
	t.Helper()
	sent, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, a.url+path, bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode < 300 && answer != nil {
		if err := json.Unmarshal(text, answer); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return response.StatusCode
}

// get reads an answer, which must be a success.
func (a airflow) get(t *testing.T, path string, answer any) {
	t.Helper()
	if status := a.do(t, http.MethodGet, path, nil, answer); status != http.StatusOK {
		t.Fatalf("GET %s: status %d", path, status)
	}
}

// logIn fills in the form of the web page, and returns the status of a page
// that only those see who are logged in.
func (a airflow) logIn(t *testing.T, user, password string) (status int) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Transport: client.Transport, Timeout: client.Timeout, Jar: jar}
	read := func(method, path string, form url.Values) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, a.url+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		status = response.StatusCode
		return string(text)
	}
	page := read(http.MethodGet, "/auth/login/", nil)
	found := regexp.MustCompile(`name="csrf_token"[^>]*value="([^"]+)"`).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no form in the login page, status %d:\n%s", status, page)
	}
	read(http.MethodPost, "/auth/login/", url.Values{
		"csrf_token": {html.UnescapeString(found[1])}, "username": {user}, "password": {password},
	})
	read(http.MethodGet, "/api/v2/dags", nil)
	return status
}

// health is what Airflow says of its parts; its status is 200 whatever it says.
func (a airflow) health(t *testing.T) map[string]map[string]string {
	t.Helper()
	var parts map[string]map[string]*string
	a.get(t, "/api/v2/monitor/health", &parts)
	said := map[string]map[string]string{}
	for part, facts := range parts {
		said[part] = map[string]string{}
		for name, value := range facts {
			if value != nil {
				said[part][name] = *value
			}
		}
	}
	return said
}

// knows waits until Airflow has read a DAG.
func (a airflow) knows(t *testing.T, dag string) {
	t.Helper()
	eventually(t, "DAG "+dag, func() (bool, string) {
		var answer json.RawMessage
		status := a.do(t, http.MethodGet, "/api/v2/dags/"+dag, nil, &answer)
		var errs json.RawMessage
		a.get(t, "/api/v2/importErrors", &errs)
		return status == http.StatusOK, fmt.Sprintf("status %d, import errors %s", status, errs)
	})
}

// run starts a DAG and returns the run's id.
func (a airflow) run(t *testing.T, dag string, params map[string]any) string {
	t.Helper()
	var run struct {
		ID string `json:"dag_run_id"`
	}
	if status := a.do(t, http.MethodPost, "/api/v2/dags/"+dag+"/dagRuns", map[string]any{"logical_date": nil, "conf": params}, &run); status != http.StatusOK {
		t.Fatalf("run %s: status %d", dag, status)
	}
	return "/api/v2/dags/" + dag + "/dagRuns/" + url.PathEscape(run.ID)
}

// instance is a task of a run.
type instance struct {
	ID       string `json:"task_id"`
	MapIndex int    `json:"map_index"`
	State    string `json:"state"`
	Try      int    `json:"try_number"`
}

func (a airflow) instances(t *testing.T, run string) []instance {
	t.Helper()
	var answer struct {
		Instances []instance `json:"task_instances"`
	}
	a.get(t, run+"/taskInstances", &answer)
	slices.SortFunc(answer.Instances, func(x, y instance) int {
		if c := strings.Compare(x.ID, y.ID); c != 0 {
			return c
		}
		return x.MapIndex - y.MapIndex
	})
	return answer.Instances
}

// log is what a task wrote, as Airflow shows it.
func (a airflow) log(t *testing.T, run string, i instance) string {
	t.Helper()
	var text json.RawMessage
	a.get(t, fmt.Sprintf("%s/taskInstances/%s/logs/%d?full_content=true&map_index=%d", run, i.ID, i.Try, i.MapIndex), &text)
	return string(text)
}

// reaches waits until a task of a run is in a state.
func (a airflow) reaches(t *testing.T, run, task, state string) {
	t.Helper()
	eventually(t, task+" is "+state, func() (bool, string) {
		all := a.instances(t, run)
		return slices.ContainsFunc(all, func(i instance) bool { return i.ID == task && i.State == state }), fmt.Sprint(all)
	})
}

// ends waits until a run ends and returns its state.
func (a airflow) ends(t *testing.T, run string) string {
	t.Helper()
	var r struct{ State string }
	eventually(t, run+" ends", func() (bool, string) {
		a.get(t, run, &r)
		return r.State == "success" || r.State == "failed", fmt.Sprint(r.State, a.instances(t, run))
	})
	return r.State
}

// succeeds waits until a run ends well.
func (a airflow) succeeds(t *testing.T, run string) {
	t.Helper()
	if state := a.ends(t, run); state != "success" {
		for _, i := range a.instances(t, run) {
			t.Logf("%+v: %s", i, a.log(t, run, i))
		}
		t.Fatalf("%s: %s", run, state)
	}
}

// flower asks Flower, as a user if there is one.
func flower(t *testing.T, s *stack, path, user, password string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+s.env["FLOWER_PORT"]+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
