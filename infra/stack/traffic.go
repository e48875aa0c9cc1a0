package stack

import (
	"net/netip"

	"cloudstorage/app/settings"
	"cloudstorage/infra/config"
	"cloudstorage/infra/network"
	"cloudstorage/infra/traffic"
)

func trafficProps(e *config.Environment, net *network.Network) traffic.Props {
	p := traffic.Props{
		Project: e.Project(), VPCID: net.VPCID(), VPC: net.VPC(), SubnetIDs: net.SubnetIDs(), FleetCIDRs: fleetCIDRs(e.Network),
		Port: settings.Port, HealthPath: settings.HealthPath, Allow: e.API.Allow, Online: net.PublicOnline(),
		CertificateARN: e.Traffic.CertificateARN, Domain: e.Traffic.Domain, HostedZone: e.Traffic.HostedZone,
		DeletionProtection: e.Traffic.DeletionProtection,
	}
	if e.Traffic.AccessLogs {
		p.LogsBucket = e.Storage.LogsBucket
	}
	if e.Traffic.WAF != nil {
		p.WAF = &traffic.WAF{RequestsPer5Minutes: e.Traffic.WAF.RequestsPer5Minutes}
	}
	return p
}

// fleetCIDRs are the blocks of the subnets that the fleet's machines are in.
func fleetCIDRs(n *config.Network) []netip.Prefix {
	subnets := n.Subnets
	if n.Private() {
		subnets = n.PrivateSubnets
	}
	blocks := make([]netip.Prefix, len(subnets))
	for i, s := range subnets {
		blocks[i] = s.CIDR
	}
	return blocks
}
