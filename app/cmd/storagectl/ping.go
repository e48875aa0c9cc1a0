package main

import "github.com/spf13/cobra"

type pingResult struct {
	Message string `json:"message"`
	Address string `json:"address"` // as it was dialled
}

func (p program) ping(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "ping",
		Short: "Ask the API for its greeting",
		Example: `  storagectl ping
  storagectl ping --ip 203.0.113.10
  storagectl ping --ip '[2001:db8::10]:5000' --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.client(o)
			if err != nil {
				return err
			}
			defer c.Close()
			message, err := c.Ping(cmd.Context())
			if err != nil {
				return err
			}
			if o.json {
				return p.writeJSON(pingResult{message, c.Address()})
			}
			return p.write(message)
		},
	}
}
