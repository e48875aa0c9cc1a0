package naming

import (
	"maps"
	"strings"
	"testing"
)

func TestProjectNamesAreWhatEveryDerivedNameAllows(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		ok   bool
	}{
		{"module02", true},
		{"a", true},
		{"storage-eu-2", true},
		{strings.Repeat("a", MaxLength), true},
		{strings.Repeat("a", MaxLength+1), false},
		{"", false},
		{"Module02", false},
		{"2module", false},
		{"-a", false},
		{"a-", false},
		{"a--b", false},
		{"a_b", false},
		{"a.b", false},
	} {
		if _, err := ParseProject(tc.name); (err == nil) != tc.ok {
			t.Errorf("ParseProject(%q): %v", tc.name, err)
		}
	}
}

func TestNamesAndTagsAreTheExercises(t *testing.T) {
	t.Parallel()
	p := MustProject("module02")
	for got, want := range map[string]string{
		p.Name("igw"):               "module02-igw",
		p.Prefix("api"):             "module02-api-",
		p.IAM("s3FullAccessRole"):   "module02_s3FullAccessRole",
		p.IAM("s3FullAccessPolicy"): "module02_s3FullAccessPolicy",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, tc := range []struct {
		what      string
		got, want map[string]string
	}{
		{"every resource", p.Tags("vpc"), map[string]string{"Name": "module02-vpc", "Project_name": "module02"}},
		{"gateway and route table", p.RoutingTags("rt"), map[string]string{"Name": "module02-rt", "Project_name": "module02", "project_name": "module02"}},
		{"fleet", p.FleetTags("asg"), map[string]string{"Name": "module02-asg", "Project_name": "module02", "Autoscaling Flask": "flask-asg"}},
	} {
		if !maps.Equal(tc.got, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.what, tc.got, tc.want)
		}
	}
}

func TestBucketNamesStartWithTheProjectAndEndInDigits(t *testing.T) {
	t.Parallel()
	p := MustProject("module02")
	for name, ok := range map[string]bool{
		"module02-8302961457":          true,
		"module02-releases-8302961457": true,
		"module02-":                    false,
		"module02-data":                false,
		"module02-data1":               false,
		"module03-1":                   false,
		"module02-Data-1":              false,
		"module02-a.b-1":               false,
		"module02-" + strings.Repeat("a", 60) + "-1":  false,
		"module02-" + strings.Repeat("1", 63-9):       true,
		"module02-" + strings.Repeat("1", 63-9) + "1": false,
	} {
		if err := p.BucketName(name); (err == nil) != ok {
			t.Errorf("BucketName(%q): %v", name, err)
		}
	}
	if !PlaceholderBucket("module02-releases-0000000000") || PlaceholderBucket("module02-1000000000") {
		t.Error("ten zeros mark a placeholder, nothing else does")
	}
}
