// Package network makes a VPC: its subnets, and exactly one way out of it for the machines inside.
package network
