package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
)

// initScript is the first process of the machine. tracefs and bpffs are what Sonde may expect of any host.
const initScript = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
mount -t tracefs trace /sys/kernel/tracing; mount -t debugfs debug /sys/kernel/debug; mount -t bpf bpf /sys/fs/bpf
ip link set lo up
echo "--- sonde preflight"; sonde preflight
echo "--- smoke"; smoke
poweroff -f
`

// pack writes a RAM disk: gzip of cpio "newc" (Documentation/driver-api/early-userspace/buffer-format.rst). files maps a
// name inside to a file outside; "init" is initScript.
func pack(file string, files map[string]string) error {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("make the RAM disk: %w", err)
	}
	defer f.Close()
	z, _ := gzip.NewWriterLevel(f, gzip.BestSpeed)
	c := &archive{w: z}
	for _, dir := range []string{"bin", "proc", "sys", "dev", "tmp", "data"} {
		c.add(dir, 0o040755, nil)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := []byte(initScript)
		if name != "init" {
			if content, err = os.ReadFile(files[name]); err != nil {
				return fmt.Errorf("put %s on the RAM disk: %w", path.Base(name), err)
			}
		}
		c.add(name, 0o100755, content)
	}
	c.add("TRAILER!!!", 0, nil)
	if c.err == nil {
		c.err = z.Close()
	}
	if c.err != nil {
		return fmt.Errorf("write the RAM disk: %w", c.err)
	}
	return f.Close()
}

// An archive is a cpio "newc" being written.
type archive struct {
	w   io.Writer
	ino int
	err error
}

func (c *archive) add(name string, mode int, content []byte) {
	c.ino++
	head := "070701"
	for _, v := range []int{c.ino, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0} {
		head += fmt.Sprintf("%08X", v)
	}
	c.write([]byte(head + name + "\x00"))
	c.pad(len(head) + len(name) + 1)
	c.write(content)
	c.pad(len(content))
}

func (c *archive) pad(n int) { c.write(make([]byte, -n&3)) }

func (c *archive) write(b []byte) {
	if c.err == nil {
		_, c.err = c.w.Write(b)
	}
}
