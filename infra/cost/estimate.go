package cost

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Estimate is what an environment costs a month.
type Estimate struct {
	Environment string      `json:"environment"`
	Region      string      `json:"region"`    // of the prices
	Published   string      `json:"published"` // when AWS published them
	Hours       float64     `json:"hours"`     // in the month
	Lines       []Line      `json:"lines"`
	TotalUSD    float64     `json:"total_usd"` // of the lines
	Usage       []Price     `json:"usage"`     // what comes on top, by use
	Avoidable   []Avoidable `json:"avoidable"`
	Warnings    []string    `json:"warnings,omitempty"`
}

// Line is one thing that costs, in the order of stacks and addresses.
type Line struct {
	Stack    string  `json:"stack"`
	Address  string  `json:"address"` // in Terraform
	What     string  `json:"what"`
	Quantity float64 `json:"quantity"`
	UnitUSD  float64 `json:"unit_usd"`
	Unit     string  `json:"unit"`
	USD      float64 `json:"usd"` // a month
}

// Avoidable is a part of the total that another choice would save.
type Avoidable struct {
	What string  `json:"what"`
	USD  float64 `json:"usd"` // a month, of the total; 0: already avoided
	How  string  `json:"how"` // what avoids it, or what it would cost
}

// What a part of the total can be avoided as.
const (
	natGateways        = "NAT gateways"
	interfaceEndpoints = "interface endpoints"
	publicIPv4         = "public IPv4 addresses"
	idleBalancer       = "load balancer, idle"
	firewall           = "web application firewall"
)

// resource is one of a stack's.
type resource struct {
	stack   Stack
	address string
	args    arguments
}

type estimator struct {
	prices    Prices
	lines     []Line
	usage     map[Price]bool
	avoidable map[string]float64
}

// Of estimates an environment from its stacks.
func Of(environment string, p Prices, stacks ...Stack) (Estimate, error) {
	e := &estimator{prices: p, lines: []Line{}, usage: map[Price]bool{}, avoidable: map[string]float64{}}
	result := Estimate{Environment: environment, Region: p.Region, Published: p.Published, Hours: p.Hours, Usage: []Price{}}
	var errs []error
	for _, s := range stacks {
		errs = append(errs, e.stack(s))
		if s.region != p.Region {
			result.Warnings = append(result.Warnings, fmt.Sprintf("%s is in %q: these are the prices of %s, which differ from other regions'", s.Name, s.region, p.Region))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Estimate{}, err
	}
	result.Lines = e.lines
	for _, line := range e.lines {
		result.TotalUSD += line.USD
	}
	for _, price := range p.Usage.all() {
		if e.usage[price] {
			result.Usage = append(result.Usage, price)
		}
	}
	result.Avoidable = e.avoidables()
	return result, nil
}

// stack adds all that a stack costs. Everything that has no price is named at once.
func (e *estimator) stack(s Stack) error {
	var errs []error
	for _, kind := range slices.Sorted(maps.Keys(s.resources)) {
		rule, priced := rules[kind]
		if _, ok := free[kind]; !ok && !priced {
			errs = append(errs, fmt.Errorf("%s: no price for %s: add a rule for it, or say why it is free, in infra/cost/rules.go", s.Name, kind))
		}
		if !priced {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.resources[kind])) {
			r := resource{stack: s, address: kind + "." + name, args: s.resources[kind][name]}
			err := rule(e, r)
			if r.args["count"] != nil || r.args["for_each"] != nil {
				err = errors.New("count and for_each are not counted: the constructs use neither")
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %s: %w", s.Name, r.address, err))
			}
		}
	}
	return errors.Join(errs...)
}

// add adds a line, and its amount to what could be avoided, unless avoidable is "".
func (e *estimator) add(r resource, what string, quantity float64, price Price, avoidable string) {
	usd := quantity * e.prices.Month(price)
	e.lines = append(e.lines, Line{
		Stack: r.stack.Name, Address: r.address, What: what,
		Quantity: quantity, UnitUSD: price.USD, Unit: price.Unit, USD: usd,
	})
	if avoidable != "" {
		e.avoidable[avoidable] += usd
	}
}

// used adds prices of what depends on use.
func (e *estimator) used(prices ...Price) {
	for _, price := range prices {
		e.usage[price] = true
	}
}

// avoidables are the big ones, each with its amount, or with what it would cost where it is avoided already.
func (e *estimator) avoidables() []Avoidable {
	p := e.prices
	month := func(price Price) string { return fmt.Sprintf("%.2f", p.Month(price)) }
	found := []Avoidable{
		{What: natGateways, How: "network.egress: endpoints or none; one is " + month(p.NATGateway) + " a zone, and " + usd(p.Usage.NATTraffic.USD) + " a GB"},
		{What: interfaceEndpoints, How: "network.egress: none, without logs and shells; one is " + month(p.InterfaceEndpoint) + " a zone, and " + usd(p.Usage.EndpointTraffic.USD) + " a GB"},
		{What: publicIPv4, How: "network.private_subnets, for the machines; one is " + month(p.PublicIPv4) + ", and a load balancer needs one a zone"},
		{What: idleBalancer, How: "compute.kind: instance, without replacement or redundancy; one is " + month(p.LoadBalancer) + " before its first request"},
		{What: firewall, How: "traffic.waf, left out; one is " + month(p.WebACL) + ", and " + month(p.WebACLRule) + " a rule"},
	}
	for i := range found {
		found[i].USD = e.avoidable[found[i].What]
	}
	return found
}

// all are the prices by use, in the order that they are shown in.
func (u Usage) all() []Price {
	return []Price{
		u.S3Storage, u.S3Writes, u.S3Reads, u.TransferOut, u.LoadBalancerUnits, u.CPUCredits, u.NATTraffic,
		u.EndpointTraffic, u.LogIngestion, u.LogStorage, u.FlowLogs, u.WebACLRequests, u.KMSRequests, u.Emails,
	}
}
