package identity

import "cloudstorage/app/s3store/actions"

type document struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string            `json:"Sid,omitempty"`
	Effect    string            `json:"Effect"`
	Principal map[string]string `json:"Principal,omitempty"`
	Action    []string          `json:"Action"`
	Resource  string            `json:"Resource,omitempty"`
}

// trustEC2 lets EC2, and nobody else, hand out the role.
func trustEC2() document {
	return document{Version: "2012-10-17", Statement: []statement{{
		Effect: "Allow", Principal: map[string]string{"Service": "ec2.amazonaws.com"}, Action: []string{"sts:AssumeRole"},
	}}}
}

// access allows what the store declares that it calls, each action on the kind of resource that it acts on, and
// reading the release where there is one to read.
func access(p Props) document {
	bucket := "arn:aws:s3:::" + p.Bucket
	statements := []statement{
		{Sid: "DataBucket", Effect: "Allow", Action: allowed(actions.Bucket), Resource: bucket},
		{Sid: "DataObjects", Effect: "Allow", Action: allowed(actions.Objects), Resource: bucket + "/*"},
	}
	if p.ReleasesBucket != "" {
		statements = append(statements, statement{
			Sid: "ReadRelease", Effect: "Allow", Action: []string{"s3:GetObject"},
			Resource: "arn:aws:s3:::" + p.ReleasesBucket + "/" + p.ReleasesPrefix + "*",
		})
	}
	return document{Version: "2012-10-17", Statement: statements}
}

// shells allows what the Systems Manager agent calls to open a shell, which AWS limits to no resource. AWS's own policy
// for it would also let the machines read every parameter of the account.
// Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-add-permissions-to-existing-profile.html
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

// allowed are the names of the actions that the store needs on scope.
func allowed(scope actions.Scope) []string {
	var names []string
	for _, action := range actions.All() {
		if action.On == scope {
			names = append(names, action.Name)
		}
	}
	return names
}
