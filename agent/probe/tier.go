package probe

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// ErrUnsupported means that the kernel lacks what a tier needs.
var ErrUnsupported = errors.New("not supported by this kernel")

// chooseTier returns the tier to use and why, in words.
func chooseTier(want Tier) (Tier, string, error) {
	socket, syscall := socketTierSupported(), syscallTierSupported()
	switch want {
	case TierSocket:
		return want, "forced by --capture", explainTier(want, socket)
	case TierSyscall:
		return want, "forced by --capture", explainTier(want, syscall)
	}
	if socket == nil {
		return TierSocket, "the kernel has the socket tracepoints (Linux 6.3)", nil
	}
	if syscall == nil {
		return TierSyscall, fmt.Sprintf("the socket tier is missing: %v", socket), nil
	}
	return "", "", fmt.Errorf("no way to capture socket calls: socket tier: %w; system-call tier: %w", socket, syscall)
}

func explainTier(t Tier, err error) error {
	if err != nil {
		return fmt.Errorf("capture tier %s: %w (leave --capture out and Sonde takes one that works)", t, err)
	}
	return nil
}

// socketTierSupported asks whether the kernel has the hooks and functions of bpf/socket.bpf.c.
func socketTierSupported() error {
	return requireTypes("btf_trace_sock_send_length", "btf_trace_sock_recv_length", "bpf_rdonly_cast", "bpf_task_pt_regs")
}

// syscallTierSupported does the same for bpf/syscall.bpf.c.
func syscallTierSupported() error {
	return requireTypes("btf_trace_sys_exit", "btf_trace_inet_sock_set_state", "bpf_task_pt_regs")
}

// requireTypes looks for names in the kernel's type information: tracepoints, kfuncs and helpers all have one.
func requireTypes(names ...string) error {
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		return fmt.Errorf("%w: no type information (CONFIG_DEBUG_INFO_BTF): %w", ErrUnsupported, err)
	}
	for _, name := range names {
		if _, err := kernel.AnyTypesByName(name); err != nil {
			return fmt.Errorf("%w: no %s", ErrUnsupported, name)
		}
	}
	return nil
}
