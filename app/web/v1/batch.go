package v1

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/object/file"
	"cloudstorage/app/web/disposition"
	"cloudstorage/app/web/problem"
)

// downloadsRequest names the files to read.
type downloadsRequest struct {
	Items     []downloadItem `json:"items" doc:"1 to 1,000 of them."`
	ExpiresIn int64          `json:"expires_in,omitempty" doc:"Seconds that the URLs live."`
}

type downloadItem struct {
	Key     string `json:"key" doc:"The file's name."`
	Version string `json:"version,omitempty" doc:"This version; the newest where it is not given."`
}

// uploadsRequest names the files to write.
type uploadsRequest struct {
	Items []uploadItem `json:"items" doc:"1 to 1,000 of them."`
}

type uploadItem struct {
	Key string `json:"key" doc:"The file's name."`
	writeTerms
}

// signedLine is what became of an item.
type signedLine struct {
	Key     string            `json:"key" doc:"The item's name, as it was given."`
	URL     string            `json:"url,omitempty" doc:"Where to send the request."`
	Method  string            `json:"method,omitempty" doc:"GET or PUT."`
	Headers map[string]string `json:"headers,omitzero" doc:"The fields to send along, as they are."`
	Expires time.Time         `json:"expires_at,omitzero" doc:"When the storage will refuse it, in UTC."`
	Error   *problem.Details  `json:"error,omitempty" doc:"Why the item was not signed; absent where it was."`
}

func batchOperations() []operation {
	about := "The answer has a line for each item, in the order of the request; what may not or cannot be signed has an error in its line and hinders no other. "
	answers := []answer{{status: http.StatusOK, about: "A line of JSON for each item.", body: signedLine{}, media: linesType}}
	return []operation{{
		id: "signDownloads", method: http.MethodPost, path: "/batch/downloads",
		summary: "Sign up to 1,000 requests that read files.",
		about:   "It needs the verb read on each. " + about + "The storage is not asked: a file that is not there answers 404 when it is read.",
		body:    downloadsRequest{},
		answers: answers,
		handle:  signDownloads,
	}, {
		id: "signUploads", method: http.MethodPost, path: "/batch/uploads",
		summary: "Sign up to 1,000 requests that write files.",
		about:   "It needs the verb write on each. " + about,
		body:    uploadsRequest{},
		answers: answers,
		handle:  signUploads,
	}}
}

func signDownloads(c *call) error {
	var asked downloadsRequest
	if err := c.decode(&asked); err != nil {
		return err
	}
	ttl, err := c.ttl(asked.ExpiresIn)
	if err != nil {
		return err
	}
	return c.signEach(len(asked.Items), func(i int) (string, object.Signed, error) {
		item := asked.Items[i]
		k, err := c.named("key", item.Key, auth.Read)
		if err != nil {
			return item.Key, object.Signed{}, err
		}
		s, err := c.api.Store.SignRead(c.r.Context(), k, ttl, file.ReadOptions{Version: item.Version, Disposition: disposition.Of(k, "", false)})
		return item.Key, s, err
	})
}

func signUploads(c *call) error {
	var asked uploadsRequest
	if err := c.decode(&asked); err != nil {
		return err
	}
	return c.signEach(len(asked.Items), func(i int) (string, object.Signed, error) {
		item := asked.Items[i]
		k, err := c.named("key", item.Key, auth.Write)
		if err != nil {
			return item.Key, object.Signed{}, err
		}
		s, err := c.signWrite(k, item.writeTerms)
		return item.Key, s, err
	})
}

// signEach answers with a line for each of count items, as it is signed, in the
// order of their numbers.
func (c *call) signEach(count int, sign func(i int) (key string, s object.Signed, err error)) error {
	if count == 0 || count > object.MaxPage {
		return wrong("items", fmt.Sprintf("there are %d: name 1 to %d", count, object.MaxPage))
	}
	out := bufio.NewWriterSize(c.w, 32<<10)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false) // a name is written as its user means it
	var failure error            // the first one that is the server's own
	for i := range count {
		key, s, err := sign(i)
		line := signedLine{Key: key}
		if err == nil {
			line.URL, line.Method, line.Headers, line.Expires = s.URL, s.Method, oneEach(s.Header), s.Expires.UTC()
		} else {
			details, _ := problem.Of(err)
			if details.Status >= http.StatusInternalServerError {
				if i == 0 {
					return err // the others would fail, too
				}
				if failure == nil {
					failure = fmt.Errorf("item %d: %w", i, err)
				}
			}
			line.Error = &details
		}
		if i == 0 {
			c.private()
			c.w.Header().Set("Content-Type", linesType)
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return failure // for the log: the answer has been sent
}
