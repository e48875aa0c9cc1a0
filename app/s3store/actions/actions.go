// Package actions names what the store does to S3, so that the policy of the
// role that it runs under is derived from the code and cannot drift from it.
package actions

// Scope is what an action is granted on.
type Scope string

// The scopes.
const (
	Bucket  Scope = "bucket"  // the bucket itself: arn:aws:s3:::<bucket>
	Objects Scope = "objects" // all that is in it: arn:aws:s3:::<bucket>/*
)

// The names of the actions, as IAM spells them.
const (
	ListBucket   = "s3:ListBucket"
	GetObject    = "s3:GetObject"
	PutObject    = "s3:PutObject"
	DeleteObject = "s3:DeleteObject"
)

// Action is an S3 action and what it is needed on.
type Action struct {
	Name string
	On   Scope
}

// All returns every action that the store needs, and no other: a presigned URL
// can do what its signer may do, so reading and writing are among them.
func All() []Action {
	return []Action{
		{ListBucket, Bucket},
		{GetObject, Objects},
		{PutObject, Objects},
		{DeleteObject, Objects},
	}
}
