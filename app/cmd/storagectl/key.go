package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cloudstorage/app/auth"
)

// keyResult is what key new reports. Entry is the key as the API's keyring has it.
type keyResult struct {
	Key   string   `json:"key"`
	Entry auth.Key `json:"entry"`
}

func (p program) keys(o *options) *cobra.Command {
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
	var entry auth.Key
	var verbs []string
	var expires string
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a key, show it once, and say what to add to the environment file",
		Long: `Make a key for the API. The key itself goes to standard output, this once: give it
to whoever will use it, in their environment variable STORAGE_KEY. The lines on
standard error go into the environment file, which holds no secret. Neither the API
nor the network is asked: the key works once the environment is deployed with it.`,
		Example: `  storagectl key new --id ci
  export STORAGE_KEY=$(storagectl key new --id ci --verbs list,read --prefix reports/)
  storagectl key new --id backup --verbs write --prefix db/ --prefix logs/ --expires 720h
  storagectl key new --id admin --verbs list,read,write,delete --expires 2099-12-31 --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, v := range verbs {
				entry.Verbs = append(entry.Verbs, auth.Verb(v))
			}
			if expires != "" {
				end, err := parseExpiry(expires, time.Now())
				if err != nil {
					return err
				}
				entry.Expires = end
			}
			key := auth.NewToken()
			entry.SHA256 = auth.Hash(key)
			if err := entry.Validate(); err != nil {
				return usagef("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
			}
			if o.json {
				return p.writeJSON(keyResult{key, entry})
			}
			fmt.Fprint(p.stderr, explainKey(entry))
			_, err := fmt.Fprintln(p.stdout, key)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&entry.ID, "id", "", "what logs call the key: 1 to 64 letters, digits, -, _ and . (required)")
	flags.StringSliceVar(&verbs, "verbs", []string{string(auth.Read), string(auth.List)}, "what it may do: list, read, write, delete")
	flags.StringArrayVar(&entry.Prefixes, "prefix", []string{""}, "below which names, once for each; everywhere unless given")
	flags.StringVar(&expires, "expires", "", "when it ends: hours or days from now (720h, 30d), a day (2027-01-31: when it begins, in UTC) or a time (2027-01-31T12:00:00Z); never unless given")
	return cmd
}

// explainKey says what the key may do, and what makes it known to the API.
func explainKey(k auth.Key) string {
	var b strings.Builder
	where := "everywhere"
	if !slices.Contains(k.Prefixes, "") {
		where = "below " + flow(k.Prefixes)
	}
	end := "never ends"
	if !k.Expires.IsZero() {
		end = "ends at " + k.Expires.Format(time.RFC3339)
	}
	var verbs []string
	for _, v := range k.Verbs {
		verbs = append(verbs, string(v))
	}
	fmt.Fprintf(&b, "Key %s may %s %s and %s. It is shown this once. Add to api.keys in the environment file, and deploy:\n\n", k.ID, strings.Join(verbs, ", "), where, end)
	fmt.Fprintf(&b, "    - id: %s\n      sha256: %s\n      verbs: %s\n      prefixes: %s\n", flow(k.ID), flow(k.SHA256), flow(k.Verbs), flow(k.Prefixes))
	if !k.Expires.IsZero() {
		fmt.Fprintf(&b, "      expires: %s\n", flow(k.Expires))
	}
	return b.String() + "\n"
}

// flow writes v as JSON, which is YAML, and which nobody takes for a number
// where it is a string of digits.
func flow(v any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // strings and a time, to memory
	return strings.TrimSpace(b.String())
}

// parseExpiry reads 720h, 30d, 2027-01-31 or 2027-01-31T12:00:00Z, after now.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	end, err := time.Parse(time.RFC3339, text)
	if err != nil {
		end, err = time.Parse(time.DateOnly, text)
	}
	if days, found := strings.CutSuffix(text, "d"); err != nil && found {
		var n int
		n, err = strconv.Atoi(days)
		end = now.AddDate(0, 0, n)
	}
	if err != nil {
		var d time.Duration
		d, err = time.ParseDuration(text)
		end = now.Add(d)
	}
	switch {
	case err != nil || end.Year() > 9999:
		return time.Time{}, usagef("--expires %q: give hours or days (720h, 30d), a day (2027-01-31) or a time (2027-01-31T12:00:00Z)", text)
	case !end.After(now):
		return time.Time{}, usagef("--expires %q has passed", text)
	}
	return end.UTC().Truncate(time.Second), nil
}
