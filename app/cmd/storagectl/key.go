package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cloudstorage/app/auth"
)

// keyResult is what key new reports. Key is the entry as the API's keyring has
// it.
type keyResult struct {
	Token string   `json:"token"`
	Key   auth.Key `json:"key"`
}

func (p program) key(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "key",
		Short:   "Make keys for the API",
		Example: `  storagectl key new --id ci --verbs list,read --prefix reports/`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("no command: say key new")
		},
	}
	cmd.AddCommand(p.newKey(o))
	return cmd
}

func (p program) newKey(o *options) *cobra.Command {
	var key auth.Key
	var verbs []string
	var expires string
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a key, show it once, and say what to add to the environment file",
		Long: `Make a key for the API. The token goes to whoever will use it and is kept nowhere;
the lines go into the environment file, which holds no secret. Neither the API nor
the network is asked: the key works once the environment is deployed with it.`,
		Example: `  storagectl key new --id ci --verbs list,read --prefix reports/
  storagectl key new --id backup --verbs write --prefix db/ --prefix logs/ --expires 90d
  storagectl key new --id admin --verbs list,read,write,delete --prefix "" --expires 2027-01-31 --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, v := range verbs {
				key.Verbs = append(key.Verbs, auth.Verb(v))
			}
			if expires != "" {
				end, err := parseExpiry(expires, time.Now())
				if err != nil {
					return err
				}
				key.Expires = end
			}
			token := auth.NewToken()
			key.SHA256 = auth.Hash(token)
			if err := key.Validate(); err != nil {
				return usagef("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
			}
			return p.report(o, keyText(token, key), keyResult{token, key})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&key.ID, "id", "", "what logs call the key: 1 to 64 letters, digits, -, _ and . (required)")
	flags.StringSliceVar(&verbs, "verbs", nil, "what the key may do: list, read, write, delete (required)")
	flags.StringArrayVar(&key.Prefixes, "prefix", nil, `where it may do so, once for each; "" is everywhere (required)`)
	flags.StringVar(&expires, "expires", "", "when it ends: days from now (90d), a day (2027-01-31: when it begins, in UTC) or a time (2027-01-31T12:00:00Z); never unless given")
	return cmd
}

func keyText(token string, k auth.Key) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Token, shown this once: %s\nSHA-256: %s\n\nAdd to api.keys in the environment file:\n", token, k.SHA256)
	fmt.Fprintf(&b, "    - id: %s\n      sha256: %s\n      verbs: %s\n      prefixes: %s", quoted(k.ID), quoted(k.SHA256), quoted(k.Verbs), quoted(k.Prefixes))
	if !k.Expires.IsZero() {
		fmt.Fprintf(&b, "\n      expires: %s", quoted(k.Expires))
	}
	return b.String()
}

// quoted writes v as JSON, which is YAML, and which nobody takes for a number
// where it is a string of digits.
func quoted(v any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // strings and a time, to memory
	return strings.TrimSpace(b.String())
}

// parseExpiry reads 90d, 2027-01-31 or 2027-01-31T12:00:00Z, after now.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	end, err := time.Parse(time.RFC3339, text)
	if err != nil {
		end, err = time.Parse(time.DateOnly, text)
	}
	if days, isDays := strings.CutSuffix(text, "d"); err != nil && isDays {
		var n int
		n, err = strconv.Atoi(days)
		end = now.AddDate(0, 0, n)
	}
	switch {
	case err != nil || end.Year() > 9999:
		return time.Time{}, usagef("--expires %q: give days (90d), a day (2027-01-31) or a time (2027-01-31T12:00:00Z)", text)
	case !end.After(now):
		return time.Time{}, usagef("--expires %q has passed", text)
	}
	return end.UTC().Truncate(time.Second), nil
}
