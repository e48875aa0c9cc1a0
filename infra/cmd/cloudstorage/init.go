package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"cloudstorage/infra/config"
)

type initOptions struct {
	email       string
	cidrs       []string
	domain      string
	zone        string
	certificate string
	state       string
	from        string
	project     string
}

func newInit(p *project) *cobra.Command {
	o := initOptions{}
	cmd := &cobra.Command{
		Use:   "init ENVIRONMENT",
		Short: "Make an environment file yours: fresh bucket names, your addresses, your domain, its state in S3",
		Example: "  cloudstorage init module02\n  cloudstorage init single --cidr 198.51.100.7/32\n" +
			"  cloudstorage init account --email ops@example.org\n" +
			"  cloudstorage init production --email ops@example.org --cidr 198.51.100.0/24 --domain files.example.org --zone example.org\n" +
			"  cloudstorage init staging --from production",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.init(args[0], o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.email, "email", "", "`address` that gets the budget's alerts (account) or the alarms")
	flags.StringSliceVar(&o.cidrs, "cidr", nil, "address `blocks` that may connect, for ssh.allow and api.allow")
	flags.StringVar(&o.domain, "domain", "", "the API's own `name`, in a Route 53 zone of the account")
	flags.StringVar(&o.zone, "zone", "", "that `zone` (default: the domain without its first label)")
	flags.StringVar(&o.certificate, "certificate", "", "`ARN` of an ACM certificate, instead of a domain")
	flags.StringVar(&o.state, "state", "", "`where` Terraform's state is kept: s3 or local (default: s3 for production, else as it is)")
	flags.StringVar(&o.from, "from", "", "write a new file, from that of this `environment`")
	flags.StringVar(&o.project, "project", "", "project_name of the new file (default: the other's, and the new environment's name)")
	cmd.MarkFlagsMutuallyExclusive("domain", "certificate")
	return cmd
}

// init edits the environment's file and checks the result before it is written.
func (p *project) init(name string, o initOptions) error {
	if name == localName {
		return errors.New("the environment local never leaves this machine: there is nothing to make yours")
	}
	if o.state != "" && o.state != stateS3 && o.state != stateLocal {
		return fmt.Errorf("state %q is neither s3 nor local", o.state)
	}
	path := p.environmentFile(name)
	source, err := p.environmentText(name, o)
	if err != nil {
		return err
	}
	i := &initializer{text: source, asker: newAsker(p.console), digits: digits()}
	if name == config.AccountName {
		err = i.account(path, o)
	} else {
		err = i.environment(p, name, o)
	}
	if err != nil {
		return err
	}
	left, err := placeholders(name, path, i.text)
	if err != nil {
		return fmt.Errorf("the answers do not fit, %s was not changed: %w", path, err)
	}
	if i.text == source && o.from == "" {
		p.note("%s stays as it is", path)
	} else {
		if err := os.WriteFile(path, []byte(i.text), 0o644); err != nil {
			return fmt.Errorf("writing the environment: %w", err)
		}
		for _, change := range i.changes {
			p.note("%s", change)
		}
		p.note("wrote %s", path)
	}
	for _, note := range i.notes {
		p.note("%s", note)
	}
	for _, placeholder := range left {
		p.note("still a placeholder, which AWS deployments refuse: %s", placeholder)
	}
	return nil
}

func (p *project) environmentFile(name string) string {
	return filepath.Join(p.environments(), name+".yaml")
}

// environmentText is the text that init starts from: the environment's own, or a new one.
func (p *project) environmentText(name string, o initOptions) (string, error) {
	if o.from != "" {
		return p.newEnvironment(name, o)
	}
	source, err := os.ReadFile(p.environmentFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		if set, listErr := config.LoadDir(p.environments()); listErr == nil {
			if _, unknown := set.Only(name); unknown != nil {
				err = fmt.Errorf("%w; FROM=<one of them> writes a new one", unknown)
			}
		}
	}
	return string(source), err
}

func placeholders(name, path, text string) ([]config.Placeholder, error) {
	if name == config.AccountName {
		a, err := config.ParseAccount(path, []byte(text))
		if err != nil {
			return nil, err
		}
		return a.Placeholders(), nil
	}
	e, err := config.Parse(name, path, []byte(text))
	if err != nil {
		return nil, err
	}
	return e.Placeholders(), nil
}

// digits makes a bucket's name its owner's: bucket names are unique in the world. Ten digits, not all zeros.
func digits() string {
	low, high := int64(1_000_000_000), int64(9_999_999_999)
	n, err := rand.Int(rand.Reader, big.NewInt(high-low+1))
	if err != nil {
		panic(err) // crypto/rand does not fail on any system that Go supports
	}
	return fmt.Sprint(low + n.Int64())
}
