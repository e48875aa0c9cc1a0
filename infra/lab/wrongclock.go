//go:build linux

package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// clockOff is how wrong a wrong clock is.
	clockOff = time.Hour
	// clockNoticed is how long URLs may be wrong after the clock was put wrong in the midst of everything.
	clockNoticed = 5 * time.Second
)

// wrongClock puts one machine's clock an hour ahead, an hour behind and right again. S3 refuses a URL that was signed at a
// wrong time, so the API has to notice.
func (l *lab) wrongClock(ctx context.Context, s *Scenario) error {
	victim, err := l.controller.victim()
	if err != nil {
		return err
	}
	caller := &http.Client{Transport: l.outside.transport(), Timeout: requestTimeout}
	defer caller.CloseIdleConnections()
	t, err := l.during(ctx, s, func(ctx context.Context) (err error) {
		pid, err := victim.api(ctx)
		if err != nil {
			return err
		}
		c, err := findClock(pid)
		if err != nil {
			return err
		}
		steps := []struct {
			what string
			do   func() error
		}{
			{"an hour ahead", func() error { return c.add(int32(clockOff.Seconds())) }},
			{"an hour behind", func() error { return c.add(-int32(clockOff.Seconds())) }},
			{"right again", c.right},
		}
		for _, step := range steps {
			at := time.Now()
			if err := step.do(); err != nil {
				return err
			}
			limited, cancel := context.WithTimeout(ctx, outage/2)
			err := until(limited, func() bool { return l.signsWell(ctx, victim, caller) })
			cancel()
			if err != nil {
				s.promise(false, "%s: S3 refuses its URLs", step.what)
				return c.right()
			}
			took := time.Since(at)
			s.figure(step.what+", S3 takes its URLs after", "%s", seconds(took))
			s.promise(took < clockNoticed, "%s: its URLs were wrong for %s", step.what, seconds(took))
			if err := pause(ctx, 2*settle); err != nil {
				return errors.Join(err, c.right())
			}
		}
		return nil
	})
	noticed, asked := victim.run(ctx, "journalctl", "--no-pager", "--unit", unit, "--grep", "clock is wrong", "--quiet")
	s.promise(asked == nil && noticed != "", "it did not notice: %v", asked)
	s.promise(t.failed() == 0, "%d requests failed", t.failed())
	return err
}

// signsWell tells whether S3 takes a URL that this machine signs now, from a caller.
func (l *lab) signsWell(ctx context.Context, m *machine, caller *http.Client) bool {
	var answer struct{ Content string }
	err := get(ctx, l.controller.balancer.http, fmt.Sprintf("http://%s/download/%s", l.port(m), personsFile), func(res *http.Response) error {
		return json.NewDecoder(res.Body).Decode(&answer)
	})
	return err == nil && get(ctx, caller, answer.Content, func(*http.Response) error { return nil }) == nil
}

// get gives the answer to a GET to read, where it is 200.
func get(ctx context.Context, c *http.Client, target string, read func(*http.Response) error) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	res, err := c.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", target, res.Status)
	}
	return read(res)
}
