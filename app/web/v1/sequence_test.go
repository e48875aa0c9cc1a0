package v1_test

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"cloudstorage/app/web/problem"
)

var (
	sequenceSeed  = flag.Uint64("sequence-seed", 1, "the first of three sequences of random requests")
	sequenceSteps = flag.Int("sequence-steps", 100, "how many requests a sequence has")
)

// TestAnySequenceOfRequestsDoesWhatAMapDoes sends random requests to the API and
// does the same to a map of histories, with which every answer must agree. A
// failure tells its seed and its requests; the seed repeats it:
//
//	go test ./app/web/v1 -run Sequence -sequence-seed 7 -sequence-steps 1000
func TestAnySequenceOfRequestsDoesWhatAMapDoes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		seed += *sequenceSeed
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m := model{service: start(t), Rand: rand.New(rand.NewPCG(seed, 0)), files: map[string]timeline{}}
			for range *sequenceSteps {
				m.step(t)
			}
			for _, k := range m.keys() {
				m.versions(t, k)
			}
		})
	}
}

// moment is what a file was from a write to the next, or from a deletion.
type moment struct {
	version, content, etag, media string
	deleted                       bool
}

// timeline is a file's states, the oldest first.
type timeline []moment

// now is what is there now.
func (l timeline) now() (s moment, there bool) {
	if len(l) == 0 {
		return moment{}, false
	}
	s = l[len(l)-1]
	return s, !s.deleted
}

// model is the API and what it should have.
type model struct {
	*service
	*rand.Rand

	files map[string]timeline
}

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// names are few, so that requests meet.
func (m *model) name() string {
	return pick(m.Rand, []string{"a", "b/a", "b/b", "b/ü +%.txt", `c/"d"?#`})
}

// keys are those that ever were.
func (m *model) keys() []string {
	var keys []string
	for k := range m.files {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// text is some content: most of it short, now and then more than a packet or a
// buffer holds.
func (m *model) text() string {
	return strings.Repeat(fmt.Sprint(m.IntN(1000)), pick(m.Rand, []int{0, 1, 2, 3, 40_000}))
}

func (m *model) media() string { return pick(m.Rand, []string{"text/plain", "image/png", "x/y; z=1"}) }

// anyETag is that of a state of k, most often.
func (m *model) anyETag(k string) string {
	if written := m.written(k); len(written) > 0 {
		return pick(m.Rand, written).etag
	}
	return `"none"`
}

// written are the states of k with content.
func (m *model) written(k string) []moment {
	return slices.DeleteFunc(slices.Clone(m.files[k]), func(s moment) bool { return s.deleted })
}

// add notes what became of k.
func (m *model) add(k string, s moment) {
	m.t.Logf("%q is %d bytes of %s, version %s", k, len(s.content), s.media, s.version)
	m.files[k] = append(m.files[k], s)
}

func (m *model) step(t *testing.T) {
	steps := []struct {
		name string
		do   func(*testing.T, string)
	}{
		{"write", m.write}, {"write", m.write}, {"write signed", m.writeSigned}, {"upload", m.upload},
		{"read", m.read}, {"read signed", m.readSigned}, {"read an old version", m.readOld}, {"describe", m.head},
		{"list", m.list}, {"versions", m.versions},
		{"delete", m.delete}, {"delete many", m.deleteMany}, {"undo", m.undo}, {"restore", m.restore},
		{"copy", m.copy}, {"move", m.move},
	}
	step, k := pick(m.Rand, steps), m.name()
	t.Logf("%s %s", step.name, k)
	step.do(t, k)
}

// write puts content, with a condition or without.
func (m *model) write(t *testing.T, k string) {
	now, there := m.files[k].now()
	content, media := m.text(), m.media()
	field, kind, status := "X-No: condition", problem.Kind{}, http.StatusOK
	switch m.IntN(3) {
	case 0:
		if now.deleted {
			break // the gateway takes a deletion for a file, which S3 does not
		}
		field, status = "If-None-Match: *", http.StatusCreated
		if there {
			kind = problem.PreconditionFailed
		}
	case 1:
		etag := m.anyETag(k)
		field = "If-Match: " + etag
		if now.deleted {
			field = "X-No: condition" // as above
		} else if etag != now.etag {
			kind = problem.PreconditionFailed
		}
	}
	answer := m.do(http.MethodPut, at(k), content, "Content-Type: "+media, field)
	if kind.Name != "" {
		answer.wantProblem(t, kind, "")
		return
	}
	var put described
	answer.want(t, status, &put)
	m.add(k, moment{version: put.Version, content: content, etag: put.ETag, media: media})
	m.head(t, k)
}

// writeSigned puts content past the API, or something else than was signed.
func (m *model) writeSigned(t *testing.T, k string) {
	content, media := m.text(), m.media()
	terms := asked{"type": media, "size": len(content), "sha256": hexDigest(content), "expires_in": 60}
	var request signed
	m.do(http.MethodPut, at(k)+"?sign=1", toJSON(t, terms)).want(t, http.StatusOK, &request)
	if m.IntN(3) == 0 && content != "" {
		other := strings.Repeat("!", len(content))
		if answer := request.send(t, other); answer.StatusCode < 400 || answer.StatusCode >= 500 {
			t.Fatalf("the storage takes other content: %d %s", answer.StatusCode, answer.Text)
		}
		m.read(t, k)
		return
	}
	answer := request.send(t, content).want(t, http.StatusOK, nil)
	m.add(k, moment{version: answer.Header.Get("X-Amz-Version-Id"), content: content, etag: answer.Header.Get("ETag"), media: media})
	m.head(t, k)
}

// upload sends content in a part or two, and completes it or thinks better of
// it.
func (m *model) upload(t *testing.T, k string) {
	content, media := m.text(), m.media()
	if m.IntN(8) == 0 {
		content = strings.Repeat("x", minPart) + content
	}
	u, at := m.begin(asked{"key": k, "type": media, "size": len(content), "part_size": minPart})
	for number := 1; number <= u.Parts; number++ {
		m.sendPart(at, number, content[(number-1)*minPart:min(number*minPart, len(content))])
	}
	var list arrived
	if m.do(http.MethodGet, at, "").want(t, http.StatusOK, &list); len(list.Arrived) != u.Parts {
		t.Fatalf("%d of %d parts have arrived", len(list.Arrived), u.Parts)
	}
	if m.IntN(3) == 0 {
		m.do(http.MethodDelete, at, "").want(t, http.StatusNoContent, nil)
		m.do(http.MethodPost, at+"/complete", "{}").wantProblem(t, problem.NotFound, "")
		m.read(t, k)
		return
	}
	var put described
	m.do(http.MethodPost, at+"/complete", "{}").want(t, http.StatusOK, &put)
	if _, there := m.files[k].now(); there {
		m.files[k][len(m.files[k])-1].media = media // the gateway gives what an upload overwrites its type, which S3 does not
	}
	m.add(k, moment{version: put.Version, content: content, etag: put.ETag, media: media})
	m.head(t, k)
}

// read reads through the API, with a condition, a range or neither.
func (m *model) read(t *testing.T, k string) {
	now, there := m.files[k].now()
	etag, size := m.anyETag(k), len(now.content)
	field := pick(m.Rand, []string{"If-None-Match: " + etag, "If-Match: " + etag, "Range: bytes=1-2", "Range: bytes=-2", "X-No: condition"})
	answer := m.do(http.MethodGet, at(k)+"?stream=1", "", field)
	first, end, part := 0, size, strings.HasPrefix(field, "Range")
	switch field {
	case "Range: bytes=1-2":
		first, end = 1, min(3, size)
	case "Range: bytes=-2":
		first = max(0, size-2)
	}
	switch {
	case !there:
		answer.wantProblem(t, problem.NotFound, "")
	case strings.HasPrefix(field, "If-None-Match") && etag == now.etag:
		answer.want(t, http.StatusNotModified, nil)
	case strings.HasPrefix(field, "If-Match") && etag != now.etag:
		answer.wantProblem(t, problem.PreconditionFailed, now.etag)
	case part && first >= end:
		answer.wantProblem(t, problem.RangeNotSatisfiable, "")
	case part:
		if got := answer.want(t, http.StatusPartialContent, nil).Text; got != now.content[first:end] {
			t.Fatalf("%s of %q: %.40q, want %.40q", field, k, got, now.content[first:end])
		}
	default:
		m.same(t, k, answer.want(t, http.StatusOK, nil), now)
		if answer.Text != now.content {
			t.Fatalf("%q has %.40q, want %.40q", k, answer.Text, now.content)
		}
	}
}

// same fails the test unless the answer's fields are those of a state.
func (m *model) same(t *testing.T, k string, answer response, s moment) {
	t.Helper()
	h := answer.Header
	if h.Get("ETag") != s.etag || h.Get("X-Version-Id") != s.version || h.Get("Content-Type") != s.media || answer.ContentLength != int64(len(s.content)) {
		t.Fatalf("%q is %v, want ETag %s, version %s, type %s, %d bytes", k, h, s.etag, s.version, s.media, len(s.content))
	}
}

// readSigned reads past the API.
func (m *model) readSigned(t *testing.T, k string) {
	now, there := m.files[k].now()
	answer := m.do(http.MethodGet, at(k), "", "Accept: application/json")
	if !there {
		answer.wantProblem(t, problem.NotFound, "")
		return
	}
	var request signed
	answer.want(t, http.StatusOK, &request)
	if got := request.send(t, "").want(t, http.StatusOK, nil); got.Text != now.content {
		t.Fatalf("%q has %.40q, want %.40q", k, got.Text, now.content)
	}
}

// readOld reads what was there once: nothing is ever lost.
func (m *model) readOld(t *testing.T, k string) {
	if written := m.written(k); len(written) > 0 {
		old := pick(m.Rand, written)
		answer := m.do(http.MethodGet, at(k)+"?stream=1&version="+url.QueryEscape(old.version), "").want(t, http.StatusOK, nil)
		m.same(t, k, answer, old)
		if answer.Text != old.content {
			t.Fatalf("%q had %.40q, want %.40q", k, answer.Text, old.content)
		}
	}
}

func (m *model) head(t *testing.T, k string) {
	now, there := m.files[k].now()
	answer := m.do(http.MethodHead, at(k), "")
	if !there {
		answer.wantProblem(t, problem.NotFound, "")
		return
	}
	m.same(t, k, answer.want(t, http.StatusOK, nil), now)
}

// list lists page by page. The gateway also rolls up to what has nothing but
// deleted files, which S3 does not.
func (m *model) list(t *testing.T, _ string) {
	prefix, delimiter := pick(m.Rand, []string{"", "b", "b/", "c", "none"}), pick(m.Rand, []string{"", "/"})
	var files, prefixes, wantFiles, wantPrefixes []string
	target := "/v1/files?" + url.Values{"prefix": {prefix}, "delimiter": {delimiter}, "limit": {fmt.Sprint(1 + m.IntN(4))}}.Encode()
	for target != "" {
		var page listed
		answer := m.do(http.MethodGet, target, "").want(t, http.StatusOK, &page)
		for _, f := range page.Files {
			if now, _ := m.files[f.Key].now(); f.ETag != now.etag || f.Size != int64(len(now.content)) {
				t.Fatalf("%q is listed as %+v, want ETag %s, %d bytes", f.Key, f, now.etag, len(now.content))
			}
			files = append(files, f.Key)
		}
		prefixes = append(prefixes, page.Prefixes...)
		target, _, _ = strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
	}
	var gone []string
	for _, k := range m.keys() {
		rest, found := strings.CutPrefix(k, prefix)
		folder, _, below := strings.Cut(rest, "/")
		_, there := m.files[k].now()
		switch rolled := prefix + folder + "/"; {
		case !found:
		case there && below && delimiter != "":
			wantPrefixes = append(wantPrefixes, rolled)
		case there:
			wantFiles = append(wantFiles, k)
		case below:
			gone = append(gone, rolled)
		}
	}
	wantPrefixes = slices.Compact(wantPrefixes)
	prefixes = slices.DeleteFunc(prefixes, func(p string) bool { return slices.Contains(gone, p) && !slices.Contains(wantPrefixes, p) })
	if !slices.Equal(files, wantFiles) || !slices.Equal(prefixes, wantPrefixes) {
		t.Fatalf("prefix %q, delimiter %q: listed %q and %q, want %q and %q", prefix, delimiter, files, prefixes, wantFiles, wantPrefixes)
	}
}

// versions lists all states, the newest first. Within a second, S3 does not
// tell what came first, a write or a deletion.
func (m *model) versions(t *testing.T, k string) {
	var got, want []string
	var newest string
	// Not a page of one: the gateway repeats it for ever.
	target := strings.Replace(at(k), "/files/", "/versions/", 1) + fmt.Sprint("?limit=", 2+m.IntN(5))
	if len(m.files[k]) == 0 {
		m.do(http.MethodGet, target, "").wantProblem(t, problem.NotFound, "")
		return
	}
	for target != "" {
		var page versions
		answer := m.do(http.MethodGet, target, "").want(t, http.StatusOK, &page)
		for _, v := range page.Versions {
			if v.Newest {
				newest = v.Version
			}
			got = append(got, fmt.Sprintf("deleted=%t %s %s %d", v.Deleted, v.Version, v.ETag, v.Size))
		}
		target, _, _ = strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
	}
	for _, s := range slices.Backward(m.files[k]) {
		want = append(want, fmt.Sprintf("deleted=%t %s %s %d", s.deleted, s.version, s.etag, len(s.content)))
	}
	kinds := func(a, b string) int { return cmp.Compare(a[:len("deleted=?")], b[:len("deleted=?")]) }
	if slices.SortStableFunc(got, kinds); newest != m.files[k][len(m.files[k])-1].version {
		t.Fatalf("the newest version of %q is %s, want %+v", k, newest, m.files[k])
	}
	if slices.SortStableFunc(want, kinds); !slices.Equal(got, want) {
		t.Fatalf("%q has the versions\n%s\nwant\n%s", k, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (m *model) delete(t *testing.T, k string) {
	answer := m.do(http.MethodDelete, at(k), "").want(t, http.StatusNoContent, nil)
	m.deleted(t, k, answer.Header.Get("X-Version-Id"))
	m.head(t, k)
}

// deleted notes a deletion. Of what is not there, the store may keep none.
func (m *model) deleted(t *testing.T, k, version string) {
	t.Helper()
	if _, there := m.files[k].now(); there && version == "" {
		t.Fatalf("the deletion of %q has no version", k)
	}
	if version != "" {
		m.add(k, moment{version: version, deleted: true})
	}
}

func (m *model) deleteMany(t *testing.T, k string) {
	names := []string{k, m.name(), "never"}
	slices.Sort(names)
	for _, d := range m.deleteFiles(slices.Compact(names)...) {
		if d.Error != nil {
			t.Fatalf("%q: %+v", d.Key, d.Error)
		}
		if d.Key != "never" {
			m.deleted(t, d.Key, d.Version)
		}
	}
}

// undo takes back what was done last, or tries to take back what was not.
func (m *model) undo(t *testing.T, k string) {
	if len(m.files[k]) == 0 {
		return
	}
	before := pick(m.Rand, m.files[k])
	target := strings.Replace(at(k), "/files/", "/versions/", 1) + "?before=" + url.QueryEscape(before.version)
	answer := m.do(http.MethodPost, target, "")
	last := m.files[k][len(m.files[k])-1]
	older := m.written(k)
	if !last.deleted {
		older = older[:len(older)-1]
	}
	switch {
	case before.version != last.version:
		answer.wantProblem(t, problem.PreconditionFailed, last.version)
	case len(older) == 0:
		answer.wantProblem(t, problem.NotFound, "no older content")
	default:
		m.restored(t, k, older[len(older)-1], answer, http.StatusOK)
	}
}

// restore brings back what was there before. The gateway does not copy what is
// there now onto itself.
func (m *model) restore(t *testing.T, k string) {
	now, _ := m.files[k].now()
	written := slices.DeleteFunc(m.written(k), func(s moment) bool { return s == now })
	if len(written) > 0 {
		old := pick(m.Rand, written)
		target := strings.Replace(at(k), "/files/", "/versions/", 1) + "?version=" + url.QueryEscape(old.version)
		m.restored(t, k, old, m.do(http.MethodPost, target, ""), http.StatusOK)
	}
}

// restored notes that k is what from was.
func (m *model) restored(t *testing.T, k string, from moment, answer response, status int) {
	t.Helper()
	var got described
	answer.want(t, status, &got)
	if got.Key != k || got.Version == from.version || got.Size != int64(len(from.content)) {
		t.Fatalf("%q is answered as %+v, want %d bytes in a new version", k, got, len(from.content))
	}
	m.add(k, moment{version: got.Version, content: from.content, etag: got.ETag, media: from.media})
	m.head(t, k)
}

// copy copies a version or what is there, on conditions or none.
func (m *model) copy(t *testing.T, to string) {
	from := m.name()
	source, there := m.files[from].now()
	target, taken := m.files[to].now()
	terms, kind := asked{"from": from, "to": to}, problem.Kind{}
	if written := m.written(from); m.IntN(3) == 0 && len(written) > 0 {
		source, there = pick(m.Rand, written), true
		terms["version"] = source.version
	}
	if !there {
		kind = problem.NotFound
	}
	switch m.IntN(3) {
	case 0:
		if terms["if_new"] = true; taken {
			kind = problem.PreconditionFailed
		}
	case 1:
		etag := m.anyETag(from)
		if terms["if_match"] = etag; there && etag != source.etag {
			kind = problem.PreconditionFailed
		}
	}
	if from == to {
		kind = problem.InvalidRequest
	}
	answer := m.do(http.MethodPost, "/v1/copies", toJSON(t, terms))
	if kind.Name != "" {
		answer.wantProblem(t, kind, "")
		if now, _ := m.files[to].now(); now != target {
			t.Fatalf("a refused copy changed %q", to)
		}
		return
	}
	m.restored(t, to, source, answer, http.StatusCreated)
}

// move moves what is there, on a condition or none.
func (m *model) move(t *testing.T, to string) {
	from := m.name()
	source, there := m.files[from].now()
	_, taken := m.files[to].now()
	terms, kind := asked{"from": from, "to": to}, problem.Kind{}
	if m.IntN(2) == 0 {
		if terms["if_new"] = true; taken {
			kind = problem.PreconditionFailed
		}
	}
	if !there {
		kind = problem.NotFound
	}
	if from == to {
		kind = problem.InvalidRequest
	}
	answer := m.do(http.MethodPost, "/v1/moves", toJSON(t, terms))
	if kind.Name != "" {
		answer.wantProblem(t, kind, "")
		return
	}
	m.restored(t, to, source, answer, http.StatusCreated)
	link, _, _ := strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
	undo, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	m.deleted(t, from, undo.Query().Get("before"))
	m.head(t, from)
}
