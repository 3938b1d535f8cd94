package container

import (
	"encoding/json"
	"io"
	"os"
	"strings"
)

// maxNames bounds the names remembered; maxConfig the size of a runtime's file (an OCI configuration takes 10–50 KiB).
const (
	maxNames  = 4096
	maxConfig = 1 << 20
)

// Namer looks up the names of containers in the files that runtimes keep. It is not safe for concurrent use.
type Namer struct {
	root  string
	known map[string]string
}

// NewNamer returns a Namer that sees the host's file system at root, usually "/".
func NewNamer(root string) *Namer {
	return &Namer{root: strings.TrimRight(root, "/"), known: make(map[string]string)}
}

// Name returns the name of a container, "" if no runtime tells. Answers are remembered, also the negative ones: a file
// is read once for each container.
func (n *Namer) Name(m Membership) string {
	if m.ID == "" {
		return ""
	}
	if name, ok := n.known[m.ID]; ok {
		return name
	}
	if len(n.known) >= maxNames {
		clear(n.known)
	}
	name := n.read(m)
	n.known[m.ID] = name
	return name
}

// read tries Docker's own file, then the bundles that containerd and CRI-O hand to runc (OCI runtime specification).
func (n *Namer) read(m Membership) string {
	if m.Runtime == "lxc" {
		return m.ID
	}
	if strings.ContainsAny(m.ID, "/.") {
		return ""
	}
	for _, file := range []string{
		"/var/lib/docker/containers/" + m.ID + "/config.v2.json",
		"/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + m.ID + "/config.json",
		"/run/containerd/io.containerd.runtime.v2.task/default/" + m.ID + "/config.json",
		"/run/containers/storage/overlay-containers/" + m.ID + "/userdata/config.json",
	} {
		if name := fromConfig(n.root + file); name != "" {
			return name
		}
	}
	return ""
}

// nameAnnotations are set by containerd's CRI plug-in, CRI-O and nerdctl.
var nameAnnotations = []string{"io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name"}

func fromConfig(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	var c struct {
		Name        string            // config.v2.json: "/web"
		Annotations map[string]string `json:"annotations"` // config.json
	}
	if json.NewDecoder(io.LimitReader(f, maxConfig)).Decode(&c) != nil {
		return ""
	}
	if c.Name != "" {
		return strings.TrimPrefix(c.Name, "/")
	}
	for _, a := range nameAnnotations {
		if name := c.Annotations[a]; name != "" {
			return name
		}
	}
	return ""
}
