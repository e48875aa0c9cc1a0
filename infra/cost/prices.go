// Package cost says what an environment costs a month, from its synthesized Terraform and a file of prices: so that
// whoever deploys knows before, and nothing that costs is added unseen.
package cost

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed prices.yaml
var pricesFile []byte

// Prices are AWS's list prices of one region, as prices.yaml holds them.
type Prices struct {
	Region    string  `yaml:"region"`
	Published string  `yaml:"published"` // when AWS published them
	Hours     float64 `yaml:"hours"`     // in a month

	PublicIPv4         Price `yaml:"public_ipv4"`
	NATGateway         Price `yaml:"nat_gateway"`
	InterfaceEndpoint  Price `yaml:"interface_endpoint"` // in each zone
	LoadBalancer       Price `yaml:"load_balancer"`
	GP3                Price `yaml:"gp3"`
	KMSKey             Price `yaml:"kms_key"`
	WebACL             Price `yaml:"web_acl"`
	WebACLRule         Price `yaml:"web_acl_rule"`
	Alarm              Price `yaml:"alarm"` // a metric that it watches
	Dashboard          Price `yaml:"dashboard"`
	DetailedMonitoring Price `yaml:"detailed_monitoring"` // of an instance

	Usage     Usage     `yaml:"usage"`
	Instances Instances `yaml:"instances"`
}

// Usage are the prices of what depends on use, so that no month's total can hold it.
type Usage struct {
	S3Storage         Price `yaml:"s3_storage"`
	S3Writes          Price `yaml:"s3_writes"`
	S3Reads           Price `yaml:"s3_reads"`
	TransferOut       Price `yaml:"transfer_out"`
	LoadBalancerUnits Price `yaml:"load_balancer_units"`
	CPUCredits        Price `yaml:"cpu_credits"`
	NATTraffic        Price `yaml:"nat_traffic"`
	EndpointTraffic   Price `yaml:"endpoint_traffic"`
	LogIngestion      Price `yaml:"log_ingestion"`
	LogStorage        Price `yaml:"log_storage"`
	FlowLogs          Price `yaml:"flow_logs"`
	WebACLRequests    Price `yaml:"web_acl_requests"`
	KMSRequests       Price `yaml:"kms_requests"`
	Emails            Price `yaml:"emails"`
}

// Price is what one unit of something costs.
type Price struct {
	What   string  `yaml:"what" json:"what,omitempty"` // in words, for what depends on use
	USD    float64 `yaml:"usd" json:"usd"`
	Unit   string  `yaml:"unit" json:"unit"`
	Source string  `yaml:"source" json:"source"` // AWS's page of it
}

// Instances are EC2's prices by the hour.
type Instances struct {
	Source string             `yaml:"source"`
	USD    map[string]float64 `yaml:"usd"`
}

// Units that a month's total can hold.
const (
	unitHour    = "hour"
	unitMonth   = "month"
	unitGBMonth = "GB-month"
)

// Load reads the prices that the project ships.
func Load() (Prices, error) {
	var p Prices
	if err := yaml.UnmarshalWithOptions(pricesFile, &p, yaml.Strict()); err != nil {
		return Prices{}, fmt.Errorf("reading infra/cost/prices.yaml: %w", err)
	}
	return p, nil
}

// Month is what one of it costs a month, in USD.
func (p Prices) Month(price Price) float64 {
	if price.Unit == unitHour {
		return price.USD * p.Hours
	}
	return price.USD
}

// Instance is the price of an instance type.
func (p Prices) Instance(instanceType string) (Price, error) {
	usd, ok := p.Instances.USD[instanceType]
	if !ok {
		return Price{}, fmt.Errorf("no price for instance type %q: add what %s says for %s to `instances` in infra/cost/prices.yaml (it has %s)",
			instanceType, p.Instances.Source, p.Region, strings.Join(slices.Sorted(maps.Keys(p.Instances.USD)), ", "))
	}
	return Price{USD: usd, Unit: unitHour, Source: p.Instances.Source}, nil
}

// volume is the price of a volume's gigabyte.
func (p Prices) volume(kind string) (Price, error) {
	if kind != "gp3" {
		return Price{}, fmt.Errorf("no price for a volume of type %q: the constructs make gp3", kind)
	}
	return p.GP3, nil
}
