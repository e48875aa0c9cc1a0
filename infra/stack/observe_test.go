package stack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/internal/template"
	"cloudstorage/infra/observe"
)

func watched() observe.Props {
	return observe.Props{
		Project: project, Region: "eu-west-1", Email: "a@example.com",
		BalancerARNSuffix: jsii.String("app/demo-alb/1"), TargetGroupARNSuffix: jsii.String("targetgroup/demo/2"), GroupName: jsii.String("demo-asg-3"),
		Bucket: "demo-1", Min: 2, Max: 6, Boot: 10 * time.Minute, Burstable: true, ErrorPercent: 5, P95: time.Second,
	}
}

func observed(t *testing.T, change func(*observe.Props)) template.Template {
	t.Helper()
	p := watched()
	change(&p)
	return template.One(t, func(stack cdktf.TerraformStack) { observe.New(stack, "observe", p) })
}

func TestLogsAreKeptForAWhile(t *testing.T) {
	s := template.One(t, func(stack cdktf.TerraformStack) {
		observe.NewLogs(stack, "logs", observe.LogsProps{Project: project, Days: 14})
	})
	s.Only("aws_cloudwatch_log_group").Wants(map[string]string{"name": "/demo/machines", "retention_in_days": "14", "tags.Name": "demo-logs"})
}

func TestOnlyTheProjectsAlarmsReachTheMailbox(t *testing.T) {
	s := observed(t, func(*observe.Props) {})
	topic := s.Only("aws_sns_topic")
	s.Only("aws_sns_topic_subscription").Wants(map[string]string{"topic_arn": topic.Ref("arn"), "protocol": "email", "endpoint": "a@example.com"})
	var policy struct {
		Statement []struct {
			Effect, Action, Resource string
			Principal                map[string]string
			Condition                map[string]map[string]string
		}
	}
	if err := json.Unmarshal([]byte(s.Only("aws_sns_topic_policy").Get("policy").(string)), &policy); err != nil {
		t.Fatal(err)
	}
	if len(policy.Statement) != 1 {
		t.Fatalf("%d statements", len(policy.Statement))
	}
	got := fmt.Sprint(policy.Statement[0])
	want := "{Allow sns:Publish " + topic.Ref("arn") + " map[Service:cloudwatch.amazonaws.com] " +
		"map[ArnLike:map[aws:SourceArn:arn:aws:cloudwatch:eu-west-1:" + topic.Ref("owner") + ":alarm:demo-*] StringEquals:map[aws:SourceAccount:" + topic.Ref("owner") + "]]}"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestEveryAlarmSaysWhatToDoAndIsSent(t *testing.T) {
	s := observed(t, func(*observe.Props) {})
	topic := "[" + s.Only("aws_sns_topic").Ref("arn") + "]"
	alarms := s.Resources("aws_cloudwatch_metric_alarm")
	if len(alarms) != 5 {
		t.Fatalf("%d alarms", len(alarms))
	}
	for _, alarm := range alarms {
		alarm.Wants(map[string]string{"alarm_actions": topic, "ok_actions": topic})
		text := alarm.Get("alarm_description").(string)
		// CloudWatch takes 1,024 characters.
		if len(text) > 1024 || !strings.Contains(text, "Dashboard: https://eu-west-1.console.aws.amazon.com/") || strings.Count(text, ". ") < 3 {
			t.Errorf("%s says, in %d characters: %s", alarm.Address, len(text), text)
		}
	}
}

func TestAlarmsAreThoseThatTheFleetCanNeed(t *testing.T) {
	names := func(s template.Template) (found []string) {
		for _, alarm := range s.Resources("aws_cloudwatch_metric_alarm") {
			found = append(found, alarm.Get("alarm_name").(string))
		}
		slices.Sort(found)
		return found
	}
	got := names(observed(t, func(p *observe.Props) { p.Max, p.Burstable = 2, false }))
	if want := []string{"demo-errors", "demo-slow", "demo-unhealthy"}; !slices.Equal(got, want) {
		t.Errorf("a fleet of one size, without credits: %v", got)
	}
	got = names(observed(t, func(*observe.Props) {}))
	if want := []string{"demo-at-max", "demo-credits", "demo-errors", "demo-slow", "demo-unhealthy"}; !slices.Equal(got, want) {
		t.Errorf("a fleet that scales, with credits: %v", got)
	}
}

// body is the dashboard as CloudWatch reads it.
type body struct {
	Widgets []struct {
		Type                string
		X, Y, Width, Height int
		Properties          map[string]any
	}
}

func TestTheDashboardIsWhatItsGoldenFileSays(t *testing.T) {
	s := observed(t, func(*observe.Props) {})
	var text bytes.Buffer
	var tree any
	if err := json.Unmarshal([]byte(s.Only("aws_cloudwatch_dashboard").Get("dashboard_body").(string)), &tree); err != nil {
		t.Fatal(err)
	}
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(tree); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "dashboard.json")
	if *update {
		if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readTestdata(t, "dashboard.json")), text.String()); diff != "" {
		t.Errorf("run `go test ./infra/stack -update` if this is meant:\n%s", diff)
	}
}

func TestNoWidgetCoversAnother(t *testing.T) {
	for _, burstable := range []bool{true, false} {
		var board body
		s := observed(t, func(p *observe.Props) { p.Burstable = burstable })
		if err := json.Unmarshal([]byte(s.Only("aws_cloudwatch_dashboard").Get("dashboard_body").(string)), &board); err != nil {
			t.Fatal(err)
		}
		taken := map[[2]int]string{}
		for i, w := range board.Widgets {
			name := fmt.Sprintf("%d (%v)", i, w.Properties["title"])
			if w.Width < 1 || w.Height < 1 || w.X < 0 || w.X+w.Width > 24 {
				t.Errorf("%s is outside the 24 columns: x %d, width %d, height %d", name, w.X, w.Width, w.Height)
			}
			for x := w.X; x < w.X+w.Width; x++ {
				for y := w.Y; y < w.Y+w.Height; y++ {
					if other, covered := taken[[2]int{x, y}]; covered {
						t.Fatalf("%s covers %s", name, other)
					}
					taken[[2]int{x, y}] = name
				}
			}
		}
		if len(board.Widgets) != 11 {
			t.Errorf("%d widgets", len(board.Widgets))
		}
	}
}

func TestWhatCannotBeWatchedIsRefused(t *testing.T) {
	with := func(change func(*observe.Props)) error { p := watched(); change(&p); return p.Validate() }
	if err := watched().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, want string
		err        error
	}{
		{"logs for 10 days", "CloudWatch keeps them for 1, 3, 5, 7, 14, 30, ", observe.LogsProps{Project: project, Days: 10}.Validate()},
		{"logs for ever", "logs of 0 days", observe.LogsProps{Project: project}.Validate()},
		{"no mailbox", `"nobody" is not an e-mail address`, with(func(p *observe.Props) { p.Email = "nobody" })},
		{"no balancer", "BalancerARNSuffix", with(func(p *observe.Props) { p.BalancerARNSuffix = nil })},
		{"no bucket", "Region and Bucket", with(func(p *observe.Props) { p.Bucket = "" })},
		{"a fleet of none", "a fleet of 0 to 6", with(func(p *observe.Props) { p.Min = 0 })},
		{"a start above max", "that starts at 7", with(func(p *observe.Props) { p.Initial = 7 })},
		{"no time to boot", "boot of 0s", with(func(p *observe.Props) { p.Boot = 0 })},
		{"no share", "alarm at 0% errors", with(func(p *observe.Props) { p.ErrorPercent = 0 })},
		{"no p95", "alarm at a p95 of 0s", with(func(p *observe.Props) { p.P95 = 0 })},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, tc.err, tc.want)
		}
	}
}

func TestAnObservedFleetStartsAfterItsLogsAndIsGivenTheTimeItHas(t *testing.T) {
	shipping := "release:\n  delivery: source\nobserve:\n  email: a@example.com\n"
	for name, s := range map[string]template.Template{
		"binary": changed(t, "production", strings.NewReplacer())["production-api"],
		"source": changed(t, "module02", strings.NewReplacer("release:\n  delivery: source\n", shipping))["module02-api"],
	} {
		asg := s.Only("aws_autoscaling_group")
		wantsDependency(t, asg, s.Only("aws_cloudwatch_log_group"))
		for _, metric := range []string{"GroupDesiredCapacity", "GroupInServiceInstances"} {
			if !slices.Contains(asg.Get("enabled_metrics").([]any), any(metric)) {
				t.Errorf("%s: the group does not report %s", name, metric)
			}
		}
		wait, err := time.ParseDuration(asg.Get("wait_for_capacity_timeout").(string))
		if err != nil {
			t.Fatal(err)
		}
		for _, alarm := range s.Resources("aws_cloudwatch_metric_alarm") {
			if !strings.HasSuffix(alarm.Get("alarm_name").(string), "-unhealthy") {
				continue
			}
			alarm.Wants(map[string]string{"datapoints_to_alarm": fmt.Sprint(wait.Minutes() + 5), "metric_query.0.metric.dimensions.AutoScalingGroupName": asg.Ref("name")})
		}
		for _, output := range []string{"dashboard_url", "alarm_topic_arn", "log_group_name"} {
			if s.Output(output) == nil {
				t.Errorf("%s: no output %s", name, output)
			}
		}
	}
}

func TestWhatIsNotObservedCostsNothing(t *testing.T) {
	s := changed(t, "module02", strings.NewReplacer())["module02-api"]
	for _, r := range s.All() {
		if strings.HasPrefix(r.Address, "aws_cloudwatch_") || strings.HasPrefix(r.Address, "aws_sns_") {
			t.Error(r.Address)
		}
	}
}
