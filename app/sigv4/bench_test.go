package sigv4_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cloudstorage/app/sigv4"
)

// BenchmarkPresign signs the same download in three ways, with the credentials
// of a role: go test -bench Presign -run ^$ ./app/sigv4
func BenchmarkPresign(b *testing.B) {
	r := sigv4.Request{Method: "GET", Path: "/reports/2024/a b.pdf", Time: start, Expires: 10 * time.Minute}
	endpoint := base(b, "https://module02-1.s3.eu-west-1.amazonaws.com")
	b.Run("sigv4", func(b *testing.B) {
		signer := sigv4.New(session, region, endpoint)
		b.ReportAllocs()
		for b.Loop() {
			signer.Presign(r)
		}
	})
	b.Run("aws signer v4", func(b *testing.B) {
		signer := newSDK()
		b.ReportAllocs()
		for b.Loop() {
			sdk(b, signer, session, endpoint, r)
		}
	})
	b.Run("s3 presign client", func(b *testing.B) {
		client := s3.NewPresignClient(s3.New(s3.Options{Region: region,
			Credentials: credentials.NewStaticCredentialsProvider(session.AccessKeyID, session.SecretAccessKey, session.SessionToken)}))
		b.ReportAllocs()
		for b.Loop() {
			_, err := client.PresignGetObject(b.Context(), &s3.GetObjectInput{Bucket: aws.String("module02-1"), Key: aws.String(r.Path[1:])})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
