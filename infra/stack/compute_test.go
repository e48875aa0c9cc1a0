package stack_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/settings"
	"cloudstorage/infra/bootstrap"
	"cloudstorage/infra/compute"
	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/stack"
)

func fleetOf(change func(*compute.FleetProps)) compute.FleetProps {
	p := compute.FleetProps{
		Machine: machine(), Min: 2, Max: 6, SubnetIDs: *jsii.Strings("subnet-a", "subnet-b"),
		BalancerSecurityGroupID: jsii.String("sg-balancer"), TargetGroupARN: jsii.String("arn:target"),
	}
	change(&p)
	return p
}

func fleet(t *testing.T, change func(*compute.FleetProps)) template.Template {
	t.Helper()
	return template.One(t, func(stack cdktf.TerraformStack) {
		compute.NewFleet(stack, "compute", fleetOf(change))
	})
}

// templateName is what a fleet's machines are made of, in short.
func templateName(t *testing.T, change func(*compute.FleetProps)) string {
	t.Helper()
	return fmt.Sprint(fleet(t, change).Only("aws_launch_template").Get("name"))
}

func TestAFleetTakesNothingThatItWasNotAskedFor(t *testing.T) {
	s := fleet(t, func(*compute.FleetProps) {})
	s.Only("aws_autoscaling_group").Wants(map[string]string{
		"min_size": "2", "max_size": "6", "min_elb_capacity": "2", "desired_capacity": "<nil>", "lifecycle.ignore_changes": "<nil>",
		"enabled_metrics": "[GroupDesiredCapacity GroupInServiceInstances GroupMaxSize GroupMinSize]",
	})
	s.Only("aws_launch_template").Wants(map[string]string{
		"monitoring": "<nil>", "network_interfaces": "<nil>",
		"vpc_security_group_ids": "[" + s.Only("aws_security_group").Ref("id") + "]",
	})
	if n := len(s.Resources("aws_autoscaling_policy")) + len(s.Resources("aws_autoscaling_schedule")); n != 0 {
		t.Errorf("%d policies and schedules", n)
	}
	for _, rule := range s.Resources("aws_vpc_security_group_egress_rule") {
		rule.Wants(map[string]string{"ip_protocol": "-1"})
	}
}

func TestANewFleetStartsAtItsInitialSizeAndKeepsTheOneThatItGrewTo(t *testing.T) {
	s := fleet(t, func(p *compute.FleetProps) { p.Initial = 4 })
	s.Only("aws_autoscaling_group").Wants(map[string]string{
		"desired_capacity": "4", "min_elb_capacity": "4", "min_size": "2", "lifecycle.ignore_changes": "[desired_capacity]",
		"lifecycle.create_before_destroy": "true",
	})
}

func TestAPrivateMachineHasNoPublicAddressWhateverItsSubnetSays(t *testing.T) {
	s := fleet(t, func(p *compute.FleetProps) { p.Private = true })
	s.Only("aws_launch_template").Wants(map[string]string{
		"network_interfaces.associate_public_ip_address": "false", "network_interfaces.delete_on_termination": "true",
		"network_interfaces.security_groups": "[" + s.Only("aws_security_group").Ref("id") + "]", "vpc_security_group_ids": "<nil>",
	})
}

func TestAMachineReachesTheNamedServicesAndNothingElse(t *testing.T) {
	endpoints := jsii.String("sg-endpoints")
	for name, want := range map[string][]map[string]string{
		"s3": {{"prefix_list_id": "pl-s3", "referenced_security_group_id": "<nil>"}},
		"s3 and endpoints": {
			{"prefix_list_id": "<nil>", "referenced_security_group_id": "sg-endpoints"},
			{"prefix_list_id": "pl-s3", "referenced_security_group_id": "<nil>"},
		},
	} {
		s := fleet(t, func(p *compute.FleetProps) {
			p.Out = &compute.Out{S3PrefixListID: jsii.String("pl-s3")}
			if len(want) == 2 {
				p.Out.EndpointsSecurityGroupID = endpoints
			}
		})
		rules := s.Resources("aws_vpc_security_group_egress_rule")
		if len(rules) != len(want) {
			t.Fatalf("%s: %d rules", name, len(rules))
		}
		for i, rule := range rules {
			want[i]["ip_protocol"], want[i]["from_port"], want[i]["to_port"], want[i]["cidr_ipv4"] = "tcp", "443", "443", "<nil>"
			rule.Wants(want[i])
		}
	}
}

func TestAPinnedImageIsNotLookedUp(t *testing.T) {
	const image = "ami-0123456789abcdef0"
	s := fleet(t, func(p *compute.FleetProps) { p.Image = image })
	s.Only("aws_launch_template").Wants(map[string]string{"image_id": image})
	single := template.One(t, func(stack cdktf.TerraformStack) {
		m := machine()
		m.Image, m.DetailedMonitoring = image, true
		compute.NewInstance(stack, "compute", compute.InstanceProps{Machine: m})
	})
	single.Only("aws_instance").Wants(map[string]string{"ami": image, "monitoring": "true"})
	if n := len(s.Data("aws_ssm_parameter")) + len(single.Data("aws_ssm_parameter")); n != 0 {
		t.Errorf("%d look-ups", n)
	}
}

func TestDetailedMonitoringIsTheMachinesOwn(t *testing.T) {
	s := fleet(t, func(p *compute.FleetProps) { p.DetailedMonitoring = true })
	s.Only("aws_launch_template").Wants(map[string]string{"monitoring.enabled": "true"})
}

func TestWhatAMachineIsMadeOfNamesItsTemplate(t *testing.T) {
	names := map[string]string{}
	for what, change := range map[string]func(*compute.FleetProps){
		"nothing":     func(*compute.FleetProps) {},
		"type":        func(p *compute.FleetProps) { p.InstanceType = "t4g.small" },
		"image":       func(p *compute.FleetProps) { p.Image = "ami-0123456789abcdef0" },
		"monitoring":  func(p *compute.FleetProps) { p.DetailedMonitoring = true },
		"address":     func(p *compute.FleetProps) { p.Private = true },
		"user-data":   func(p *compute.FleetProps) { p.UserData = []byte("#!/bin/sh\ntrue\n") },
		"key":         func(p *compute.FleetProps) { p.SSH = &compute.SSH{Name: "k", PublicKey: publicKey, Allow: world} },
		"another key": func(p *compute.FleetProps) { p.SSH = &compute.SSH{Name: "k", PublicKey: publicKey + "x", Allow: world} },
	} {
		name := templateName(t, change)
		if other, taken := names[name]; taken {
			t.Errorf("%s and %s make the same template, %s", what, other, name)
		}
		names[name] = what
	}
	// The size is the group's own, and changes in place.
	if _, same := names[templateName(t, func(p *compute.FleetProps) { p.Max, p.Initial = 9, 4 })]; !same {
		t.Error("a size replaces the machines")
	}
}

func TestAFleetFollowsItsRequestsAndItsProcessors(t *testing.T) {
	s := fleet(t, func(p *compute.FleetProps) {
		p.Scaling = &compute.Scaling{RequestsPerTarget: 30000, CPUPercent: 60, ResourceLabel: jsii.String("app/a/1/targetgroup/b/2")}
	})
	asg, policies := s.Only("aws_autoscaling_group"), s.Resources("aws_autoscaling_policy")
	if len(policies) != 2 {
		t.Fatalf("%d policies", len(policies))
	}
	cpu, requests := policies[0], policies[1]
	const tracking = "target_tracking_configuration."
	cpu.Wants(map[string]string{
		"name": asg.Ref("name") + "-cpu", tracking + "target_value": "60",
		tracking + "predefined_metric_specification.predefined_metric_type": "ASGAverageCPUUtilization",
		tracking + "predefined_metric_specification.resource_label":         "<nil>",
	})
	requests.Wants(map[string]string{
		"name": asg.Ref("name") + "-requests", tracking + "target_value": "30000",
		tracking + "predefined_metric_specification.predefined_metric_type": "ALBRequestCountPerTarget",
		tracking + "predefined_metric_specification.resource_label":         "app/a/1/targetgroup/b/2",
	})
	for _, policy := range policies {
		policy.Wants(map[string]string{
			"autoscaling_group_name": asg.Ref("name"), "policy_type": "TargetTrackingScaling",
			"estimated_instance_warmup": "300", "lifecycle.create_before_destroy": "true",
		})
	}
}

func TestOneTargetIsOnePolicy(t *testing.T) {
	s := fleet(t, func(p *compute.FleetProps) { p.Scaling, p.BuildsFromSource = &compute.Scaling{CPUPercent: 50}, true })
	s.Only("aws_autoscaling_policy").Wants(map[string]string{"estimated_instance_warmup": "1200"})
}

// Terraform made the bounds and the schedule only moves within them, so a plan at night has nothing to change.
func TestAFleetSleepsWithinItsBounds(t *testing.T) {
	s := fleet(t, func(p *compute.FleetProps) {
		p.Max = 2
		p.Sleep = &compute.Sleep{From: "0 20 * * 1-5", Until: "0 7 * * 1-5", TimeZone: "Europe/Paris"}
	})
	asg, schedules := s.Only("aws_autoscaling_group"), s.Resources("aws_autoscaling_schedule")
	asg.Wants(map[string]string{
		"min_size": "0", "max_size": "2", "desired_capacity": "2", "min_elb_capacity": "2", "lifecycle.ignore_changes": "[desired_capacity]",
	})
	if len(schedules) != 2 {
		t.Fatalf("%d schedules", len(schedules))
	}
	for i, want := range []map[string]string{
		{"scheduled_action_name": asg.Ref("name") + "-sleep", "recurrence": "0 20 * * 1-5", "desired_capacity": "0"},
		{"scheduled_action_name": asg.Ref("name") + "-wake", "recurrence": "0 7 * * 1-5", "desired_capacity": "2"},
	} {
		want["autoscaling_group_name"], want["time_zone"] = asg.Ref("name"), "Europe/Paris"
		want["min_size"], want["max_size"], want["lifecycle.create_before_destroy"] = "-1", "-1", "true"
		schedules[i].Wants(want)
	}
}

func TestAFleetRefusesWhatAWSWouldRefuseLateOrNeverNotice(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		change     func(*compute.FleetProps)
	}{
		{"a start below min", "a fleet of 2 to 6 can't start with 1", func(p *compute.FleetProps) { p.Initial = 1 }},
		{"a start above max", "a fleet of 2 to 6 can't start with 7", func(p *compute.FleetProps) { p.Initial = 7 }},
		{"an image's name", `image "al2023" is not an id`, func(p *compute.FleetProps) { p.Image = "al2023" }},
		{"a way out without S3", "could not fetch its release", func(p *compute.FleetProps) { p.Out = &compute.Out{} }},
		{"scaling to nothing", "Scaling has no target", func(p *compute.FleetProps) { p.Scaling = &compute.Scaling{} }},
		{"scaling by requests of nobody", "RequestsPerTarget without ResourceLabel", func(p *compute.FleetProps) { p.Scaling = &compute.Scaling{RequestsPerTarget: 1} }},
		{"scaling to fewer than none", "scaling to -1 requests a minute", func(p *compute.FleetProps) { p.Scaling = &compute.Scaling{RequestsPerTarget: -1} }},
		{"scaling above all processors", "scaling to 101% of the processors", func(p *compute.FleetProps) { p.Scaling = &compute.Scaling{CPUPercent: 101} }},
		{"scaling what can't grow", "Scaling can't change a fleet of 2 to 2", func(p *compute.FleetProps) { p.Max, p.Scaling = 2, &compute.Scaling{CPUPercent: 50} }},
		{"sleep of six fields", `sleep at "0 0 20 * * *"`, func(p *compute.FleetProps) {
			p.Max, p.Sleep = 2, &compute.Sleep{From: "0 0 20 * * *", Until: "0 7 * * *", TimeZone: "UTC"}
		}},
		{"sleep nowhere", "Sleep without TimeZone", func(p *compute.FleetProps) {
			p.Max, p.Sleep = 2, &compute.Sleep{From: "0 20 * * *", Until: "0 7 * * *"}
		}},
		{"sleep of many sizes", "Min = Max without Scaling", func(p *compute.FleetProps) {
			p.Sleep = &compute.Sleep{From: "0 20 * * *", Until: "0 7 * * *", TimeZone: "UTC"}
		}},
	} {
		if err := fleetOf(tc.change).Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
}

// A machine that leaves gets no new requests, finishes those that it has, and is stopped: each of the three waits is
// inside the next one.
func TestAMachineDrainsBeforeItIsStopped(t *testing.T) {
	api := shipped(t, stack.Target{})["local-api"]
	files := machineFiles(t, api)
	stop, err := time.ParseDuration(unitSetting(files[bootstrap.UnitPath], "TimeoutStopSec") + "s")
	if err != nil {
		t.Fatal(err)
	}
	deregistration, err := time.ParseDuration(fmt.Sprint(api.Only("aws_lb_target_group").Get("deregistration_delay")) + "s")
	if err != nil {
		t.Fatal(err)
	}
	drain := settings.DefaultDrainTimeout
	if given := bootstrap.Variables(files[bootstrap.SettingsPath])[settings.EnvDrainTimeout]; given != "" {
		t.Errorf("the environment sets the drain to %s: compare that", given)
	}
	if drain > deregistration {
		t.Errorf("the load balancer lets go after %s, before the server has drained for %s", deregistration, drain)
	}
	if drain >= stop {
		t.Errorf("systemd kills the server after %s, while it drains for %s", stop, drain)
	}
}

// machineFiles are what the user-data of a stack's fleet writes.
func machineFiles(t *testing.T, api template.Template) map[string]string {
	t.Helper()
	userData, err := base64.StdEncoding.DecodeString(fmt.Sprint(api.Only("aws_launch_template").Get("user_data")))
	if err != nil {
		t.Fatal(err)
	}
	files, err := bootstrap.Files(userData)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func unitSetting(unit, name string) string {
	for line := range strings.Lines(unit) {
		if value, found := strings.CutPrefix(line, name+"="); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func TestAnEnvironmentsChoicesReachItsFleet(t *testing.T) {
	production := shipped(t, stack.Target{})["production-api"]
	production.Only("aws_autoscaling_group").Wants(map[string]string{"min_size": "2", "max_size": "6", "desired_capacity": "<nil>"})
	production.Only("aws_launch_template").Wants(map[string]string{
		"instance_type": "t4g.small", "monitoring.enabled": "true", "network_interfaces.associate_public_ip_address": "false",
	})
	if got := fmt.Sprint(production.Data("aws_ssm_parameter")[0].Get("name")); !strings.HasSuffix(got, "-arm64") {
		t.Errorf("the image is %s", got)
	}
	requests := production.Resources("aws_autoscaling_policy")[1]
	requests.Wants(map[string]string{
		"target_tracking_configuration.predefined_metric_specification.resource_label": production.Only("aws_lb").Ref("arn_suffix") + "/" + production.Only("aws_lb_target_group").Ref("arn_suffix"),
	})

	changes := "compute:\n  initial: 2\n  image: ami-0123456789abcdef0\n  sleep: {from: 0 20 * * *, until: 0 7 * * *, time_zone: Europe/Paris}\n"
	asleep := changed(t, "module02", strings.NewReplacer("compute:\n", changes))["module02-api"]
	asleep.Only("aws_launch_template").Wants(map[string]string{"image_id": "ami-0123456789abcdef0"})
	for _, schedule := range asleep.Resources("aws_autoscaling_schedule") {
		schedule.Wants(map[string]string{"time_zone": "Europe/Paris"})
	}
	if n := len(asleep.Resources("aws_autoscaling_schedule")); n != 2 {
		t.Errorf("%d schedules", n)
	}
}
