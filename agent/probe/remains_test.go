package probe

import (
	"errors"
	"log/slog"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// objectIDs are the kernel's numbers of what a Probe consists of.
type objectIDs struct {
	Programs []ebpf.ProgramID
	Maps     []ebpf.MapID
	Links    []link.ID
}

func kernelObjects(p *Probe) (ids objectIDs) {
	for _, c := range p.collectors {
		for _, prog := range c.coll.Programs {
			if info, err := prog.Info(); err == nil {
				id, _ := info.ID()
				ids.Programs = append(ids.Programs, id)
			}
		}
		for _, m := range c.coll.Maps {
			if info, err := m.Info(); err == nil {
				id, _ := info.ID()
				ids.Maps = append(ids.Maps, id)
			}
		}
		for _, l := range c.links {
			if info, err := l.Info(); err == nil {
				ids.Links = append(ids.Links, info.ID)
			}
		}
	}
	return ids
}

// alive asks the kernel which of them are still there.
func (ids objectIDs) alive() (n int) {
	for _, id := range ids.Programs {
		if p, err := ebpf.NewProgramFromID(id); !errors.Is(err, os.ErrNotExist) {
			n++
			_ = p.Close()
		}
	}
	for _, id := range ids.Maps {
		if m, err := ebpf.NewMapFromID(id); !errors.Is(err, os.ErrNotExist) {
			n++
			_ = m.Close()
		}
	}
	for _, id := range ids.Links {
		if l, err := link.NewFromID(id); !errors.Is(err, os.ErrNotExist) {
			n++
			if l != nil {
				_ = l.Close()
			}
		}
	}
	return n
}

// mustVanish waits: the kernel frees programs and maps a grace period after their last user.
func (ids objectIDs) mustVanish(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC() // the library unmaps global variables when they are collected
		n := ids.alive()
		if n == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d programs, %d maps, %d links are still there", n, len(ids.Programs), len(ids.Maps), len(ids.Links))
		}
	}
}

// TestNothingRemains looks for every program, map and link of a Probe after it was closed, and after its process was
// killed.
func TestNothingRemains(t *testing.T) {
	for _, tier := range []Tier{TierSocket, TierSyscall} {
		t.Run(string(tier)+"/close", func(t *testing.T) {
			requireBPF(t, tier)
			p, err := Open(testConfig(tier), discard())
			if err != nil {
				t.Fatal(err)
			}
			ids := kernelObjects(p)
			if want := len(ids.Programs) + len(ids.Maps) + len(ids.Links); ids.alive() != want || len(ids.Links) < 5 {
				t.Fatalf("%d of %d are there before", ids.alive(), want)
			}
			p.Close()
			ids.mustVanish(t)
		})
		t.Run(string(tier)+"/kill", func(t *testing.T) {
			requireBPF(t, tier)
			c := start(t, "hold", string(tier))
			ids := c.finish().Kernel
			if want := len(ids.Programs) + len(ids.Maps) + len(ids.Links); ids.alive() != want || len(ids.Links) < 5 {
				t.Fatalf("%d of %d are there before", ids.alive(), want)
			}
			if err := c.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = c.cmd.Wait()
			ids.mustVanish(t)
		})
	}
}

// verifierLimit is BPF_COMPLEXITY_LIMIT_INSNS of include/linux/bpf.h.
const verifierLimit = 1_000_000

// TestVerifierMargin keeps every program far from where another kernel's verifier would refuse it.
func TestVerifierMargin(t *testing.T) {
	for _, tier := range []Tier{TierSocket, TierSyscall} {
		for _, c := range sharedRecorder(t, tier).collectors {
			for name, prog := range c.coll.Programs {
				info, err := prog.Info()
				if err != nil {
					t.Fatalf("ask for program %s: %v", name, err)
				}
				verified, known := info.VerifiedInstructions() // Linux 5.16
				jited, err := info.JitedSize()
				t.Logf("%-8s %-24s %6d instructions verified, %5d bytes of machine code", c.name, name, verified, jited)
				if !known {
					t.Errorf("%s: the kernel does not say how many instructions it verified", name)
				}
				if verified == 0 || verified > verifierLimit/4 {
					t.Errorf("%s: %d instructions verified, want at most a quarter of %d", name, verified, verifierLimit)
				}
				if jitEnabled() == nil && (err != nil || jited == 0) {
					t.Errorf("%s: no machine code though the JIT is on: %v", name, err)
				}
			}
		}
	}
}
