package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"cloudstorage/infra/config"
)

func newDestroy(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "destroy ENVIRONMENT",
		Short: "Remove everything disposable (the api stack); the data stays",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, bucket, err := p.removal(args[0])
			if err != nil {
				return err
			}
			question := fmt.Sprintf("This removes the stack %s: the network, the machines and the roles. The bucket %s and its files stay.", d.api(), bucket)
			if err := newAsker(p.console).confirm(question, d.environment); err != nil {
				return err
			}
			if err := d.prepare(cmd.Context()); err != nil {
				return err
			}
			if err := d.destroyAPI(cmd.Context()); err != nil {
				return err
			}
			p.note("\nThe bucket %s and its files are still there; `make purge ENV=%s` deletes them too.", bucket, d.environment)
			return nil
		},
	}
}

func newPurge(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "purge ENVIRONMENT",
		Short: "Remove everything, the buckets with all their files too",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			d, bucket, err := p.removal(args[0])
			if err != nil {
				return err
			}
			if err := d.prepare(ctx); err != nil {
				return err
			}
			deployed, err := d.deployed(ctx, bucket)
			if err != nil {
				return err
			}
			question := fmt.Sprintf("This removes the stacks %s and %s, and deletes every version of every file in the bucket %s. Nothing brings them back.",
				d.api(), d.storage(), bucket)
			if err := newAsker(p.console).confirm(question, bucket); err != nil {
				return err
			}
			if err := d.destroyAPI(ctx); err != nil {
				return err
			}
			if deployed {
				if err := d.purgeStorage(ctx); err != nil {
					return err
				}
			}
			p.note("\n%s is gone, its files too. Terraform's state files are left where they are.", d.environment)
			return nil
		},
	}
}

// removal returns an environment that is to be removed, not prepared yet, and its bucket's name.
func (p *project) removal(environment string) (*deployment, string, error) {
	if environment == config.AccountName {
		return nil, "", errors.New("the account's stack holds the other environments' state: remove it by hand, with terraform, when nothing is left")
	}
	d, set, err := p.open(environment)
	if err != nil {
		return nil, "", err
	}
	return d, set.Environments[0].Storage.Bucket, nil
}

// deployed tells whether the storage stack exists. It refuses when the bucket that exists is not the one that the
// environment names: whoever types the new name must not lose the files under the old one.
func (d *deployment) deployed(ctx context.Context, bucket string) (bool, error) {
	s, err := d.stack(ctx, d.storage())
	if err != nil {
		return false, err
	}
	outputs, err := s.Output(ctx)
	if err != nil {
		return false, err
	}
	if existing := outputs["bucket_name"]; existing != "" && existing != bucket {
		return false, fmt.Errorf("the environment names the bucket %s, but the one that exists is %s: put that name back, or nothing here may touch it", bucket, existing)
	}
	return outputs["bucket_name"] != "", nil
}

// destroyAPI destroys the api stack. Its load balancer may be protected from deletion; whoever confirmed meant that too.
func (d *deployment) destroyAPI(ctx context.Context) error {
	s, err := d.stack(ctx, d.api())
	if err != nil {
		return err
	}
	if err := d.liftDeletionProtection(ctx, d.api(), s); err != nil {
		return err
	}
	return s.Destroy(ctx)
}

// purgeStorage destroys the storage stack through a copy that protects nothing.
func (d *deployment) purgeStorage(ctx context.Context) error {
	s, remove, err := d.changedCopy(ctx, d.storage(), "purge", lifted)
	if err != nil {
		return err
	}
	// Whether a bucket is emptied is read from its state, so the copy is applied before it is destroyed.
	if err := s.Apply(ctx); err != nil {
		return err
	}
	if err := s.Destroy(ctx); err != nil {
		return err
	}
	return remove()
}
