package v1_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/web/problem"
	v1 "cloudstorage/app/web/v1"
)

const minPart = 5 << 20

type uploadAnswer struct {
	ID, Key  string
	Digests  bool
	Size     *int64
	PartSize int64  `json:"part_size"`
	Parts    int    `json:"parts"`
	Last     *int64 `json:"last_part_size"`
}

type arrived struct {
	Upload  uploadAnswer
	Arrived []struct {
		Number                 int
		Size                   int64
		ETag, SHA256, Modified string
	}
	Next string `json:"next_cursor"`
}

type partAnswer struct {
	Number int
	signed
}

func (s *service) begin(what asked) (uploadAnswer, string) {
	s.t.Helper()
	var u uploadAnswer
	answer := s.do(http.MethodPost, "/v1/uploads", toJSON(s.t, what)).want(s.t, http.StatusCreated, &u)
	at := answer.Header.Get("Location")
	if at != "/v1/uploads/"+u.ID || u.Key != what["key"] {
		s.t.Errorf("%+v is at %s", u, at)
	}
	return u, at
}

func (s *service) signParts(at string, parts ...asked) []partAnswer {
	s.t.Helper()
	var answer struct{ Parts []partAnswer }
	s.do(http.MethodPost, at+"/parts", toJSON(s.t, asked{"parts": parts, "expires_in": 60})).want(s.t, http.StatusOK, &answer)
	if len(answer.Parts) != len(parts) {
		s.t.Fatalf("%d of %d parts are signed", len(answer.Parts), len(parts))
	}
	return answer.Parts
}

// sendPart signs and sends one part, and returns what completing names it by.
func (s *service) sendPart(at string, number int, content string) asked {
	s.t.Helper()
	answer := s.signParts(at, asked{"number": number})[0].send(s.t, content).want(s.t, http.StatusOK, nil)
	return asked{"number": number, "etag": answer.Header.Get("ETag")}
}

func hexDigest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

func TestAnUploadGoesOnAtAnotherInstance(t *testing.T) {
	t.Parallel()
	var api v1.API
	one := start(t, func(a *v1.API) { api = *a })
	two := one.another(t, api)
	const k = "a b/ü+%.bin"
	whole := strings.Repeat("0123456789abcdef", minPart/16) + "the end"
	u, at := one.begin(asked{"key": k, "size": len(whole), "type": "text/x-parts", "digests": true})
	if *u.Size != int64(len(whole)) || u.PartSize != minPart || u.Parts != 2 || *u.Last != 7 || !u.Digests {
		t.Fatalf("begun as %+v", u)
	}
	part := []string{whole[:minPart], whole[minPart:]}
	second := one.signParts(at, asked{"number": 2, "sha256": hexDigest(part[1])})[0]
	second.send(t, part[1]).want(t, http.StatusOK, nil)

	// Who has nothing but the id can go on.
	var state arrived
	two.do(http.MethodGet, at, "").want(t, http.StatusOK, &state)
	if got := state.Arrived; len(got) != 1 || got[0].Number != 2 || got[0].Size != 7 || got[0].SHA256 != hexDigest(part[1]) || got[0].ETag == "" || !strings.HasSuffix(got[0].Modified, "Z") {
		t.Errorf("arrived: %+v", got)
	}
	if state.Upload.Key != k || state.Upload.ID != u.ID || state.Upload.PartSize != minPart || state.Upload.Parts != 2 {
		t.Errorf("it is %+v", state.Upload)
	}
	two.do(http.MethodPost, at+"/complete", `{}`).wantProblem(t, problem.UploadIncomplete, "part 1 of 2")

	first := two.signParts(at, asked{"number": 1, "sha256": hexDigest(part[0])})[0]
	wrong := []byte(part[0])
	wrong[0]++
	first.send(t, string(wrong)).want(t, http.StatusBadRequest, nil) // another content than was signed
	first.send(t, "short").want(t, http.StatusForbidden, nil)        // another size
	first.send(t, part[0]).want(t, http.StatusOK, nil)
	two.do(http.MethodHead, "/v1/files/a%20b/%C3%BC+%25.bin", "").wantProblem(t, problem.NotFound, "")

	var done described
	answer := one.do(http.MethodPost, at+"/complete", `{}`).want(t, http.StatusOK, &done)
	if done.Key != k || done.Size != int64(len(whole)) || done.Type != "text/x-parts" || one.content(k, done.Version) != whole {
		t.Errorf("it became %+v", done)
	}
	one.do(http.MethodHead, answer.Header.Get("Location"), "").want(t, http.StatusOK, nil)
	for _, did := range []string{"upload.create", "upload.sign", "upload.complete"} {
		one.wantAudit(`"did":"`+did+`"`, k)
	}
	two.do(http.MethodPost, at+"/complete", `{}`).wantProblem(t, problem.NotFound, "never begun; HEAD /v1/files/a%20b/%C3%BC+%25.bin tells")
	two.do(http.MethodGet, at, "").wantProblem(t, problem.NotFound, "no such upload")
}

func TestAnUploadOfUnknownSizeNamesItsParts(t *testing.T) {
	t.Parallel()
	s := start(t)
	u, at := s.begin(asked{"key": "k.pdf"})
	if u.Size != nil || u.PartSize != 0 || u.Parts != 0 || u.Last != nil {
		t.Errorf("begun as %+v", u)
	}
	first, second := s.sendPart(at, 7, strings.Repeat("x", minPart)), s.sendPart(at, 9, "end")
	s.do(http.MethodPost, at+"/complete", `{}`).wantProblem(t, problem.InvalidRequest, "parts: name them")
	var done described
	s.do(http.MethodPost, at+"/complete", toJSON(t, asked{"parts": []asked{second, first}})).want(t, http.StatusOK, &done)
	if done.Type != "application/pdf" {
		t.Errorf("a name with .pdf became %s", done.Type)
	}
	if got := s.content("k.pdf", ""); len(got) != minPart+3 || !strings.HasSuffix(got, "xend") {
		t.Errorf("it has %d bytes", len(got))
	}
}

func TestAnEmptyFileIsOneEmptyPart(t *testing.T) {
	t.Parallel()
	s := start(t)
	u, at := s.begin(asked{"key": "k", "size": 0})
	if u.Parts != 1 || *u.Size != 0 || *u.Last != 0 {
		t.Errorf("begun as %+v", u)
	}
	s.signParts(at, asked{"number": 1})[0].send(t, "not empty").want(t, http.StatusForbidden, nil)
	s.do(http.MethodPost, at+"/complete", `{}`).wantProblem(t, problem.UploadIncomplete, "part 1 of 1")

	// Whoever writes past the API is found out.
	id := regexp.MustCompile(`"upload":"([^"]+)"`).FindStringSubmatch(s.Audit.String())[1]
	past, err := s.Store.SignPart(t.Context(), upload.Upload{Key: "k", ID: id}, 1, time.Minute, upload.PartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	signed{Method: past.Method, URL: past.URL}.send(t, "not empty").want(t, http.StatusOK, nil)
	s.do(http.MethodPost, at+"/complete", `{}`).wantProblem(t, problem.UploadIncomplete, "9 bytes have arrived of 0")
	s.sendPart(at, 1, "")
	s.do(http.MethodPost, at+"/complete", `{}`).want(t, http.StatusOK, nil)
	if got := s.content("k", ""); got != "" {
		t.Errorf("it is %q", got)
	}
}

func TestWhatHasArrivedIsListedInPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, at := s.begin(asked{"key": "k"})
	for number := range 5 {
		s.sendPart(at, number+1, "x")
	}
	var got []int
	for target, pages := at+"?limit=2", 0; target != ""; pages++ {
		if pages > 3 {
			t.Fatal("the listing does not end")
		}
		var page arrived
		answer := s.do(http.MethodGet, target, "").want(t, http.StatusOK, &page)
		for _, p := range page.Arrived {
			got = append(got, p.Number)
		}
		target, _, _ = strings.Cut(strings.TrimPrefix(answer.Header.Get("Link"), "<"), ">")
	}
	if !slices.Equal(got, []int{1, 2, 3, 4, 5}) {
		t.Errorf("arrived: %v", got)
	}
}

func TestAnUploadIsCompletedOnItsConditions(t *testing.T) {
	t.Parallel()
	s := start(t)
	there := s.put("k", "there")
	_, at := s.begin(asked{"key": "k", "size": 3})
	s.sendPart(at, 1, "new")
	s.do(http.MethodPost, at+"/complete", `{"if_new":true}`).wantProblem(t, problem.PreconditionFailed, "")
	s.do(http.MethodPost, at+"/complete", `{"if_match":"\"another\""}`).wantProblem(t, problem.PreconditionFailed, "")
	s.do(http.MethodPost, at+"/complete", `{"if_match":"\"a\"","if_new":true}`).wantProblem(t, problem.InvalidRequest, "contradicts")
	s.do(http.MethodPost, at+"/complete", `{"if_match":"another"}`).wantProblem(t, problem.InvalidRequest, "if_match: ")
	s.do(http.MethodPost, at+"/complete", toJSON(t, asked{"if_match": there.ETag})).want(t, http.StatusOK, nil)
	if got := s.content("k", ""); got != "new" {
		t.Errorf("it is %q", got)
	}
}

func TestAnAbortedUploadIsGone(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, at := s.begin(asked{"key": "k", "size": 1})
	part := s.signParts(at, asked{"number": 1})[0]
	s.do(http.MethodDelete, at, "").want(t, http.StatusNoContent, nil)
	s.do(http.MethodDelete, at, "").want(t, http.StatusNoContent, nil)
	s.wantAudit(`"did":"upload.abort"`, `"key":"k"`)
	part.send(t, "x").want(t, http.StatusNotFound, nil)
	s.do(http.MethodPost, at+"/complete", `{}`).wantProblem(t, problem.NotFound, "no such upload")
}

func TestUploadsKeepTheStoragesLimits(t *testing.T) {
	t.Parallel()
	s := start(t)
	const maxPart, maxSize = 5 << 30, 10_000 * 5 << 30
	for _, tt := range []struct {
		body   asked
		kind   problem.Kind
		wayOut string
	}{
		{asked{"key": "k", "size": maxSize + 1}, problem.BodyTooLarge, "at most 53687091200000"},
		{asked{"key": "k", "size": -1}, problem.InvalidRequest, "-1 bytes"},
		{asked{"key": "k", "size": 1, "part_size": maxPart + 1}, problem.InvalidRequest, "5368709121"},
		{asked{"key": "k", "size": 1, "part_size": -1}, problem.InvalidRequest, "-1"},
		{asked{"key": "k", "part_size": minPart}, problem.InvalidRequest, "part_size: it needs size"},
		{asked{"key": "a/./b", "size": 1}, problem.InvalidRequest, "key: "},
		{asked{"size": 1}, problem.InvalidRequest, "key: it is missing"},
		{asked{"key": "k", "type": "text/plain\r\nX: y"}, problem.InvalidRequest, "type: "},
	} {
		s.do(http.MethodPost, "/v1/uploads", toJSON(t, tt.body)).wantProblem(t, tt.kind, tt.wayOut)
	}
	for size, want := range map[int64]uploadAnswer{
		maxSize:          {PartSize: maxPart, Parts: 10_000},
		10_000 * minPart: {PartSize: minPart, Parts: 10_000},
		minPart:          {PartSize: minPart, Parts: 1},
	} {
		u, at := s.begin(asked{"key": "k", "size": size})
		if u.PartSize != want.PartSize || u.Parts != want.Parts || *u.Last != want.PartSize {
			t.Errorf("%d bytes: %+v", size, u)
		}
		s.signParts(at, asked{"number": want.Parts, "size": want.PartSize})
	}
}

func TestPartsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	sum := hexDigest("x")
	for _, tt := range []struct {
		upload, part asked
		wayOut       string
	}{
		{asked{}, asked{"number": 0}, "parts[1].number: 0"},
		{asked{}, asked{"number": 10_001}, "parts[1].number: 10001"},
		{asked{}, asked{"number": 1, "size": -1}, "parts[1].size: -1"},
		{asked{}, asked{"number": 1, "size": 5<<30 + 1}, "parts[1].size: 5368709121"},
		{asked{}, asked{"number": 1, "sha256": sum}, "parts[1].sha256: this upload has no digests"},
		{asked{"size": 2 * minPart}, asked{"number": 3}, "parts[1].number: 3: the file has 2 parts"},
		{asked{"size": 2 * minPart}, asked{"number": 2, "size": 7}, fmt.Sprint("parts[1].size: 7: part 2 of this upload has ", minPart)},
		{asked{"digests": true}, asked{"number": 1}, "parts[1].sha256: it is missing"},
		{asked{"digests": true}, asked{"number": 1, "sha256": strings.ToUpper(sum)}, "64 lower-case"},
		{asked{"digests": true}, asked{"number": 1, "sha256": sum[1:]}, "64 lower-case"},
	} {
		tt.upload["key"] = "k"
		_, at := s.begin(tt.upload)
		good := asked{"number": 1}
		if tt.upload["digests"] == true {
			good["sha256"] = sum
		}
		s.do(http.MethodPost, at+"/parts", toJSON(t, asked{"parts": []asked{good, tt.part}})).wantProblem(t, problem.InvalidRequest, tt.wayOut)
		tt.part["etag"] = `"x"`
		if tt.part["size"] == nil {
			good["etag"] = `"x"`
			s.do(http.MethodPost, at+"/complete", toJSON(t, asked{"parts": []asked{good, tt.part}})).wantProblem(t, problem.InvalidRequest, tt.wayOut)
		}
	}
	_, at := s.begin(asked{"key": "k"})
	part := asked{"number": 1, "etag": `"x"`}
	s.do(http.MethodPost, at+"/parts", `{"parts":[]}`).wantProblem(t, problem.InvalidRequest, "parts: there are 0")
	s.do(http.MethodPost, at+"/parts", toJSON(t, asked{"parts": slices.Repeat([]asked{{"number": 1}}, 1001)})).wantProblem(t, problem.InvalidRequest, "parts: there are 1001")
	s.do(http.MethodPost, at+"/parts", `{"parts":[{"number":1}],"expires_in":3601}`).wantProblem(t, problem.InvalidRequest, "expires_in")
	s.do(http.MethodPost, at+"/complete", `{"parts":[]}`).wantProblem(t, problem.InvalidRequest, "parts: there are 0")
	s.do(http.MethodPost, at+"/complete", toJSON(t, asked{"parts": slices.Repeat([]asked{part}, 10_001)})).wantProblem(t, problem.InvalidRequest, "parts: there are 10001")
	s.do(http.MethodPost, at+"/complete", toJSON(t, asked{"parts": []asked{part, part}})).wantProblem(t, problem.InvalidRequest, "named twice")
	s.do(http.MethodPost, at+"/complete", `{"parts":[{"number":1}]}`).wantProblem(t, problem.InvalidRequest, "parts[0].etag: ")
	s.do(http.MethodPost, at+"/complete", toJSON(t, asked{"parts": []asked{part}})).wantProblem(t, problem.InvalidRequest, "has not arrived")
	s.do(http.MethodPost, at+"/parts", `{"parts":[{"number":1,"SHA-256":""}]}`).wantProblem(t, problem.InvalidRequest, "SHA-256")
}

func TestAnUploadsIdIsGoodForWhoMayWriteItsFile(t *testing.T) {
	t.Parallel()
	insider, outsider := auth.NewToken(), auth.NewToken()
	s := start(t, func(a *v1.API) {
		a.Who = keys(t, key("insider", insider, "in/"), key("outsider", outsider, "out/"))
	})
	s.token = insider
	s.do(http.MethodPost, "/v1/uploads", `{"key":"out/a"}`).wantProblem(t, problem.Forbidden, "may not write")
	_, at := s.begin(asked{"key": "in/a"})
	steps := []struct{ method, below, body string }{
		{http.MethodGet, "", ""},
		{http.MethodPost, "/parts", `{"parts":[{"number":1}]}`},
		{http.MethodPost, "/complete", `{}`},
		{http.MethodDelete, "", ""},
	}
	s.token = outsider
	for _, step := range steps {
		s.do(step.method, at+step.below, step.body).wantProblem(t, problem.Forbidden, "may not write")
	}
	s.token = insider
	for _, changed := range []string{at[:len(at)-1], strings.Replace(at, "/uploads/", "/uploads/A", 1), "/v1/uploads/x"} {
		for _, step := range steps {
			s.do(step.method, changed+step.below, step.body).wantProblem(t, problem.NotFound, "no such upload")
		}
	}
	s.do(http.MethodGet, at, "").want(t, http.StatusOK, nil)
}
