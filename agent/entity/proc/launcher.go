package proc

import (
	"path"
	"strings"
)

// launched looks through programs that only start others: the name is then that of the application they were given.
func launched(launcher, name string, rest []string, cwd string) string {
	switch strings.TrimSuffix(launcher, ".py") {
	case "gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve":
		for _, a := range rest {
			if module, ok := applicationModule(a); ok {
				return moduleName(module, cwd)
			}
		}
	case "celery", "flask":
		for i, a := range rest {
			if (a == "-A" || a == "--app") && i+1 < len(rest) {
				module, _, _ := strings.Cut(rest[i+1], ":")
				return moduleName(strings.TrimSuffix(module, ".py"), cwd)
			}
			if app, ok := strings.CutPrefix(a, "--app="); ok {
				module, _, _ := strings.Cut(app, ":")
				return moduleName(strings.TrimSuffix(module, ".py"), cwd)
			}
		}
	}
	return name
}

// applicationModule reads "package.module:variable", the way Python servers are told what to serve (PEP 3333 servers).
func applicationModule(s string) (string, bool) {
	module, variable, ok := strings.Cut(s, ":")
	if !ok || module == "" || variable == "" || strings.ContainsAny(s, "/=[] ") || module[0] == '-' {
		return "", false
	}
	if c := variable[0]; c >= '0' && c <= '9' {
		return "", false // host:port
	}
	return module, true
}

// titleName reads the titles that servers give themselves: "gunicorn: master [shop]" (gunicorn/util.py),
// "puma 6.4.0 (tcp://0.0.0.0:3000) [shop]" (puma/runner.rb).
func titleName(args []string) string {
	t := args[0]
	if !strings.HasPrefix(t, "gunicorn: ") && !strings.HasPrefix(t, "puma ") && !strings.HasPrefix(t, "puma: ") {
		return ""
	}
	open := strings.LastIndexByte(t, '[')
	end := strings.LastIndexByte(t, ']')
	if open < 0 || end < open {
		return ""
	}
	name := t[open+1 : end]
	if module, ok := applicationModule(name); ok {
		return moduleName(module, "")
	}
	return name
}

// uwsgiName reads the options by which uWSGI is told what to serve (uwsgi-docs: Options).
func uwsgiName(args []string, cwd string) string {
	for i, a := range args {
		option, value, ok := strings.Cut(a, "=")
		if !ok && i+1 < len(args) {
			value = args[i+1]
		}
		if value == "" {
			continue
		}
		switch option {
		case "-w", "--wsgi", "--module":
			module, _, _ := strings.Cut(value, ":")
			return moduleName(module, cwd)
		case "--wsgi-file", "--file", "--ini", "--yaml", "--json":
			return fileName(value, cwd)
		}
		if strings.HasSuffix(a, ".ini") {
			return fileName(a, cwd)
		}
	}
	return ""
}

// javaArguments are options of java(1) whose argument is the next word.
var javaArguments = []string{
	"-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--add-exports", "--add-opens",
	"--add-reads", "--patch-module", "--upgrade-module-path", "--limit-modules", "--source",
}

func javaName(args []string, cwd string) string {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "-jar" && i+1 < len(args):
			return fileName(args[i+1], cwd)
		case (a == "-m" || a == "--module") && i+1 < len(args):
			module, class, ok := strings.Cut(args[i+1], "/")
			if !ok {
				return moduleName(module, cwd)
			}
			return moduleName(class, cwd)
		case contains(javaArguments, a):
			i++
		case strings.HasPrefix(a, "-"), strings.HasPrefix(a, "@"), a == "":
		case path.Ext(a) == ".java":
			return fileName(a, cwd)
		default:
			return moduleName(a, cwd)
		}
	}
	return ""
}
