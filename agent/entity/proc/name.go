package proc

import (
	"path"
	"regexp"
	"strings"
)

// genericNames say what a file is in its folder, and nothing outside it.
var genericNames = set("main", "app", "index", "server", "manage", "__main__", "__init__", "run", "start", "www", "wsgi",
	"asgi", "application", "artisan", "rails", "entrypoint", "bootstrap", "launcher", "jarlauncher", "program")

// genericFolders are parts of a layout, not names of an application.
var genericFolders = set("", ".", "/", "src", "app", "apps", "bin", "sbin", "lib", "libexec", "dist", "build", "out", "code",
	"opt", "usr", "local", "root", "home", "tmp", "var", "srv", "www", "html", "public", "current", "server", "cmd",
	"target", "node_modules", "workspace", "workdir", "share", "scripts", "script", "main", "site-packages", "dist-packages",
	"startup", "run", "data", "mnt", "config", "resources", "java", "python", "js", "nodejs", "node")

// extensions that a script may lose. Others are part of the name ("http.server").
var extensions = set(".py", ".pyc", ".pyz", ".js", ".mjs", ".cjs", ".ts", ".rb", ".ru", ".php", ".phar", ".pl", ".psgi",
	".sh", ".bash", ".jar", ".war", ".java", ".ini", ".yaml", ".yml", ".json")

// version is what build tools append to an archive: "-1.2.3", "-0.0.1-SNAPSHOT", "_2.12-3.1".
var version = regexp.MustCompile(`[-_]v?\d+(\.\d+)+.*$`)

// notAName is a folder made by a machine: a number, a version, a long hexadecimal id.
var notAName = regexp.MustCompile(`^(v?[\d.]+|[0-9a-f]{12,}|[0-9a-f]{8}-[0-9a-f-]+)$`)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// fileName names a service after a script or archive.
func fileName(file, cwd string) string {
	if full := absolute(file, cwd); strings.HasPrefix(full, "/dev/") || strings.HasPrefix(full, "/proc/") {
		return "" // `bash /dev/fd/3`, `python3 <(…)`: a descriptor, not a script
	}
	base := path.Base(file)
	name := base
	if ext := path.Ext(base); extensions[strings.ToLower(ext)] && ext != base {
		name = strings.TrimSuffix(base, ext)
	}
	if path.Ext(base) == ".jar" || path.Ext(base) == ".war" {
		if short := version.ReplaceAllString(name, ""); short != "" {
			name = short
		}
	}
	if !genericNames[strings.ToLower(name)] && !notAName.MatchString(name) {
		return name
	}
	return qualify(folderName(path.Dir(absolute(file, cwd))), name)
}

// moduleName names a service after a dotted module or class: the last part that means something.
func moduleName(module, cwd string) string {
	module = strings.TrimSuffix(strings.TrimSuffix(module, ".__main__"), ".__init__")
	parts := strings.Split(module, ".")
	last := parts[len(parts)-1]
	isClass := last != "" && last[0] >= 'A' && last[0] <= 'Z'
	if !genericNames[strings.ToLower(last)] {
		if isClass {
			return last
		}
		return module
	}
	for i := len(parts) - 2; i >= 0; i-- {
		if !genericFolders[parts[i]] && !genericNames[parts[i]] {
			if last == "server" { // http.server
				return module
			}
			return parts[i]
		}
	}
	return qualify(folderName(cwd), last)
}

// qualify joins a folder and a generic name. "server" stays visible, since its folder often holds its client too.
func qualify(folder, name string) string {
	switch {
	case folder == "":
		return name
	case name == "server":
		return folder + "-server"
	default:
		return folder
	}
}

// folderName returns the nearest folder of an absolute path whose name means something, "" if there is none.
func folderName(dir string) string {
	if !path.IsAbs(dir) {
		dir = "/" + dir
	}
	// Six: beyond that a name says where it was installed, not what it is.
	for i := 0; i < 6 && dir != "/"; i++ {
		parent, base := path.Split(dir)
		if parent == "/home/" {
			return "" // a user's name
		}
		if !genericFolders[strings.ToLower(base)] && !notAName.MatchString(base) && base[0] != '.' {
			return base
		}
		dir = path.Clean(parent)
	}
	return ""
}

func absolute(file, cwd string) string {
	if path.IsAbs(file) || cwd == "" {
		return path.Clean(file)
	}
	return path.Join(cwd, file)
}
