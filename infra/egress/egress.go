// Package egress says what the machines' way out of an environment costs and what it rules out, so that whoever
// chooses it knows both.
package egress

import (
	"fmt"
	"strings"

	"cloudstorage/infra/config"
	"cloudstorage/infra/cost"
)

// Note is one line: the way out, its price and what it rules out.
func Note(e *config.Environment, p cost.Prices) string {
	n := e.Network
	if !n.Private() {
		return "way out internet: " + addresses(e, p.Month(p.PublicIPv4)) + "; it rules nothing out"
	}
	zones := len(n.PrivateSubnets)
	switch n.Egress {
	case config.EgressEndpoints:
		services, each := len(n.Endpoints), p.Month(p.InterfaceEndpoint)
		return fmt.Sprintf("way out endpoints (%s): %.2f USD a month (%d services in %d zones, %.2f each) and %g a GB; it rules out all but these services and S3: source delivery, other hosts",
			strings.Join(n.Endpoints, ", "), each*float64(services*zones), services, zones, each, p.Usage.EndpointTraffic.USD)
	case config.EgressNone:
		return "way out none: 0 USD; it rules out all but S3: logs in CloudWatch, Session Manager, source delivery, other hosts"
	default:
		each := p.Month(p.NATGateway) + p.Month(p.PublicIPv4)
		return fmt.Sprintf("way out nat: %.2f USD a month (%d zones, %.2f each with its address) and %g a GB; it rules nothing out",
			each*float64(zones), zones, each, p.Usage.NATTraffic.USD)
	}
}

// addresses is what public addresses of all machines cost, at the price of each.
func addresses(e *config.Environment, each float64) string {
	low, high := e.Compute.Min, e.Compute.Max
	if e.Compute.Kind == config.Instance {
		low, high = 1, 1
	}
	price, count := fmt.Sprintf("%.2f", each*float64(low)), fmt.Sprint(low)
	if high != low {
		price, count = fmt.Sprintf("%s to %.2f", price, each*float64(high)), fmt.Sprintf("%d to %d", low, high)
	}
	if high == 1 {
		return price + " USD a month (a public address)"
	}
	return fmt.Sprintf("%s USD a month (%s public addresses, %.2f each)", price, count, each)
}
