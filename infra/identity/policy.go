package identity

import (
	"fmt"

	"cloudstorage/app/s3store/actions"
)

type document struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string                       `json:"Sid,omitempty"`
	Effect    string                       `json:"Effect"`
	Principal map[string]string            `json:"Principal,omitempty"`
	Action    []string                     `json:"Action"`
	Resource  string                       `json:"Resource,omitempty"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// trustEC2 lets EC2, and nobody else, hand out the role. That it is EC2 on behalf of this account needs no condition,
// and takes none: docs/adr/0008-trust-in-ec2.md.
func trustEC2() document {
	return document{Version: "2012-10-17", Statement: []statement{{
		Effect: "Allow", Principal: map[string]string{"Service": "ec2.amazonaws.com"}, Action: []string{"sts:AssumeRole"},
	}}}
}

// inOurAccount is met by resources of the role's own account. A bucket's ARN names no account, and a bucket that is
// gone leaves its name to anybody. The $$ is Terraform's way to write a $ that is IAM's.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
func inOurAccount() map[string]map[string]string {
	return map[string]map[string]string{"StringEquals": {"aws:ResourceAccount": "$${aws:PrincipalAccount}"}}
}

// access allows what the server calls, each action on the kind of resource that it acts on, the key
// that encrypts it, reading the release where there is one to read, and the API's own state.
func access(p Props) document {
	bucket := bucketARN(p.Bucket)
	statements := []statement{
		{Sid: "DataBucket", Effect: "Allow", Action: on(actions.Bucket, p.Actions), Resource: bucket, Condition: inOurAccount()},
		{Sid: "DataObjects", Effect: "Allow", Action: on(actions.Objects, p.Actions), Resource: bucket + "/*", Condition: inOurAccount()},
	}
	if p.KMSKeyARN != nil {
		statements = append(statements, key("DataKey", *p.KMSKeyARN, p.Region, bucket))
	}
	if p.ReleasesBucket != "" {
		statements = append(statements, statement{
			Sid: "ReadRelease", Effect: "Allow", Action: []string{"s3:GetObject"},
			Resource: bucketARN(p.ReleasesBucket) + "/" + p.ReleasesPrefix + "*", Condition: inOurAccount(),
		})
	}
	if p.State != nil {
		statements = append(statements, p.State.access(p.Region)...)
	}
	return document{Version: "2012-10-17", Statement: statements}
}

// onlyNew adds that a write must say If-None-Match: who steals the role can neither replace the key that seals links nor
// end a revocation.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
func onlyNew(condition map[string]map[string]string) map[string]map[string]string {
	condition["Null"] = map[string]string{"s3:if-none-match": "false"}
	return condition
}

// access allows to read all of the state, and to write what the API writes. Listing lets S3 tell an object that is not
// there from one that may not be read.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (s State) access(region string) []statement {
	bucket := bucketARN(s.Bucket)
	statements := []statement{
		{Sid: "StateBucket", Effect: "Allow", Action: []string{actions.ListBucket}, Resource: bucket, Condition: inOurAccount()},
		{Sid: "StateObjects", Effect: "Allow", Action: []string{actions.GetObject}, Resource: bucket + "/*", Condition: inOurAccount()},
	}
	for i, path := range s.Writes {
		statements = append(statements, statement{
			Sid: fmt.Sprintf("StateWrites%d", i+1), Effect: "Allow", Action: []string{actions.PutObject},
			Resource: bucket + "/" + path, Condition: onlyNew(inOurAccount()),
		})
	}
	if s.KMSKeyARN != nil {
		statements = append(statements, key("StateKey", *s.KMSKeyARN, region, bucket))
	}
	return statements
}

// key allows the use of a bucket's key, for the bucket alone. Both actions are needed to write in parts, and with a
// bucket key, whose encryption context is the bucket's ARN.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
func key(sid, arn, region, bucket string) statement {
	return statement{
		Sid: sid, Effect: "Allow", Action: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resource: arn,
		Condition: map[string]map[string]string{"StringEquals": {
			"kms:ViaService":                   "s3." + region + ".amazonaws.com",
			"kms:EncryptionContext:aws:s3:arn": bucket,
		}},
	}
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }

// shells allows what the Systems Manager agent calls to open a shell. Its resource is "*": AWS has no resource for a
// channel, and the instance whose information is updated has no id before it runs. AWS's own policy for it would also
// let the machines read every parameter of the account.
// Sources: https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-add-permissions-to-existing-profile.html
// and https://docs.aws.amazon.com/service-authorization/latest/reference/list_ssmmessages.html
func shells() document {
	return document{Version: "2012-10-17", Statement: []statement{{
		Sid: "SessionManager", Effect: "Allow", Resource: "*",
		Action: []string{
			"ssm:UpdateInstanceInformation",
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
			"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
		},
	}}}
}

// logging allows what the CloudWatch agent calls to ship to a group that is there and keeps its own retention: it makes
// its stream without looking for it first, and asks for the group only where that fails. The group's streams are
// "<group>:log-stream:<name>".
// Source: https://github.com/aws/amazon-cloudwatch-agent/blob/main/plugins/outputs/cloudwatchlogs/internal/pusher/target.go
func logging(group string) document {
	return document{Version: "2012-10-17", Statement: []statement{{
		Sid: "ShipLogs", Effect: "Allow", Action: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resource: group + ":*",
	}}}
}

// on are the names of those actions that are needed on scope.
func on(scope actions.Scope, needed []actions.Action) []string {
	var names []string
	for _, action := range needed {
		if action.On == scope {
			names = append(names, action.Name)
		}
	}
	return names
}
