package traffic

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/acmcertificate"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/acmcertificatevalidation"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/dataawsroute53zone"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/lb"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/route53record"

	"cloudstorage/infra/internal/tf"
)

const (
	// validationTTL is how many seconds resolvers keep the record by which ACM knows that the name is ours.
	validationTTL = 300
	// validationWait is how long ACM may take to look at it. It takes minutes, unless the world does not ask the zone.
	validationWait = "30m"
)

// zoneOf finds the zone that holds the domain.
func zoneOf(within constructs.Construct, p Props) dataawsroute53zone.DataAwsRoute53Zone {
	return dataawsroute53zone.NewDataAwsRoute53Zone(within, jsii.String("zone"), &dataawsroute53zone.DataAwsRoute53ZoneConfig{
		Name:        jsii.String(p.HostedZone),
		PrivateZone: jsii.Bool(false),
	})
}

// certificateOf makes a certificate for the domain and returns its ARN once it is valid:
//
//	certificate → record in the zone → validation
//
// ACM renews it by itself as long as the record stands.
func certificateOf(within constructs.Construct, p Props, zone dataawsroute53zone.DataAwsRoute53Zone) *string {
	certificate := acmcertificate.NewAcmCertificate(within, jsii.String("certificate"), &acmcertificate.AcmCertificateConfig{
		DomainName:       jsii.String(p.Domain),
		ValidationMethod: jsii.String("DNS"),
		Tags:             tf.Tags(p.Project.Tags("certificate")),
		// The listener needs one at any time.
		Lifecycle: tf.ReplaceBeforeDestroy(),
	})
	// One name has one way to prove it.
	proof := certificate.DomainValidationOptions().Get(jsii.Number(0))
	// A record that is there already belongs to another certificate for the name: ACM gives all of an account the same.
	// It is not taken over, because a destroy here would end the renewal of that one.
	record := route53record.NewRoute53Record(within, jsii.String("validation-record"), &route53record.Route53RecordConfig{
		ZoneId:  zone.ZoneId(),
		Name:    proof.ResourceRecordName(),
		Type:    proof.ResourceRecordType(),
		Records: jsii.Strings(*proof.ResourceRecordValue()),
		Ttl:     jsii.Number(validationTTL),
	})
	validation := acmcertificatevalidation.NewAcmCertificateValidation(within, jsii.String("validation"), &acmcertificatevalidation.AcmCertificateValidationConfig{
		CertificateArn:        certificate.Arn(),
		ValidationRecordFqdns: jsii.Strings(*record.Fqdn()),
		Timeouts:              &acmcertificatevalidation.AcmCertificateValidationTimeouts{Create: jsii.String(validationWait)},
	})
	return validation.CertificateArn()
}

// leadTo makes the domain lead to the balancer. There is no record for IPv6, which the balancer does not speak.
func leadTo(within constructs.Construct, p Props, zone dataawsroute53zone.DataAwsRoute53Zone, balancer lb.Lb) {
	route53record.NewRoute53Record(within, jsii.String("alias"), &route53record.Route53RecordConfig{
		ZoneId: zone.ZoneId(),
		Name:   jsii.String(p.Domain),
		Type:   jsii.String("A"),
		Alias: &route53record.Route53RecordAlias{
			Name:   balancer.DnsName(),
			ZoneId: balancer.ZoneId(),
			// There is nothing else to lead to.
			EvaluateTargetHealth: jsii.Bool(false),
		},
	})
}
