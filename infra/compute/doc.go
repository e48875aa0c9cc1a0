// Package compute makes what runs the API: a fleet behind a load balancer, or one instance of its own.
package compute
