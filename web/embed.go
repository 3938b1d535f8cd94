// Package web serves the page: the files that `npm run build` left in dist, embedded into the binary.
//
// In: nothing but HTTP requests. Out: the page's files; every address of a view gives index.html.
// It must not know anything but the files: the page gets its figures from the query API.
package web

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// ErrNotBuilt says that this binary was built without the page.
var ErrNotBuilt = errors.New("this binary was built without the page: run `make build`")

// FS returns the files of the page with index.html at its root, or ErrNotBuilt.
func FS() (fs.FS, error) {
	return built(dist)
}

func built(files fs.FS) (fs.FS, error) {
	root, err := fs.Sub(files, "dist")
	if err != nil {
		return nil, fmt.Errorf("open the page's folder: %w", err)
	}
	if _, err := fs.Stat(root, "index.html"); err != nil {
		return nil, ErrNotBuilt
	}
	return root, nil
}
