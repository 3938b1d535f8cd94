// Command withsonde runs a command beside a real Sonde, with the demo shop open if asked, and ends all of it afterwards.
//
// In: bin/sonde, a command. Out: the command's exit code; it finds Sonde's address in SONDE_URL and, with -demo, the truth
// about the shop in the file SONDE_EDGES.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

func main() {
	withDemo := flag.Bool("demo", false, "open the demo shop, and wait until it has traffic on all edges")
	warm := flag.Duration("warm", 15*time.Second, "how long the shop is open before the command starts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: withsonde [-demo] -- command argument…")
		os.Exit(2)
	}
	code, err := run(ctx, *withDemo, *warm, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "withsonde:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(ctx context.Context, withDemo bool, warm time.Duration, argv []string) (code int, err error) {
	dir, err := os.MkdirTemp("", "withsonde-")
	if err != nil {
		return 0, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	s, err := sut.Start(ctx, sut.Options{Data: dir})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	env := append(os.Environ(), "SONDE_URL="+s.URL)
	if withDemo {
		edges := filepath.Join(dir, "edges.json")
		shop := exec.Command(filepath.Join(sut.Root(), "bin", "sonde"), "demo", "--edges-json", edges)
		shop.Stderr = os.Stderr
		if err := shop.Start(); err != nil {
			return 0, fmt.Errorf("open the shop: %w", err)
		}
		defer func() { shop.Process.Signal(syscall.SIGTERM); shop.Wait() }()
		if err := waitFor(ctx, edges, time.Minute); err != nil {
			return 0, fmt.Errorf("open the shop: %w", err)
		}
		time.Sleep(warm)
		env = append(env, "SONDE_EDGES="+edges)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func waitFor(ctx context.Context, file string, patience time.Duration) error {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("%s did not appear in %v", filepath.Base(file), patience)
}
