package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cloudstorage/app/client"
)

// linkResult is what share create reports.
type linkResult struct {
	URL     string    `json:"url"`
	Token   string    `json:"token"` // of the URL; revokes it, too
	ID      string    `json:"id"`    // names it in the server's audit
	Key     string    `json:"key"`
	Version string    `json:"version,omitempty"`
	Expires time.Time `json:"expires_at"`
}

func (p program) share(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "share",
		Short: "Make and revoke links by which anyone can read one file",
		Long: `Make and revoke links by which anyone can read one file, without a key.

The API keeps no list of links, so there is none to show: who may want to revoke a
link keeps it.`,
		Example: `  storagectl share create report.pdf --expires 24h`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no command: say share create or share revoke")
		},
	}
	cmd.AddCommand(p.shareCreate(o), p.shareRevoke(o))
	return cmd
}

func (p program) shareCreate(o *options) *cobra.Command {
	var expires, version string
	cmd := &cobra.Command{
		Use:   "create name",
		Short: "Make a link by which anyone can read a file until it ends",
		Long: `Make a link by which anyone can read a file until it ends or is revoked. It goes to
standard output; keep it as you would the file, and to be able to revoke it: the API
keeps no list of links. It begins with the address that this command called: put
another in front where others know the API by another.`,
		Example: `  storagectl share create report.pdf
  storagectl share create report.pdf --expires 24h
  storagectl share create report.pdf --expires 7d --version 3HL4kqtJlcpXrof3vjVBH40Nrxf6wQ2l`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := parseKey(args[0])
			if err != nil {
				return err
			}
			how := client.LinkOptions{Version: version}
			if expires != "" {
				now := time.Now()
				end, err := parseExpiry(expires, now)
				if err != nil {
					return err
				}
				how.ExpiresIn = max(end.Sub(now).Round(time.Second), time.Second)
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			link, err := c.CreateLink(cmd.Context(), key, how)
			if err != nil {
				return err
			}
			if o.json {
				return p.writeJSON(linkResult{link.URL, link.Token, link.ID, string(link.Key), link.Version, link.Expires})
			}
			if !o.quiet {
				fmt.Fprintf(p.stderr, "Anyone can read %s by this link until %s. Keep it: share revoke takes it.\n", printable(string(key)), link.Expires.Local().Format(time.RFC3339))
			}
			_, err = fmt.Fprintln(p.stdout, link.URL)
			return err
		},
	}
	cmd.Flags().StringVar(&expires, "expires", "", "when it ends: hours or days from now (24h, 7d), a day (2027-01-31: when it begins, in UTC) or a time; 7 days unless given")
	cmd.Flags().StringVar(&version, "version", "", "share this version, and not the newest whenever the link is used")
	return cmd
}

// maxLink is more than a link ever has, in bytes.
const maxLink = 64 << 10

func (p program) shareRevoke(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke link",
		Short: "End a link, at once",
		Long: `End a link, at once, on every server. It is named by its URL or the token at its end;
with - it is read from standard input, where the list of processes does not show it.
One that has ended is no error.`,
		Example: `  storagectl share revoke "$(cat link.txt)"
  storagectl share revoke - < link.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			link := args[0]
			if link == "-" {
				line, err := bufio.NewReader(io.LimitReader(p.stdin, maxLink)).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return fmt.Errorf("read the link: %w", err)
				}
				link = strings.TrimSpace(line)
			}
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.RevokeLink(cmd.Context(), link); err != nil {
				return err
			}
			return p.report(o, "Revoked", struct {
				Revoked bool `json:"revoked"`
			}{true})
		},
	}
}
