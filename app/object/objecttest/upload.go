package objecttest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/object/upload"
)

func begin(t testing.TB, s upload.Store, k object.Key, o upload.Options) upload.Upload {
	t.Helper()
	u, err := s.Create(t.Context(), k, o)
	if err != nil || u.Key != k || u.ID == "" {
		t.Fatalf("Create: %+v, %v", u, err)
	}
	return u
}

// sendPart sends content as one part and returns what completing wants to know.
func sendPart(t testing.TB, s upload.Store, do *http.Client, u upload.Upload, number int, content string, o upload.PartOptions) upload.Part {
	t.Helper()
	signed, err := s.SignPart(t.Context(), u, number, time.Minute, o)
	if err != nil {
		t.Fatalf("SignPart %d: %v", number, err)
	}
	got := exchange(t, do, signed, strings.NewReader(content))
	if got.status != http.StatusOK {
		t.Fatalf("part %d: %d %s", number, got.status, got.body)
	}
	return upload.Part{Number: number, ETag: got.header.Get("ETag"), SHA256: o.SHA256}
}

func arrived(t testing.TB, s upload.Store, u upload.Upload, limit int) []upload.Part {
	t.Helper()
	var all []upload.Part
	for o := (upload.PartsOptions{Limit: limit}); ; {
		page, err := s.Parts(t.Context(), u, o)
		if err != nil {
			t.Fatalf("Parts %+v: %v", o, err)
		}
		all = append(all, page.Items...)
		if o.Cursor = page.Next; o.Cursor == "" {
			return all
		}
	}
}

func parts(t *testing.T, s Everything, do *http.Client) {
	const k = "a b/ü+%.bin"
	u := begin(t, s, k, upload.Options{Type: "text/x-parts"})
	if got := arrived(t, s, u, 0); len(got) != 0 {
		t.Errorf("before the first part there are %+v", got)
	}
	whole := strings.Repeat("0123456789abcdef", upload.MinPart/8) + "the end"
	plan, err := upload.NewPlan(int64(len(whole)), 0)
	if err != nil || plan.Count != 3 {
		t.Fatalf("%+v, %v", plan, err)
	}
	sent := make([]upload.Part, plan.Count)
	for _, number := range []int{3, 1, 2} { // in any order
		first, length := plan.Range(number)
		sent[number-1] = sendPart(t, s, do, u, number, whole[first:first+length], upload.PartOptions{Size: &length})
	}
	for _, limit := range []int{0, 1, 2} {
		got := arrived(t, s, u, limit)
		if len(got) != len(sent) {
			t.Fatalf("by %d: %d parts arrived: %+v", limit, len(got), got)
		}
		for i, p := range got {
			if _, length := plan.Range(i + 1); p.Number != i+1 || p.ETag != sent[i].ETag || p.Size != length || p.Modified.IsZero() {
				t.Errorf("by %d: arrived as %+v, sent as %+v", limit, p, sent[i])
			}
		}
	}
	if _, err := s.Stat(t.Context(), k, ""); object.CodeOf(err) != object.CodeNotFound {
		t.Errorf("before it is complete: %v", err)
	}
	info, err := s.Complete(t.Context(), u, sent, upload.CompleteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, got := read(t, s, k, file.GetOptions{})
	if got != whole || c.Type != "text/x-parts" || info.Key != k || info.ETag != c.ETag || info.Version != c.Version {
		t.Errorf("%d bytes of %d, %+v, completed as %+v", len(got), len(whole), c.Info, info)
	}
	_, err = s.Parts(t.Context(), u, upload.PartsOptions{})
	wantCode(t, "Parts of what is complete", err, object.CodeNotFound)
}

func partAgain(t *testing.T, s Everything, do *http.Client) {
	u := begin(t, s, "k", upload.Options{})
	sendPart(t, s, do, u, 7, "wrong", upload.PartOptions{})
	right := sendPart(t, s, do, u, 7, "right", upload.PartOptions{})
	if got := arrived(t, s, u, 0); len(got) != 1 || got[0].ETag != right.ETag {
		t.Errorf("arrived: %+v", got)
	}
	if _, err := s.Complete(t.Context(), u, []upload.Part{right}, upload.CompleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, got := read(t, s, "k", file.GetOptions{}); got != "right" {
		t.Errorf("it became %q", got)
	}
}

func partDigests(t *testing.T, s Everything, do *http.Client) {
	u := begin(t, s, "k", upload.Options{Digests: true})
	sum, size := sha256.Sum256([]byte("text")), int64(len("text"))
	signed, err := s.SignPart(t.Context(), u, 1, time.Minute, upload.PartOptions{SHA256: &sum})
	if err != nil {
		t.Fatal(err)
	}
	if got := exchange(t, do, signed, strings.NewReader("TEXT")); got.status != http.StatusBadRequest {
		t.Errorf("another content: %d, want 400", got.status)
	}
	part := sendPart(t, s, do, u, 1, "text", upload.PartOptions{SHA256: &sum, Size: &size})
	got := arrived(t, s, u, 0)
	if len(got) != 1 || got[0].SHA256 == nil || *got[0].SHA256 != sum {
		t.Fatalf("arrived: %+v", got)
	}
	other := sha256.Sum256([]byte("TEXT"))
	_, err = s.Complete(t.Context(), u, []upload.Part{{Number: 1, ETag: part.ETag, SHA256: &other}}, upload.CompleteOptions{})
	wantCode(t, "another digest", err, object.CodeInvalid)
	if _, err := s.Complete(t.Context(), u, got, upload.CompleteOptions{}); err != nil { // as it was listed
		t.Error(err)
	}
	all := sha256.Sum256(sum[:])
	if info, err := s.Stat(t.Context(), "k", ""); err != nil || info.SHA256 != base64.StdEncoding.EncodeToString(all[:])+"-1" {
		t.Errorf("described as %+v, %v", info, err)
	}
}

func incomplete(t *testing.T, s Everything, do *http.Client) {
	u := begin(t, s, "k", upload.Options{})
	one := sendPart(t, s, do, u, 1, "too small", upload.PartOptions{})
	two := sendPart(t, s, do, u, 2, "the last", upload.PartOptions{})
	tests := map[string][]upload.Part{
		"no parts":                 {},
		"a part that is too small": {one, two},
		"parts out of order":       {two, one},
		"a part that is not there": {one, {Number: 3, ETag: one.ETag}},
		"a part with another ETag": {{Number: 1, ETag: two.ETag}},
		"part zero":                {{Number: 0, ETag: one.ETag}},
		"one part too many":        {{Number: upload.MaxParts + 1, ETag: one.ETag}},
	}
	for name, parts := range tests {
		_, err := s.Complete(t.Context(), u, parts, upload.CompleteOptions{})
		wantCode(t, name, err, object.CodeInvalid)
	}
	for _, number := range []int{-1, 0, upload.MaxParts + 1} {
		_, err := s.SignPart(t.Context(), u, number, time.Minute, upload.PartOptions{})
		wantCode(t, "SignPart", err, object.CodeInvalid)
	}
	large := int64(upload.MaxPart + 1)
	_, err := s.SignPart(t.Context(), u, 1, time.Minute, upload.PartOptions{Size: &large})
	wantCode(t, "a part that is too large", err, object.CodeTooLarge)
	if got := arrived(t, s, u, 0); len(got) != 2 {
		t.Errorf("what was refused lost parts: %+v", got)
	}
}

func completeConditions(t *testing.T, s Everything, do *http.Client) {
	write(t, s, "k", "there", file.PutOptions{})
	u := begin(t, s, "k", upload.Options{})
	part := sendPart(t, s, do, u, 1, "x", upload.PartOptions{})
	_, err := s.Complete(t.Context(), u, []upload.Part{part}, upload.CompleteOptions{IfNew: true})
	wantCode(t, "a new one where one is", err, object.CodePrecondition)
	_, err = s.Complete(t.Context(), u, []upload.Part{part}, upload.CompleteOptions{IfMatch: `"another"`})
	wantCode(t, "over another one", err, object.CodePrecondition)
	if _, err := s.Complete(t.Context(), u, []upload.Part{part}, upload.CompleteOptions{}); err != nil {
		t.Errorf("what was refused cannot be completed: %v", err)
	}
}

func aborted(t *testing.T, s Everything, do *http.Client) {
	u := begin(t, s, "k", upload.Options{})
	part := sendPart(t, s, do, u, 1, "x", upload.PartOptions{})
	for range 2 {
		if err := s.Abort(t.Context(), u); err != nil {
			t.Errorf("Abort: %v", err)
		}
	}
	_, err := s.Parts(t.Context(), u, upload.PartsOptions{})
	wantCode(t, "Parts", err, object.CodeNotFound)
	_, err = s.Complete(t.Context(), u, []upload.Part{part}, upload.CompleteOptions{})
	wantCode(t, "Complete", err, object.CodeNotFound)
	signed, err := s.SignPart(t.Context(), u, 1, time.Minute, upload.PartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := exchange(t, do, signed, strings.NewReader("x")); got.status != http.StatusNotFound {
		t.Errorf("a part: %d, want 404", got.status)
	}
}

// post sends a form as a browser does.
func post(t testing.TB, do *http.Client, f upload.Form, change func(map[string]string), content string) (int, string) {
	t.Helper()
	fields := maps.Clone(f.Fields)
	change(fields)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := form.WriteField(name, fields[name]); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", "anything.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, content); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL, &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	answer, err := do.Do(r)
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

func forms(t *testing.T, s Everything, do *http.Client) {
	const k = `a b/ü+%&"<x>.txt`
	before := time.Now()
	f, err := s.SignForm(t.Context(), k, time.Minute, upload.FormOptions{Type: "text/x-form", Min: 2, Max: 4})
	if err != nil {
		t.Fatal(err)
	}
	if f.Expires.Before(before.Add(time.Minute)) || f.Expires.After(time.Now().Add(time.Minute)) {
		t.Errorf("signed until %s, at %s", f.Expires, before)
	}
	same := func(map[string]string) {}
	tests := []struct {
		name    string
		change  func(map[string]string)
		content string
		good    bool
	}{
		{"too little", same, "1", false},
		{"too much", same, "12345", false},
		{"another key", func(f map[string]string) { f["key"] = "another" }, "123", false},
		{"another type", func(f map[string]string) { f["Content-Type"] = "text/html" }, "123", false},
		{"no type", func(f map[string]string) { delete(f, "Content-Type") }, "123", false},
		{"one field more", func(f map[string]string) { f["acl"] = "public-read" }, "123", false},
		{"no signature", func(f map[string]string) { delete(f, "x-amz-signature") }, "123", false},
		{"another signature", func(f map[string]string) { f["x-amz-signature"] = strings.Repeat("0", 64) }, "123", false},
		{"the least", same, "12", true},
		{"the most", same, "1234", true},
	}
	for _, tt := range tests {
		status, answer := post(t, do, f, tt.change, tt.content)
		if good := status == http.StatusNoContent || status == http.StatusOK; good != tt.good || !good && (status < 400 || status >= 500) {
			t.Errorf("%s: %d %s", tt.name, status, answer)
		}
	}
	if c, got := read(t, s, k, file.GetOptions{}); got != "1234" || c.Type != "text/x-form" {
		t.Errorf("it became %q, %+v", got, c.Info)
	}
	if all := All(t, s, object.ListOptions{}); !slices.Equal(all, []string{k}) {
		t.Errorf("stored %q", all)
	}
	for _, name := range Names() {
		f, err := s.SignForm(t.Context(), object.Key(name), time.Minute, upload.FormOptions{Max: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if status, answer := post(t, do, f, same, name); status != http.StatusNoContent && status != http.StatusOK {
			t.Errorf("%q: %d %s", name, status, answer)
			continue
		}
		if _, got := read(t, s, object.Key(name), file.GetOptions{}); got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
}

func badForms(t *testing.T, s Everything, _ *http.Client) {
	for name, o := range map[string]upload.FormOptions{
		"below nothing": {Min: -1, Max: 1}, "an empty range": {Min: 2, Max: 1}, "too much": {Max: file.MaxPut + 1},
	} {
		_, err := s.SignForm(t.Context(), "k", time.Minute, o)
		wantCode(t, name, err, object.CodeInvalid)
	}
	_, err := s.SignForm(t.Context(), "k", 8*24*time.Hour, upload.FormOptions{Max: 1})
	wantCode(t, "too long", err, object.CodeInvalid)
	_, err = s.SignForm(t.Context(), "a${filename}", time.Minute, upload.FormOptions{Max: 1})
	wantCode(t, "a name that S3 replaces", err, object.CodeInvalid)
}
