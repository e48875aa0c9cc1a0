package traffic

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-cdk-go/cdktf"

	"cloudstorage/infra/naming"
)

// httpsPort is where browsers and clients expect HTTPS. Port 80 stays closed: a redirect from there would come after
// the key had crossed the network in the clear.
const httpsPort = 443

// Props are what a load balancer needs.
type Props struct {
	// Project names and tags every resource. Required.
	Project naming.Project
	// VPCID is the network's. Required.
	VPCID *string
	// VPC is what the security group depends on. Default nil: nothing.
	VPC cdktf.ITerraformDependable
	// SubnetIDs are public subnets in two zones or more. Required.
	SubnetIDs []*string
	// FleetCIDRs are the blocks of the fleet's subnets: the balancer reaches nothing else. Required.
	FleetCIDRs []netip.Prefix
	// Port is the fleet's, and the listener's where that is plain HTTP. Required.
	Port int
	// HealthPath answers 200 while a machine can serve. Required.
	HealthPath string
	// Allow are the address blocks that may connect. Required.
	Allow []netip.Prefix
	// Online is what must exist before the balancer reaches the internet. Default nil.
	Online []cdktf.ITerraformDependable

	// CertificateARN, of ACM and the balancer's region, makes the listener HTTPS on port 443. Default "": HTTP on
	// Port, unless Domain is given.
	CertificateARN string
	// Domain, such as files.example.org, makes the listener HTTPS on port 443: with a certificate for that name, made
	// and renewed by ACM, and the name leading to the balancer. Instead of CertificateARN. Default "": none.
	Domain string
	// HostedZone is the public Route 53 zone of the account that holds Domain. Required with Domain.
	HostedZone string

	// LogsBucket gets a line for each request, under alb/; its policy must let load balancers write. Default "": none.
	LogsBucket string
	// DeletionProtection makes AWS refuse to delete the balancer. Default false.
	DeletionProtection bool
	// WAF looks at each request before the listener does. Default nil: none.
	WAF *WAF
}

// WAF is a web application firewall.
type WAF struct {
	// RequestsPer5Minutes of one address before it is answered 429 until it slows down, 10 to 2,000,000,000. Required.
	RequestsPer5Minutes int
}

// The rate that AWS takes. Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
const (
	minRate = 10
	maxRate = 2_000_000_000
)

var (
	certificatePattern = regexp.MustCompile(`^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$`)
	domainPattern      = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*[a-z0-9]$`)
)

// maxDomain is how many characters a certificate's first name may have.
// Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
const maxDomain = 64

// Validate reports what no load balancer could be made of.
func (p Props) Validate() error {
	var errs []error
	if p.VPCID == nil {
		errs = append(errs, errors.New("traffic: VPCID is missing: give the network's"))
	}
	if len(p.SubnetIDs) < 2 {
		errs = append(errs, fmt.Errorf("traffic: %d subnets: a load balancer needs one in two zones or more", len(p.SubnetIDs)))
	}
	if len(p.FleetCIDRs) == 0 {
		errs = append(errs, errors.New("traffic: FleetCIDRs is empty: the balancer could reach nobody, so give the blocks of the fleet's subnets"))
	}
	if p.Port < 1 || p.Port > 65535 {
		errs = append(errs, fmt.Errorf("traffic: port %d is outside 1 to 65535", p.Port))
	}
	if len(p.HealthPath) == 0 || p.HealthPath[0] != '/' {
		errs = append(errs, fmt.Errorf("traffic: health path %q does not start with /", p.HealthPath))
	}
	if len(p.Allow) == 0 {
		errs = append(errs, errors.New("traffic: Allow is empty: nobody could connect"))
	}
	errs = append(errs, p.validateName()...)
	if p.WAF != nil && (p.WAF.RequestsPer5Minutes < minRate || p.WAF.RequestsPer5Minutes > maxRate) {
		errs = append(errs, fmt.Errorf("traffic: a WAF of %d requests in 5 minutes: AWS takes %d to %d", p.WAF.RequestsPer5Minutes, minRate, maxRate))
	}
	return errors.Join(errs...)
}

// validateName checks the name that the API answers by, and its certificate.
func (p Props) validateName() []error {
	var errs []error
	if p.CertificateARN != "" && p.Domain != "" {
		errs = append(errs, fmt.Errorf("traffic: CertificateARN and Domain %q: give one, a domain makes its own certificate", p.Domain))
	}
	// A certificate that the same stack makes is a token, which nothing can be said about.
	if arn := p.CertificateARN; arn != "" && !strings.Contains(arn, "${") && !certificatePattern.MatchString(arn) {
		errs = append(errs, fmt.Errorf("traffic: CertificateARN %q is not the ARN of a certificate in ACM", arn))
	}
	switch {
	case p.Domain == "" && p.HostedZone == "":
	case p.Domain == "" || p.HostedZone == "":
		errs = append(errs, fmt.Errorf("traffic: Domain %q and HostedZone %q: give both, or neither", p.Domain, p.HostedZone))
	case !domainPattern.MatchString(p.Domain):
		errs = append(errs, fmt.Errorf("traffic: Domain %q is not a host name in lower case, such as files.example.org", p.Domain))
	case len(p.Domain) > maxDomain:
		errs = append(errs, fmt.Errorf("traffic: Domain %q has %d characters: ACM takes %d", p.Domain, len(p.Domain), maxDomain))
	case p.Domain != p.HostedZone && !strings.HasSuffix(p.Domain, "."+p.HostedZone):
		errs = append(errs, fmt.Errorf("traffic: Domain %q is outside HostedZone %q: give the zone that holds it", p.Domain, p.HostedZone))
	}
	return errs
}

// listenerPort is where clients connect.
func (p Props) listenerPort() int {
	if p.CertificateARN != "" || p.Domain != "" {
		return httpsPort
	}
	return p.Port
}
