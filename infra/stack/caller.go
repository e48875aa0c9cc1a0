package stack

import (
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/dataawscalleridentity"
	"github.com/hashicorp/terraform-cdk-go/cdktf"
)

// callerAccount is a token for the id of the account that a stack is applied to, which nobody knows at synth. A stack
// asks once.
func callerAccount(stack cdktf.TerraformStack) *string {
	return dataawscalleridentity.NewDataAwsCallerIdentity(stack, jsii.String("caller"), &dataawscalleridentity.DataAwsCallerIdentityConfig{}).AccountId()
}
