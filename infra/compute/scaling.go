package compute

import (
	"errors"
	"fmt"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/autoscalingpolicy"

	"cloudstorage/infra/internal/tf"
)

// Scaling changes a fleet's size so that what a machine has to do stays near a target. With both targets, the fleet is
// as large as the more demanding one wants.
type Scaling struct {
	// RequestsPerTarget is how many requests a minute one machine should serve. Default 0: not scaled by it.
	RequestsPerTarget int
	// ResourceLabel names the load balancer and the target group whose requests are counted: their ARNs' suffixes,
	// joined by a slash. Required with RequestsPerTarget.
	ResourceLabel *string
	// CPUPercent is the mean use of the machines' processors, 1 to 100. Default 0: not scaled by it.
	CPUPercent int
}

func (s Scaling) validate() error {
	var errs []error
	if s.RequestsPerTarget == 0 && s.CPUPercent == 0 {
		errs = append(errs, errors.New("compute: Scaling has no target: give RequestsPerTarget, CPUPercent or both"))
	}
	if s.RequestsPerTarget < 0 {
		errs = append(errs, fmt.Errorf("compute: scaling to %d requests a minute: give 1 or more, or 0 for not at all", s.RequestsPerTarget))
	}
	if s.RequestsPerTarget > 0 && s.ResourceLabel == nil {
		errs = append(errs, errors.New("compute: RequestsPerTarget without ResourceLabel: name the load balancer and target group that count them"))
	}
	if s.CPUPercent < 0 || s.CPUPercent > 100 {
		errs = append(errs, fmt.Errorf("compute: scaling to %d%% of the processors: give 1 to 100, or 0 for not at all", s.CPUPercent))
	}
	return errors.Join(errs...)
}

// newPolicies makes a policy for each target. They come and go with their group: each name carries the group's, and a
// new group has its policies before the old ones go, so that a failed deploy leaves a fleet that still scales. The
// group comes after the listener, without which AWS refuses a policy on a target group's requests.
func (f *Fleet) newPolicies(within constructs.Construct, p FleetProps) {
	if p.Scaling.RequestsPerTarget > 0 {
		f.newPolicy(within, p, "requests", float64(p.Scaling.RequestsPerTarget), autoscalingpolicy.AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification{
			PredefinedMetricType: jsii.String("ALBRequestCountPerTarget"), ResourceLabel: p.Scaling.ResourceLabel,
		})
	}
	if p.Scaling.CPUPercent > 0 {
		f.newPolicy(within, p, "cpu", float64(p.Scaling.CPUPercent), autoscalingpolicy.AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification{
			PredefinedMetricType: jsii.String("ASGAverageCPUUtilization"),
		})
	}
}

func (f *Fleet) newPolicy(within constructs.Construct, p FleetProps, id string, target float64, metric autoscalingpolicy.AutoscalingPolicyTargetTrackingConfigurationPredefinedMetricSpecification) {
	autoscalingpolicy.NewAutoscalingPolicy(within, jsii.String("scale-"+id), &autoscalingpolicy.AutoscalingPolicyConfig{
		Name:                 jsii.String(*f.group.Name() + "-" + id),
		AutoscalingGroupName: f.group.Name(),
		PolicyType:           jsii.String("TargetTrackingScaling"),
		// Until a new machine serves, what it does says nothing about how many are needed.
		EstimatedInstanceWarmup: jsii.Number(p.graceSeconds()),
		TargetTrackingConfiguration: &autoscalingpolicy.AutoscalingPolicyTargetTrackingConfiguration{
			TargetValue:                   jsii.Number(target),
			PredefinedMetricSpecification: &metric,
		},
		Lifecycle: tf.ReplaceBeforeDestroy(),
	})
}
