// Package container reads from the name of a control group which container or systemd unit a process belongs to.
//
// In: the content of /proc/<pid>/cgroup, version 1, 2 or both. Out: Membership. It is pure; only Namer reads files, those
// in which runtimes keep the names of containers. It must not know processes or services.
package container

import "strings"

// Membership says what a control group is part of. The zero value is a process of the host outside of any unit.
type Membership struct {
	ID      string // container id, usually 64 hexadecimal digits; for LXC its name
	Runtime string // "docker", "containerd", "cri-o", "podman", "lxc", or "" where the path does not tell
	Pod     string // Kubernetes pod uid, with dashes
	Unit    string // systemd unit with its suffix: "nginx.service"; only outside of containers
}

// ShortID returns the form of the id that people use: 12 digits.
func (m Membership) ShortID() string {
	if len(m.ID) > 12 && isHex(m.ID[:12]) {
		return m.ID[:12]
	}
	return m.ID
}

// FromCgroup reads the content of /proc/<pid>/cgroup (cgroups(7)): lines "id:controllers:path". With several hierarchies
// the one that is nested deepest into containers decides: an outer runtime often leaves some of them to its own container.
func FromCgroup(content string) Membership {
	var best Membership
	depth := -1
	for line := range strings.SplitSeq(content, "\n") {
		_, rest, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		controllers, path, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		m, d := fromPath(path)
		if m.ID == "" && controllers != "" && controllers != "name=systemd" {
			m.Unit = "" // only systemd's own hierarchies hold units for certain
		}
		if m == (Membership{}) {
			continue
		}
		if m.ID == "" {
			d = 0 // a unit weighs less than any container
		}
		if d > depth {
			best, depth = m, d
		}
	}
	return best
}

// FromName reads the last component of a cgroup path, all that the kernel side tells. It knows containers only, since
// units of the system and of a user's session look the same.
func FromName(component string) Membership {
	id, runtime, _ := fromComponent(component, "")
	return Membership{ID: id, Runtime: runtime}
}

// fromPath returns the innermost container of a path and the depth at which it was found, otherwise the unit.
func fromPath(path string) (m Membership, depth int) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var before string // the component before
	hint := ""        // runtime that an outer component names
	pod := ""
	for i, p := range parts {
		if uid := podUID(p); uid != "" {
			pod = uid
		}
		if h, ok := runtimeFolders[p]; ok {
			hint = h
		}
		id, runtime, monitor := fromComponent(p, before)
		if monitor {
			return Membership{}, 0
		}
		if id != "" {
			if runtime == "" {
				runtime = hint
			}
			m, depth = Membership{ID: id, Runtime: runtime, Pod: pod}, i+1
			hint = ""
		}
		before = p
	}
	if m.ID == "" {
		m.Unit = unit(parts)
	}
	return m, depth
}

// runtimeFolders are parents under which a runtime puts plain ids: dockerd's and ctr's defaults, GitHub's runner.
var runtimeFolders = map[string]string{
	"docker": "docker", "actions_job": "docker", "buildkit": "", "k8s.io": "containerd", "default": "containerd",
	"moby": "docker", "libpod_parent": "podman", "podman": "podman", "kubepods": "",
}

// prefixes are what runtimes put before an id: docker-<id>.scope, crio-<id>.scope, libpod-<id>.scope/container.
var prefixes = []struct{ prefix, runtime string }{
	{"docker-", "docker"}, {"cri-containerd-", "containerd"}, {"nerdctl-", "containerd"}, {"crio-", "cri-o"},
	{"libpod-", "podman"}, {"buildkit-", ""},
}

// fromComponent reads one component. monitor is true for the cgroup of conmon, which watches a container from outside.
func fromComponent(p, before string) (id, runtime string, monitor bool) {
	if strings.HasPrefix(p, "crio-conmon-") || strings.HasPrefix(p, "libpod-conmon-") {
		return "", "", true
	}
	// containerd with the systemd path form but the cgroupfs driver: "kubepods-pod<uid>.slice:cri-containerd:<id>".
	if i := strings.LastIndex(p, ":"); i >= 0 {
		_, form, _ := strings.Cut(p[:i], ":")
		switch {
		case !isID(p[i+1:]):
			return "", "", false
		case form == "cri-containerd":
			return p[i+1:], "containerd", false
		case form == "crio":
			return p[i+1:], "cri-o", false
		}
		return p[i+1:], "", false
	}
	name := strings.TrimSuffix(p, ".scope")
	for _, x := range prefixes {
		if rest, ok := strings.CutPrefix(name, x.prefix); ok && isID(rest) {
			return rest, x.runtime, false
		}
	}
	if isID(p) {
		return p, "", false
	}
	// lxc: /lxc/<name>, /lxc.payload/<name>, /lxc.payload.<name>
	if rest, ok := strings.CutPrefix(p, "lxc.payload."); ok && rest != "" {
		return rest, "lxc", false
	}
	if (before == "lxc" || before == "lxc.payload") && p != "" {
		return p, "lxc", false
	}
	return "", "", false
}

// isID accepts 64 hexadecimal digits, and Fargate's 32 digits with a decimal number behind them.
func isID(s string) bool {
	if len(s) == 64 {
		return isHex(s)
	}
	a, b, ok := strings.Cut(s, "-")
	return ok && len(a) == 32 && isHex(a) && len(b) >= 6 && len(b) <= 12 && strings.Trim(b, "0123456789") == ""
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

// podUID reads "pod<uid>" (cgroupfs driver) and "kubepods-burstable-pod<uid with underscores>.slice" (systemd driver).
func podUID(p string) string {
	p, _, _ = strings.Cut(p, ":")
	p = strings.TrimSuffix(p, ".slice")
	if strings.HasPrefix(p, "kubepods") || strings.HasPrefix(p, "kubelet-kubepods") {
		i := strings.LastIndex(p, "-pod")
		if i < 0 {
			return ""
		}
		p = p[i+1:]
	}
	uid, ok := strings.CutPrefix(p, "pod")
	if !ok || len(uid) < 32 { // a UUID, or the 32 digits of a static pod
		return ""
	}
	return strings.ReplaceAll(uid, "_", "-")
}

// unit returns the first service below slices of the system. Services of a user's manager (user.slice) are left out: they
// start with a login and belong to a person, as sessions do.
func unit(parts []string) string {
	for _, p := range parts {
		switch {
		case p == "user.slice":
			return ""
		case strings.HasSuffix(p, ".slice"):
		case strings.HasSuffix(p, ".service") && !strings.HasPrefix(p, "user@"):
			return p
		default:
			return ""
		}
	}
	return ""
}
