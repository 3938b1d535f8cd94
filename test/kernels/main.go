// Command kernels proves that Sonde loads and counts on other kernels: Debian's 6.1, which is too old for the socket tier, and 6.12, in qemu,
// without KVM.
//
// In: bin/sonde, Debian's kernel packages, static busybox, qemu. Out: a verdict and exit code 0 or 1. What happens inside is
// test/kernels/smoke; the machine has nothing but a RAM disk and a console.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sonde-dev/sonde/test/sut"
)

func main() {
	verbose := flag.Bool("v", false, "show the machine's console")
	patience := flag.Duration("timeout", 5*time.Minute, "how long the machine may take (it is emulated: everything is slow)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *verbose, *patience); err != nil {
		fmt.Fprintln(os.Stderr, "kernels: FAIL:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, verbose bool, patience time.Duration) error {
	dir := filepath.Join(sut.Root(), "test", "out", "kernels")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	var images []string
	for _, version := range []string{`6\.1\.0-[0-9]+`, `6\.12\.[0-9]+\+deb12`} {
		image, err := fetch(ctx, dir, version)
		if err != nil {
			return err
		}
		images = append(images, image)
	}
	smoke := filepath.Join(dir, "smoke")
	build := exec.CommandContext(ctx, "go", "build", "-o", smoke, "./test/kernels/smoke")
	build.Dir, build.Env = sut.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the smoke test: %w: %s", err, out)
	}
	initrd := filepath.Join(dir, "initrd")
	if err := pack(initrd, map[string]string{
		"init": "", "bin/busybox": "/bin/busybox", "bin/smoke": smoke, "bin/sonde": filepath.Join(sut.Root(), "bin", "sonde"),
	}); err != nil {
		return err
	}
	for _, image := range images {
		fmt.Printf("booting %s\n", filepath.Base(image))
		if err := boot(ctx, image, initrd, verbose, patience); err != nil {
			return err
		}
	}
	return nil
}

// fetch gets the newest cloud kernel of a version from Debian, once, and returns its image.
func fetch(ctx context.Context, dir, version string) (string, error) {
	images := func() string {
		have, _ := filepath.Glob(filepath.Join(dir, "boot", "vmlinuz-*-cloud-amd64"))
		have = slices.DeleteFunc(have, func(path string) bool { return !regexp.MustCompile("vmlinuz-" + version + "-cloud").MatchString(path) })
		if len(have) == 0 {
			return ""
		}
		return have[len(have)-1]
	}
	if have := images(); have != "" {
		return have, nil
	}
	out, err := exec.CommandContext(ctx, "apt-cache", "search", "--names-only", "^linux-image-"+version+"-cloud-amd64$").Output()
	if err != nil {
		return "", fmt.Errorf("look for Debian's kernel %s: %w", version, err)
	}
	names := regexp.MustCompile("linux-image-"+version+"-cloud-amd64").FindAllString(string(out), -1)
	if len(names) == 0 {
		return "", fmt.Errorf("look for Debian's kernel %s: none in apt's lists (Debian 12 has it; run apt-get update)", version)
	}
	slices.SortFunc(names, func(a, b string) int { return len(a)*1000 - len(b)*1000 + strings.Compare(a, b) })
	name := names[len(names)-1]
	for _, argv := range [][]string{{"apt-get", "download", "-qq", name}, {"sh", "-c", "dpkg-deb -x " + name + "_*.deb . && rm " + name + "_*.deb && rm -rf lib usr"}} {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("get %s: %w: %s", name, err, out)
		}
	}
	have := images()
	if have == "" {
		return "", fmt.Errorf("get %s: no kernel image in the package", name)
	}
	return have, nil
}

// verdict is what the smoke test prints as "VERDICT {json}".
type verdict struct {
	OK     bool
	Kernel string
	Tier   string
	Lines  []string // what was compared
}

func boot(ctx context.Context, kernel, initrd string, verbose bool, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-cpu", "max", "-m", "1536", "-nographic", "-no-reboot", "-nic", "none",
		"-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 panic=1 quiet random.trust_cpu=on")
	console, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start qemu: %w", err)
	}
	var tail []string
	var v *verdict
	for sc := bufio.NewScanner(console); sc.Scan(); {
		line := strings.TrimRight(sc.Text(), "\r")
		if verbose {
			fmt.Println(" |", line)
		}
		if tail = append(tail, line); len(tail) > 60 {
			tail = tail[1:]
		}
		if _, text, ok := strings.Cut(line, "VERDICT "); ok {
			v = &verdict{}
			if err := json.Unmarshal([]byte(text), v); err != nil {
				return fmt.Errorf("read the verdict %q: %w", text, err)
			}
		}
	}
	err = cmd.Wait()
	if v == nil {
		return fmt.Errorf("the machine ended without a verdict (%v); its console:\n%s", err, strings.Join(tail, "\n"))
	}
	for _, l := range v.Lines {
		fmt.Println(" ", l)
	}
	if !v.OK {
		return fmt.Errorf("kernel %s, tier %s: see above", v.Kernel, v.Tier)
	}
	fmt.Printf("kernels: PASS: kernel %s, %s tier\n", v.Kernel, v.Tier)
	return nil
}
