// Package tf converts plain Go values into the pointers that jsii takes, for the construct packages.
package tf

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/jsii-runtime-go"
	"github.com/hashicorp/terraform-cdk-go/cdktf"
)

// Tags converts a tag map. The copy is the resource's own: jsii keeps what it is given.
func Tags(tags map[string]string) *map[string]*string {
	converted := make(map[string]*string, len(tags))
	for key, value := range tags {
		converted[key] = jsii.String(value)
	}
	return &converted
}

// JSON renders a policy document. It panics on what JSON cannot say, which is a mistake in the construct.
func JSON(document any) *string {
	text, err := json.Marshal(document)
	if err != nil {
		panic(fmt.Errorf("render policy: %w", err))
	}
	return jsii.String(string(text))
}

// Literal renders text that Terraform gives back as it is: what looks like its templates is none.
// Source: https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences
func Literal(text string) *string {
	return jsii.String(strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text))
}

// Dependables converts a list of dependencies; none gives nil, which synthesizes to nothing.
func Dependables(dependencies []cdktf.ITerraformDependable) *[]cdktf.ITerraformDependable {
	if len(dependencies) == 0 {
		return nil
	}
	return &dependencies
}

// ReplaceBeforeDestroy is the lifecycle of what must exist anew before the old one goes.
func ReplaceBeforeDestroy() *cdktf.TerraformResourceLifecycle {
	return &cdktf.TerraformResourceLifecycle{CreateBeforeDestroy: jsii.Bool(true)}
}
