package network

import (
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/flowlog"

	"cloudstorage/infra/internal/tf"
)

// FlowLogsPrefix is where flow logs lie in their bucket, whose policy must let AWS's log delivery write there.
const FlowLogsPrefix = "vpc/"

// makeFlowLogs records what was accepted and what was refused. The files are text, compressed: a small network's
// stay below the 100 KB in a period from which Parquet is smaller, and Parquet costs a conversion.
// Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
func (n *Network) makeFlowLogs() {
	flowlog.NewFlowLog(n.within, jsii.String("flow-logs"), &flowlog.FlowLogConfig{
		VpcId:              n.vpc.Id(),
		TrafficType:        jsii.String("ALL"),
		LogDestinationType: jsii.String("s3"),
		LogDestination:     jsii.String("arn:aws:s3:::" + n.props.FlowLogsBucket + "/" + FlowLogsPrefix),
		Tags:               tf.Tags(n.props.Project.Tags("flow-logs")),
	})
}
