package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cloudstorage/app/settings"
)

const (
	// healthDeadline leaves an instance that builds the API from its source the time for it.
	healthDeadline = 25 * time.Minute
	healthEvery    = 10 * time.Second
)

func newDeploy(p *project) *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:   "deploy ENVIRONMENT",
		Short: "Plan, ask, apply, and wait until the API is healthy",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			d, err := p.deployment(ctx, args[0])
			if err != nil {
				return err
			}
			asker := newAsker(p.console)
			outputs := map[string]string{}
			for _, name := range d.stacks() {
				if outputs, err = d.deploy(ctx, name, asker, yes); err != nil {
					return err
				}
			}
			return d.waitHealthy(ctx, outputs)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", p.env("AUTO_APPROVE") == "1", "apply without asking (also AUTO_APPROVE=1)")
	return cmd
}

// deploy applies one stack after its plan was shown and agreed to, and returns its outputs.
func (d *deployment) deploy(ctx context.Context, name string, asker *asker, yes bool) (map[string]string, error) {
	s, changes, err := d.plan(ctx, name)
	if err != nil {
		return nil, err
	}
	if changes {
		if !yes {
			if err := asker.confirm("Apply this plan to "+name+"?", "yes"); err != nil {
				return nil, err
			}
		}
		if err := s.ApplyPlan(ctx); err != nil {
			return nil, err
		}
	}
	return s.Output(ctx)
}

// waitHealthy polls the API until it answers. The health path does not ask S3, so this waits for the machines only.
// A fleet's are healthy when its apply ends; the wait is then for its name.
func (d *deployment) waitHealthy(ctx context.Context, outputs map[string]string) error {
	api := outputs["api_url"]
	if api == "" {
		if host := outputs["load_balancer_dns_name"]; host != "" {
			d.note("\nNot waiting: the API answers by the names of its certificate. Lead one of them to %s, by an alias or a CNAME record.", host)
		}
		return nil
	}
	if d.endpoint != "" {
		d.note("\nNot waiting for %s: an emulated load balancer serves nothing. `make up` runs the API here.", api)
		return nil
	}
	url := strings.TrimSuffix(api, "/") + settings.HealthPath
	d.note("\nWaiting for %s (an instance that builds the API from source takes some minutes)", url)
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, healthDeadline)
	defer cancel()
	last, err := poll(ctx, healthEvery, func(ctx context.Context) (string, bool) {
		state, ok := health(ctx, url)
		d.note("  %4.0f s  %s", time.Since(began).Seconds(), state)
		return state, ok
	})
	if err != nil {
		return fmt.Errorf("%s is not healthy after %.0f s (last: %s): look at an instance's /var/log/cloud-init-output.log: %w",
			url, time.Since(began).Seconds(), last, err)
	}
	d.note("The storage API serves at %s", api)
	return nil
}

// poll asks every interval until the answer is yes or ctx ends, and returns the last answer.
func poll(ctx context.Context, interval time.Duration, ask func(context.Context) (string, bool)) (string, error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		state, ok := ask(ctx)
		if ok {
			return state, nil
		}
		select {
		case <-ctx.Done():
			return state, ctx.Err()
		case <-tick.C:
		}
	}
}

func health(ctx context.Context, url string) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error(), false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "no answer yet", false
	}
	_ = res.Body.Close()
	return res.Status, res.StatusCode == http.StatusOK
}
