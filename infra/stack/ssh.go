package stack

import (
	"fmt"

	"cloudstorage/infra/compute"
	"cloudstorage/infra/config"
)

func sshProps(e *config.Environment, publicKey string) *compute.SSH {
	if e.SSH == nil {
		return nil
	}
	return &compute.SSH{Name: e.KeyName(), PublicKey: publicKey, Allow: e.SSH.Allow}
}

func missingKey(e *config.Environment, publicKey string) []string {
	if e.SSH == nil || publicKey != "" {
		return nil
	}
	return []string{fmt.Sprintf("ssh.key (%s does not exist: run `make key`)", e.SSH.Key)}
}
