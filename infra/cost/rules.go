package cost

import (
	"errors"
	"fmt"
	"strings"
)

// A rule adds what a resource costs to the estimate.
type rule func(e *estimator, r resource) error

// rules are the types that cost something. Every type that a construct makes is here or in free; a test holds that.
var rules = map[string]rule{
	"aws_autoscaling_group":       fleet,
	"aws_autoscaling_policy":      scalingPolicy,
	"aws_cloudwatch_dashboard":    dashboard,
	"aws_cloudwatch_log_group":    logGroup,
	"aws_cloudwatch_metric_alarm": alarm,
	"aws_eip":                     address,
	"aws_flow_log":                flowLog,
	"aws_instance":                instance,
	"aws_kms_key":                 kmsKey,
	"aws_lb":                      loadBalancer,
	"aws_nat_gateway":             natGateway,
	"aws_s3_bucket":               bucket,
	"aws_sns_topic":               topic,
	"aws_vpc_endpoint":            endpoint,
	"aws_wafv2_web_acl":           webACL,
}

// free are the types that cost nothing by themselves, and why.
var free = map[string]string{
	"aws_acm_certificate":                                "public certificates that stay in AWS are free",
	"aws_acm_certificate_validation":                     "a wait of Terraform's, no resource",
	"aws_autoscaling_schedule":                           "Auto Scaling is free; the fleet's line counts the machines as if they never slept",
	"aws_budgets_budget":                                 "budgets that only alert are free",
	"aws_default_security_group":                         "firewall rules are free",
	"aws_iam_instance_profile":                           "IAM is free",
	"aws_iam_policy":                                     "IAM is free",
	"aws_iam_role":                                       "IAM is free",
	"aws_iam_role_policy_attachment":                     "IAM is free",
	"aws_internet_gateway":                               "free; its traffic is priced by use",
	"aws_key_pair":                                       "free",
	"aws_kms_alias":                                      "a name of a key",
	"aws_launch_template":                                "free; its machines are in the fleet's line",
	"aws_lb_listener":                                    "part of the load balancer",
	"aws_lb_target_group":                                "part of the load balancer",
	"aws_route53_record":                                 "records are free, and so are queries of aliases; their zone is the account's own",
	"aws_route_table":                                    "free",
	"aws_route_table_association":                        "free",
	"aws_s3_bucket_cors_configuration":                   "a setting of a bucket",
	"aws_s3_bucket_intelligent_tiering_configuration":    "a setting of a bucket",
	"aws_s3_bucket_lifecycle_configuration":              "a setting of a bucket; deleting is free",
	"aws_s3_bucket_logging":                              "delivery is free; the logs are files in a bucket",
	"aws_s3_bucket_ownership_controls":                   "a setting of a bucket",
	"aws_s3_bucket_policy":                               "a setting of a bucket",
	"aws_s3_bucket_public_access_block":                  "a setting of a bucket",
	"aws_s3_bucket_server_side_encryption_configuration": "a setting of a bucket; a key of KMS has a line of its own",
	"aws_s3_bucket_versioning":                           "a setting of a bucket; old versions are files",
	"aws_s3_object":                                      "a release of 11 MB is 0.0003 USD a month, a keyring less; with the bucket's files",
	"aws_security_group":                                 "firewall rules are free",
	"aws_sns_topic_policy":                               "a setting of a topic",
	"aws_sns_topic_subscription":                         "e-mails are priced by use",
	"aws_subnet":                                         "free",
	"aws_vpc":                                            "free",
	"aws_vpc_security_group_egress_rule":                 "firewall rules are free",
	"aws_vpc_security_group_ingress_rule":                "firewall rules are free",
	"aws_wafv2_web_acl_association":                      "part of the firewall",
}

// fleet counts the machines that a new fleet starts with.
func fleet(e *estimator, r resource) error {
	template, ok := r.stack.refers(r.args.block("launch_template")["id"], "aws_launch_template")
	if !ok {
		return errors.New("it names no launch template of its stack")
	}
	count, ok := r.args.number("desired_capacity")
	if !ok {
		if count, ok = r.args.number("min_size"); !ok {
			return errors.New("it has neither desired_capacity nor min_size")
		}
	}
	m := machine{
		instanceType: template.text("instance_type"),
		detailed:     template.block("monitoring").is("enabled"),
		public:       template.block("network_interfaces").is("associate_public_ip_address"),
	}
	for _, device := range template.blocks("block_device_mappings") {
		m.volumes = append(m.volumes, device.block("ebs"))
	}
	if _, said := template.block("network_interfaces")["associate_public_ip_address"]; !said {
		for _, subnet := range r.args.list("vpc_zone_identifier") {
			if args, ok := r.stack.refers(subnet, "aws_subnet"); ok && args.is("map_public_ip_on_launch") {
				m.public = true
			}
		}
	}
	return e.machines(r, count, m)
}

func instance(e *estimator, r resource) error {
	return e.machines(r, 1, machine{
		instanceType: r.args.text("instance_type"),
		detailed:     r.args.is("monitoring"),
		public:       r.args.is("associate_public_ip_address"),
		volumes:      r.args.blocks("root_block_device"),
	})
}

// machine is what an EC2 instance costs by.
type machine struct {
	instanceType string
	detailed     bool // monitoring
	public       bool // has a public IPv4 address
	volumes      []arguments
}

func (e *estimator) machines(r resource, count float64, m machine) error {
	price, err := e.prices.Instance(m.instanceType)
	if err != nil {
		return err
	}
	e.add(r, m.instanceType, count, price, "")
	for _, volume := range m.volumes {
		size, ok := volume.number("volume_size")
		if !ok {
			return errors.New("a volume names no volume_size")
		}
		price, err := e.prices.volume(volume.text("volume_type"))
		if err != nil {
			return err
		}
		e.add(r, "volume, gp3", count*size, price, "")
	}
	if m.public {
		e.add(r, "public IPv4 address", count, e.prices.PublicIPv4, publicIPv4)
	}
	if m.detailed {
		e.add(r, "detailed monitoring", count, e.prices.DetailedMonitoring, "")
	}
	if strings.HasPrefix(m.instanceType, "t") {
		e.used(e.prices.Usage.CPUCredits)
	}
	e.used(e.prices.Usage.TransferOut)
	return nil
}

// scalingPolicy counts the two alarms, above and below, that target tracking makes for itself:
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
func scalingPolicy(e *estimator, r resource) error {
	if kind := r.args.text("policy_type"); kind != "TargetTrackingScaling" {
		return fmt.Errorf("no price for a policy of type %q: the constructs make TargetTrackingScaling", kind)
	}
	e.add(r, "alarms of target tracking", 2, e.prices.Alarm, "")
	return nil
}

// alarm counts the metrics that it watches, as AWS does.
func alarm(e *estimator, r resource) error {
	metrics := 0
	for _, query := range r.args.blocks("metric_query") {
		if query.block("metric") != nil {
			metrics++
		}
	}
	e.add(r, "alarm", float64(max(metrics, 1)), e.prices.Alarm, "")
	return nil
}

func dashboard(e *estimator, r resource) error {
	e.add(r, "dashboard", 1, e.prices.Dashboard, "")
	return nil
}

func logGroup(e *estimator, _ resource) error {
	e.used(e.prices.Usage.LogIngestion, e.prices.Usage.LogStorage)
	return nil
}

func flowLog(e *estimator, r resource) error {
	if kind := r.args.text("log_destination_type"); kind != "s3" {
		return fmt.Errorf("no price for flow logs to %q: the constructs send them to s3", kind)
	}
	e.used(e.prices.Usage.FlowLogs)
	return nil
}

func address(e *estimator, r resource) error {
	e.add(r, "public IPv4 address", 1, e.prices.PublicIPv4, publicIPv4)
	return nil
}

func natGateway(e *estimator, r resource) error {
	e.add(r, "NAT gateway", 1, e.prices.NATGateway, natGateways)
	e.used(e.prices.Usage.NATTraffic)
	return nil
}

// endpoint counts the zones of an interface endpoint: it has one subnet in each.
func endpoint(e *estimator, r resource) error {
	switch kind := r.args.text("vpc_endpoint_type"); kind {
	case "", "Gateway":
		return nil
	case "Interface":
		zones := len(r.args.list("subnet_ids"))
		if zones == 0 {
			return errors.New("it names no subnet_ids")
		}
		e.add(r, "interface endpoint, zones", float64(zones), e.prices.InterfaceEndpoint, interfaceEndpoints)
		e.used(e.prices.Usage.EndpointTraffic)
		return nil
	default:
		return fmt.Errorf("no price for an endpoint of type %q: the constructs make Gateway and Interface", kind)
	}
}

func loadBalancer(e *estimator, r resource) error {
	if kind := r.args.text("load_balancer_type"); kind != "" && kind != "application" {
		return fmt.Errorf("no price for a load balancer of type %q: the constructs make application", kind)
	}
	e.add(r, "load balancer", 1, e.prices.LoadBalancer, idleBalancer)
	if !r.args.is("internal") {
		// One address in each subnet, at least.
		e.add(r, "public IPv4 address", float64(len(r.args.list("subnets"))), e.prices.PublicIPv4, publicIPv4)
	}
	e.used(e.prices.Usage.LoadBalancerUnits)
	return nil
}

func bucket(e *estimator, _ resource) error {
	u := e.prices.Usage
	e.used(u.S3Storage, u.S3Writes, u.S3Reads, u.TransferOut)
	return nil
}

func kmsKey(e *estimator, r resource) error {
	e.add(r, "key", 1, e.prices.KMSKey, "")
	e.used(e.prices.Usage.KMSRequests)
	return nil
}

func topic(e *estimator, _ resource) error {
	e.used(e.prices.Usage.Emails)
	return nil
}

// webACL counts its rules; a group of AWS's own rules is one.
func webACL(e *estimator, r resource) error {
	e.add(r, "firewall", 1, e.prices.WebACL, firewall)
	if rules := len(r.args.blocks("rule")); rules > 0 {
		e.add(r, "firewall rule", float64(rules), e.prices.WebACLRule, firewall)
	}
	e.used(e.prices.Usage.WebACLRequests)
	return nil
}
