package container

import (
	"strings"
	"testing"
)

// Whatever a cgroup is called, an id is a part of it, and a container is never a unit as well.
func FuzzFromCgroup(f *testing.F) {
	f.Add("0::/system.slice/docker-" + id1 + ".scope\n")
	f.Add("4:memory:/kubepods/burstable/pod" + pod + "/" + id1 + "\n1:name=systemd:/system.slice/a.service\n")
	f.Add("0::/lxc.payload.a/kubelet.slice:cri-containerd:" + id2)
	f.Fuzz(func(t *testing.T, content string) {
		m := FromCgroup(content)
		if !strings.Contains(content, m.ID) || !strings.Contains(content, m.Unit) || (m.ID != "" && m.Unit != "") {
			t.Errorf("FromCgroup(%q) = %+v", content, m)
		}
		_ = m.ShortID()
	})
}
