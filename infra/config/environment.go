package config

import (
	"net/netip"
	"strings"
	"time"

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
	// Compute says what runs the API. Required.
	Compute Compute `yaml:"compute"`
	// SSH opens port 22. Default: closed.
	SSH *SSH `yaml:"ssh"`
	// API says who reaches the API. Required.
	API API `yaml:"api"`
	// Release says how the API's program reaches its machines. Required.
	Release Release `yaml:"release"`

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
	// UndoDays is how long an overwritten or deleted file can be brought back, in days. Default 0: forever.
	UndoDays int `yaml:"undo_days"`
}

// Network is a VPC and its public subnets.
type Network struct {
	// CIDR is the VPC's block, /16 to /28. Required.
	CIDR netip.Prefix `yaml:"cidr"`
	// Subnets, one a zone; a fleet behind a load balancer needs two or more. Required.
	Subnets []Subnet `yaml:"subnets"`
}

// Subnet is a public subnet in one availability zone.
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
	// SessionManager lets administrators open a shell through Systems Manager, without ssh. Default false.
	SessionManager bool `yaml:"session_manager"`
}

// SSH opens port 22 of the machines.
type SSH struct {
	// Key is the private key's file in the project's root, made by `make key`; only its public half leaves it. Required.
	Key string `yaml:"key"`
	// Allow are the address blocks that may connect. Required.
	Allow []netip.Prefix `yaml:"allow"`
}

// API says who reaches the API on its port.
type API struct {
	// Allow are the address blocks that may connect. Required.
	Allow []netip.Prefix `yaml:"allow"`
	// Direct lets them reach a fleet's machines too, past the load balancer. An instance is always reached directly. Default false.
	Direct bool `yaml:"direct"`
	// URLTTL is how long presigned URLs live, 1s to 168h. Default 10m.
	URLTTL time.Duration `yaml:"url_ttl"`
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

// Public reports whether any address may call the API.
func (e *Environment) Public() bool {
	for _, block := range e.API.Allow {
		if block.Bits() == 0 {
			return true
		}
	}
	return false
}

// KeyName is the name of the key pair in EC2: ssh.key without its extension.
func (e *Environment) KeyName() string { return strings.TrimSuffix(e.SSH.Key, ".pem") }
