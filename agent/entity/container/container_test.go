package container

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	id1 = "0f3c2b1a4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8"
	id2 = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
	pod = "5f1e1c9e-3a8e-4c58-9b57-7d1c2d3e4f50"
)

// Paths as the runtimes' and kubelet's documentation and sources give them, with ids exchanged.
func TestFromCgroup(t *testing.T) {
	podSystemd := strings.ReplaceAll(pod, "-", "_")
	tests := []struct {
		name, content string
		want          Membership
	}{
		{"host v2, session of a user", "0::/user.slice/user-1000.slice/session-3.scope\n", Membership{}},
		{"host v2, service of a user's manager", "0::/user.slice/user-1000.slice/user@1000.service/app.slice/mail.service\n", Membership{}},
		{"host v2, init", "0::/init.scope\n", Membership{}},
		{"host v2, root", "0::/\n", Membership{}},
		{"host v2, unit", "0::/system.slice/nginx.service\n", Membership{Unit: "nginx.service"}},
		{"host v2, instance of a template", "0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n", Membership{Unit: "postgresql@15-main.service"}},
		{"host v2, delegated unit", "0::/system.slice/nginx.service/workers/3\n", Membership{Unit: "nginx.service"}},
		{"host v2, unit in a slice of its own", "0::/shop.slice/cart.service\n", Membership{Unit: "cart.service"}},
		{"host v1, unit", "12:pids:/system.slice/ssh.service\n2:cpu,cpuacct:/\n1:name=systemd:/system.slice/ssh.service\n0::/system.slice/ssh.service\n", Membership{Unit: "ssh.service"}},
		{"host v1 hybrid, no systemd, some other group", "9:name=systemd:/\n4:memory:/process_api/0b5a28fb75afc6a3a7dfe3ac21289059\n0::/\n", Membership{}},
		{"docker v1 cgroupfs", "11:memory:/docker/" + id1 + "\n1:name=systemd:/docker/" + id1 + "\n0::/system.slice/containerd.service\n", Membership{ID: id1, Runtime: "docker"}},
		{"docker v2 systemd", "0::/system.slice/docker-" + id1 + ".scope\n", Membership{ID: id1, Runtime: "docker"}},
		{"docker v2, systemd inside", "0::/system.slice/docker-" + id1 + ".scope/system.slice/nginx.service\n", Membership{ID: id1, Runtime: "docker"}},
		{"rootless docker", "0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + id1 + ".scope\n", Membership{ID: id1, Runtime: "docker"}},
		{"kubelet systemd, containerd", "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + podSystemd + ".slice/cri-containerd-" + id1 + ".scope\n",
			Membership{ID: id1, Runtime: "containerd", Pod: pod}},
		{"kubelet systemd, guaranteed", "0::/kubepods.slice/kubepods-pod" + podSystemd + ".slice/cri-containerd-" + id1 + ".scope\n",
			Membership{ID: id1, Runtime: "containerd", Pod: pod}},
		{"kubelet systemd, CRI-O", "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + podSystemd + ".slice/crio-" + id1 + ".scope\n",
			Membership{ID: id1, Runtime: "cri-o", Pod: pod}},
		{"kubelet systemd, CRI-O with a group below", "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + podSystemd + ".slice/crio-" + id1 + ".scope/container\n",
			Membership{ID: id1, Runtime: "cri-o", Pod: pod}},
		{"CRI-O's monitor", "0::/system.slice/crio-conmon-" + id1 + ".scope\n", Membership{}},
		{"kubelet cgroupfs v1", "4:memory:/kubepods/burstable/pod" + pod + "/" + id1 + "\n1:name=systemd:/kubepods/burstable/pod" + pod + "/" + id1 + "\n0::/\n",
			Membership{ID: id1, Pod: pod}},
		{"kubelet cgroupfs, CRI-O", "4:memory:/kubepods/pod" + pod + "/crio-" + id1 + "\n", Membership{ID: id1, Runtime: "cri-o", Pod: pod}},
		{"kubelet, systemd form with the cgroupfs driver", "0::/system.slice/containerd.service/kubepods-burstable-pod" + podSystemd + ".slice:cri-containerd:" + id1 + "\n",
			Membership{ID: id1, Runtime: "containerd", Pod: pod}},
		{"kubelet, docker", "4:memory:/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + podSystemd + ".slice/docker-" + id1 + ".scope\n",
			Membership{ID: id1, Runtime: "docker", Pod: pod}},
		{"kind: a pod in a docker container", "0::/docker/" + id1 + "/kubelet/kubepods/besteffort/pod" + pod + "/" + id2 + "\n", Membership{ID: id2, Pod: pod}},
		{"kind, systemd driver", "0::/system.slice/docker-" + id1 + ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod" + podSystemd + ".slice/cri-containerd-" + id2 + ".scope\n",
			Membership{ID: id2, Runtime: "containerd", Pod: pod}},
		{"kind v1: not every hierarchy is nested", "5:memory:/docker/" + id1 + "/kubelet/kubepods/pod" + pod + "/" + id2 + "\n0::/docker/" + id1 + "\n", Membership{ID: id2, Pod: pod}},
		{"static pod", "4:memory:/kubepods/burstable/pod0123456789abcdef0123456789abcdef/" + id1 + "\n", Membership{ID: id1, Pod: "0123456789abcdef0123456789abcdef"}},
		{"ctr", "0::/k8s.io/" + id1 + "\n", Membership{ID: id1, Runtime: "containerd"}},
		{"nerdctl", "0::/system.slice/nerdctl-" + id1 + ".scope\n", Membership{ID: id1, Runtime: "containerd"}},
		{"nerdctl cgroupfs", "0::/default/" + id1 + "\n", Membership{ID: id1, Runtime: "containerd"}},
		{"podman v2", "0::/machine.slice/libpod-" + id1 + ".scope/container\n", Membership{ID: id1, Runtime: "podman"}},
		{"podman rootless", "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id1 + ".scope\n", Membership{ID: id1, Runtime: "podman"}},
		{"podman cgroupfs", "4:memory:/libpod_parent/libpod-" + id1 + "\n", Membership{ID: id1, Runtime: "podman"}},
		{"podman's monitor", "0::/machine.slice/libpod-conmon-" + id1 + ".scope\n", Membership{}},
		{"ecs", "4:memory:/ecs/aabbccdd/" + id1 + "\n", Membership{ID: id1}},
		{"fargate", "4:memory:/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-3056012025\n", Membership{ID: "0123456789abcdef0123456789abcdef-3056012025"}},
		{"lxc 4", "0::/lxc.payload.web1/init.scope\n", Membership{ID: "web1", Runtime: "lxc"}},
		{"lxc 3", "4:memory:/lxc/web1\n", Membership{ID: "web1", Runtime: "lxc"}},
		{"seen from inside a cgroup namespace", "0::/../../docker-" + id1 + ".scope\n", Membership{ID: id1, Runtime: "docker"}},
		{"empty", "", Membership{}},
		{"nonsense", "::\n:\nabc\n0::\n", Membership{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := FromCgroup(tt.content); got != tt.want {
				t.Errorf("FromCgroup(%q) = %+v, want %+v", tt.content, got, tt.want)
			}
		})
	}
}

func TestFromName(t *testing.T) {
	for in, want := range map[string]Membership{
		id1: {ID: id1}, "docker-" + id1 + ".scope": {ID: id1, Runtime: "docker"},
		"nginx.service": {}, "session-3.scope": {}, "/": {}, "": {},
		"libpod-conmon-" + id1 + ".scope": {},
	} {
		if got := FromName(in); got != want {
			t.Errorf("FromName(%q) = %+v, want %+v", in, got, want)
		}
	}
}

func TestShortID(t *testing.T) {
	for in, want := range map[string]string{id1: "0f3c2b1a4d5e", "my-long-lxc-container": "my-long-lxc-container", "": ""} {
		if got := (Membership{ID: in}).ShortID(); got != want {
			t.Errorf("ShortID of %q = %q, want %q", in, got, want)
		}
	}
}

func TestNamer(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("var/lib/docker/containers/"+id1+"/config.v2.json", `{"ID":"`+id1+`","Name":"/shop-web","State":{}}`)
	write("run/containerd/io.containerd.runtime.v2.task/k8s.io/"+id2+"/config.json",
		`{"ociVersion":"1.1.0","annotations":{"io.kubernetes.cri.container-name":"cart","io.kubernetes.cri.sandbox-name":"cart-0"}}`)
	n := NewNamer(root)
	for _, tt := range []struct {
		m    Membership
		want string
	}{
		{Membership{ID: id1, Runtime: "docker"}, "shop-web"},
		{Membership{ID: id2}, "cart"},
		{Membership{ID: strings.Repeat("a", 64)}, ""},
		{Membership{ID: "web1", Runtime: "lxc"}, "web1"},
		{Membership{ID: "../../etc"}, ""},
		{Membership{}, ""},
	} {
		if got := n.Name(tt.m); got != tt.want {
			t.Errorf("Name(%+v) = %q, want %q", tt.m, got, tt.want)
		}
	}
}
