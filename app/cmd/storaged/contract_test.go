package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudstorage/app/daemon"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/object/objecttest"
	"cloudstorage/app/s3store"
	"cloudstorage/app/service"
	"cloudstorage/app/web/webtest"
)

// The contract as bytes on the wire: what a program written against the
// exercise's own server gets from this one, whichever way it was delivered.
func TestContractToTheByte(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	for name, program := range map[string]daemon.Program{"storaged": service.Program(), "storaged-baked": daemontest.Baked()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := daemontest.Environ(t, g, nil)
			keepsTheContract(t, env, daemontest.Start(t, program, env).Address)
		})
	}
}

func keepsTheContract(t *testing.T, env map[string]string, address string) {
	t.Helper()
	bucket := env["STORAGE_BUCKET"]
	store := openStore(t, env)

	exact := func(target, body string) {
		t.Helper()
		answer := webtest.Do(t, address, "GET", target)
		if !strings.HasPrefix(answer.Raw, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(answer.Raw, "\r\n\r\n"+body+"\n") ||
			answer.Header.Get("Content-Type") != "application/json" {
			t.Errorf("GET %s:\n%s\nwant 200 and the body\n%s", target, answer.Raw, body)
		}
	}
	signed := func(target, name, done string) {
		t.Helper()
		answer := webtest.Do(t, address, "GET", target)
		message, err := json.Marshal(fmt.Sprintf("Successfully %s file '%s' on s3 bucket '%s'", done, name, bucket))
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(`^\{"status":200,"message":` + regexp.QuoteMeta(string(message)) + `,"content":"` +
			regexp.QuoteMeta(env["AWS_ENDPOINT_URL"]) + `/[^"\\]+X-Amz-Expires=600&[^"\\]+"\}` + "\n$")
		if !strings.HasPrefix(answer.Raw, "HTTP/1.1 200 OK\r\n") || !want.MatchString(answer.Body) {
			t.Errorf("GET %s:\n%s\nwant 200 and %s", target, answer.Raw, want)
		}
	}

	exact("/", `{"status":200,"message":"Successfully connected to module02 upload/download API"}`)
	listed := `{"status":200,"message":"Successfully listed files on s3 bucket '` + bucket + `'","content":`
	exact("/list_files", listed+`[]}`)
	objecttest.Put(t, store, http.DefaultClient, "b.txt", "b")
	objecttest.Put(t, store, http.DefaultClient, "a/<b> & 'c'.txt", "c")
	exact("/list_files", listed+`["a/<b> & 'c'.txt","b.txt"]}`)
	exact("/list_files?prefix=b", listed+`["a/<b> & 'c'.txt","b.txt"]}`)
	signed("/download/b.txt", "b.txt", "downloaded")
	signed("/download/missing.txt", "missing.txt", "downloaded")
	signed("/upload/a/b/c.txt", "a/b/c.txt", "uploaded")
	exact("/delete/a/%3Cb%3E%20&%20'c'.txt", `{"status":200,"message":"Successfully deleted file 'a/<b> & 'c'.txt' on s3 bucket '`+bucket+`'"}`)
	exact("/list_files", listed+`["b.txt"]}`)
	exact("/delete/b.txt", `{"status":200,"message":"Successfully deleted file 'b.txt' on s3 bucket '`+bucket+`'"}`)
	exact("/delete/b.txt", `{"status":200,"message":"Successfully deleted file 'b.txt' on s3 bucket '`+bucket+`'"}`)
	exact("/list_files", listed+`[]}`)

	for target, want := range map[string]string{
		"/upload/":       `{"status":400,"message":"the file name is empty: put it after the route, as in /download/report.pdf"}`,
		"/delete/%2e%2e": `{"status":400,"message":"the file name has the path segment \"..\": write the name without it"}`,
		"/nothing":       `{"status":404,"message":"no such route"}`,
	} {
		if answer := webtest.Do(t, address, "GET", target); answer.Body != want+"\n" {
			t.Errorf("GET %s: %s, want %s", target, answer.Body, want)
		}
	}
	if answer := webtest.Do(t, address, "POST", "/delete/x", "Content-Length: 0"); answer.Body != `{"status":405,"message":"method not allowed: use GET"}`+"\n" {
		t.Errorf("POST: %s", answer.Raw)
	}
	for _, probe := range []string{"/healthz", "/readyz"} {
		if answer := webtest.Do(t, address, "GET", probe); answer.Status != http.StatusOK {
			t.Errorf("%s: %s", probe, answer.Raw)
		}
	}
}

// Routes are for the methods that a server thought of: what has none of them is
// not to be lost.
func TestEveryRequestIsAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	g := gatewaytest.Start(t)
	for name, program := range map[string]daemon.Program{"storaged": service.Program(), "storaged-baked": daemontest.Baked()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := daemontest.Start(t, program, daemontest.Environ(t, g, nil))
			for line, want := range map[string]int{
				"PURGE /":           405,
				"MKCOL /list_files": 405,
				"PURGE /delete/a":   405,
				"MKCOL /nothing":    404,
				"PURGE /v1/files":   405,
				"MKCOL /v1/files/a": 405,
				"PURGE /v1/nothing": 404,
				"OPTIONS *":         404,
				"GET http://h":      404,
				"PURGE http://h":    404,
				"GET http://h/":     200,
				"GET urn:h":         404,
				"CONNECT h:80":      404,
			} {
				method, target, _ := strings.Cut(line, " ")
				answer := webtest.Do(t, server.Address, method, target)
				id := answer.Header.Get("X-Request-Id")
				if answer.Status != want || answer.Body == "" || id == "" || !strings.Contains(server.Log.String(), id) {
					t.Errorf("%s: want %d, and a line of log:\n%s\n%s", line, want, answer.Raw, server.Log)
				}
			}
		})
	}
}

// openStore opens a store of the test's own on the server's bucket.
func openStore(t testing.TB, env map[string]string) *s3store.Store {
	t.Helper()
	store, err := s3store.Open(t.Context(), s3store.Config{Bucket: env["STORAGE_BUCKET"], Region: env["AWS_REGION"], Endpoint: env["AWS_ENDPOINT_URL"],
		AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"]})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// ask returns the content of a 200 answer.
func ask[T any](t testing.TB, target string) (content T) {
	t.Helper()
	answer, err := http.Get(target)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct {
		Status  int
		Message string
		Content T
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s (%v)", target, answer.StatusCode, body.Message, err)
	}
	return body.Content
}

// transfer sends or fetches by a presigned URL as a plain client does.
func transfer(t testing.TB, method, target, content string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(got)
}

func TestEveryNameGoesUpIsListedComesDownAndGoes(t *testing.T) {
	t.Parallel()
	address, _ := start(t, daemontest.Environ(t, gatewaytest.Start(t), nil))
	api := "http://" + address
	names := objecttest.Names()
	slices.Sort(names)
	for _, name := range names {
		// What a client of the standard library sends for this name.
		escaped := (&url.URL{Path: "/" + name}).EscapedPath()
		if status, answer := transfer(t, http.MethodPut, ask[string](t, api+"/upload"+escaped), "content of "+name); status != http.StatusOK {
			t.Fatalf("upload %q: %d %s", name, status, answer)
		}
		if status, content := transfer(t, http.MethodGet, ask[string](t, api+"/download"+escaped), ""); status != http.StatusOK || content != "content of "+name {
			t.Errorf("download %q: %d %q", name, status, content)
		}
	}
	if got := ask[[]string](t, api+"/list_files"); !slices.Equal(got, names) {
		t.Errorf("listed %q\nwant   %q", got, names)
	}
	for _, name := range names {
		ask[any](t, api+"/delete/"+url.PathEscape(name))
	}
	if got := ask[[]string](t, api+"/list_files"); len(got) != 0 {
		t.Errorf("left %q", got)
	}
	if status, _ := transfer(t, http.MethodGet, ask[string](t, api+"/download/"+names[0]), ""); status != http.StatusNotFound {
		t.Errorf("the URL of a deleted file answers %d, want 404", status)
	}
}

func TestListFilesReturnsMoreThanAPageOfS3(t *testing.T) {
	t.Parallel()
	env := daemontest.Environ(t, gatewaytest.Start(t), nil)
	address, _ := start(t, env)
	store := openStore(t, env)
	want := make([]string, 1001)
	for i := range want {
		want[i] = fmt.Sprintf("f%04d", i)
	}
	var workers sync.WaitGroup
	for part := range slices.Chunk(want, 130) {
		workers.Go(func() {
			for _, name := range part {
				signed, err := store.SignPut(t.Context(), object.Key(name), time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				r, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, strings.NewReader(""))
				if err != nil {
					t.Error(err)
					return
				}
				answer, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = answer.Body.Close()
			}
		})
	}
	workers.Wait()
	if got := ask[[]string](t, "http://"+address+"/list_files"); !slices.Equal(got, want) {
		t.Errorf("listed %d files, want %d in order", len(got), len(want))
	}
}

func TestPlainCurlUploadsAndDownloads(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed; the tests above send the same requests with net/http")
	}
	address, _ := start(t, daemontest.Environ(t, gatewaytest.Start(t), nil))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("through curl"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain.txt", "a/b/c.txt", "a%20b%2Bc.txt", "%22q%22%26%25.txt", "%F0%9F%8E%88.png"} {
		up := ask[string](t, "http://"+address+"/upload/"+name)
		if out, err := exec.CommandContext(t.Context(), curl, "-sSf", "-T", file, up).CombinedOutput(); err != nil {
			t.Errorf("curl -T for %s: %v\n%s", name, err, out)
		}
		down := ask[string](t, "http://"+address+"/download/"+name)
		if out, err := exec.CommandContext(t.Context(), curl, "-sSf", down).CombinedOutput(); err != nil || string(out) != "through curl" {
			t.Errorf("curl for %s: %v\n%s", name, err, out)
		}
	}
}
