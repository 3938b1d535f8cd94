package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sonde-dev/sonde/agent/probe"
)

func preflightCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "preflight",
		Short: "Say what this machine can do, what is missing, and what to do about it",
		Long: `Say which capture tier Sonde would use, which features of the kernel are there, what is missing, what that costs, and
what to do. Ends with status 1 if Sonde cannot run here. Nothing is changed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return preflight(cmd.OutOrStdout()) },
	}
}

func preflight(w io.Writer) error {
	fmt.Fprintf(w, "Sonde %s on Linux %s\n\n", version, kernelRelease())
	fatal := false
	for _, f := range probe.Features() {
		if f.Err == nil {
			fmt.Fprintf(w, "  ok       %s\n", f.Name)
			continue
		}
		mark := "missing"
		if f.Needed {
			mark, fatal = "MISSING", true
		}
		fmt.Fprintf(w, "  %-8s %s: %v\n             without it: %s\n", mark, f.Name, f.Err, f.Without)
		if f.Remedy != "" {
			fmt.Fprintf(w, "             what to do: %s\n", f.Remedy)
		}
	}
	tier, reason, err := probe.PreferredTier()
	if err != nil {
		return fmt.Errorf("no capture tier works here: %w", err)
	}
	if fatal {
		return errors.New("something that Sonde needs is missing here: see above")
	}
	fmt.Fprintf(w, "\nSonde runs here. Capture tier: %s, because %s.\n", tier, reason)
	if tier == probe.TierSyscall {
		fmt.Fprintln(w, "Not seen by this tier: io_uring. Costs something on every read and write of the host, files included.")
	}
	fmt.Fprintln(w, "Not read: MPTCP; what is inside TLS unless it is by OpenSSL, BoringSSL, GnuTLS or Go (of other TLS, handshakes are counted).")
	return nil
}
