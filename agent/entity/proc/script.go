package proc

import (
	"path"
	"strings"
)

// grammar says how an interpreter reads its own options, as far as needed to find the program among them.
type grammar struct {
	argument string // letters whose argument is the rest of the word or the next word
	attached string // letters whose argument can only be the rest of the word
	code     string // letters followed by code: there is no script
	file     string // letters followed by the script
	module   string // letters followed by the name of a module to run
	long     []string
	longCode []string
}

// grammars are from the manual pages python(1), node(1), ruby(1), php(1), perlrun(1), bash(1).
var grammars = map[string]grammar{
	"python": {argument: "WX", code: "c", module: "m", long: []string{"--check-hash-based-pycs"}},
	"node": {argument: "rC", code: "ep", longCode: []string{"--eval", "--print"}, long: []string{
		"--require", "--import", "--loader", "--experimental-loader", "--conditions", "--env-file", "--title",
		"--inspect-port", "--icu-data-dir", "--openssl-config"}},
	"ruby": {argument: "IrCE", attached: "WxKTF0", code: "e"},
	"perl": {argument: "I", attached: "MmiCDFxVd0", code: "eE"},
	"php":  {argument: "Stdcz", code: "rBRE", file: "fF"},
	"sh":   {argument: "oO", code: "c", long: []string{"--rcfile", "--init-file"}},
}

// Script returns the name of the program that an interpreter runs, fit to name a service: "checkout" for
// `python3 -u checkout.py`, "http.server" for `python3 -m http.server`, "billing" for `java -jar billing-1.2.jar`. A name
// that says nothing ("main", "app", "index") gives way to that of its folder. It is "" for a program that is no
// interpreter, or runs no script.
func Script(executable string, args []string, cwd string) string {
	if len(args) == 0 {
		return ""
	}
	if name := titleName(args); name != "" {
		return name
	}
	if executable == "uwsgi" || executable == "uwsgi-core" {
		return uwsgiName(args[1:], cwd)
	}
	kind := interpreter(executable)
	if kind == "java" {
		return javaName(args[1:], cwd)
	}
	g, ok := grammars[kind]
	if !ok {
		return ""
	}
	found := g.find(args[1:])
	switch {
	case found.module != "":
		return launched(found.module, moduleName(found.module, cwd), found.rest, cwd)
	case found.file != "":
		return launched(path.Base(found.file), fileName(found.file, cwd), found.rest, cwd)
	case kind == "php" && found.hasOption('S'):
		return folderName(absolute(found.options['t'], cwd)) // the built-in server has a folder, not a script
	}
	return ""
}

// found is where a command line leads to.
type found struct {
	file, module string
	rest         []string // what follows
	options      map[byte]string
}

func (f *found) hasOption(c byte) bool { _, ok := f.options[c]; return ok }

// find walks over the interpreter's own options to the program.
func (g grammar) find(args []string) found {
	f := found{options: make(map[byte]string)}
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			if i+1 < len(args) {
				f.file, f.rest = args[i+1], args[i+2:]
			}
			return f
		case strings.HasPrefix(a, "--"):
			if contains(g.longCode, a) {
				return f
			}
			if contains(g.long, a) {
				i++
			}
		case len(a) > 1 && (a[0] == '-' || a[0] == '+'):
			used, done := g.letters(a[1:], args[i+1:], &f)
			i += used
			if done {
				return f
			}
		case a == "-" || a == "":
			return f // the program comes from standard input
		default:
			f.file, f.rest = a, args[i+1:]
			return f
		}
	}
	return f
}

// letters reads one word of single-letter options. It returns how many of the next words belong to it, and whether the
// search is over.
func (g grammar) letters(word string, next []string, f *found) (used int, done bool) {
	for j := 0; j < len(word); j++ {
		c := word[j]
		if strings.IndexByte(g.code, c) >= 0 {
			return 0, true
		}
		if strings.IndexByte(g.attached, c) >= 0 {
			return 0, false
		}
		isFile, isModule := strings.IndexByte(g.file, c) >= 0, strings.IndexByte(g.module, c) >= 0
		if !isFile && !isModule && strings.IndexByte(g.argument, c) < 0 {
			continue
		}
		value := word[j+1:]
		if value == "" && len(next) > 0 {
			value, next, used = next[0], next[1:], 1
		}
		switch {
		case isFile:
			f.file, f.rest = value, next
		case isModule:
			f.module, f.rest = value, next
		default:
			f.options[c] = value
			return used, false
		}
		return used, true
	}
	return 0, false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
