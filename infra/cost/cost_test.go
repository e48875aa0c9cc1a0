package cost_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloudstorage/infra/cost"
)

func prices(t *testing.T) cost.Prices {
	t.Helper()
	p, err := cost.Load()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// estimate prices resources, written as the inside of Terraform's "resource".
func estimate(t *testing.T, resources string) (cost.Estimate, error) {
	t.Helper()
	s, err := cost.ParseStack("demo-api", []byte(`{"provider": {"aws": [{"region": "eu-west-1"}]}, "resource": {`+resources+`}}`))
	if err != nil {
		t.Fatal(err)
	}
	return cost.Of("demo", prices(t), s)
}

const (
	template = `"aws_launch_template": {"lt": {"instance_type": "t4g.small", "block_device_mappings": [{"ebs": {"volume_size": 10, "volume_type": "gp3"}}]`
	subnets  = `"aws_subnet": {"a": {"map_public_ip_on_launch": true}, "private": {}}`
	asg      = `"aws_autoscaling_group": {"asg": {"max_size": 6, "launch_template": {"id": "${aws_launch_template.lt.id}"}`
)

func TestWhatEachThingCostsAMonth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		resources string
		lines     string // what × quantity, in order
		usd       float64
	}{
		"a private fleet of its smallest size": {
			template + `}}, ` + subnets + `, ` + asg + `, "min_size": 2, "vpc_zone_identifier": ["${aws_subnet.private.id}"]}}`,
			"t4g.small × 2, volume, gp3 × 20", 2*0.0184*730 + 20*0.088,
		},
		"a public fleet of its initial size": {
			template + `}}, ` + subnets + `, ` + asg + `, "min_size": 2, "desired_capacity": 3, "vpc_zone_identifier": ["${aws_subnet.a.id}"]}}`,
			"t4g.small × 3, volume, gp3 × 30, public IPv4 address × 3", 3*0.0184*730 + 30*0.088 + 3*0.005*730,
		},
		"public subnets whose machines decline an address": {
			template + `, "network_interfaces": {"associate_public_ip_address": "false"}}}, ` + subnets + `, ` + asg + `, "min_size": 1, "vpc_zone_identifier": ["${aws_subnet.a.id}"]}}`,
			"t4g.small × 1, volume, gp3 × 10", 0.0184*730 + 10*0.088,
		},
		"detailed monitoring of a fleet": {
			template + `, "monitoring": {"enabled": true}}}, ` + asg + `, "min_size": 2}}`,
			"t4g.small × 2, volume, gp3 × 20, detailed monitoring × 2", 2*0.0184*730 + 20*0.088 + 2*2.10,
		},
		"an instance with an address": {
			`"aws_instance": {"i": {"instance_type": "t3.micro", "associate_public_ip_address": true, "root_block_device": [{"volume_size": "10", "volume_type": "gp3"}]}}`,
			"t3.micro × 1, volume, gp3 × 10, public IPv4 address × 1", 12.852,
		},
		"a load balancer in two zones": {
			`"aws_lb": {"alb": {"load_balancer_type": "application", "internal": false, "subnets": ["a", "b"]}}`,
			"load balancer × 1, public IPv4 address × 2", 0.0252*730 + 2*0.005*730,
		},
		"an internal load balancer": {
			`"aws_lb": {"alb": {"internal": true, "subnets": ["a", "b"]}}`,
			"load balancer × 1", 0.0252 * 730,
		},
		"NAT gateways and their addresses": {
			`"aws_nat_gateway": {"a": {}, "b": {}}, "aws_eip": {"a": {}, "b": {}}`,
			"public IPv4 address × 1, public IPv4 address × 1, NAT gateway × 1, NAT gateway × 1", 2 * (0.048 + 0.005) * 730,
		},
		"endpoints": {
			`"aws_vpc_endpoint": {"logs": {"vpc_endpoint_type": "Interface", "subnet_ids": ["a", "b"]}, "s3": {"vpc_endpoint_type": "Gateway"}}`,
			"interface endpoint, zones × 2", 2 * 0.011 * 730,
		},
		"a firewall": {
			`"aws_wafv2_web_acl": {"waf": {"rule": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}}`,
			"firewall × 1, firewall rule × 3", 8,
		},
		"alarms by the metrics that they watch": {
			`"aws_cloudwatch_metric_alarm": {"one": {"metric_name": "x"}, "share": {"metric_query": [{"metric": {"x": 1}}, {"metric": [{"x": 1}]}, {"expression": "a/b"}]}},
			 "aws_autoscaling_policy": {"cpu": {"policy_type": "TargetTrackingScaling"}}`,
			"alarms of target tracking × 2, alarm × 1, alarm × 2", 0.5,
		},
		"a dashboard and a key": {
			`"aws_cloudwatch_dashboard": {"d": {}}, "aws_kms_key": {"k": {}}`,
			"dashboard × 1, key × 1", 4,
		},
		"what is free until it is used": {
			`"aws_s3_bucket": {"b": {}}, "aws_cloudwatch_log_group": {"l": {}}, "aws_sns_topic": {"t": {}}, "aws_flow_log": {"f": {"log_destination_type": "s3"}}, "aws_vpc": {"v": {}}`,
			"", 0,
		},
	} {
		got, err := estimate(t, c.resources)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var lines []string
		for _, l := range got.Lines {
			lines = append(lines, fmt.Sprint(l.What, " × ", l.Quantity))
		}
		if strings.Join(lines, ", ") != c.lines || math.Abs(got.TotalUSD-c.usd) > 1e-9 {
			t.Errorf("%s: %s: %v USD\nwant %s: %v USD", name, strings.Join(lines, ", "), got.TotalUSD, c.lines, c.usd)
		}
	}
}

func TestWhatHasNoPriceIsAnErrorThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for resources, want := range map[string]string{
		`"aws_db_instance": {"db": {}}`: "demo-api: no price for aws_db_instance: add a rule for it, or say why it is free, in infra/cost/rules.go",
		`"aws_instance": {"i": {"instance_type": "x9.huge"}}`: `demo-api: aws_instance.i: no price for instance type "x9.huge": add what https://aws.amazon.com/ec2/pricing/on-demand/ says for eu-west-1 ` +
			"to `instances` in infra/cost/prices.yaml",
		`"aws_instance": {"i": {"instance_type": "t3.micro", "root_block_device": {"volume_size": 8, "volume_type": "io2"}}}`: `no price for a volume of type "io2"`,
		`"aws_instance": {"i": {"instance_type": "t3.micro", "root_block_device": {"volume_type": "gp3"}}}`:                   "a volume names no volume_size",
		`"aws_autoscaling_group": {"g": {"min_size": 1}}`:                                                                     "aws_autoscaling_group.g: it names no launch template of its stack",
		template + `}}, ` + asg + `}}`:                                          "it has neither desired_capacity nor min_size",
		`"aws_lb": {"n": {"load_balancer_type": "network"}}`:                    `no price for a load balancer of type "network"`,
		`"aws_vpc_endpoint": {"e": {"vpc_endpoint_type": "Interface"}}`:         "it names no subnet_ids",
		`"aws_vpc_endpoint": {"e": {"vpc_endpoint_type": "Resource"}}`:          `no price for an endpoint of type "Resource"`,
		`"aws_flow_log": {"f": {"log_destination_type": "cloud-watch-logs"}}`:   `no price for flow logs to "cloud-watch-logs"`,
		`"aws_autoscaling_policy": {"p": {"policy_type": "PredictiveScaling"}}`: `no price for a policy of type "PredictiveScaling"`,
		`"aws_eip": {"a": {"count": 3}}`:                                        "count and for_each are not counted",
	} {
		if _, err := estimate(t, resources); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", resources, err, want)
		}
	}
	if _, err := estimate(t, `"aws_db_instance": {"db": {}}, "aws_fsx": {"f": {}}`); err == nil || strings.Count(err.Error(), "no price for") != 2 {
		t.Errorf("not everything that is missing is named at once: %v", err)
	}
}

func TestWhatCouldBeAvoidedHasItsAmount(t *testing.T) {
	t.Parallel()
	got, err := estimate(t, `"aws_nat_gateway": {"a": {}}, "aws_eip": {"a": {}}, "aws_lb": {"alb": {"subnets": ["a", "b"]}}`)
	if err != nil {
		t.Fatal(err)
	}
	amounts := map[string]string{}
	for _, a := range got.Avoidable {
		amounts[a.What] = fmt.Sprintf("%.2f", a.USD)
	}
	want := map[string]string{
		"NAT gateways": "35.04", "interface endpoints": "0.00", "public IPv4 addresses": "10.95",
		"load balancer, idle": "18.40", "web application firewall": "0.00",
	}
	if fmt.Sprint(amounts) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", amounts, want)
	}
}

func TestOnlyTheUseOfWhatIsThereIsPriced(t *testing.T) {
	t.Parallel()
	got, err := estimate(t, `"aws_s3_bucket": {"a": {}, "b": {}}, "aws_nat_gateway": {"a": {}}`)
	if err != nil {
		t.Fatal(err)
	}
	u := prices(t).Usage
	if want := []cost.Price{u.S3Storage, u.S3Writes, u.S3Reads, u.TransferOut, u.NATTraffic}; fmt.Sprint(got.Usage) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got.Usage, want)
	}
}

func TestThePricesOfAnotherRegionAreNotClaimed(t *testing.T) {
	t.Parallel()
	s, err := cost.ParseStack("demo-api", []byte(`{"provider": {"aws": [{"region": "us-east-1"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := cost.Of("demo", prices(t), s)
	if err != nil || len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0], `demo-api is in "us-east-1": these are the prices of eu-west-1`) {
		t.Errorf("%v %v", err, got.Warnings)
	}
}

func TestTheTableShowsEachLineAndTheTotal(t *testing.T) {
	t.Parallel()
	got, err := estimate(t, `"aws_eip": {"a": {}}, "aws_s3_bucket": {"b": {}}`)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := got.Print(&out); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "table.golden")
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("%s differs:\n%s", golden, out.String())
	}
}
