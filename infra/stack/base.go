package stack

import (
	"fmt"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/dataawscalleridentity"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/provider"
	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/config"
)

// providerVersion replaces the exact version that the bindings ask for, which is older than what they work with.
const providerVersion = "~> 5.100"

// terraformVersion is the first with use_lockfile, which the S3 backend's lock needs.
const terraformVersion = ">= 1.10"

// base is what every stack has.
type base struct {
	name         string
	region       string
	account      string
	backend      *config.Backend
	target       Target
	placeholders []string // settings that a real account refuses
	initialise   string   // the command that replaces them
}

// newStack makes a stack with its provider and its backend.
func newStack(scope constructs.Construct, b base) cdktf.TerraformStack {
	stack := cdktf.NewTerraformStack(scope, jsii.String(b.name))
	stack.AddOverride(jsii.String("terraform.required_version"), jsii.String(terraformVersion))
	stack.AddOverride(jsii.String("terraform.required_providers.aws.version"), jsii.String(providerVersion))
	provider.NewAwsProvider(stack, jsii.String("aws"), b.provider())
	b.keepState(stack)
	b.refusePlaceholders(stack)
	return stack
}

func (b base) provider() *provider.AwsProviderConfig {
	if b.target.Emulator {
		return &provider.AwsProviderConfig{
			Region:                    jsii.String(b.region),
			AccessKey:                 jsii.String("test"),
			SecretKey:                 jsii.String("test"),
			SkipCredentialsValidation: jsii.Bool(true),
			SkipMetadataApiCheck:      jsii.String("true"),
			S3UsePathStyle:            jsii.Bool(true),
			// The default retries an action that the emulator lacks for over 8 minutes; fewer give up on a busy machine.
			MaxRetries: jsii.Number(5),
		}
	}
	config := &provider.AwsProviderConfig{Region: jsii.String(b.region)}
	if b.account != "" {
		config.AllowedAccountIds = jsii.Strings(b.account)
	}
	return config
}

// providerIn makes a second provider, for what a stack has in another region than its own.
func (b base) providerIn(stack cdktf.TerraformStack, region string) cdktf.TerraformProvider {
	b.region = region
	config := b.provider()
	config.Alias = jsii.String(region)
	return provider.NewAwsProvider(stack, jsii.String("aws-"+region), config)
}

// keepState chooses the backend. A local state lies beside the output folder, so in the project's root; the path is
// relative, so that the project can be moved. The emulator's state is another file, so that it never takes the place
// of the account's.
func (b base) keepState(stack cdktf.TerraformStack) {
	if b.backend == nil || b.target.Emulator {
		name := b.name
		if b.target.Emulator {
			name += ".emulator"
		}
		cdktf.NewLocalBackend(stack, &cdktf.LocalBackendConfig{Path: jsii.String("../../../terraform." + name + ".tfstate")})
		return
	}
	cdktf.NewS3Backend(stack, &cdktf.S3BackendConfig{
		Bucket:  jsii.String(b.backend.Bucket),
		Key:     jsii.String("cloudstorage/" + b.name + ".tfstate"),
		Region:  jsii.String(b.backend.Region),
		Encrypt: jsii.Bool(true),
	})
	stack.AddOverride(jsii.String("terraform.backend.s3.use_lockfile"), jsii.Bool(true))
}

// refusePlaceholders makes plan and apply fail on every account but the emulator's while a shipped placeholder stands.
func (b base) refusePlaceholders(stack cdktf.TerraformStack) {
	if len(b.placeholders) == 0 {
		return
	}
	dataawscalleridentity.NewDataAwsCallerIdentity(stack, jsii.String("account"), &dataawscalleridentity.DataAwsCallerIdentityConfig{
		Lifecycle: &cdktf.TerraformResourceLifecycle{Postcondition: &[]*cdktf.Postcondition{{
			Condition:    jsii.String(fmt.Sprintf("${self.account_id == %q}", EmulatorAccount)),
			ErrorMessage: jsii.String(fmt.Sprintf("Not yours yet: %s. Run: %s", strings.Join(b.placeholders, ", "), b.initialise)),
		}}},
	})
}

func output(stack cdktf.TerraformStack, name, description string, value *string) {
	cdktf.NewTerraformOutput(stack, jsii.String(name), &cdktf.TerraformOutputConfig{Value: value, Description: jsii.String(description)})
}

func texts(placeholders []config.Placeholder) []string {
	found := make([]string, len(placeholders))
	for i, p := range placeholders {
		found[i] = p.String()
	}
	return found
}
