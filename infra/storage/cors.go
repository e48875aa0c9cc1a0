package storage

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdktf/cdktf-provider-aws-go/aws/v19/s3bucketcorsconfiguration"
)

// corsSeconds is how long a browser may remember what it is allowed: what Chromium takes at most.
// Source: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Access-Control-Max-Age
const corsSeconds = 7200

// openTo lets pages of the origins use presigned URLs. Pages never sign, so Authorization is not among the headers; S3
// takes one * in each allowed header and none in those that it exposes.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
func (b *Bucket) openTo(within constructs.Construct, origins []string) {
	s3bucketcorsconfiguration.NewS3BucketCorsConfiguration(within, jsii.String("cors"), &s3bucketcorsconfiguration.S3BucketCorsConfigurationConfig{
		Bucket: b.bucket.Id(),
		CorsRule: &[]*s3bucketcorsconfiguration.S3BucketCorsConfigurationCorsRule{{
			AllowedOrigins: jsii.Strings(origins...),
			AllowedMethods: jsii.Strings("GET", "HEAD", "PUT", "POST"),
			AllowedHeaders: jsii.Strings("content-*", "if-*", "range", "x-amz-*"),
			ExposeHeaders: jsii.Strings(
				"ETag", "Content-Length", "Content-Range", "Content-Disposition", "Accept-Ranges",
				"x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1", "x-amz-checksum-sha256",
				"x-amz-checksum-type", "x-amz-request-id", "x-amz-version-id",
			),
			MaxAgeSeconds: jsii.Number(corsSeconds),
		}},
	})
}

// webOrigin checks that text is one web site: what a browser sends as Origin. Plain HTTP is for the developer's own
// machine, since others could change such a page on its way.
func webOrigin(text string) error {
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Host == "" || text != u.Scheme+"://"+u.Host || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("%q is not a web site's origin: write one such as https://files.example.org, without a path", text)
	}
	if strings.Contains(u.Host, "*") {
		return fmt.Errorf("%q stands for many web sites: name each", text)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && !ip.IsLoopback() {
		return fmt.Errorf("%q is plain HTTP: use https, or localhost while you develop", text)
	}
	return nil
}
