package stack_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/network"
	"cloudstorage/infra/stack"
)

func subnetIn(zone, block string) network.Subnet {
	return network.Subnet{Zone: "eu-west-1" + zone, CIDR: netip.MustParsePrefix(block)}
}

// twoZones is a network with a public and a private subnet in each of two zones.
func twoZones(egress network.Egress, endpoints ...string) network.Props {
	return network.Props{
		Project: project, Region: "eu-west-1", CIDR: block, Egress: egress, Endpoints: endpoints,
		Subnets:        []network.Subnet{subnetIn("a", "10.0.0.0/24"), subnetIn("b", "10.0.1.0/24")},
		PrivateSubnets: []network.Subnet{subnetIn("a", "10.0.16.0/20"), subnetIn("b", "10.0.32.0/20")},
	}
}

func makeNetwork(t *testing.T, p network.Props) (s template.Template) {
	t.Helper()
	return template.One(t, func(stack cdktf.TerraformStack) { network.New(stack, "network", p) })
}

// machinesOf makes a network and tells where its machines are and what they wait for, as Terraform sees it.
func machinesOf(t *testing.T, p network.Props) (s template.Template, subnets, online []any) {
	t.Helper()
	s = template.One(t, func(stack cdktf.TerraformStack) {
		net := network.New(stack, "network", p)
		machines := net.MachineSubnetIDs()
		cdktf.NewTerraformOutput(stack, ptr("machines"), &cdktf.TerraformOutputConfig{Value: &machines, DependsOn: ptr(net.Online())})
	})
	subnets, _ = s.Output("machines").([]any)
	online, _ = s.Value("output.machines.depends_on").([]any)
	for i, address := range online {
		online[i] = strings.Trim(address.(string), "${}") // cdktf writes those of outputs, unlike a resource's, as references
	}
	return s, subnets, online
}

func ptr[T any](value T) *T { return &value }

func addresses(resources []template.Resource) []any {
	found := make([]any, len(resources))
	for i, r := range resources {
		found[i] = r.Address
	}
	return found
}

func idsOf(resources []template.Resource) []any {
	found := make([]any, len(resources))
	for i, r := range resources {
		found[i] = r.Ref("id")
	}
	return found
}

// subnetsOf are the subnets in s, by whether they are public.
func subnetsOf(s template.Template, public bool) []template.Resource {
	return slices.DeleteFunc(s.Resources("aws_subnet"), func(r template.Resource) bool {
		return strings.Contains(r.Address, "private-") == public
	})
}

func wantsSame(t *testing.T, what string, got, want []any) {
	t.Helper()
	order := func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	got, want = slices.SortedFunc(slices.Values(got), order), slices.SortedFunc(slices.Values(want), order)
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestWithoutPrivateSubnetsMachinesArePublic(t *testing.T) {
	p := twoZones(network.Internet)
	p.PrivateSubnets = nil
	s, subnets, online := machinesOf(t, p)
	wantsSame(t, "machines", subnets, idsOf(subnetsOf(s, true)))
	wantsSame(t, "online", online, addresses(slices.Concat(s.Resources("aws_route_table_association"), s.Resources("aws_vpc_endpoint"))))
	s.Only("aws_route_table").Wants(map[string]string{"route.cidr_block": "0.0.0.0/0", "route.gateway_id": s.Only("aws_internet_gateway").Ref("id")})
	s.Only("aws_vpc_endpoint").Wants(map[string]string{
		"service_name": "com.amazonaws.eu-west-1.s3", "vpc_endpoint_type": "Gateway",
		"route_table_ids": fmt.Sprint([]string{s.Only("aws_route_table").Ref("id")}),
	})
}

func TestMachinesInPrivateSubnetsLeaveByTheirEgressOnly(t *testing.T) {
	for _, tc := range []struct {
		name                  string
		props                 network.Props
		services, nats, rules int
	}{
		{"none", twoZones(network.None), 0, 0, 0},
		{"none by default", twoZones(""), 0, 0, 0},
		{"endpoints", twoZones(network.Endpoints, "logs", "ssmmessages"), 2, 0, 2},
		{"nat", twoZones(network.NAT), 0, 2, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, subnets, online := machinesOf(t, tc.props)
			wantsSame(t, "machines", subnets, idsOf(subnetsOf(s, false)))
			private := slices.DeleteFunc(s.Resources("aws_route_table_association"), func(r template.Resource) bool {
				return !slices.Contains(subnets, r.Get("subnet_id"))
			})
			endpoints := s.Resources("aws_vpc_endpoint")
			wantsSame(t, "online", online, addresses(slices.Concat(private, endpoints)))

			services := slices.DeleteFunc(slices.Clone(endpoints), func(r template.Resource) bool { return r.Get("vpc_endpoint_type") == "Gateway" })
			nats, rules := s.Resources("aws_nat_gateway"), s.Resources("aws_vpc_security_group_ingress_rule")
			if len(services) != tc.services || len(nats) != tc.nats || len(rules) != tc.rules {
				t.Errorf("%d interface endpoints, %d NAT gateways, %d rules", len(services), len(nats), len(rules))
			}
			if got := len(s.Resources("aws_eip")); got != tc.nats {
				t.Errorf("%d addresses for %d NAT gateways", got, tc.nats)
			}
			for _, endpoint := range services {
				endpoint.Wants(map[string]string{"vpc_endpoint_type": "Interface", "private_dns_enabled": "true", "security_group_ids": "[" + s.Only("aws_security_group").Ref("id") + "]"})
				wantsSame(t, endpoint.Address, endpoint.Get("subnet_ids").([]any), subnets)
			}
			for _, rule := range rules {
				rule.Wants(map[string]string{"from_port": "443", "to_port": "443", "ip_protocol": "tcp"})
			}
		})
	}
}

func TestNothingPrivateHasARouteToTheInternetGateway(t *testing.T) {
	for _, p := range []network.Props{twoZones(network.None), twoZones(network.Endpoints, "ssm"), twoZones(network.NAT)} {
		s := makeNetwork(t, p)
		gateway := s.Only("aws_internet_gateway").Ref("id")
		for _, subnet := range s.Resources("aws_subnet") {
			subnet.Wants(map[string]string{"map_public_ip_on_launch": "false"})
		}
		for _, subnet := range subnetsOf(s, false) {
			table := tableOf(t, s, subnet)
			if strings.Contains(fmt.Sprint(table.Args), gateway) {
				t.Errorf("%s: %s leads to the internet gateway", p.Egress, table.Address)
			}
			if routes := table.Get("route").([]any); p.Egress != network.NAT && len(routes) != 0 {
				t.Errorf("%s: %s has the routes %v", p.Egress, table.Address, routes)
			}
		}
	}
}

// tableOf is the route table that is associated with the subnet.
func tableOf(t *testing.T, s template.Template, subnet template.Resource) template.Resource {
	t.Helper()
	for _, association := range s.Resources("aws_route_table_association") {
		for _, table := range s.Resources("aws_route_table") {
			if association.Get("subnet_id") == subnet.Ref("id") && association.Get("route_table_id") == table.Ref("id") {
				return table
			}
		}
	}
	t.Fatalf("%s has no route table", subnet.Address)
	return template.Resource{}
}

func TestANATGatewayIsInThePublicSubnetOfItsZone(t *testing.T) {
	s := makeNetwork(t, twoZones(network.NAT))
	for _, private := range subnetsOf(s, false) {
		route := tableOf(t, s, private).Get("route.nat_gateway_id")
		nats := s.Resources("aws_nat_gateway")
		i := slices.IndexFunc(nats, func(r template.Resource) bool { return r.Ref("id") == route })
		if i < 0 {
			t.Fatalf("%s leads to %v", private.Address, route)
		}
		publics := subnetsOf(s, true)
		j := slices.IndexFunc(publics, func(r template.Resource) bool { return r.Ref("id") == nats[i].Get("subnet_id") })
		if j < 0 || publics[j].Get("availability_zone") != private.Get("availability_zone") {
			t.Errorf("%s leaves by %s, in no public subnet of its zone", private.Address, nats[i].Address)
		}
	}
}

func TestAnotherZoneDestroysNothingAndTouchesOnlyWhatIsShared(t *testing.T) {
	for _, egress := range []network.Egress{network.None, network.NAT, network.Endpoints} {
		p := twoZones(egress)
		if egress == network.Endpoints {
			p.Endpoints = []string{"ssm"}
		}
		before := makeNetwork(t, p)
		p.Subnets = slices.Insert(p.Subnets, 0, subnetIn("c", "10.0.2.0/24"))
		p.PrivateSubnets = slices.Insert(p.PrivateSubnets, 0, subnetIn("c", "10.0.48.0/20"))
		after := map[string]string{}
		for _, r := range makeNetwork(t, p).All() {
			after[r.Address] = fmt.Sprint(r.Args)
		}
		for _, r := range before.All() {
			switch now, kept := after[r.Address]; {
			case !kept:
				t.Errorf("%s: %s is gone", egress, r.Address)
			case now != fmt.Sprint(r.Args) && !strings.HasPrefix(r.Address, "aws_vpc_endpoint."):
				t.Errorf("%s: %s changed", egress, r.Address)
			}
		}
	}
}

func TestAddingAZoneTouchesNoOtherSubnetOfAnEnvironment(t *testing.T) {
	before := changed(t, "module02", strings.NewReplacer())["module02-api"]
	after := changed(t, "module02", strings.NewReplacer(
		"    - {zone: eu-west-1a,", "    - {zone: eu-west-1c, cidr: 10.0.3.0/24}\n    - {zone: eu-west-1a,"))["module02-api"]
	for _, kind := range []string{"aws_subnet", "aws_route_table_association"} {
		kept := map[string]string{}
		for _, r := range after.Resources(kind) {
			kept[r.Address] = fmt.Sprint(r.Args)
		}
		if len(kept) != 3 {
			t.Errorf("%s: %d, want 3", kind, len(kept))
		}
		for _, r := range before.Resources(kind) {
			if kept[r.Address] != fmt.Sprint(r.Args) {
				t.Errorf("%s changed", r.Address)
			}
		}
	}
}

func TestTheDefaultSecurityGroupIsEmpty(t *testing.T) {
	for _, s := range []template.Template{makeNetwork(t, twoZones(network.None)), shipped(t, stack.Target{})["module02-api"]} {
		s.Only("aws_default_security_group").Wants(map[string]string{"vpc_id": s.Only("aws_vpc").Ref("id"), "ingress": "[]", "egress": "[]"})
	}
}

func TestTheS3EndpointServesEveryRouteTable(t *testing.T) {
	s := makeNetwork(t, twoZones(network.None))
	wantsSame(t, "route tables", s.Only("aws_vpc_endpoint").Get("route_table_ids").([]any), idsOf(s.Resources("aws_route_table")))
}

// s3Statement is a statement of a role's or an endpoint's policy.
type s3Statement struct {
	Principal        any
	Action, Resource any
}

// statementsOf reads the policy of a resource.
func statementsOf(t *testing.T, r template.Resource) []s3Statement {
	t.Helper()
	var policy struct{ Statement []s3Statement }
	if err := json.Unmarshal([]byte(fmt.Sprint(r.Get("policy"))), &policy); err != nil {
		t.Fatal(err)
	}
	return policy.Statement
}

// each lists what IAM writes as one text or as several.
func each(value any) []string {
	if list, ok := value.([]any); ok {
		texts := make([]string, len(list))
		for i, text := range list {
			texts[i] = fmt.Sprint(text)
		}
		return texts
	}
	return []string{fmt.Sprint(value)}
}

func s3EndpointOf(t *testing.T, s template.Template) template.Resource {
	t.Helper()
	endpoints := s.Resources("aws_vpc_endpoint")
	i := slices.IndexFunc(endpoints, func(r template.Resource) bool { return r.Get("vpc_endpoint_type") == "Gateway" })
	if i < 0 {
		t.Fatal("no S3 endpoint")
	}
	return endpoints[i]
}

func TestTheS3EndpointPassesWhatMachinesDoAndPackages(t *testing.T) {
	const packages = "s3:GetObject arn:aws:s3:::al2023-repos-eu-west-1-de612dc2/*\n"
	stacks := shipped(t, stack.Target{})
	for name, want := range map[string]string{
		"module02-api": packages + "s3:ListBucket arn:aws:s3:::module02-0000000000\ns3:GetObject,s3:GetObjectVersion,s3:PutObject,s3:DeleteObject arn:aws:s3:::module02-0000000000/*\n",
		"local-api": packages + "s3:ListBucket,s3:ListBucketVersions arn:aws:s3:::local-1000000001\ns3:GetObject,s3:GetObjectVersion,s3:PutObject,s3:DeleteObject,s3:AbortMultipartUpload,s3:ListMultipartUploadParts arn:aws:s3:::local-1000000001/*\ns3:GetObject arn:aws:s3:::local-releases-1000000001/*\n" +
			"s3:ListBucket arn:aws:s3:::local-api-state-1000000001\ns3:GetObject,s3:PutObject arn:aws:s3:::local-api-state-1000000001/*\n",
	} {
		var got strings.Builder
		for _, s := range statementsOf(t, s3EndpointOf(t, stacks[name])) {
			if s.Principal != "*" {
				t.Errorf("%s: packages are fetched unsigned, and the principal is %v", name, s.Principal)
			}
			fmt.Fprintln(&got, strings.Join(each(s.Action), ","), strings.Join(each(s.Resource), ","))
		}
		if got.String() != want {
			t.Errorf("%s: got\n%swant\n%s", name, got.String(), want)
		}
	}
}

// What a role allows and the endpoint stops would fail on machines only, and on no emulator.
func TestTheS3EndpointStopsNothingThatARoleAllows(t *testing.T) {
	looked := 0
	for name, s := range shipped(t, stack.Target{}) {
		if len(s.Resources("aws_vpc")) == 0 {
			continue
		}
		endpoint := statementsOf(t, s3EndpointOf(t, s))
		for _, policy := range s.Resources("aws_iam_policy") {
			for _, allowed := range statementsOf(t, policy) {
				for _, action := range each(allowed.Action) {
					if !strings.HasPrefix(action, "s3:") {
						continue
					}
					looked++
					if !slices.ContainsFunc(endpoint, func(e s3Statement) bool {
						return slices.Contains(each(e.Action), action) && covers(each(e.Resource), each(allowed.Resource))
					}) {
						t.Errorf("%s: the endpoint stops %s on %v", name, action, allowed.Resource)
					}
				}
			}
		}
	}
	if looked < 10 {
		t.Errorf("only %d actions were looked at", looked)
	}
}

// covers reports whether every resource is one of patterns, or begins as one that ends in *.
func covers(patterns, resources []string) bool {
	return !slices.ContainsFunc(resources, func(resource string) bool {
		return !slices.ContainsFunc(patterns, func(pattern string) bool {
			prefix, open := strings.CutSuffix(pattern, "*")
			return pattern == resource || open && strings.HasPrefix(resource, prefix)
		})
	})
}

func TestFlowLogsGoToTheirBucketWhereTheyAreAskedFor(t *testing.T) {
	p := twoZones(network.None)
	if got := makeNetwork(t, p).Resources("aws_flow_log"); len(got) != 0 {
		t.Errorf("unasked: %v", got)
	}
	p.FlowLogsBucket = "demo-logs-1"
	s := makeNetwork(t, p)
	s.Only("aws_flow_log").Wants(map[string]string{
		"vpc_id": s.Only("aws_vpc").Ref("id"), "traffic_type": "ALL", "log_destination_type": "s3", "log_destination": "arn:aws:s3:::demo-logs-1/vpc/",
	})
}

func TestEveryResourceOfANetworkIsTagged(t *testing.T) {
	p := twoZones(network.Endpoints, "ssm")
	p.FlowLogsBucket = "demo-logs-1"
	for _, s := range []template.Template{makeNetwork(t, p), makeNetwork(t, twoZones(network.NAT))} {
		names := map[string]string{}
		for _, r := range s.All() {
			if strings.HasPrefix(r.Address, "aws_route_table_association.") {
				continue
			}
			name := r.Tags()["Name"]
			if r.Tags()["Project_name"] != "demo" || !strings.HasPrefix(name, "demo-") {
				t.Errorf("%s has the tags %v", r.Address, r.Tags())
			}
			if other := names[name]; other != "" && !strings.HasPrefix(r.Address, "aws_vpc_security_group_") {
				t.Errorf("%s and %s are both called %s", other, r.Address, name)
			}
			names[name] = r.Address
		}
	}
}

func TestANetworkRefusesWhatCouldNotWork(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		change     func(*network.Props)
	}{
		{"no region", "Region is empty", func(p *network.Props) { p.Region = "" }},
		{"no block", "CIDR is missing", func(p *network.Props) { p.CIDR = netip.Prefix{} }},
		{"IPv6", "CIDR fd00::/16 is not an IPv4 block", func(p *network.Props) { p.CIDR = netip.MustParsePrefix("fd00::/16") }},
		{"too large a block", "CIDR 10.0.0.0/8 is not an IPv4 block of /16 to /28", func(p *network.Props) { p.CIDR = netip.MustParsePrefix("10.0.0.0/8") }},
		{"no subnets", "Subnets is empty", func(p *network.Props) { p.Subnets, p.PrivateSubnets, p.Egress = nil, nil, "" }},
		{"subnet without a block", `public subnet invalid Prefix of zone "eu-west-1c" is not an IPv4 block`, func(p *network.Props) {
			p.Subnets = append(p.Subnets, network.Subnet{Zone: "eu-west-1c"})
		}},
		{"host bits", "10.0.3.1/24 of zone", func(p *network.Props) { p.Subnets[1] = subnetIn("b", "10.0.3.1/24") }},
		{"outside", `private subnet 10.1.0.0/24 of zone "eu-west-1b" is outside the VPC's 10.0.0.0/16: choose a block inside it`, func(p *network.Props) { p.PrivateSubnets[1] = subnetIn("b", "10.1.0.0/24") }},
		{"overlap of a kind", `public subnet 10.0.0.128/25 of zone "eu-west-1b" overlaps 10.0.0.0/24: choose another block`, func(p *network.Props) { p.Subnets[1] = subnetIn("b", "10.0.0.128/25") }},
		{"overlap across kinds", `private subnet 10.0.0.0/20 of zone "eu-west-1a" overlaps 10.0.0.0/24`, func(p *network.Props) { p.PrivateSubnets[0] = subnetIn("a", "10.0.0.0/20") }},
		{"two public in a zone", `public zone "eu-west-1a" is empty or taken`, func(p *network.Props) {
			p.Subnets[1].Zone, p.PrivateSubnets = "eu-west-1a", p.PrivateSubnets[:1]
		}},
		{"two private in a zone", `private zone "eu-west-1a" is empty or taken`, func(p *network.Props) { p.PrivateSubnets[1].Zone = "eu-west-1a" }},
		{"private without public", `private zone "eu-west-1c" has no public subnet`, func(p *network.Props) { p.PrivateSubnets[1].Zone = "eu-west-1c" }},
		{"unknown egress", `egress "proxy" is none of internet, endpoints, none and nat`, func(p *network.Props) { p.Egress = "proxy" }},
		{"internet with private subnets", "egress internet needs public addresses", func(p *network.Props) { p.Egress = network.Internet }},
		{"nat without private subnets", "egress nat without private subnets", func(p *network.Props) { p.Egress, p.PrivateSubnets = network.NAT, nil }},
		{"endpoints without any", "egress endpoints names none", func(p *network.Props) { p.Egress = network.Endpoints }},
		{"services without endpoints", `Endpoints ["ssm"] are only made with egress endpoints`, func(p *network.Props) { p.Endpoints = []string{"ssm"} }},
		{"a full service name", `endpoint "com.amazonaws.x/ssm" is not a service`, func(p *network.Props) { p.Egress, p.Endpoints = network.Endpoints, []string{"com.amazonaws.x/ssm"} }},
		{"s3 for money", "endpoint s3 would cost money", func(p *network.Props) { p.Egress, p.Endpoints = network.Endpoints, []string{"s3"} }},
		{"a service twice", "endpoint ssm is named twice", func(p *network.Props) { p.Egress, p.Endpoints = network.Endpoints, []string{"ssm", "ssm"} }},
		{"an unused bucket", `bucket "demo-1" has no name or no ObjectActions`, func(p *network.Props) { p.Buckets = []network.Bucket{{Name: "demo-1"}} }},
	} {
		p := twoZones(network.None)
		tc.change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: one mistake is reported as several:\n%v", tc.name, err)
		}
	}
	all := twoZones("proxy", "s3")
	all.Region, all.Subnets = "", nil
	if err := all.Validate(); strings.Count(err.Error(), "\n") < 4 {
		t.Errorf("not all mistakes at once: %v", err)
	}
}
