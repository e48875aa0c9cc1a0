package traffic

import (
	"strconv"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lbtargetgroup"

	"cloudstorage/infra/internal/tf"
)

// The health check's numbers. The first two are the exercise's. A machine that dies is out of rotation after at most
// unhealthyThreshold intervals and a timeout.
const (
	healthIntervalSeconds = 30
	healthyThreshold      = 2
	unhealthyThreshold    = 2
	healthTimeoutSeconds  = 5
)

// drainSeconds is how long a leaving machine may finish its requests: above the server's own drain timeout
// (settings.DefaultDrainTimeout), and no longer, since a destroy waits for it.
const drainSeconds = 30

func newTargetGroup(within constructs.Construct, p Props) lbtargetgroup.LbTargetGroup {
	port := strconv.Itoa(p.Port)
	// The name carries what forces a replacement and can change, protocol and port, so that the new group never
	// collides with the old one. With the longest project name it has 31 of AWS's 32 characters.
	name := "http-" + port
	return lbtargetgroup.NewLbTargetGroup(within, jsii.String("targets"), &lbtargetgroup.LbTargetGroupConfig{
		Name:                          jsii.String(p.Project.Name(name)),
		Port:                          jsii.Number(p.Port),
		Protocol:                      jsii.String("HTTP"),
		TargetType:                    jsii.String("instance"),
		VpcId:                         p.VPCID,
		DeregistrationDelay:           jsii.String(strconv.Itoa(drainSeconds)),
		LoadBalancingCrossZoneEnabled: jsii.String("true"),
		HealthCheck: &lbtargetgroup.LbTargetGroupHealthCheck{
			Path:               jsii.String(p.HealthPath),
			Port:               jsii.String(port),
			Protocol:           jsii.String("HTTP"),
			Matcher:            jsii.String("200"),
			Interval:           jsii.Number(healthIntervalSeconds),
			Timeout:            jsii.Number(healthTimeoutSeconds),
			HealthyThreshold:   jsii.Number(healthyThreshold),
			UnhealthyThreshold: jsii.Number(unhealthyThreshold),
		},
		Tags:      tf.Tags(p.Project.Tags(name)),
		Lifecycle: tf.ReplaceBeforeDestroy(),
	})
}
