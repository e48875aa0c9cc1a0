package v1_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"cloudstorage/app/object"
	"cloudstorage/app/object/upload"
	"cloudstorage/app/web/problem"
)

func TestAsManyItemsAsARouteTakesAreNotTooManyValues(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, u := s.begin(asked{"key": "a,b", "digests": true})
	// Commas, quotes and backslashes within a text are no values.
	part := `,{"number":1,"etag":"\"` + strings.Repeat(`,\\`, 20) + `\"","sha256":"` + strings.Repeat("0", 64) + `"}`
	s.do(http.MethodPost, u+"/complete", `{"parts":[`+strings.Repeat(part, upload.MaxParts)[1:]+`]}`).wantProblem(t, problem.InvalidRequest, "part 1 is named twice")
	s.do(http.MethodPost, u+"/complete", `{"parts":[`+strings.Repeat(part, upload.MaxParts+1)[1:]+`]}`).wantProblem(t, problem.InvalidRequest, "1 to 10000")
	keys := strings.Repeat(`,"`+strings.Repeat(",", object.MaxKeyBytes)+`"`, object.MaxPage)[1:]
	s.do(http.MethodPost, "/v1/batch/delete", `{"keys":[`+keys+`]}`).want(t, http.StatusOK, nil)
}

// Not parallel: it counts what everything takes of the memory.
func TestSmallJSONDoesNotBecomeLargeInMemory(t *testing.T) { //nolint:paralleltest // as it says
	s := start(t)
	for target, field := range map[string]string{"/v1/batch/uploads": "items", "/v1/batch/downloads": "items"} {
		body := `{"` + field + `":[{}` + strings.Repeat(",{}", 2<<20) + `]}`
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s.Handler.ServeHTTP(answer, r)
		runtime.ReadMemStats(&after)
		if answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), "60000 values") {
			t.Errorf("%s: %d %s", target, answer.Code, answer.Body)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
			t.Errorf("%s: %d MiB for %d MiB of JSON", target, got>>20, len(body)>>20)
		}
	}
}
