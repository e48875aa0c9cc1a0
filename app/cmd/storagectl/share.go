package main

import (
	"bufio"
	"context"
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
		Long: `Make, list and revoke links by which anyone can read one file, without a key.

The API keeps no list of links. This program keeps one of those that were made by it
on this machine, by this user, so that they can be found and revoked.`,
		Example: `  storagectl share create report.pdf --expires 24h
  storagectl share list`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no command: say share create, share list or share revoke")
		},
	}
	cmd.AddCommand(p.shareCreate(o), p.shareList(o), p.shareRevoke(o))
	return cmd
}

func (p program) shareCreate(o *options) *cobra.Command {
	var expires, version string
	cmd := &cobra.Command{
		Use:   "create name",
		Short: "Make a link by which anyone can read a file until it ends",
		Long: `Make a link by which anyone can read a file until it ends or is revoked. It goes to
standard output; keep it as you would the file. It begins with the address that this
command called: put another in front where others know the API by another.

A note of it is kept below ~/.local/state/storagectl/links, readable by you alone, so
that share list shows it and share revoke takes its ID. With the note, as with the
link, one can read the file.`,
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
			note := linkNote{API: c.Address(), ID: link.ID, Key: string(link.Key), Version: link.Version, Token: link.Token, Expires: link.Expires}
			if err := p.linkNotes(c).write(note); err != nil {
				p.complain(fmt.Errorf("the link is good, but share list will not show it: %w", err))
			}
			if o.json {
				return p.writeJSON(linkResult{link.URL, link.Token, link.ID, string(link.Key), link.Version, link.Expires})
			}
			if !o.quiet {
				fmt.Fprintf(p.stderr, "Anyone can read %s by this link until %s. To end it sooner: storagectl share revoke %s\n", printable(string(key)), link.Expires.Local().Format(time.RFC3339), printable(link.ID))
			}
			_, err = fmt.Fprintln(p.stdout, link.URL)
			return err
		},
	}
	cmd.Flags().StringVar(&expires, "expires", "", "when it ends: hours or days from now (24h, 7d), a day (2027-01-31: when it begins, in UTC) or a time; 7 days unless given")
	cmd.Flags().StringVar(&version, "version", "", "share this version, and not the newest whenever the link is used")
	return cmd
}

// listedLink is a line of share list.
type listedLink struct {
	ID      string    `json:"id"`
	Key     string    `json:"key"`
	Version string    `json:"version,omitempty"`
	Expires time.Time `json:"expires_at"`
	State   string    `json:"state"` // active, revoked, expired or no-file
}

func (p program) shareList(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the links that were made here, and whether they are good",
		Long: `List the links to files of this API that were made on this machine, by this user,
with the ID that share revoke takes, when they end, and what they are good for: the API
is asked about each. A link that has ended is shown for 30 days. Links that were made
elsewhere are not known: the API keeps no list.`,
		Example: `  storagectl share list
  storagectl share list --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			now := time.Now()
			notes, err := p.linkNotes(c).all(now)
			if err != nil {
				return fmt.Errorf("read the list of links: %w", err)
			}
			for _, note := range notes {
				state, err := note.state(cmd.Context(), c, now)
				if err != nil {
					return err
				}
				if o.json {
					err = p.writeJSON(listedLink{note.ID, note.Key, note.Version, note.Expires, state})
				} else {
					err = p.write(fmt.Sprintf("%-16s  until %s  %-7s  %s", note.ID, note.Expires.Local().Format("2006-01-02 15:04"), state, note.Key))
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// state is what a link is good for now.
func (n linkNote) state(ctx context.Context, c *client.Client, now time.Time) (string, error) {
	switch {
	case !n.Revoked.IsZero():
		return "revoked", nil
	case !now.Before(n.Expires):
		return "expired", nil
	}
	state, err := c.LinkState(ctx, n.Token)
	if state == client.LinkEnded {
		return "revoked", err // elsewhere
	}
	return string(state), err
}

// maxLink is more than a link ever has, in bytes.
const maxLink = 64 << 10

func (p program) shareRevoke(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke link or ID",
		Short: "End a link, at once",
		Long: `End a link, at once, on every server. It is named by its URL, by the token at its end
or, where it was made here, by the ID that share list shows; with - it is read from
standard input, where the list of processes does not show it. One that has ended is no
error.`,
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
			notes, now := p.linkNotes(c), time.Now()
			note, noted := notes.find(link, now)
			if noted {
				link = note.Token
			}
			if link != "" || !noted { // else it is revoked already
				if err := c.RevokeLink(cmd.Context(), link); err != nil {
					return err
				}
			}
			if noted && note.Revoked.IsZero() {
				note.Revoked, note.Token = now.UTC(), ""
				if err := notes.write(note); err != nil {
					p.complain(fmt.Errorf("the link has ended, but that could not be noted: %w", err))
				}
			}
			return p.report(o, "Revoked", struct {
				Revoked bool `json:"revoked"`
			}{true})
		},
	}
}
