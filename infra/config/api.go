package config

func (e *Environment) validateAPI() {
	a := e.API
	e.doc.blocks("api.allow", a.Allow)
	e.doc.urlTTL("api.url_ttl", a.URLTTL)
	switch {
	case !e.doc.given("api.max_url_ttl"): // it is url_ttl
	case a.MaxURLTTL < a.URLTTL:
		e.doc.at("api.max_url_ttl", "%s is below url_ttl, %s: the bucket would refuse the API's own URLs, so raise it or lower url_ttl", a.MaxURLTTL, a.URLTTL)
	default:
		e.doc.urlTTL("api.max_url_ttl", a.MaxURLTTL)
	}
}
