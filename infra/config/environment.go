package config

import (
	"net/netip"
	"strings"
	"time"

	"cloudstorage/app/auth"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/infra/naming"
)

// Environment is one file under infra/environments: everything about a deployment that is a choice.
type Environment struct {
	// Name is the file's name without its extension; stacks are "<Name>-storage" and "<Name>-api".
	Name string `yaml:"-"`

	// ProjectName is the prefix of every name and the value of the Project_name tag. Required.
	ProjectName string `yaml:"project_name"`
	// Region is the AWS region, such as eu-west-1. Required.
	Region string `yaml:"region"`
	// AccountID, 12 digits, makes Terraform refuse every other account. Default: any account.
	AccountID string `yaml:"account_id"`

	// Backend is where Terraform keeps its state. Default: a local file beside the project.
	Backend *Backend `yaml:"backend"`
	// Storage names the buckets. Required.
	Storage Storage `yaml:"storage"`
	// Network is the environment's own VPC. Default: the account's default VPC, which only an instance accepts.
	Network *Network `yaml:"network"`
	// Traffic says how requests reach a fleet. Default: plain HTTP on the API's own port.
	Traffic Traffic `yaml:"traffic"`
	// Compute says what runs the API. Required.
	Compute Compute `yaml:"compute"`
	// SSH opens port 22. Default: closed.
	SSH *SSH `yaml:"ssh"`
	// API says who reaches the API. Required.
	API API `yaml:"api"`
	// Release says how the API's program reaches its machines. Required.
	Release Release `yaml:"release"`
	// Observe ships logs to CloudWatch, draws a dashboard and sends alarms. Default: none of it.
	Observe *Observe `yaml:"observe"`

	project naming.Project
	doc     *document
}

// Backend is an S3 bucket that holds Terraform's state, locked by a file of its own beside it.
type Backend struct {
	// Bucket is the state bucket that the account stack made. Required.
	Bucket string `yaml:"bucket"`
	// Region of the bucket. Default: the environment's region.
	Region string `yaml:"region"`
}

// Storage names the buckets. Names are explicit because they are globally unique and chosen once: the user-data, the
// policies and the state refer to them.
type Storage struct {
	// Bucket holds the users' files: "<project_name>-…-<digits>". Required.
	Bucket string `yaml:"bucket"`
	// ReleasesBucket holds builds of the server, for the binary delivery: required there, refused elsewhere.
	ReleasesBucket string `yaml:"releases_bucket"`
	// StateBucket holds what the API knows by itself: its keys, what seals links, which links were revoked. It is not the
	// account's bucket with Terraform's state. For the binary delivery: required there, refused elsewhere.
	StateBucket string `yaml:"state_bucket"`
	// UndoDays is how long an overwritten or deleted file can be brought back, in days. Default 0: forever.
	UndoDays int `yaml:"undo_days"`
	// ExpireDays deletes every file that many days after it was written, for environments that anyone may write to.
	// Default 0: never.
	ExpireDays int `yaml:"expire_days"`
	// Encryption at rest: s3 (keys that S3 manages) or kms (a key of the account's own, with its price). Default s3.
	Encryption string `yaml:"encryption"`
	// WebOrigins are the web sites, such as https://files.example.org, whose pages may use presigned URLs and, with the
	// binary delivery, call the API. Default: none.
	WebOrigins []string `yaml:"web_origins"`
	// LogsBucket keeps the access logs of the buckets and, where they are asked for, of the load balancer and the
	// network: "<project_name>-…-<digits>". Default: no access logs.
	LogsBucket string `yaml:"logs_bucket"`
	// LogsDays is how long they are kept, in days. Default 90.
	LogsDays int `yaml:"logs_days"`
}

// Encryption at rest.
const (
	EncryptionS3  = "s3"
	EncryptionKMS = "kms"
)

// Ways out of a network's machines.
const (
	EgressInternet  = "internet"  // machines have public addresses; the only way without private subnets
	EgressEndpoints = "endpoints" // S3, and the AWS services whose interface endpoints are named; nothing else
	EgressNone      = "none"      // S3 only
	EgressNAT       = "nat"       // everywhere, through a NAT gateway in each zone
)

// Network is a VPC, its subnets and the way out of it.
type Network struct {
	// CIDR is the VPC's block, /16 to /28. Required.
	CIDR netip.Prefix `yaml:"cidr"`
	// Subnets are public, one a zone; a fleet behind a load balancer needs two or more. Required.
	Subnets []Subnet `yaml:"subnets"`
	// PrivateSubnets hold the fleet, in the zones of Subnets; its machines then have no public address. Default: none,
	// the fleet is in Subnets.
	PrivateSubnets []Subnet `yaml:"private_subnets"`
	// Egress is the machines' way out: internet, endpoints, none or nat. Default endpoints with private subnets,
	// internet without, each the only choice that makes sense unless you know better.
	Egress string `yaml:"egress"`
	// Endpoints are the AWS services that machines reach by interface endpoints, with egress endpoints. Default logs,
	// ssm and ssmmessages: what shipping logs and opening shells need.
	Endpoints []string `yaml:"endpoints"`
	// FlowLogs records who talked to whom, in storage.logs_bucket. Default false.
	FlowLogs bool `yaml:"flow_logs"`
}

// DefaultEndpoints are what shipping logs and opening shells need.
var DefaultEndpoints = []string{"logs", "ssm", "ssmmessages"}

// Private reports whether machines have private addresses only.
func (n *Network) Private() bool { return n != nil && len(n.PrivateSubnets) > 0 }

// Traffic says how requests reach a fleet: by HTTPS on port 443 when a certificate or a domain is given, else by HTTP
// on the API's own port.
type Traffic struct {
	// CertificateARN is an ACM certificate of the region. Default: none.
	CertificateARN string `yaml:"certificate_arn"`
	// Domain is the API's own name, such as files.example.org: a certificate for it is made and validated, and it leads
	// to the load balancer. Instead of CertificateARN. Default: none.
	Domain string `yaml:"domain"`
	// HostedZone is the Route 53 zone of the account that holds Domain. Required with Domain.
	HostedZone string `yaml:"hosted_zone"`
	// AccessLogs writes a line a request to storage.logs_bucket. Default false.
	AccessLogs bool `yaml:"access_logs"`
	// DeletionProtection makes AWS refuse to delete the load balancer. Default false.
	DeletionProtection bool `yaml:"deletion_protection"`
	// WAF puts a web application firewall before the load balancer. Default: none.
	WAF *WAF `yaml:"waf"`
}

// WAF blocks known bad inputs, and addresses that ask too often.
type WAF struct {
	// RequestsPer5Minutes of one address before it is blocked for a while, 10 or more. Default 2000.
	RequestsPer5Minutes int `yaml:"requests_per_5_minutes"`
}

// HTTPS reports whether the API is reached by HTTPS.
func (t Traffic) HTTPS() bool { return t.CertificateARN != "" || t.Domain != "" }

// Subnet is a subnet in one availability zone.
type Subnet struct {
	Zone string       `yaml:"zone"`
	CIDR netip.Prefix `yaml:"cidr"`
}

// Kinds of compute.
const (
	Fleet    = "fleet"    // an Auto Scaling group behind a load balancer, in the environment's own VPC
	Instance = "instance" // one EC2 instance in the default VPC
)

// Architectures, in AWS's spelling.
const (
	X8664 = "x86_64"
	ARM64 = "arm64"
)

// Compute says what runs the API.
type Compute struct {
	// Kind is fleet or instance. Required.
	Kind string `yaml:"kind"`
	// InstanceType, such as t3.micro. Required.
	InstanceType string `yaml:"instance_type"`
	// Architecture of the image and the program, x86_64 or arm64; it must be the instance type's. Default x86_64.
	Architecture string `yaml:"architecture"`
	// Min and Max are the fleet's size in instances. Required for a fleet, refused for an instance.
	Min int `yaml:"min"`
	Max int `yaml:"max"`
	// Initial is the size that a new fleet starts with, min to max: what the running one needs. Default min.
	Initial int `yaml:"initial"`
	// Scaling changes the fleet's size between min and max by itself. Default: none, it stays at initial.
	Scaling *Scaling `yaml:"scaling"`
	// Sleep ends the fleet's machines at night, for development. Default: never.
	Sleep *Sleep `yaml:"sleep"`
	// Image pins the machines' image, ami-…, of Amazon Linux 2023. Default: the newest, read at each apply.
	Image string `yaml:"image"`
	// DetailedMonitoring reports the machines' metrics each minute instead of each five. Default false.
	DetailedMonitoring bool `yaml:"detailed_monitoring"`
	// SessionManager lets administrators open a shell through Systems Manager, without ssh. Default false.
	SessionManager bool `yaml:"session_manager"`
	// PermissionsBoundary is the ARN of a policy that bounds what the machines' role can ever be allowed. Default: none.
	PermissionsBoundary string `yaml:"permissions_boundary"`
}

// Scaling keeps what a machine has to do near a target; at least one target is given.
type Scaling struct {
	// RequestsPerTarget is how many requests a minute one machine should serve. Default 0: not scaled by it.
	RequestsPerTarget int `yaml:"requests_per_target"`
	// CPUPercent is the mean use of the machines' processors, 1 to 100. Default 0: not scaled by it.
	CPUPercent int `yaml:"cpu_percent"`
}

// Sleep ends all machines of a fleet at one time and starts them at another.
type Sleep struct {
	// From and Until are cron expressions of five fields, such as "0 20 * * 1-5". Required.
	From  string `yaml:"from"`
	Until string `yaml:"until"`
	// TimeZone of both, such as Europe/Paris. Default Etc/UTC.
	TimeZone string `yaml:"time_zone"`
}

// SSH opens port 22 of the machines.
type SSH struct {
	// Key is the private key's file in the project's root, made by `make key`; only its public half leaves it. Required.
	Key string `yaml:"key"`
	// Allow are the address blocks that may connect. Required.
	Allow []netip.Prefix `yaml:"allow"`
}

// API says who reaches the API on its port, and what it does for them. What is of the binary delivery only is so because
// the server that source bakes has less.
type API struct {
	// Allow are the address blocks that may connect. Required.
	Allow []netip.Prefix `yaml:"allow"`
	// Direct lets them reach a fleet's machines too, past the load balancer. An instance is always reached directly. Default false.
	Direct bool `yaml:"direct"`
	// URLTTL is how long presigned URLs live, 1s to 168h. Default 10m.
	URLTTL time.Duration `yaml:"url_ttl"`
	// MaxURLTTL is the age at which the bucket itself refuses a presigned URL, whoever signed it; url_ttl to 168h.
	// Default url_ttl.
	MaxURLTTL time.Duration `yaml:"max_url_ttl"`
	// Access says who of those that connect may call: open is everybody, restricted who has a key or a token of the
	// issuer. Required with the binary delivery. Default with source: open.
	Access apisettings.Access `yaml:"access"`
	// Keys are who may call with an API key. For restricted access. Default: nobody.
	Keys []Key `yaml:"keys"`
	// OIDC says whose tokens are accepted beside keys. For restricted access. Default: nobody's.
	OIDC *OIDC `yaml:"oidc"`
	// ExerciseRoutes are the exercise's routes that are served: all, read (none that change something) or none. Default
	// all with open access, read with restricted.
	ExerciseRoutes apisettings.Routes `yaml:"exercise_routes"`
	// MaxBody is how many bytes one upload through the API may have, 1 to 5 GiB. Default 64 MiB. For the binary delivery.
	MaxBody int `yaml:"max_body"`
	// MaxLinkTTL is how long a share link lives at most, 1s to 8784h. Default 720h. For the binary delivery.
	MaxLinkTTL time.Duration `yaml:"max_link_ttl"`
	// RateLimit is how many requests a second one caller may make, 1 to 1000000, or -1 for any number. Default 100. For
	// the binary delivery.
	RateLimit int `yaml:"rate_limit"`
	// MaxConcurrency is how many requests a machine answers at once, 1 to 1000000, or -1 for any number. Default 1024.
	// For the binary delivery.
	MaxConcurrency int `yaml:"max_concurrency"`
	// MetricsAddress is where Prometheus asks a machine, apart from the API: an IP address and a port, such as
	// 127.0.0.1:9090 for an agent on the machine; no security group opens it. Default: nowhere. For the binary delivery.
	MetricsAddress string `yaml:"metrics_address"`
	// Traces is the OTLP endpoint over HTTP that traces go to, such as http://10.20.16.9:4318. Default: none are made.
	// For the binary delivery.
	Traces string `yaml:"traces"`
}

// Key is an API key: everything about it but the key itself. `storagectl key new` prints one.
type Key struct {
	// ID is what logs call the caller: 1 to 64 letters, digits, '-', '_' and '.'. Required.
	ID string `yaml:"id"`
	// SHA256 of the key, in hexadecimal. Required.
	SHA256 string `yaml:"sha256"`
	// Verbs are what it may do: list, read, write, delete. Required.
	Verbs []auth.Verb `yaml:"verbs"`
	// Prefixes are under which names; "" is everywhere. Required.
	Prefixes []string `yaml:"prefixes"`
	// Expires is when it ends, such as 2027-01-31T00:00:00Z. Default: never.
	Expires time.Time `yaml:"expires"`
}

// OIDC is an OpenID Connect issuer whose tokens are accepted.
type OIDC struct {
	// Issuer is its URL, as its tokens spell it. Required.
	Issuer string `yaml:"issuer"`
	// Audience is what it calls this API. Required.
	Audience string `yaml:"audience"`
	// Rules say what tokens allow. Required.
	Rules []Rule `yaml:"rules"`
}

// Rule grants something to each token whose claim has a value.
type Rule struct {
	// Claim is the claim's name, such as groups. Required.
	Claim string `yaml:"claim"`
	// Value is what it is, or what is among them where it is a list. Required.
	Value string `yaml:"value"`
	// Verbs and Prefixes are as a key's. Required.
	Verbs    []auth.Verb `yaml:"verbs"`
	Prefixes []string    `yaml:"prefixes"`
}

// Observe ships the machines' logs, draws a dashboard and sends alarms.
type Observe struct {
	// Email gets the alarms, after a confirmation that AWS sends first. Required.
	Email string `yaml:"email"`
	// LogsDays is how long logs are kept: a number of days that CloudWatch knows. Default 30.
	LogsDays int `yaml:"logs_days"`
	// ErrorPercent is the share of 5xx answers above which an alarm is sent, 1 to 100. Default 5.
	ErrorPercent int `yaml:"error_percent"`
	// P95 is the time that 95 of 100 answers should take at most. Default 1s.
	P95 time.Duration `yaml:"p95"`
}

// Deliveries of the API's program.
const (
	Source = "source" // built at first boot from the source inside the user-data
	Binary = "binary" // fetched from the releases bucket, pinned by its SHA-256
)

// Release says how the API's program reaches its machines.
type Release struct {
	// Delivery is source or binary. Required.
	Delivery string `yaml:"delivery"`
	// GoProxy is the GOPROXY of a build from source. Default: the distribution's own.
	GoProxy string `yaml:"goproxy"`
}

// Project is the validated project name.
func (e *Environment) Project() naming.Project { return e.project }

// Public reports whether anybody may call the API, whoever and wherever they are.
func (e *Environment) Public() bool {
	if e.API.Access == apisettings.Restricted {
		return false
	}
	for _, block := range e.API.Allow {
		if block.Bits() == 0 {
			return true
		}
	}
	return false
}

// KeyName is the name of the key pair in EC2: ssh.key without its extension.
func (e *Environment) KeyName() string { return strings.TrimSuffix(e.SSH.Key, ".pem") }
