package v1

import (
	"encoding/json"

	"cloudstorage/app/seal"
	"cloudstorage/app/web/problem"
)

// cursorPurpose keeps cursors apart from other sealed tokens.
const cursorPurpose seal.Purpose = "cursor"

// place is where a listing goes on: the listing itself, so that a cursor is
// never used for another one, and the store's own cursor.
type place struct {
	Listing []string `json:"l"` // the operation and what it lists
	Next    string   `json:"n"`
}

// cursor returns the opaque form of the store's cursor next, "" for "".
func (c *call) cursor(next string, listing ...string) (string, error) {
	if next == "" {
		return "", nil
	}
	payload, err := json.Marshal(place{append([]string{c.op.id}, listing...), next})
	if err != nil {
		return "", err
	}
	return c.api.Sealer.Seal(cursorPurpose, payload), nil
}

// resume returns the store's cursor that the request's parameter holds, "" where
// it has none.
func (c *call) resume(listing ...string) (string, error) {
	token := c.query.text("cursor")
	if token == "" {
		return "", nil
	}
	payload, err := c.api.Sealer.Open(cursorPurpose, token)
	var p place
	if err != nil || json.Unmarshal(payload, &p) != nil {
		return "", problem.New(problem.InvalidRequest, "the cursor was cut or changed, or is not of this API: begin without one")
	}
	want := append([]string{c.op.id}, listing...)
	if len(p.Listing) != len(want) {
		return "", problem.New(problem.InvalidRequest, "the cursor is of another route: begin without one")
	}
	for i := range want {
		if p.Listing[i] != want[i] {
			return "", problem.New(problem.InvalidRequest, "the cursor is of another listing: keep all other parameters as they were, or begin without one")
		}
	}
	return p.Next, nil
}
