package config

import (
	"slices"
	"time"

	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
)

// What a file that names the section and not the value gets.
const (
	defaultLogsDays     = 90
	defaultWAFRequests  = 2000
	defaultTimeZone     = "Etc/UTC"
	defaultObserveDays  = 30
	defaultErrorPercent = 5
	defaultP95          = time.Second
)

func (e *Environment) defaults() {
	fill(e.doc, "compute.architecture", &e.Compute.Architecture, X8664)
	fill(e.doc, "api.url_ttl", &e.API.URLTTL, settings.DefaultURLTTL)
	fill(e.doc, "api.max_url_ttl", &e.API.MaxURLTTL, e.API.URLTTL)
	if e.Release.Delivery == Source {
		fill(e.doc, "api.access", &e.API.Access, apisettings.Open)
	}
	e.API.routes(e.doc)
	if e.Release.Delivery == Binary {
		e.API.defaults(e.doc)
	}
	fill(e.doc, "storage.encryption", &e.Storage.Encryption, EncryptionS3)
	if e.doc.given("storage.logs_bucket") {
		fill(e.doc, "storage.logs_days", &e.Storage.LogsDays, defaultLogsDays)
	}
	if n := e.Network; n != nil {
		egress := EgressInternet
		if n.Private() {
			egress = EgressEndpoints
		}
		fill(e.doc, "network.egress", &n.Egress, egress)
		if n.Egress == EgressEndpoints {
			fill(e.doc, "network.endpoints", &n.Endpoints, slices.Clone(DefaultEndpoints))
		}
	}
	if e.Traffic.WAF != nil {
		fill(e.doc, "traffic.waf.requests_per_5_minutes", &e.Traffic.WAF.RequestsPer5Minutes, defaultWAFRequests)
	}
	fill(e.doc, "compute.initial", &e.Compute.Initial, e.Compute.Min)
	if e.Compute.Sleep != nil {
		fill(e.doc, "compute.sleep.time_zone", &e.Compute.Sleep.TimeZone, defaultTimeZone)
	}
	if o := e.Observe; o != nil {
		fill(e.doc, "observe.logs_days", &o.LogsDays, defaultObserveDays)
		fill(e.doc, "observe.error_percent", &o.ErrorPercent, defaultErrorPercent)
		fill(e.doc, "observe.p95", &o.P95, defaultP95)
	}
	if e.Backend != nil {
		fill(e.doc, "backend.region", &e.Backend.Region, e.Region)
	}
}

// routes are those of both servers.
func (a *API) routes(d *document) {
	routes := apisettings.AllRoutes
	if a.Access == apisettings.Restricted {
		routes = apisettings.ReadRoutes
	}
	fill(d, "api.exercise_routes", &a.ExerciseRoutes, routes)
}

// defaults are those of the whole server alone.
func (a *API) defaults(d *document) {
	fill(d, "api.max_body", &a.MaxBody, apisettings.DefaultMaxBody)
	fill(d, "api.max_link_ttl", &a.MaxLinkTTL, apisettings.DefaultMaxLinkTTL)
	fill(d, "api.rate_limit", &a.RateLimit, apisettings.DefaultRateLimit)
	fill(d, "api.max_concurrency", &a.MaxConcurrency, apisettings.DefaultMaxConcurrency)
}

// fill sets what the file does not mention. A zero that it does mention stays, to be refused where it means nothing.
func fill[T any](d *document, path string, value *T, def T) {
	if !d.given(path) {
		*value = def
	}
}
