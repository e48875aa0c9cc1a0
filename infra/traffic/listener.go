package traffic

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lblistener"

	"cloudstorage/infra/internal/tf"
)

// tlsPolicy is TLS 1.3, and TLS 1.2 with forward secrecy and authenticated ciphers only; clients that can also exchange
// keys that a quantum computer could not find. It is what AWS recommends, and not its default outside the console.
// Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
const tlsPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

// hsts makes browsers use nothing but HTTPS for a year. It says nothing about names below the API's own, which may be
// somebody else's.
const hsts = "max-age=31536000"

func newHTTPListener(within constructs.Construct, p Props, b *Balancer) lblistener.LbListener {
	config := listenerConfig(p, b)
	config.Protocol = jsii.String("HTTP")
	return lblistener.NewLbListener(within, jsii.String("listener"), config)
}

func newHTTPSListener(within constructs.Construct, p Props, b *Balancer, certificate *string) lblistener.LbListener {
	config := listenerConfig(p, b)
	config.Protocol = jsii.String("HTTPS")
	config.SslPolicy = jsii.String(tlsPolicy)
	config.CertificateArn = certificate
	config.RoutingHttpResponseStrictTransportSecurityHeaderValue = jsii.String(hsts)
	return lblistener.NewLbListener(within, jsii.String("listener"), config)
}

// listenerConfig is what both have. The listener adds its headers to the balancer's own answers too, which the server
// never sees.
func listenerConfig(p Props, b *Balancer) *lblistener.LbListenerConfig {
	return &lblistener.LbListenerConfig{
		LoadBalancerArn: b.balancer.Arn(),
		Port:            jsii.Number(p.listenerPort()),
		DefaultAction: &[]*lblistener.LbListenerDefaultAction{{
			Type:           jsii.String("forward"),
			TargetGroupArn: b.group.Arn(),
		}},
		RoutingHttpResponseXContentTypeOptionsHeaderValue: jsii.String("nosniff"),
		RoutingHttpResponseServerEnabled:                  jsii.Bool(false),
		Tags:                                              tf.Tags(p.Project.Tags("listener")),
	}
}
