package truth

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// TestMain plays a role when it is started as one (see role_test.go). As a test it runs only where it was asked to, since
// it takes minutes and needs root; asked to without root, it fails.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := playRole(ctx, role); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	switch {
	case os.Getenv("SONDE_TRUTH") == "":
		fmt.Println("truth tests run by `make truth` (SONDE_TRUTH=1, as root)")
		os.Exit(0)
	case os.Getuid() != 0:
		fmt.Fprintln(os.Stderr, "truth tests load BPF programs: run them as root")
		os.Exit(1)
	}
	os.Exit(m.Run())
}
