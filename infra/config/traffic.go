package config

import (
	"regexp"
	"strings"
)

// wafRequests are AWS's bounds of a rate rule's limit.
// Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
const (
	minWAFRequests = 10
	maxWAFRequests = 2_000_000_000
)

// maxDomain is the longest name that a certificate can be made for.
// Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
const maxDomain = 64

var (
	certificatePattern = regexp.MustCompile(`^arn:(?:aws|aws-cn|aws-us-gov):acm:([a-z0-9-]+):([0-9]{12}):certificate/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	domainPattern      = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func (e *Environment) validateTraffic() {
	if e.Compute.Kind == Instance {
		if e.doc.given("traffic") {
			e.doc.at("traffic", "an instance has no load balancer: remove it, or set compute.kind to fleet")
		}
		return
	}
	e.validateCertificate()
	e.validateDomain()
	if t := e.Traffic; t.HTTPS() && e.API.Direct {
		e.doc.at("api.direct", "true would let callers past the load balancer, where HTTPS ends: remove it")
	}
	if waf := e.Traffic.WAF; waf != nil && (waf.RequestsPer5Minutes < minWAFRequests || waf.RequestsPer5Minutes > maxWAFRequests) {
		e.doc.at("traffic.waf.requests_per_5_minutes", "%d is not from %d to %d: AWS takes no other limit", waf.RequestsPer5Minutes, minWAFRequests, maxWAFRequests)
	}
}

func (e *Environment) validateCertificate() {
	const path = "traffic.certificate_arn"
	arn := e.Traffic.CertificateARN
	if arn == "" {
		if e.doc.given(path) {
			e.doc.at(path, "empty: write the certificate's ARN, or remove the key")
		}
		return
	}
	switch parts := certificatePattern.FindStringSubmatch(arn); {
	case parts == nil:
		e.doc.at(path, "%q is not the ARN of a certificate: write arn:aws:acm:%s:<account>:certificate/<id>, as ACM shows it", arn, e.Region)
	case parts[1] != e.Region:
		e.doc.at(path, "the certificate is in %s, and a load balancer takes those of its own region: request one in %s", parts[1], e.Region)
	case e.AccountID != "" && parts[2] != e.AccountID:
		e.doc.at(path, "the certificate is account %s's, and account_id is %s: request one there", parts[2], e.AccountID)
	}
	if e.Traffic.Domain != "" {
		e.doc.at(path, "a certificate for %s is made already: remove it, or domain and hosted_zone", e.Traffic.Domain)
	}
}

func (e *Environment) validateDomain() {
	t := e.Traffic
	named := e.doc.domain("traffic.domain", t.Domain)
	zoned := e.doc.domain("traffic.hosted_zone", t.HostedZone)
	switch {
	case t.Domain != "" && t.HostedZone == "":
		e.doc.at("traffic.hosted_zone", "missing: name the Route 53 zone of the account that holds %s, which proves that the name is yours", t.Domain)
	case t.Domain == "" && t.HostedZone != "":
		e.doc.at("traffic.domain", "missing: name the API inside the zone, such as files.%s", t.HostedZone)
	case named && zoned && t.Domain != t.HostedZone && !strings.HasSuffix(t.Domain, "."+t.HostedZone):
		e.doc.at("traffic.domain", "%q is not inside hosted_zone, %s: write a name that ends in .%s, or its own zone", t.Domain, t.HostedZone, t.HostedZone)
	}
	if len(t.Domain) > maxDomain {
		e.doc.at("traffic.domain", "%q has %d characters: certificates are made for %d at most", t.Domain, len(t.Domain), maxDomain)
	}
}

// domain checks a DNS name and reports whether there is a good one.
func (d *document) domain(path, name string) bool {
	switch {
	case name == "" && d.given(path):
		d.at(path, "empty: write a name, or remove the key")
	case name == "":
	case strings.HasSuffix(name, "."):
		d.at(path, "%q ends in a dot: write %s", name, strings.TrimRight(name, "."))
	case len(name) > 253 || !domainPattern.MatchString(name):
		d.at(path, "%q is not a DNS name: write one such as files.example.org, in lower case and without https://", name)
	default:
		return true
	}
	return false
}
