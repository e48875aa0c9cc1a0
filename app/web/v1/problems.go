package v1

import (
	"net/http"

	"cloudstorage/app/web/httpfield"
	"cloudstorage/app/web/problem"
)

// problemKind explains a kind of problem.
type problemKind struct {
	Type   string `json:"type" doc:"The kind's path: what problems have as their type." example:"/v1/problems/not-found"`
	Title  string `json:"title" doc:"The kind in one sentence."`
	Status int    `json:"status" doc:"The status of answers of this kind."`
	Way    string `json:"way_out" doc:"What to do about it."`
}

func problemOperations() []operation {
	return []operation{{
		id: "explainProblem", method: http.MethodGet, path: "/problems/{name}",
		summary: "Explain a kind of problem.",
		public:  true,
		headers: []field{{"Accept", "text/html, with nothing wanted more, leads to the page for people."}},
		answers: []answer{
			{status: http.StatusOK, about: "What it is and what to do about it.", body: problemKind{}},
			{status: http.StatusSeeOther, about: "It stands there.", headers: []field{{"Location", "The place on the page."}}},
		},
		errors: []problem.Kind{problem.NotFound},
		handle: func(c *call) error {
			k, found := problem.Find(c.rest)
			if !found {
				return problem.New(problem.NotFound, "there is no such kind of problem")
			}
			h := c.w.Header()
			h.Set("Vary", "Accept")
			if httpfield.Prefers(c.r.Header["Accept"], "text/html") {
				h.Set("Location", PagePath+"#problem-"+k.Name)
				return c.empty(http.StatusSeeOther)
			}
			return c.answer(http.StatusOK, problemKind{k.Type(), k.Title, k.Status, k.Way()})
		},
	}}
}
