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
	ListBucket               = "s3:ListBucket"
	ListBucketVersions       = "s3:ListBucketVersions"
	GetObject                = "s3:GetObject"
	GetObjectVersion         = "s3:GetObjectVersion"
	PutObject                = "s3:PutObject"
	DeleteObject             = "s3:DeleteObject"
	AbortMultipartUpload     = "s3:AbortMultipartUpload"
	ListMultipartUploadParts = "s3:ListMultipartUploadParts"
)

// Action is an S3 action and what it is needed on.
type Action struct {
	Name string
	On   Scope
}

// Baked returns every action that the server needs that is built from source, and
// no other: a presigned URL can do what its signer may do, so reading and writing
// are among them.
func Baked() []Action {
	return []Action{
		{ListBucket, Bucket},
		{GetObject, Objects},
		{GetObjectVersion, Objects},
		{PutObject, Objects},
		{DeleteObject, Objects},
	}
}

// All returns every action that the store and the packages below it need. Deleting a version is not: who steals the role cannot erase
// history. Writing covers what begins, fills and completes an upload in parts.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
func All() []Action {
	return []Action{
		{ListBucket, Bucket},
		{ListBucketVersions, Bucket},
		{GetObject, Objects},
		{GetObjectVersion, Objects},
		{PutObject, Objects},
		{DeleteObject, Objects},
		{AbortMultipartUpload, Objects},
		{ListMultipartUploadParts, Objects},
	}
}
