package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"cloudstorage/infra/config"
	"cloudstorage/infra/naming"
)

type initOptions struct {
	email string
	cidrs []string
}

func newInit(p *project) *cobra.Command {
	o := initOptions{}
	cmd := &cobra.Command{
		Use:   "init ENVIRONMENT",
		Short: "Make an environment file yours: fresh bucket names, your e-mail address, your address blocks",
		Example: "  cloudstorage init module02\n  cloudstorage init single --cidr 198.51.100.7/32\n" +
			"  cloudstorage init account --email ops@example.org",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.init(args[0], o) },
	}
	cmd.Flags().StringVar(&o.email, "email", "", "`address` that gets the budget's alerts (account)")
	cmd.Flags().StringSliceVar(&o.cidrs, "cidr", nil, "address `blocks` that may connect, for ssh.allow and api.allow")
	return cmd
}

// init edits the environment's file and checks the result before it is written.
func (p *project) init(name string, o initOptions) error {
	if name == "local" {
		return errors.New("the environment local never leaves this machine: there is nothing to make yours")
	}
	path := filepath.Join(p.environments(), name+".yaml")
	source, err := os.ReadFile(path)
	if err != nil {
		if set, listErr := config.LoadDir(p.environments()); listErr == nil {
			_, err = set.Only(name)
		}
		return err
	}
	i := &initializer{text: string(source), asker: newAsker(p.console), digits: digits()}
	if name == config.AccountName {
		err = i.account(path, o)
	} else {
		err = i.environment(name, path, o)
	}
	if err != nil {
		return err
	}
	left, err := placeholders(name, path, i.text)
	if err != nil {
		return fmt.Errorf("the answers do not fit, %s was not changed: %w", path, err)
	}
	if i.text == string(source) {
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
	for _, placeholder := range left {
		p.note("still a placeholder, which AWS deployments refuse: %s", placeholder)
	}
	return nil
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

// initializer edits one file's text.
type initializer struct {
	*asker
	text    string
	digits  string
	changes []string
}

func (i *initializer) account(path string, o initOptions) error {
	a, err := config.ParseAccount(path, []byte(i.text))
	if err != nil {
		return err
	}
	if err := i.bucket("state", "bucket", a.State.Bucket); err != nil {
		return err
	}
	email := o.email
	if email == "" {
		def := a.Budget.Email
		if def == config.PlaceholderEmail {
			def = ""
		}
		email, err = i.ask("E-mail address for the alert on costs above "+fmt.Sprint(a.Budget.LimitUSD)+" USD a month", def)
		if err != nil && !errors.Is(err, errNoAnswer) {
			return err
		}
	}
	if email == "" || email == a.Budget.Email {
		return nil
	}
	return i.set("budget", "email", email)
}

func (i *initializer) environment(name, path string, o initOptions) error {
	e, err := config.Parse(name, path, []byte(i.text))
	if err != nil {
		return err
	}
	if err := i.bucket("storage", "bucket", e.Storage.Bucket); err != nil {
		return err
	}
	if err := i.bucket("storage", "releases_bucket", e.Storage.ReleasesBucket); err != nil {
		return err
	}
	if e.SSH != nil {
		if err := i.blocks("ssh", "Address blocks that may connect with ssh", e.SSH.Allow, o); err != nil {
			return err
		}
	}
	return i.blocks("api", "Address blocks that may call the API", e.API.Allow, o)
}

// bucket gives a placeholder fresh digits. A name that is somebody's already is kept unless they say otherwise:
// files may live there.
func (i *initializer) bucket(section, key, current string) error {
	if current == "" {
		return nil
	}
	if !naming.PlaceholderBucket(current) {
		answer, err := i.ask(fmt.Sprintf("%s.%s is %s, and files may live there. keep or new?", section, key, current), "keep")
		if err != nil && !errors.Is(err, errNoAnswer) {
			return err
		}
		if answer != "new" {
			return nil
		}
	}
	return i.set(section, key, lastDigits.ReplaceAllString(current, i.digits))
}

var lastDigits = regexp.MustCompile(`[0-9]+$`)

func (i *initializer) blocks(section, question string, current []netip.Prefix, o initOptions) error {
	answer := strings.Join(o.cidrs, ",")
	if answer == "" {
		var shown []string
		for _, block := range current {
			if block != config.PlaceholderBlock {
				shown = append(shown, block.String())
			}
		}
		var err error
		answer, err = i.ask(question+" (such as 198.51.100.7/32; several with commas)", strings.Join(shown, ","))
		if err != nil && !errors.Is(err, errNoAnswer) {
			return err
		}
	}
	if answer == "" {
		return nil
	}
	blocks, err := parseBlocks(answer)
	if err != nil {
		return err
	}
	if blocks == join(current) {
		return nil
	}
	return i.set(section, "allow", "["+blocks+"]")
}

func (i *initializer) set(section, key, value string) error {
	text, err := setValue(i.text, section, key, value)
	if err != nil {
		return err
	}
	i.text = text
	i.changes = append(i.changes, fmt.Sprintf("%s.%s: %s", section, key, value))
	return nil
}

// parseBlocks reads address blocks; a single address means itself.
func parseBlocks(answer string) (string, error) {
	var blocks []netip.Prefix
	for text := range strings.SplitSeq(answer, ",") {
		text = strings.TrimSpace(text)
		if address, err := netip.ParseAddr(text); err == nil {
			blocks = append(blocks, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		block, err := netip.ParsePrefix(text)
		if err != nil {
			return "", fmt.Errorf("%q is neither an address nor a block such as 198.51.100.0/24", text)
		}
		blocks = append(blocks, block)
	}
	return join(blocks), nil
}

func join(blocks []netip.Prefix) string {
	var texts []string
	for _, block := range blocks {
		texts = append(texts, block.String())
	}
	return strings.Join(texts, ", ")
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
