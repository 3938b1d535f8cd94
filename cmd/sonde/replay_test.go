package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const httpCapture = "../../agent/replay/report/testdata/http.pcap"

func runReplay(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, told bytes.Buffer
	cmd := replayCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&told)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), told.String(), err
}

func TestReplay(t *testing.T) {
	whole, err := os.ReadFile(httpCapture)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name          string
		args          []string
		lines         int
		stderr, fault string
	}{
		{"each request", []string{httpCapture}, 30, "171 packets, 0 of them neither TCP nor UDP; 30 requests; lost: nothing", ""},
		{"both sides", []string{"--side", "both", httpCapture}, 60, "60 requests", ""},
		{"one protocol", []string{"--protocol", "http", httpCapture}, 30, "", ""},
		{"table", []string{"--summary", httpCapture}, 22, "30 requests", ""},
		{"cut file", []string{file("cut.pcap", whole[:len(whole)-1])}, 30, "170 packets", "read packet 171: unexpected EOF"},
		{"foreign file", []string{file("x.txt", []byte("no capture at all, just text"))}, 0, "", "neither pcap nor pcapng"},
		{"empty file", []string{file("x.pcap", nil)}, 0, "", "neither pcap nor pcapng"},
		{"only a magic number", []string{file("x.pcap", whole[:10])}, 0, "", "unexpected EOF"},
		{"no file", []string{"/no/such/file"}, 0, "", "no such file"},
		{"unknown side", []string{"--side", "left", httpCapture}, 0, "", "must be client, server or both"},
		{"unknown protocol", []string{"--protocol", "gopher", httpCapture}, 0, "", `"gopher": known are `},
	} {
		t.Run(c.name, func(t *testing.T) {
			stdout, stderr, err := runReplay(t, c.args...)
			if got := strings.Count(stdout, "\n"); got != c.lines {
				t.Errorf("%d lines, want %d:\n%s", got, c.lines, stdout)
			}
			if !strings.Contains(stderr, c.stderr) {
				t.Errorf("stderr = %q, want %q", stderr, c.stderr)
			}
			if (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("err = %v, want %q", err, c.fault)
			}
		})
	}
}
