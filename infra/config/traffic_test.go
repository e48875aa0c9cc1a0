package config

import (
	"slices"
	"strings"
	"testing"
)

func TestTrafficMistakes(t *testing.T) {
	t.Parallel()
	given := func(arn string) change {
		return slices.Concat(plainHTTP, change{"traffic:\n", "traffic:\n  certificate_arn: " + arn + "\n"})
	}
	const label63 = "a23456789012345678901234567890123456789012345678901234567890123"
	mistakes(t, private, cases{
		"not a certificate":                {given("arn:aws:iam::210987654321:server-certificate/x"), []string{`traffic.certificate_arn: "arn:aws:iam::210987654321:server-certificate/x" is not the ARN of a certificate`}},
		"no certificate":                   {given(`""`), []string{"traffic.certificate_arn: empty"}},
		"a certificate of another region":  {given(strings.Replace(certificate, "eu-west-1", "us-east-1", 1)), []string{"traffic.certificate_arn: the certificate is in us-east-1, and a load balancer takes those of its own region"}},
		"a certificate of another account": {given(strings.Replace(certificate, "210987654321", "111122223333", 1)), []string{"traffic.certificate_arn: the certificate is account 111122223333's, and account_id is 210987654321"}},
		"two certificates":                 {change{"traffic:\n", "traffic:\n  certificate_arn: " + certificate + "\n"}, []string{"traffic.certificate_arn: a certificate for files.example.org is made already"}},
		"a domain without its zone":        {change{"  hosted_zone: example.org\n", ""}, []string{"traffic.hosted_zone: missing: name the Route 53 zone"}},
		"a zone without a domain":          {change{"  domain: files.example.org\n", ""}, []string{"traffic.domain: missing: name the API inside the zone, such as files.example.org"}},
		"a domain of another zone":         {change{"hosted_zone: example.org", "hosted_zone: example.net"}, []string{`traffic.domain: "files.example.org" is not inside hosted_zone, example.net`}},
		"a domain beside its zone":         {change{"hosted_zone: example.org", "hosted_zone: ample.org"}, []string{`traffic.domain: "files.example.org" is not inside hosted_zone, ample.org`}},
		"a URL":                            {change{"domain: files.example.org", "domain: https://files.example.org"}, []string{`traffic.domain: "https://files.example.org" is not a DNS name`}},
		"a wildcard":                       {change{"domain: files.example.org", `domain: "*.example.org"`}, []string{`traffic.domain: "*.example.org" is not a DNS name`}},
		"upper case":                       {change{"domain: files.example.org", "domain: Files.example.org"}, []string{`traffic.domain: "Files.example.org" is not a DNS name`}},
		"a final dot":                      {change{"hosted_zone: example.org", "hosted_zone: example.org."}, []string{`traffic.hosted_zone: "example.org." ends in a dot: write example.org`}},
		"an empty domain":                  {change{"domain: files.example.org", `domain: ""`}, []string{"traffic.domain: empty", "traffic.domain: missing"}},
		"a domain too long":                {change{"domain: files.example.org", "domain: " + label63 + ".example.org"}, []string{`traffic.domain: "` + label63 + `.example.org" has 75 characters: certificates are made for 64 at most`}},
		"a limit that AWS refuses":         {change{"requests_per_5_minutes: 2000", "requests_per_5_minutes: 9"}, []string{"traffic.waf.requests_per_5_minutes: 9 is not from 10 to 2000000000"}},
		"no limit":                         {change{"requests_per_5_minutes: 2000", "requests_per_5_minutes: 0"}, []string{"traffic.waf.requests_per_5_minutes: 0 is not from 10"}},
		"a way past HTTPS":                 {slices.Concat(isPublic, change{"api:\n", "api:\n  direct: true\n"}), []string{"api.direct: true would let callers past the load balancer, where HTTPS ends"}},
	})
}
