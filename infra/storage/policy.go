package storage

type policy struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal string                       `json:"Principal"`
	Action    string                       `json:"Action"`
	Resource  []string                     `json:"Resource"`
	Condition map[string]map[string]string `json:"Condition"`
}

// tlsOnly denies everybody, the owner too, whatever does not come over TLS 1.2 or later.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
func tlsOnly(bucket string) policy {
	resources := []string{"arn:aws:s3:::" + bucket, "arn:aws:s3:::" + bucket + "/*"}
	deny := func(sid, operator, key, value string) statement {
		return statement{
			Sid: sid, Effect: "Deny", Principal: "*", Action: "s3:*", Resource: resources,
			Condition: map[string]map[string]string{operator: {key: value}},
		}
	}
	return policy{Version: "2012-10-17", Statement: []statement{
		deny("DenyPlainHTTP", "Bool", "aws:SecureTransport", "false"),
		deny("DenyOldTLS", "NumericLessThan", "s3:TlsVersion", "1.2"),
	}}
}
