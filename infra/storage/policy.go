package storage

import (
	"encoding/json"
	"strconv"
	"time"
)

// policy is a bucket's or a key's: what AWS calls a resource-based policy.
type policy struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string                       `json:"Sid"`
	Effect    string                       `json:"Effect"`
	Principal any                          `json:"Principal"`
	Action    values                       `json:"Action"`
	Resource  values                       `json:"Resource"`
	Condition map[string]map[string]values `json:"Condition,omitempty"`
}

// values are one string or several, which IAM writes as a string or as a list.
type values []string

// MarshalJSON writes one value as a string.
func (v values) MarshalJSON() ([]byte, error) {
	if len(v) == 1 {
		return json.Marshal(v[0])
	}
	return json.Marshal([]string(v))
}

func document(statements []statement) policy {
	return policy{Version: "2012-10-17", Statement: statements}
}

// service and account are principals, as IAM writes them. An account stands for whom its own policies allow.
func service(name string) map[string]string { return map[string]string{"Service": name} }
func account(id string) map[string]string {
	return map[string]string{"AWS": "arn:aws:iam::" + id + ":root"}
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }

// refusals deny everybody, the owner too, what no request to the bucket needs. key is the ARN of its own KMS key, ""
// where it has none.
func refusals(p Props, key string) []statement {
	bucket := bucketARN(p.Name)
	deny := func(sid, action string, resource values, condition map[string]map[string]values) statement {
		return statement{Sid: sid, Effect: "Deny", Principal: "*", Action: values{action}, Resource: resource, Condition: condition}
	}
	anything, objects := values{bucket, bucket + "/*"}, values{bucket + "/*"}
	statements := []statement{
		// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
		deny("DenyPlainHTTP", "s3:*", anything, map[string]map[string]values{"Bool": {"aws:SecureTransport": {"false"}}}),
		deny("DenyOldTLS", "s3:*", anything, map[string]map[string]values{"NumericLessThan": {"s3:TlsVersion": {"1.2"}}}),
		// Whoever stole the right to write could otherwise lock every file with a key that only they have.
		// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
		deny("DenyKeysOfCallers", "s3:PutObject", objects, map[string]map[string]values{
			"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": {"false"}},
		}),
	}
	if p.MaxURLTTL > 0 {
		statements = append(statements, deny("DenyOldURLs", "s3:*", anything, oldURL(p.MaxURLTTL)))
	}
	if key != "" {
		asked := map[string]values{"s3:x-amz-server-side-encryption": {"false"}}
		named := map[string]values{"s3:x-amz-server-side-encryption-aws-kms-key-id": {"false"}}
		statements = append(statements,
			// A request that asks for nothing gets the bucket's key; these two ask for something else.
			deny("DenyOtherEncryption", "s3:PutObject", objects, map[string]map[string]values{
				"Null": asked, "StringNotEquals": {"s3:x-amz-server-side-encryption": {"aws:kms"}},
			}),
			deny("DenyOtherKeys", "s3:PutObject", objects, map[string]map[string]values{
				"Null": named, "ArnNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": {key}},
			}),
		)
	}
	return statements
}

// oldURL is met by presigned URLs and POST forms that were signed longer than limit ago. Requests signed in their header
// are left alone: S3 itself refuses those after 15 minutes, and a clock that is a little off must not stop the API.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
func oldURL(limit time.Duration) map[string]map[string]values {
	return map[string]map[string]values{
		"StringEquals":       {"s3:authType": {"REST-QUERY-STRING", "POST"}},
		"NumericGreaterThan": {"s3:signatureAge": {strconv.FormatInt(limit.Milliseconds(), 10)}},
	}
}
