package emulator

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
)

func TestEveryEnvironmentOnTheEmulator(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("applies with the real Terraform, which takes minutes")
	}
	root, err := filepath.Abs(projectRoot)
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(root, ".cache")
	tools, err := FindTools(t.Context(), root, cache, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	program, err := BuildSynth(t.Context(), root, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := world{
		tools:   tools,
		shipped: synthesis(t, root, program, nil),
		keyed:   synthesis(t, root, program, map[string][]edit{"production": {addKey}}),
		rebuilt: synthesis(t, root, program, map[string][]edit{
			"module02": {newBuild}, "single": {newBuild}, "production": {addKey, newBuild, {"deletion_protection: true", "deletion_protection: false"}},
		}),
	}
	// Side by side whatever -parallel says: they wait for the provider's own timers more than they compute.
	var group sync.WaitGroup
	for name, test := range map[string]func(t *testing.T){
		"local":    func(t *testing.T) { testLocal(t, root) },
		"module02": func(t *testing.T) { testModule02(newDeployment(t, w, "module02")) },
		"single":   func(t *testing.T) { testSingle(newDeployment(t, w, "single")) },
		"account":  func(t *testing.T) { testAccount(newDeployment(t, w, "account")) },
		"production": func(t *testing.T) {
			testProduction(newDeployment(t, w, "production"))
		},
	} {
		group.Add(1)
		go func() {
			defer group.Done()
			t.Run(name, test)
		}()
	}
	group.Wait()
}

// testModule02: a fleet built from source, replaced by the next build, gone without its data.
func testModule02(d *deployment) {
	d.use(d.w.shipped)
	d.apply("module02-storage")
	first := d.apply("module02-api").outputs
	d.converged("module02-storage")
	d.converged("module02-api")
	userData, err := d.api.UserData(d.t.Context(), first["launch_template_id"])
	if err != nil {
		d.t.Fatal(err)
	}
	d.put("module02-0000000000", "kept.txt", "data")

	d.use(d.w.rebuilt)
	second := d.apply("module02-api")
	if first["autoscaling_group_name"] == second.outputs["autoscaling_group_name"] || first["launch_template_id"] == second.outputs["launch_template_id"] {
		d.t.Errorf("a new build kept the fleet's names: %v, then %v", first, second.outputs)
	}
	d.createdBeforeDestroyed(second, "aws_autoscaling_group")
	d.createdBeforeDestroyed(second, "aws_launch_template")
	if changed, err := d.api.UserData(d.t.Context(), second.outputs["launch_template_id"]); err != nil || bytes.Equal(changed, userData) {
		d.t.Errorf("the second build's user-data is the first's (%v)", err)
	}
	d.converged("module02-api")

	d.destroyAPI("module02-api")
	d.holds("module02-0000000000", "kept.txt", "data")
	d.converged("module02-storage")
}

// testSingle: an instance in the default VPC, replaced when its user-data changes.
func testSingle(d *deployment) {
	d.use(d.w.shipped)
	d.apply("single-storage")
	first := d.apply("single-api").outputs
	d.converged("single-storage")
	d.converged("single-api")
	if first["public_ip"] == "" || first["api_url"] != "http://"+first["public_ip"]+":5000" {
		d.t.Errorf("outputs %v", first)
	}
	d.put("module02-single-0000000000", "kept.txt", "data")

	d.use(d.w.rebuilt)
	if second := d.apply("single-api").outputs; second["instance_id"] == first["instance_id"] {
		d.t.Errorf("a new build kept the instance %s", first["instance_id"])
	}
	d.converged("single-api")

	d.destroyAPI("single-api")
	d.holds("module02-single-0000000000", "kept.txt", "data")
}

// testProduction: private machines behind HTTPS, replaced by the next build; who may call changes without them; protected
// until somebody says otherwise.
func testProduction(d *deployment) {
	const bucket, stateBucket = "cloudstorage-0000000000", "cloudstorage-api-state-0000000000"
	d.hostedZone("example.com")
	d.use(d.w.shipped)
	d.apply("production-storage")
	first := d.apply("production-api").outputs
	if first["api_url"] != "https://files.example.com" || first["dashboard_url"] == "" || first["alarm_topic_arn"] == "" {
		d.t.Errorf("outputs %v", first)
	}
	d.converged("production-storage")
	d.converged("production-api")
	d.put(bucket, "kept.txt", "data")

	d.holds(stateBucket, "keyring.json", `{"keys":[]}`)

	d.use(d.w.keyed)
	if log := d.apply("production-storage").log; !strings.Contains(log, "0 added, 1 changed, 0 destroyed") {
		d.t.Errorf("a key was added by more than one change in place:\n%s", log)
	}
	d.holds(stateBucket, "keyring.json", `{"keys":[`+testKey+`]}`)
	d.converged("production-storage")
	d.put(stateBucket, "keyring.json", `{"keys":[],"changed":"by hand"}`)
	d.apply("production-storage")
	d.holds(stateBucket, "keyring.json", `{"keys":[`+testKey+`]}`)
	d.converged("production-api")

	d.use(d.w.rebuilt)
	second := d.apply("production-api")
	if first["autoscaling_group_name"] == second.outputs["autoscaling_group_name"] {
		d.t.Errorf("a new build kept the fleet %s", first["autoscaling_group_name"])
	}
	d.createdBeforeDestroyed(second, "aws_autoscaling_group")
	d.createdBeforeDestroyed(second, "aws_launch_template")
	d.converged("production-api")

	d.destroyAPI("production-api")
	d.holds(bucket, "kept.txt", "data")
	d.converged("production-storage")
}

// hostedZone makes a zone in Route 53, which production's domain needs to be there.
func (d *deployment) hostedZone(name string) {
	d.t.Helper()
	body := "<CreateHostedZoneRequest><Name>" + name + "</Name><CallerReference>test</CallerReference></CreateHostedZoneRequest>"
	if _, err := d.api.call(d.t.Context(), "route53", http.MethodPost, "/2013-04-01/hostedzone", "application/xml", body); err != nil {
		d.t.Fatal(err)
	}
}

func testAccount(d *deployment) {
	d.use(d.w.shipped)
	outputs := d.apply("account").outputs
	if outputs["budget_name"] == "" || outputs["state_bucket_name"] == "" {
		d.t.Errorf("outputs %v", outputs)
	}
	d.converged("account")
}

// testKey is the key that production's second synthesis adds.
var testKey = fmt.Sprintf(`{"id":"ci","sha256":"%064d","verbs":["read"],"prefixes":["${x}"]}`, 1)

// edit changes one text in an environment's file.
type edit struct{ old, new string }

var (
	addKey   = edit{"keys: []", "keys: [" + testKey + "]"}
	newBuild = edit{"url_ttl: 10m", "url_ttl: 11m"} // a setting that the user-data carries
)

// world is what all deployments share.
type world struct {
	tools                   *Tools
	shipped, keyed, rebuilt func() (outdir string, err error)
}

// synthesis returns what synthesizes all environments, edited, the first time that it is called. Which emulator they go
// to is not written into them, so that one synthesis serves all.
func synthesis(t *testing.T, root, program string, edits map[string][]edit) func() (outdir string, err error) {
	t.Helper()
	dir := t.TempDir()
	environments, outdir := filepath.Join(dir, "environments"), filepath.Join(dir, "cdktf.out")
	copyEnvironments(t, root, environments)
	for name, edits := range edits {
		for _, e := range edits {
			editFile(t, filepath.Join(environments, name+".yaml"), e.old, e.new)
		}
	}
	return sync.OnceValues(func() (string, error) {
		return outdir, Synth(t.Context(), SynthOptions{
			Program: program, Root: root, Environments: environments, Outdir: outdir, Emulator: motoEndpoint(1),
		})
	})
}

// deployment is an environment on an emulator of its own.
type deployment struct {
	t      *testing.T
	w      world
	name   string
	api    API
	outdir string
	ready  map[string]bool // the stacks whose folders are initialized
}

func newDeployment(t *testing.T, w world, name string) *deployment {
	t.Helper()
	return &deployment{
		t: t, w: w, name: name, api: API{testMoto(t).Endpoint()}, outdir: filepath.Join(t.TempDir(), "cdktf.out"), ready: map[string]bool{},
	}
}

// use makes the deployment's stacks those of a synthesis.
func (d *deployment) use(synthesis func() (outdir string, err error)) {
	d.t.Helper()
	from, err := synthesis()
	if err != nil {
		d.t.Fatal(err)
	}
	stacks, err := filepath.Glob(StackDir(from, d.name+"*"))
	if err != nil || len(stacks) == 0 {
		d.t.Fatalf("%s: %d stacks were synthesized (%v)", d.name, len(stacks), err)
	}
	for _, stack := range stacks {
		to := StackDir(d.outdir, filepath.Base(stack))
		// What Terraform keeps beside these stays.
		err := errors.Join(os.RemoveAll(filepath.Join(to, "cdk.tf.json")), os.RemoveAll(filepath.Join(to, "assets")), os.CopyFS(to, os.DirFS(stack)))
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

func copyEnvironments(t *testing.T, root, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "infra", "environments"))); err != nil {
		t.Fatal(err)
	}
}

func editFile(t *testing.T, path, old, new string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("%s does not hold %q exactly once", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// applied is what an apply said and left.
type applied struct {
	log     string
	outputs map[string]string
}

func (d *deployment) stack(name string, out *bytes.Buffer) *Stack {
	d.t.Helper()
	s, err := d.w.tools.Stack(StackDir(d.outdir, name), StackOptions{Emulator: d.api.Endpoint, Out: out, Err: out})
	if err != nil {
		d.t.Fatal(err)
	}
	if !d.ready[name] {
		if err := s.Init(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
		d.ready[name] = true
	}
	return s
}

func (d *deployment) apply(name string) applied {
	d.t.Helper()
	var out bytes.Buffer
	s := d.stack(name, &out)
	if err := s.Apply(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	log := out.String()
	outputs, err := s.Output(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return applied{log: log, outputs: outputs}
}

// converged checks that a plan would change nothing.
func (d *deployment) converged(name string) {
	d.t.Helper()
	s := d.stack(name, &bytes.Buffer{})
	changes, err := s.Plan(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	if !changes {
		return
	}
	plan, err := s.Planned(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Errorf("the plan after the apply of %s is not empty: %s", name, strings.Join(changesOf(plan), "\n"))
}

// changesOf lists what a plan changes, by attribute where it updates.
func changesOf(plan *tfjson.Plan) []string {
	var found []string
	for _, resource := range plan.ResourceChanges {
		change := resource.Change
		switch {
		case change.Actions.NoOp() || change.Actions.Read():
			continue
		case !change.Actions.Update():
			found = append(found, fmt.Sprintf("%s: %v", resource.Address, change.Actions))
			continue
		}
		before, _ := change.Before.(map[string]any)
		after, _ := change.After.(map[string]any)
		unknown, _ := change.AfterUnknown.(map[string]any)
		for _, attribute := range slices.Sorted(maps.Keys(after)) {
			if !reflect.DeepEqual(before[attribute], after[attribute]) || unknown[attribute] == true {
				found = append(found, fmt.Sprintf("%s.%s from %v to %v", resource.Address, attribute, before[attribute], after[attribute]))
			}
		}
	}
	return found
}

// createdBeforeDestroyed checks, in what Terraform said, that the new resource of a type was there before the old
// one went.
func (d *deployment) createdBeforeDestroyed(a applied, kind string) {
	d.t.Helper()
	created, destroyed := -1, -1
	for i, line := range strings.Split(a.log, "\n") {
		if !strings.HasPrefix(line, kind+".") {
			continue
		}
		switch {
		case strings.Contains(line, ": Creation complete"):
			created = i
		case strings.Contains(line, ": Destroying..."):
			destroyed = i
		}
	}
	if created < 0 || destroyed < 0 || created > destroyed {
		d.t.Errorf("%s was not created before the old one was destroyed:\n%s", kind, a.log)
	}
}

// destroyAPI destroys the disposable stack and checks that nothing of it is left in Terraform's state.
func (d *deployment) destroyAPI(name string) {
	d.t.Helper()
	s := d.stack(name, &bytes.Buffer{})
	if err := s.Destroy(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	state, err := s.State(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	if state.Values != nil {
		d.t.Errorf("left of %s: %d resources", name, len(state.Values.RootModule.Resources))
	}
}

func (d *deployment) put(bucket, key, content string) {
	d.t.Helper()
	if _, err := d.api.call(d.t.Context(), "s3", http.MethodPut, objectPath(bucket, key), "text/plain", content); err != nil {
		d.t.Fatal(err)
	}
}

func (d *deployment) holds(bucket, key, want string) {
	d.t.Helper()
	got, err := d.api.Object(d.t.Context(), bucket, key)
	if err != nil || string(got) != want {
		d.t.Errorf("s3://%s/%s holds %q (%v), want %q", bucket, key, got, err, want)
	}
}
