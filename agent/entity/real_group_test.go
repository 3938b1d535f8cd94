package entity

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The oracle is the kernel: a process is put into a control group that is named as dockerd names them.
func TestRealControlGroup(t *testing.T) {
	for _, base := range []string{"/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		t.Run(base, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(base, "cgroup.procs")); err != nil {
				t.Skipf("no hierarchy: %v", err)
			}
			outer := filepath.Join(base, fmt.Sprintf("sonde-test-%d", os.Getpid()))
			group := filepath.Join(outer, "docker", id64)
			if err := os.MkdirAll(group, 0o755); err != nil {
				t.Skipf("make a control group: %v", err)
			}
			t.Cleanup(func() { os.Remove(group); os.Remove(filepath.Dir(group)); os.Remove(outer) })
			cmd := exec.Command("sleep", "30")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
			if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(fmt.Sprint(cmd.Process.Pid)), 0); err != nil {
				t.Skipf("enter the control group: %v", err)
			}
			e := New(DefaultConfig, silent()).Entity(uint32(cmd.Process.Pid), 0, "")
			if e.ContainerID != id64 || e.ContainerName != "docker" || e.Service != id64[:12] || e.Instance != id64[:12] {
				t.Errorf("Entity = %+v", *e)
			}
		})
	}
}

// The oracle is nginx's pid file and the kernel's list of its children.
func TestRealNginxIsOneInstance(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("no nginx here")
	}
	for i := range 2 { // two of them, started apart
		dir := t.TempDir()
		conf := "daemon on; worker_processes 2; pid " + dir + "/pid; error_log " + dir + "/log;\n" +
			"events { worker_connections 16; }\nhttp { access_log off; server { listen unix:" + dir + "/s; } }\n"
		if err := os.WriteFile(dir+"/conf", []byte(conf), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(nginx, "-c", dir+"/conf").CombinedOutput(); err != nil {
			t.Skipf("start nginx: %v: %s", err, out)
		}
		t.Cleanup(func() { exec.Command(nginx, "-c", dir+"/conf", "-s", "stop").Run() })
		eventually(t, fmt.Sprint("nginx ", i), func() (string, bool) {
			var master, worker uint32
			b, _ := os.ReadFile(dir + "/pid")
			fmt.Sscan(string(b), &master)
			children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", master, master))
			if len(strings.Fields(string(children))) != 2 {
				return "children: " + string(children), false
			}
			fmt.Sscan(string(children), &worker)
			tb := New(DefaultConfig, silent())
			m, w := tb.Entity(master, 0, ""), tb.Entity(worker, 0, "")
			ok := m.Service == "nginx" && w.Service == "nginx" && w.PID == worker && w.Instance == m.Instance &&
				strings.HasSuffix(m.Instance, fmt.Sprintf(":%d", master))
			return fmt.Sprintf("%+v %+v", *m, *w), ok
		})
	}
}
