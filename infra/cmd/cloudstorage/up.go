package main

import (
	"github.com/spf13/cobra"

	"cloudstorage/app/settings"
	"cloudstorage/infra/emulator"
)

func newUp(p *project) *cobra.Command {
	o := emulator.Options{}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run the whole system on this machine: emulated AWS, Terraform, the API",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Root, o.Out = p.root, p.out
			return emulator.Up(cmd.Context(), o)
		},
	}
	cmd.Flags().IntVar(&o.Port, "port", settings.Port, "the API's `port` on 127.0.0.1")
	cmd.Flags().IntVar(&o.EmulatorPort, "emulator-port", 0, "the emulated AWS's `port` on 127.0.0.1 (default: a free one)")
	return cmd
}

func newStatus(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say what runs on this machine (exit code 0: everything does, 1: not)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			status, err := emulator.ReadStatus(cmd.Context(), p.options())
			if err != nil {
				return err
			}
			p.note("%s\n%s", status.Emulator, status.API)
			if !status.Up() {
				return errNotUp
			}
			return nil
		},
	}
}

func newDown(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "End what up started, and forget it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return emulator.Down(cmd.Context(), p.options())
		},
	}
}
