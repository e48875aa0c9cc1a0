package stack

import (
	"fmt"

	"github.com/aws/jsii-runtime-go"

	"cloudstorage/app/settings"
	"cloudstorage/infra/config"
	"cloudstorage/infra/network"
	"cloudstorage/infra/traffic"
)

func trafficProps(e *config.Environment, net *network.Network) traffic.Props {
	return traffic.Props{
		Project: e.Project(), VPCID: net.VPCID(), VPCCIDR: e.Network.CIDR, VPC: net.VPC(), SubnetIDs: net.SubnetIDs(),
		Port: settings.Port, HealthPath: settings.HealthPath, Allow: e.API.Allow, Online: net.Online(),
	}
}

func address(host *string) *string {
	return jsii.String(fmt.Sprintf("http://%s:%d", *host, settings.Port))
}
