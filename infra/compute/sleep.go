package compute

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/autoscalingschedule"

	"cloudstorage/infra/internal/tf"
)

// unchanged is how the provider is told to leave a size as it is; a size that is not set means 0 to it.
const unchanged = -1

// Sleep ends all machines of a fleet at one time and starts them at another. The load balancer stays, with its price,
// and answers 503 meanwhile. A fleet that is made while it should sleep is awake until the next From.
type Sleep struct {
	// From and Until are cron expressions of five fields, such as "0 20 * * 1-5". Required.
	From, Until string
	// TimeZone of both, such as Europe/Paris. Required.
	TimeZone string
}

func (s Sleep) validate() error {
	var errs []error
	for _, cron := range []string{s.From, s.Until} {
		if len(strings.Fields(cron)) != 5 {
			errs = append(errs, fmt.Errorf("compute: sleep at %q: give the five fields of a cron expression, such as \"0 20 * * 1-5\"", cron))
		}
	}
	if s.TimeZone == "" {
		errs = append(errs, errors.New("compute: Sleep without TimeZone: give one such as Europe/Paris, or UTC"))
	}
	return errors.Join(errs...)
}

// newSchedules sets the group's desired size, twice a day. Its bounds stay what Terraform made them, 0 and the fleet's
// size, so that a plan finds nothing changed by night.
func (f *Fleet) newSchedules(within constructs.Construct, p FleetProps) {
	for _, action := range []struct {
		id, at  string
		desired int
	}{{"sleep", p.Sleep.From, 0}, {"wake", p.Sleep.Until, p.initial()}} {
		autoscalingschedule.NewAutoscalingSchedule(within, jsii.String(action.id), &autoscalingschedule.AutoscalingScheduleConfig{
			ScheduledActionName:  jsii.String(*f.group.Name() + "-" + action.id),
			AutoscalingGroupName: f.group.Name(),
			Recurrence:           jsii.String(action.at),
			TimeZone:             jsii.String(p.Sleep.TimeZone),
			MinSize:              jsii.Number(unchanged),
			MaxSize:              jsii.Number(unchanged),
			DesiredCapacity:      jsii.Number(action.desired),
			Lifecycle:            tf.ReplaceBeforeDestroy(),
		})
	}
}
