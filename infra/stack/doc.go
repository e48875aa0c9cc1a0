// Package stack puts constructs together into the stacks of an environment, "<env>-storage" and "<env>-api", and of the
// account. It is the only package that knows all constructs.
package stack
