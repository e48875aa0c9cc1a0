// Package identity makes the role that the API's machines run as: what the store calls, and nothing else.
package identity

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/iaminstanceprofile"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/iampolicy"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/iamrole"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/iamrolepolicyattachment"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/app/s3store/actions"
	"cloudstorage/infra/internal/tf"
	"cloudstorage/infra/naming"
)

// The exercise's names, behind "<project_name>_". Despite them the policy allows only what the store declares.
const (
	roleName    = "s3FullAccessRole"
	profileName = "s3FullAccessProfile"
	policyName  = "s3FullAccessPolicy"
)

// The names of the policies for shells and for logs, in the same form.
const (
	sessionManagerName = "sessionManagerPolicy"
	logsName           = "logsPolicy"
)

// Props are what a role needs.
type Props struct {
	// Project names and tags the role, the profile and the policy. Required.
	Project naming.Project
	// Bucket is the data bucket's name. Required.
	Bucket string
	// Actions are what the server calls on the data bucket, as app/s3store/actions declares it. Required: at least one on
	// the bucket and one on its objects.
	Actions []actions.Action
	// ReleasesBucket is the bucket of builds, of which objects under ReleasesPrefix can be read, neither listed nor
	// changed. Default "": none.
	ReleasesBucket string
	// ReleasesPrefix is where builds lie in it, such as "storaged/". Required with ReleasesBucket.
	ReleasesPrefix string
	// State is the bucket with the API's own state. Default nil: none.
	State *State
	// KMSKeyARN is the key that encrypts the data bucket, to be used through S3 only. Default nil: S3 manages the keys.
	KMSKeyARN *string
	// Region is the buckets'. Required with a KMSKeyARN, this one or State's.
	Region string
	// LogGroupARN is the CloudWatch log group that the machines write to, without a ":*" at its end. Default nil: none.
	LogGroupARN *string
	// SessionManager adds what Systems Manager needs to open a shell. Default false.
	SessionManager bool
	// PermissionsBoundary is the ARN of a policy that bounds what the role can ever be allowed. Default "": none.
	PermissionsBoundary string
}

// State is a bucket of which everything can be read and listed, and named objects written. Nothing in it can be deleted.
type State struct {
	// Bucket is its name. Required.
	Bucket string
	// Writes are the objects that can be written, such as sealing-key, or with a * behind a prefix: revoked-links/*.
	// Required.
	Writes []string
	// KMSKeyARN is the key that encrypts it, to be used through S3 only. Default nil: S3 manages the keys.
	KMSKeyARN *string
}

var boundaryPattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$`)

// Validate reports what no role could be made of.
func (p Props) Validate() error {
	var errs []error
	if p.Bucket == "" {
		errs = append(errs, errors.New("identity: Bucket is empty: name the data bucket"))
	}
	if on(actions.Bucket, p.Actions) == nil || on(actions.Objects, p.Actions) == nil {
		errs = append(errs, errors.New("identity: Actions lack one on the bucket or one on its objects: give what the server calls, such as actions.All()"))
	}
	if (p.ReleasesBucket == "") != (p.ReleasesPrefix == "") {
		errs = append(errs, errors.New("identity: ReleasesBucket and ReleasesPrefix go together: give both or neither"))
	}
	if p.ReleasesBucket != "" && p.ReleasesBucket == p.Bucket {
		errs = append(errs, errors.New("identity: ReleasesBucket is the data bucket: the API must not reach its own release"))
	}
	if s := p.State; s != nil {
		if s.Bucket == "" || slices.Contains(s.Writes, "") {
			errs = append(errs, errors.New("identity: State lacks its Bucket, or the name of what the API Writes there: give both"))
		}
		if s.Bucket == p.Bucket || s.Bucket == p.ReleasesBucket && s.Bucket != "" {
			errs = append(errs, fmt.Errorf("identity: State: Bucket %q is the data or the releases bucket: who may call must lie apart from both", s.Bucket))
		}
	}
	if (p.KMSKeyARN != nil || p.State != nil && p.State.KMSKeyARN != nil) && p.Region == "" {
		errs = append(errs, errors.New("identity: Region is empty: the key is allowed through the S3 of one region, so name it"))
	}
	if p.PermissionsBoundary != "" && !boundaryPattern.MatchString(p.PermissionsBoundary) {
		errs = append(errs, fmt.Errorf("identity: PermissionsBoundary: %q is not a policy's ARN: write one such as arn:aws:iam::123456789012:policy/boundary", p.PermissionsBoundary))
	}
	return errors.Join(errs...)
}

// Role is the machines' role with its instance profile.
type Role struct {
	profile iaminstanceprofile.IamInstanceProfile
	ready   []cdktf.ITerraformDependable
}

// New makes the role, its policy and its instance profile. It panics where Validate would have said why.
func New(scope constructs.Construct, id string, p Props) *Role {
	if err := p.Validate(); err != nil {
		panic(err)
	}
	within := constructs.NewConstruct(scope, jsii.String(id))
	config := &iamrole.IamRoleConfig{
		Name:             jsii.String(p.Project.IAM(roleName)),
		Description:      jsii.String("Runs the storage API: the S3 actions it calls on its data bucket"),
		AssumeRolePolicy: tf.JSON(trustEC2()),
		Tags:             tf.Tags(p.Project.Tags("role")),
	}
	if p.PermissionsBoundary != "" {
		config.PermissionsBoundary = jsii.String(p.PermissionsBoundary)
	}
	role := iamrole.NewIamRole(within, jsii.String("role"), config)
	r := &Role{profile: iaminstanceprofile.NewIamInstanceProfile(within, jsii.String("profile"), &iaminstanceprofile.IamInstanceProfileConfig{
		Name: jsii.String(p.Project.IAM(profileName)),
		Role: role.Name(),
		Tags: tf.Tags(p.Project.Tags("profile")),
	})}
	r.allow(within, p.Project, role, "policy", policyName, access(p))
	if p.SessionManager {
		r.allow(within, p.Project, role, "session-manager", sessionManagerName, shells())
	}
	if p.LogGroupARN != nil {
		r.allow(within, p.Project, role, "logs", logsName, logging(*p.LogGroupARN))
	}
	return r
}

// allow makes a policy and attaches it to the role.
func (r *Role) allow(within constructs.Construct, project naming.Project, role iamrole.IamRole, id, name string, what document) {
	policy := iampolicy.NewIamPolicy(within, jsii.String(id), &iampolicy.IamPolicyConfig{
		Name:   jsii.String(project.IAM(name)),
		Policy: tf.JSON(what),
		Tags:   tf.Tags(project.Tags(id)),
	})
	r.ready = append(r.ready, iamrolepolicyattachment.NewIamRolePolicyAttachment(within, jsii.String(id+"-attachment"), &iamrolepolicyattachment.IamRolePolicyAttachmentConfig{
		Role:      role.Name(),
		PolicyArn: policy.Arn(),
	}))
}

// ProfileName is a token for the instance profile's name.
func (r *Role) ProfileName() *string { return r.profile.Name() }

// Ready is what must exist before a machine that runs as the role is allowed anything.
func (r *Role) Ready() []cdktf.ITerraformDependable { return r.ready }
