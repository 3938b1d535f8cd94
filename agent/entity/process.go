package entity

import (
	"path"
	"slices"
	"strings"

	"github.com/sonde-dev/sonde/agent/entity/container"
	"github.com/sonde-dev/sonde/agent/entity/proc"
	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// key identifies a process beyond reuse of its pid.
type key struct {
	pid   uint32
	ticks uint64 // start, in the 10 ms of /proc/<pid>/stat
}

// process is one incarnation of a pid.
type process struct {
	key
	ppid uint32
	comm string
	program
	member        container.Membership
	containerName string
	cgroupName    string // last component of the cgroup path as the kernel side tells it, "" if unknown

	entity *signal.Entity // nil until first needed; replaced, never modified
	root   uint32         // pid of the topmost process of its instance
	isRoot bool           // another process has it as root

	unread   bool   // /proc is yet to be read, at first need
	executed bool   // its program is known by an exec or from /proc, not only inherited
	weak     bool   // named by the kernel's comm alone
	recheck  uint64 // when /proc was last read because comm had changed
	ended    bool
	endedAt  uint64
	observe  bool
}

// program is what a process runs; a fork shares it.
type program struct {
	exe      string // path, "" if unknown
	alias    string // name by which it was started, where that is a link to exe
	args     []string
	env      map[string]string
	cwd      string
	language string
	script   string
}

// maxKeptArgs bounds the command line kept in memory for the rules of selection.
const maxKeptArgs = 1 << 10

// executable returns process.executable.name.
func (p *process) executable() string {
	switch {
	case p.alias != "":
		return p.alias
	case p.exe == "":
		return p.comm
	}
	return path.Base(p.exe)
}

// aliasOf tells the name by which a program was started that has several: redis-server is a link to redis-check-rdb on Debian,
// and all of BusyBox is one file. The kernel's comm and the first argument then agree on a name that is not the file's.
func aliasOf(exe, comm string, args []string) string {
	if len(args) == 0 || comm == "" {
		return ""
	}
	const commMax = 15                       // TASK_COMM_LEN of linux/sched.h, less the zero byte
	first, _, _ := strings.Cut(args[0], " ") // servers write a title behind it
	name := strings.TrimSuffix(path.Base(first), ":")
	if name == path.Base(exe) || name[:min(len(name), commMax)] != comm {
		return ""
	}
	return name
}

// adopt takes over what /proc says.
func (p *process) adopt(f proc.Facts) {
	p.ppid, p.comm = f.ParentPID, f.Comm
	p.program = program{exe: f.Exe, args: f.Args, env: f.Env, cwd: f.Cwd, language: f.Language, alias: aliasOf(f.Exe, f.Comm, f.Args)}
	p.member, p.cgroupName, p.containerName = container.FromCgroup(f.Cgroup), lastComponent(f.Cgroup), ""
	p.unread, p.executed, p.weak, p.entity = false, true, false, nil
	p.findScript()
}

// adoptKernel takes over what the kernel side says of an exec. Environment, working directory and unit stay those of the
// process before it.
func (p *process) adoptKernel(i *event.ProcessInfo) {
	p.comm = i.Comm
	p.exe, p.args, p.alias = kernelExe(i), slices.Clone(i.Args), ""
	p.language = proc.Language(path.Base(p.exe))
	if m := container.FromName(i.Cgroup); m.ID != "" && m.ID != p.member.ID {
		p.member, p.containerName = m, ""
	}
	if i.Cgroup != "" {
		p.cgroupName = i.Cgroup
	}
	p.executed, p.weak, p.entity = true, false, nil
	p.findScript()
}

func (p *process) findScript() {
	p.script = proc.Script(p.executable(), p.args, p.cwd)
	size := 0
	for i, a := range p.args {
		if size += len(a) + 1; size > maxKeptArgs {
			p.args = slices.Clone(p.args[:i])
			break
		}
	}
}

// kernelExe tells the executable from the facts of an exec. For a script with a "#!" line the file name is the script's, and
// the arguments are the interpreter, perhaps its option, the script (fs/binfmt_script.c).
func kernelExe(i *event.ProcessInfo) string {
	if len(i.Args) > 1 && i.Args[0] != i.Filename && slices.Contains(i.Args[1:min(3, len(i.Args))], i.Filename) {
		return i.Args[0]
	}
	if i.Filename != "" {
		return i.Filename
	}
	return i.Comm
}

// inherit makes p what its parent is: fork copies everything.
func (p *process) inherit(parent *process) {
	p.program = parent.program
	p.member, p.containerName, p.cgroupName = parent.member, parent.containerName, parent.cgroupName
	p.weak = parent.weak
}

// contradicts reports whether the command line read from /proc is not the one of the exec: another exec has followed, or
// the program has overwritten it with a title.
func contradicts(read, executed []string) bool {
	if len(executed) == 0 {
		return false
	}
	if len(read) < len(executed) {
		return true
	}
	last := len(executed) - 1
	// The kernel side cuts the last argument at its limit.
	return !slices.Equal(read[:last], executed[:last]) || !strings.HasPrefix(read[last], executed[last])
}

// lastComponent returns what the kernel side tells of a cgroup: the last component of the memory controller's path on
// cgroup v1, of the only path on v2.
func lastComponent(cgroup string) string {
	var v2 string
	for line := range strings.SplitSeq(cgroup, "\n") {
		_, rest, _ := strings.Cut(line, ":")
		controllers, p, _ := strings.Cut(rest, ":")
		switch {
		case slices.Contains(strings.Split(controllers, ","), "memory"):
			return component(p)
		case controllers == "" && p != "":
			v2 = p
		}
	}
	return component(v2)
}

func component(p string) string {
	if p == "" || p == "/" {
		return ""
	}
	return path.Base(p)
}
