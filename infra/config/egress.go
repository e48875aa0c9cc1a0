package config

import (
	"fmt"
	"slices"
	"strings"
)

// endpointServices are the AWS services with interface endpoints that a machine which serves files could call. S3 is not
// one of them: it has the network's gateway endpoint, which is free.
// Source: https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
var endpointServices = []string{
	"autoscaling", "ec2", "ec2messages", "events", "guardduty-data", "kms", "logs", "monitoring", "secretsmanager", "sns",
	"sqs", "ssm", "ssmmessages", "sts", "xray",
}

// What needs which endpoints.
var (
	shellEndpoints = []string{"ssm", "ssmmessages"} // Session Manager
	logEndpoints   = []string{"logs"}               // shipping the machines' logs
)

// validateEgress refuses a way out that cannot be and everything that would have no route.
func (e *Environment) validateEgress() {
	n := e.Network
	e.doc.choice("network.egress", n.Egress, EgressInternet, EgressEndpoints, EgressNone, EgressNAT)
	switch {
	case n.Private() && n.Egress == EgressInternet:
		e.doc.at("network.egress", "%q needs public addresses, which machines in private_subnets have not: write endpoints, none or nat", n.Egress)
	case !n.Private() && slices.Contains([]string{EgressEndpoints, EgressNone, EgressNAT}, n.Egress):
		e.doc.at("network.egress", "%q is for machines in private subnets: list private_subnets, or remove it", n.Egress)
	}
	e.validateEndpoints()
	if !n.Private() {
		return
	}
	if e.SSH != nil {
		e.doc.at("ssh", "nobody reaches port 22 of machines without a public address: remove it, and set compute.session_manager for a shell")
	}
	if e.API.Direct {
		e.doc.at("api.direct", "nobody reaches machines without a public address directly: remove it, or private_subnets")
	}
	if e.Release.Delivery == Source && (n.Egress == EgressEndpoints || n.Egress == EgressNone) {
		e.doc.at("release.delivery", "source fetches modules from the module proxy, to which egress %s has no route: set it to binary, or network.egress to nat", n.Egress)
	}
	if missing := n.missing(shellEndpoints); e.Compute.SessionManager && missing != "" {
		e.doc.at("compute.session_manager", "machines have no route to %s: %s, or remove it", missing, n.routeTo(shellEndpoints))
	}
	if missing := n.missing(logEndpoints); e.Observe != nil && missing != "" {
		e.doc.at("observe", "machines have no route to %s, where their logs go: %s, or remove it", missing, n.routeTo(logEndpoints))
	}
}

func (e *Environment) validateEndpoints() {
	n := e.Network
	switch n.Egress {
	case EgressEndpoints:
	case EgressInternet, EgressNone, EgressNAT:
		if e.doc.given("network.endpoints") {
			e.doc.at("network.endpoints", "egress is %s, which has none: remove them, or set egress to endpoints", n.Egress)
		}
		return
	default:
		return // reported already
	}
	if len(n.Endpoints) == 0 {
		e.doc.at("network.endpoints", "none listed: list services, or set egress to none")
	}
	for i, service := range n.Endpoints {
		path := fmt.Sprintf("network.endpoints[%d]", i)
		short := service[strings.LastIndex(service, ".")+1:]
		switch {
		case slices.Index(n.Endpoints, service) < i:
			e.doc.at(path, "%q is listed twice: keep one", service)
		case slices.Contains(endpointServices, service):
		case service == "s3":
			e.doc.at(path, `"s3" has its own way already, which is free: remove it`)
		case slices.Contains(endpointServices, short):
			e.doc.at(path, "%q is the whole name: write %s", service, short)
		default:
			e.doc.at(path, "%q is none of %s: write one of them", service, strings.Join(endpointServices, ", "))
		}
	}
}

// missing are those of the services that machines cannot reach; "" is none.
func (n *Network) missing(services []string) string {
	switch n.Egress {
	case EgressNone:
		return strings.Join(services, " and ")
	case EgressEndpoints:
		return strings.Join(slices.DeleteFunc(slices.Clone(services), func(service string) bool {
			return slices.Contains(n.Endpoints, service)
		}), " and ")
	}
	return ""
}

// routeTo says how the services get reachable.
func (n *Network) routeTo(services []string) string {
	if n.Egress == EgressNone {
		return "set network.egress to endpoints or nat"
	}
	return "list " + strings.Join(services, " and ") + " in network.endpoints"
}
