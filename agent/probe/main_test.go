package probe

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// childScene names, in the environment, the scene that this binary is to play as a child instead of running tests:
// what Sonde observes must not be Sonde's own process.
const childScene = "SONDE_PROBE_TEST_SCENE"

func TestMain(m *testing.M) {
	if name := os.Getenv(childScene); name != "" {
		if err := playScene(name); err != nil {
			fmt.Fprintln(os.Stderr, "scene", name+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if err := closeShared(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// requireBPF is the one place that decides whether tests with real programs can run. Where CI is set they must.
func requireBPF(t testing.TB, tiers ...Tier) {
	t.Helper()
	missing := privileged()
	for _, tier := range tiers {
		if _, _, err := chooseTier(tier); missing == nil && err != nil {
			missing = err
		}
	}
	if _, err := openObject("process"); missing == nil && err != nil {
		missing = err
	}
	if missing == nil {
		return
	}
	var u unix.Utsname
	_ = unix.Uname(&u)
	say := fmt.Sprintf("needs BPF (root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; objects built by `make bpf`), kernel %s: %v",
		unix.ByteSliceToString(u.Release[:]), missing)
	if os.Getenv("CI") != "" {
		t.Fatal(say)
	}
	t.Skip(say)
}
