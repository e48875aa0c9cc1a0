package stack

import (
	"cloudstorage/app/s3store/actions"
	"cloudstorage/infra/config"
	"cloudstorage/infra/network"
)

func networkProps(e *config.Environment) network.Props {
	p := network.Props{
		Project: e.Project(), Region: e.Region, CIDR: e.Network.CIDR,
		Subnets: subnets(e.Network.Subnets), PrivateSubnets: subnets(e.Network.PrivateSubnets),
		Egress: network.Egress(e.Network.Egress), Endpoints: e.Network.Endpoints,
		Buckets: machinesBuckets(e),
	}
	if e.Network.FlowLogs {
		p.FlowLogsBucket = e.Storage.LogsBucket
	}
	return p
}

func subnets(given []config.Subnet) []network.Subnet {
	var made []network.Subnet
	for _, s := range given {
		made = append(made, network.Subnet{Zone: s.Zone, CIDR: s.CIDR})
	}
	return made
}

// machinesBuckets are the buckets that machines use, with what they do: the store's calls, fetching the release, and
// keeping the API's own state.
// The logs bucket is not among them: AWS writes there, no machine does.
func machinesBuckets(e *config.Environment) []network.Bucket {
	data := network.Bucket{Name: e.Storage.Bucket}
	for _, action := range storeActions(e) {
		if action.On == actions.Bucket {
			data.Actions = append(data.Actions, action.Name)
		} else {
			data.ObjectActions = append(data.ObjectActions, action.Name)
		}
	}
	buckets := []network.Bucket{data}
	if e.Release.Delivery == config.Binary {
		buckets = append(buckets, network.Bucket{Name: e.Storage.ReleasesBucket, ObjectActions: []string{actions.GetObject}})
	}
	if e.KeepsState() {
		buckets = append(buckets, network.Bucket{
			Name: e.Storage.StateBucket, Actions: []string{actions.ListBucket}, ObjectActions: []string{actions.GetObject, actions.PutObject},
		})
	}
	return buckets
}
