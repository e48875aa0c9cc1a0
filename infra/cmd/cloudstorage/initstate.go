package main

import (
	"errors"
	"fmt"
	"os"

	"cloudstorage/infra/config"
	"cloudstorage/infra/naming"
)

// Where an environment's state is kept.
const (
	stateS3    = "s3"
	stateLocal = "local"
)

// production keeps its state in S3 unless told otherwise: it outlives a laptop.
const production = "production"

// state writes the account's state bucket into the environment's file; the next plan or deployment moves the state.
func (i *initializer) state(p *project, e *config.Environment, o initOptions) error {
	if o.state == stateLocal {
		if e.Backend != nil {
			return errors.New("its state is in S3 already; docs/aws-account.md says how to bring it back")
		}
		return nil
	}
	asked := o.state == stateS3
	ours := e.Backend != nil && !naming.PlaceholderBucket(e.Backend.Bucket)
	if ours || !asked && e.Name != production && o.from != production {
		return nil
	}
	path := p.environmentFile(config.AccountName)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the state bucket is named in the account's file: %w", err)
	}
	account, err := config.ParseAccount(path, text)
	if err != nil {
		return err
	}
	if naming.PlaceholderBucket(account.State.Bucket) {
		const wayOut = "run make init ENV=account and make deploy ENV=account first, then this again"
		if asked {
			return fmt.Errorf("the account has no state bucket yet, %s is a placeholder: %s", account.State.Bucket, wayOut)
		}
		i.notes = append(i.notes, "its state stays on this machine, since the account has no state bucket yet: "+wayOut+", or keep it with STATE=local")
		return nil
	}
	if account.Region != e.Region {
		if err := i.put("backend", "region", account.Region); err != nil {
			return err
		}
	}
	if err := i.put("backend", "bucket", account.State.Bucket); err != nil {
		return err
	}
	i.notes = append(i.notes, "the state moves to that bucket with the next make plan or make deploy; its local files stay, under another name")
	return nil
}
