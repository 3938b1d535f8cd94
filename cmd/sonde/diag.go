package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func diagCommand() *cobra.Command {
	listen := defaultConfig().Listen
	cmd := &cobra.Command{
		Use:   "diag [FILE.tar.gz]",
		Short: "Collect what is needed to find out why Sonde does not do what it should",
		Long: `Write a bundle with versions, the features of this kernel, and, if one is running, the status, losses and own metrics of
Sonde. It holds no request, no service name, no command line and no environment; look at it before you send it.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "sonde-diag-" + time.Now().Format("20060102-150405") + ".tar.gz"
			if len(args) == 1 {
				name = args[0]
			}
			if err := writeDiag(cmd.Context(), name, newClient(listen)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s\n", name)
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", listen, "`address` of the running Sonde")
	return cmd
}

func writeDiag(ctx context.Context, name string, c *client) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	z := gzip.NewWriter(f)
	t := tar.NewWriter(z)
	for _, part := range []struct {
		name string
		fill func(io.Writer) error
	}{
		{"preflight.txt", preflight},
		{"system.txt", systemFacts},
		{"status.json", func(w io.Writer) error { return c.copyStatus(ctx, w) }},
		{"metrics.txt", func(w io.Writer) error { return c.copyOwnMetrics(ctx, w) }},
	} {
		var b bytes.Buffer
		if err := part.fill(&b); err != nil {
			fmt.Fprintf(&b, "\nnot complete: %v\n", err) // what is missing is a finding too
		}
		h := tar.Header{Name: "sonde-diag/" + part.name, Mode: 0o600, Size: int64(b.Len()), ModTime: time.Now()}
		if err := t.WriteHeader(&h); err != nil {
			return fmt.Errorf("write the bundle: %w", err)
		}
		if _, err := b.WriteTo(t); err != nil {
			return fmt.Errorf("write the bundle: %w", err)
		}
	}
	for _, c := range []io.Closer{t, z, f} {
		if err := c.Close(); err != nil {
			return fmt.Errorf("write the bundle: %w", err)
		}
	}
	return nil
}

// systemFacts are what tells this machine from others, without names.
func systemFacts(w io.Writer) error {
	fmt.Fprintf(w, "sonde %s, built with %s for %s/%s\nLinux %s, %d CPUs\n\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH,
		kernelRelease(), runtime.NumCPU())
	for _, file := range []string{"/etc/os-release", "/proc/sys/net/core/bpf_jit_enable", "/proc/sys/kernel/unprivileged_bpf_disabled",
		"/proc/sys/kernel/perf_event_paranoid", "/sys/kernel/security/lockdown"} {
		b, err := os.ReadFile(file)
		if err != nil {
			b = []byte(err.Error())
		}
		fmt.Fprintf(w, "== %s\n%s\n", file, strings.TrimSpace(string(b)))
	}
	mounts, err := os.Open("/proc/mounts")
	if err != nil {
		return fmt.Errorf("read mounts: %w", err)
	}
	defer mounts.Close()
	fmt.Fprintln(w, "== mounts of cgroup, bpf and tracing")
	interesting := regexp.MustCompile(` (cgroup2?|bpf|tracefs|debugfs) `)
	s := bufio.NewScanner(mounts)
	for s.Scan() {
		if interesting.MatchString(s.Text()) {
			fmt.Fprintln(w, s.Text())
		}
	}
	return s.Err()
}

// copyStatus writes the status without the host's name and the selection, which may name services.
func (c *client) copyStatus(ctx context.Context, w io.Writer) error {
	status := map[string]any{}
	if err := c.get(ctx, "/api/status", &status); err != nil {
		return err
	}
	delete(status, "host")
	delete(status, "selection")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(status); err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	return nil
}

// copyOwnMetrics writes the agent's metrics about itself.
func (c *client) copyOwnMetrics(ctx context.Context, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/metrics", nil)
	if err != nil {
		return fmt.Errorf("ask for metrics: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask for metrics: %w", err)
	}
	defer resp.Body.Close()
	host := regexp.MustCompile(`host_name="[^"]*",?`)
	s := bufio.NewScanner(resp.Body)
	for s.Scan() {
		if strings.HasPrefix(s.Text(), "sonde_agent_") {
			fmt.Fprintln(w, host.ReplaceAllString(s.Text(), ""))
		}
	}
	return s.Err()
}
