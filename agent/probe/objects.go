package probe

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf"
)

// objects holds the compiled BPF programs. The folder is filled by `make build`; a README keeps it in the repository, so
// that a plain `go build` works and says at run time what is missing.
//
//go:embed objects
var objects embed.FS

// ErrNotBuilt means that this binary has no BPF programs in it.
var ErrNotBuilt = errors.New("this binary was built without its BPF programs: build it with `make build`")

func openObject(name string) (*ebpf.CollectionSpec, error) {
	b, err := objects.ReadFile("objects/" + name + ".o")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	if err != nil {
		return nil, fmt.Errorf("read BPF object %s: %w", name, err)
	}
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("parse BPF object %s: %w", name, err)
	}
	return spec, nil
}
