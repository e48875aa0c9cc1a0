package egress

import (
	"testing"

	"cloudstorage/infra/config"
	"cloudstorage/infra/cost"
)

func TestEachWayOutSaysItsPriceAndWhatItRulesOut(t *testing.T) {
	t.Parallel()
	private := func(egress string, endpoints ...string) *config.Network {
		return &config.Network{PrivateSubnets: make([]config.Subnet, 2), Egress: egress, Endpoints: endpoints}
	}
	prices, err := cost.Load()
	if err != nil {
		t.Fatal(err)
	}
	fleet := config.Compute{Kind: config.Fleet, Min: 2, Max: 2}
	for _, tc := range []struct {
		name    string
		network *config.Network
		compute config.Compute
		want    string
	}{
		{"an instance", nil, config.Compute{Kind: config.Instance}, "way out internet: 3.65 USD a month (a public address); it rules nothing out"},
		{"a public fleet", &config.Network{Egress: config.EgressInternet}, fleet,
			"way out internet: 7.30 USD a month (2 public addresses, 3.65 each); it rules nothing out"},
		{"a public fleet that scales", &config.Network{Egress: config.EgressInternet}, config.Compute{Kind: config.Fleet, Min: 2, Max: 6},
			"way out internet: 7.30 to 21.90 USD a month (2 to 6 public addresses, 3.65 each); it rules nothing out"},
		{"endpoints", private(config.EgressEndpoints, "logs", "ssm", "ssmmessages"), fleet,
			"way out endpoints (logs, ssm, ssmmessages): 48.18 USD a month (3 services in 2 zones, 8.03 each) and 0.01 a GB; it rules out all but these services and S3: source delivery, other hosts"},
		{"none", private(config.EgressNone), fleet,
			"way out none: 0 USD; it rules out all but S3: logs in CloudWatch, Session Manager, source delivery, other hosts"},
		{"nat", private(config.EgressNAT), fleet,
			"way out nat: 77.38 USD a month (2 zones, 38.69 each with its address) and 0.048 a GB; it rules nothing out"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := &config.Environment{Network: tc.network, Compute: tc.compute}
			if got := Note(e, prices); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
