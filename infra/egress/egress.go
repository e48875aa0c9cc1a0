// Package egress says what the machines' way out of an environment costs and what it rules out, so that whoever
// chooses it knows both.
package egress

import (
	"fmt"
	"strings"

	"cloudstorage/infra/config"
)

// List prices of eu-west-1 in US dollars, before tax, as of October 2026; other regions differ by some percent.
// Sources: https://aws.amazon.com/vpc/pricing/ (NAT gateway, public IPv4 address) and
// https://aws.amazon.com/privatelink/pricing/ (interface endpoint).
const (
	hoursAMonth  = 730
	endpointHour = 0.011 // each service and zone
	endpointGB   = 0.01
	natHour      = 0.048 // each zone, and a public address
	natGB        = 0.048
	addressHour  = 0.005
)

// Note is one line: the way out, its price and what it rules out.
func Note(e *config.Environment) string {
	n := e.Network
	if !n.Private() {
		return "way out internet: " + addresses(e) + "; it rules nothing out"
	}
	zones := len(n.PrivateSubnets)
	switch n.Egress {
	case config.EgressEndpoints:
		services := len(n.Endpoints)
		return fmt.Sprintf("way out endpoints (%s): %s USD a month (%d services in %d zones, %s each) and %g a GB; it rules out all but these services and S3: source delivery, other hosts",
			strings.Join(n.Endpoints, ", "), month(endpointHour*float64(services*zones)), services, zones, month(endpointHour), endpointGB)
	case config.EgressNone:
		return "way out none: 0 USD; it rules out all but S3: logs in CloudWatch, Session Manager, source delivery, other hosts"
	default:
		return fmt.Sprintf("way out nat: %s USD a month (%d zones, %s each with its address) and %g a GB; it rules nothing out",
			month((natHour+addressHour)*float64(zones)), zones, month(natHour+addressHour), natGB)
	}
}

// addresses is what public addresses of all machines cost.
func addresses(e *config.Environment) string {
	low, high := e.Compute.Min, e.Compute.Max
	if e.Compute.Kind == config.Instance {
		low, high = 1, 1
	}
	price, count := month(addressHour*float64(low)), fmt.Sprint(low)
	if high != low {
		price, count = price+" to "+month(addressHour*float64(high)), fmt.Sprintf("%d to %d", low, high)
	}
	if high == 1 {
		return price + " USD a month (a public address)"
	}
	return fmt.Sprintf("%s USD a month (%s public addresses, %s each)", price, count, month(addressHour))
}

func month(hour float64) string { return fmt.Sprintf("%.2f", hour*hoursAMonth) }
