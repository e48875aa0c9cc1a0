package bench

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/e2e/gatewaytest"
	"cloudstorage/app/object"
	"cloudstorage/app/s3store"
)

// pageOfStore is what a page may take, of what the store takes by itself.
const pageOfStore = 1.1

// BenchmarkListPage compares a page of the API with the same page of the store.
func BenchmarkListPage(b *testing.B) {
	g := gatewaytest.Start(b)
	bucket := fill(b, g, object.MaxPage)
	store, err := s3store.Open(b.Context(), s3store.Config{
		Bucket: bucket, Region: g.Region, Endpoint: g.Endpoint, AccessKeyID: g.AccessKey, SecretAccessKey: g.SecretKey,
	})
	if err != nil {
		b.Fatal(err)
	}
	api := &server{name: "storaged", address: freeAddress(b)}
	start(b, api, command(append(environ(g, bucket, g.NewBucket(b)), "STORAGE_ADDRESS="+api.address), build(b, b.TempDir(), "../../cmd/storaged")))

	var ofStore, ofAPI []time.Duration
	const pages = 20 // a round
	for range *rounds * pages {
		began := time.Now()
		page, err := store.List(b.Context(), object.ListOptions{})
		if err != nil || len(page.Items) != object.MaxPage {
			b.Fatalf("%d items, %v", len(page.Items), err)
		}
		ofStore = append(ofStore, time.Since(began))
		began = time.Now()
		if n, _ := list(b, api, ""); n != object.MaxPage {
			b.Fatalf("%d items", n)
		}
		ofAPI = append(ofAPI, time.Since(began))
	}
	slices.Sort(ofStore)
	slices.Sort(ofAPI)
	s, a := ofStore[len(ofStore)/2], ofAPI[len(ofAPI)/2]
	fmt.Fprintf(os.Stdout, "\na page of %d files: %s by the store, %s by the API: %.2f times (target %.1f)\n", object.MaxPage, s.Round(time.Microsecond), a.Round(time.Microsecond),
		float64(a)/float64(s), pageOfStore)
	b.ReportMetric(float64(a)/float64(s), "of-store")
}

// BenchmarkMillionFiles lists a million files and says how much memory that took
// at most. The store is a stand-in: no S3 server here has a million files and
// gives a page of them in less than minutes.
func BenchmarkMillionFiles(b *testing.B) {
	const million = 1_000_000
	g := gatewaytest.Gateway{Region: "eu-west-1", AccessKey: "a", SecretKey: "b"}
	stand := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { standIn(w, r, million) }))
	b.Cleanup(stand.Close)
	g.Endpoint = stand.URL
	api := &server{name: "storaged", address: freeAddress(b)}
	cmd := command(append(environ(g, "files-1", "state-1"), "STORAGE_ADDRESS="+api.address, "STORAGE_LOG_LEVEL=error"), build(b, b.TempDir(), "../../cmd/storaged"))
	start(b, api, cmd)

	began := time.Now()
	total, cursor := 0, ""
	var early int
	for page := 0; ; page++ {
		n, next := list(b, api, cursor)
		total += n
		if page == 50 {
			early = peak(b, api.process)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if total != million {
		b.Fatalf("listed %d files", total)
	}
	fmt.Fprintf(os.Stdout, "\n%d files listed in %s: at most %d MiB of memory, %d MiB after the first 50 pages\n", total, time.Since(began).Round(time.Second), peak(b, api.process)>>10, early>>10)
	b.ReportMetric(float64(peak(b, api.process))/1024, "MiB")
}

// list asks for a page and returns how many files it has.
func list(b *testing.B, s *server, cursor string) (n int, next string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+s.address+"/v1/files?cursor="+url.QueryEscape(cursor), http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	if cursor == "" {
		r.URL.RawQuery = ""
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s %v", r.URL, text, err)
	}
	// The files are counted, not read: reading them is the caller's time.
	i := bytes.LastIndex(text, []byte(`"prefixes":`))
	var end struct {
		Next string `json:"next_cursor"`
	}
	if err := json.Unmarshal(append([]byte("{"), bytes.TrimSpace(text[max(i, 0):])...), &end); err != nil {
		b.Fatal(err)
	}
	return bytes.Count(text[:max(i, 0)], []byte(`"key":`)), end.Next
}

// standIn answers like S3 where the bucket has so many files, and has a sealing
// key.
func standIn(w http.ResponseWriter, r *http.Request, files int) {
	if strings.HasSuffix(r.URL.Path, "/sealing-key") {
		w.Header().Set("ETag", `"1"`)
		_, _ = io.WriteString(w, base64.StdEncoding.EncodeToString(make([]byte, 32))) // who does not read it fails
		return
	}
	type content struct {
		Key, LastModified, ETag string
		Size                    int
	}
	type result struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []content
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("continuation-token")) // "" is 0
	var page result
	for i := from; i < min(from+object.MaxPage, files); i++ {
		page.Contents = append(page.Contents, content{fmt.Sprintf("reports/2026/%09d.pdf", i), "2026-01-02T03:04:05.000Z", `"0123456789abcdef0123456789abcdef"`, i})
	}
	if from += object.MaxPage; from < files {
		page.IsTruncated, page.NextContinuationToken = true, strconv.Itoa(from)
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(page) // who does not read it fails
}

// environ is what a server needs to know.
func environ(g gatewaytest.Gateway, bucket, state string) []string {
	return []string{
		"STORAGE_BUCKET=" + bucket, "STORAGE_STATE_BUCKET=" + state, "STORAGE_ACCESS=open", "STORAGE_RATE_LIMIT=-1",
		"AWS_REGION=" + g.Region, "AWS_ENDPOINT_URL=" + g.Endpoint,
		"AWS_ACCESS_KEY_ID=" + g.AccessKey, "AWS_SECRET_ACCESS_KEY=" + g.SecretKey,
	}
}
