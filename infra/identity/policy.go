package identity

import "cloudstorage/app/s3store/actions"

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
// that encrypts it, and reading the release where there is one to read.
func access(p Props) document {
	bucket := "arn:aws:s3:::" + p.Bucket
	statements := []statement{
		{Sid: "DataBucket", Effect: "Allow", Action: on(actions.Bucket, p.Actions), Resource: bucket, Condition: inOurAccount()},
		{Sid: "DataObjects", Effect: "Allow", Action: on(actions.Objects, p.Actions), Resource: bucket + "/*", Condition: inOurAccount()},
	}
	if p.KMSKeyARN != nil {
		// Both are needed to write in parts, and with a bucket key, whose encryption context is the bucket's ARN.
		// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
		statements = append(statements, statement{
			Sid: "DataKey", Effect: "Allow", Action: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resource: *p.KMSKeyARN,
			Condition: map[string]map[string]string{"StringEquals": {
				"kms:ViaService":                   "s3." + p.Region + ".amazonaws.com",
				"kms:EncryptionContext:aws:s3:arn": bucket,
			}},
		})
	}
	if p.ReleasesBucket != "" {
		statements = append(statements, statement{
			Sid: "ReadRelease", Effect: "Allow", Action: []string{"s3:GetObject"},
			Resource: "arn:aws:s3:::" + p.ReleasesBucket + "/" + p.ReleasesPrefix + "*", Condition: inOurAccount(),
		})
	}
	return document{Version: "2012-10-17", Statement: statements}
}

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
