package stack

import (
	"cloudstorage/infra/config"
	"cloudstorage/infra/network"
)

func networkProps(e *config.Environment) network.Props {
	p := network.Props{Project: e.Project(), CIDR: e.Network.CIDR}
	for _, s := range e.Network.Subnets {
		p.Subnets = append(p.Subnets, network.Subnet{Zone: s.Zone, CIDR: s.CIDR})
	}
	return p
}
