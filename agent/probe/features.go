package probe

import (
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// Feature is something of the kernel that Sonde can make use of.
type Feature struct {
	Name string
	// Err is nil where the feature is there.
	Err error
	// Needed is true where Sonde cannot run without it.
	Needed bool
	// Without says what is lost or what it costs if it is missing, and Remedy what to do about it, where something helps.
	Without, Remedy string
}

// Features asks the running kernel for everything that matters, and loads nothing that stays.
func Features() []Feature {
	return []Feature{
		{Name: "root or CAP_BPF and CAP_PERFMON", Err: privileged(), Needed: true,
			Without: "no BPF program can be loaded", Remedy: "run as root"},
		{Name: "type information (BTF)", Err: requireTypes("task_struct"), Needed: true,
			Without: "programs cannot be fitted to this kernel", Remedy: "use a kernel with CONFIG_DEBUG_INFO_BTF (all current distributions)"},
		{Name: "ring buffer (Linux 5.8)", Err: features.HaveMapType(ebpf.RingBuf), Needed: true,
			Without: "events cannot be handed over", Remedy: "use Linux 5.15 or later"},
		{Name: "JIT compiler", Err: jitEnabled(),
			Without: "programs are interpreted, several times slower", Remedy: "sysctl net.core.bpf_jit_enable=1"},
		{Name: "process tracepoints", Err: requireTypes("btf_trace_sched_process_exec", "btf_trace_sched_process_exit"), Needed: true,
			Without: "short-lived processes cannot be named"},
		{Name: "socket tier: socket tracepoints (Linux 6.3)", Err: socketTierSupported(),
			Without: "capture falls back to system calls: about 200 ns on each read and write of the whole host, io_uring unseen",
			Remedy:  "use Linux 6.3 or later"},
		{Name: "system-call tier (Linux 5.15)", Err: syscallTierSupported(),
			Without: "no fallback if the socket tier is missing too", Remedy: "use Linux 5.15 or later"},
		{Name: "plain text of TLS: uprobe_multi (Linux 6.6)", Err: tlsFeature(),
			Without: "of TLS only the handshakes are seen", Remedy: "use Linux 6.6 or later"},
		{Name: "kprobes", Err: kprobes(), Without: "nothing: Sonde does not use them"},
	}
}

// capabilities of include/uapi/linux/capability.h.
const (
	capSysAdmin = 21
	capPerfmon  = 38
	capBPF      = 39
)

func privileged() error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	has := func(c uint) bool { return data[c/32].Effective&(1<<(c%32)) != 0 }
	if has(capSysAdmin) || has(capBPF) && has(capPerfmon) {
		return nil
	}
	return fmt.Errorf("not privileged: user id %d", os.Geteuid())
}

func jitEnabled() error {
	b, err := os.ReadFile("/proc/sys/net/core/bpf_jit_enable")
	if err != nil {
		return fmt.Errorf("read net.core.bpf_jit_enable: %w", err)
	}
	if v := strings.TrimSpace(string(b)); v == "0" {
		return fmt.Errorf("net.core.bpf_jit_enable is 0")
	}
	return nil
}

func kprobes() error {
	if _, err := os.Stat("/sys/bus/event_source/devices/kprobe"); err != nil {
		return fmt.Errorf("not in this kernel")
	}
	return nil
}

// PreferredTier returns what TierAuto would take, and why.
func PreferredTier() (Tier, string, error) { return chooseTier(TierAuto) }
