package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// retentions are the days that CloudWatch can keep logs for.
// Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// maxP95 is the load balancer's idle timeout: no answer takes longer.
const maxP95 = time.Minute

func (e *Environment) validateObserve() {
	o := e.Observe
	if o == nil {
		return
	}
	if e.Compute.Kind == Instance {
		e.doc.at("observe", "the dashboard and the alarms read the load balancer's metrics, and an instance has none: remove it, or set compute.kind to fleet")
	}
	if !emailPattern.MatchString(o.Email) {
		e.doc.at("observe.email", "%q is not an e-mail address: alarms without a reader tell nobody", o.Email)
	}
	if !slices.Contains(retentions, o.LogsDays) {
		e.doc.at("observe.logs_days", "%d is none of the days that CloudWatch knows: write one of %s", o.LogsDays, strings.Trim(fmt.Sprint(retentions), "[]"))
	}
	if o.ErrorPercent < 1 || o.ErrorPercent > 100 {
		e.doc.at("observe.error_percent", "%d is not from 1 to 100: give the percentage of 5xx answers that is too much", o.ErrorPercent)
	}
	if o.P95 <= 0 || o.P95 > maxP95 {
		e.doc.at("observe.p95", "%s is not above 0 and at most %s, after which the load balancer gives up: choose another", o.P95, maxP95)
	}
}
