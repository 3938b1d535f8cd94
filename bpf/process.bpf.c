// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Processes: tp_btf/sched_process_exec, _fork and _exit. The name, arguments and cgroup are copied when the program
 * starts, so that a process can be named even if it is gone when user space reads of it. Costs nothing between.
 *
 * Emits: EXEC, FORK (processes, not threads), EXIT (last thread). Needs Linux 5.5.
 *
 * whoami, run once by the loader, tells Sonde its own process id as the root PID namespace sees it.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kernel_compat.h"
#include "loss.h"
#include "events.h"

static __always_inline void process_fill(struct process_event *e, enum event_kind kind, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	__builtin_memset(&e->h, 0, sizeof(e->h));
	e->h.kind = kind;
	e->h.time_ns = bpf_ktime_get_ns();
	e->h.tgid = BPF_CORE_READ(task, tgid);
	e->h.tid = BPF_CORE_READ(task, pid);
	e->parent = BPF_CORE_READ(leader, real_parent, tgid);
	e->start_time_ns = BPF_CORE_READ(leader, start_boottime);
	e->args_len = 0;
	e->filename[0] = 0;
	e->cgroup[0] = 0;
	BPF_CORE_READ_STR_INTO(&e->comm, leader, comm);
}

static __always_inline struct process_event *process_event_begin(enum event_kind kind, struct task_struct *task)
{
	struct process_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (e)
		process_fill(e, kind, task);
	else
		loss_count(LOSS_PROCESS_RING_FULL);
	return e;
}

/* cgroup_name_read copies the last component of the cgroup path: the memory controller's, on cgroup v1 its own. */
static __always_inline void cgroup_name_read(struct process_event *e, struct task_struct *task)
{
	__u32 id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct cgroup_subsys_state *css = NULL;
	struct css_set *set = BPF_CORE_READ(task, cgroups);

	bpf_core_read(&css, sizeof(css), &set->subsys[id]);
	if (css)
		bpf_probe_read_kernel_str(e->cgroup, sizeof(e->cgroup), BPF_CORE_READ(css, cgroup, kn, name));
	if (!e->cgroup[0])
		bpf_probe_read_kernel_str(e->cgroup, sizeof(e->cgroup), BPF_CORE_READ(set, dfl_cgrp, kn, name));
}

/* user_range_read copies user memory from start to end, at most max bytes, and returns how many. */
static __always_inline __u32 user_range_read(char *dst, const __u32 max, unsigned long start, unsigned long end)
{
	__u32 n = end - start;

	if (end <= start)
		return 0;
	if (end - start > max)
		n = max;
	BOUND(n, max);
	return bpf_probe_read_user(dst, n, (const void *)start) ? 0 : n;
}

SEC("tp_btf/sched_process_exec")
int sched_process_exec(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct linux_binprm *bprm = (struct linux_binprm *)ctx[2];
	struct exec_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	unsigned long start, end;

	if (!e) {
		loss_count(LOSS_PROCESS_RING_FULL);
		return 0;
	}
	process_fill(&e->p, EVENT_EXEC, task);
	bpf_probe_read_kernel_str(e->p.filename, sizeof(e->p.filename), BPF_CORE_READ(bprm, filename));
	cgroup_name_read(&e->p, task);
	e->p.args_len = user_range_read(e->p.args, ARGS_MAX, BPF_CORE_READ(task, mm, arg_start),
					BPF_CORE_READ(task, mm, arg_end));
	start = BPF_CORE_READ(task, mm, env_start);
	end = BPF_CORE_READ(task, mm, env_end);
	e->env_len = user_range_read(e->env, ENV_MAX, start, end);
	e->env_cut = end - start > e->env_len;
	bpf_ringbuf_submit(e, wake_flags(e->p.h.time_ns));
	return 0;
}

SEC("tp_btf/sched_process_fork")
int sched_process_fork(__u64 *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx[1];
	struct process_event *e;

	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
		return 0;
	e = process_event_begin(EVENT_FORK, child);
	if (!e)
		return 0;
	cgroup_name_read(e, child);
	bpf_ringbuf_submit(e, wake_flags(e->h.time_ns));
	return 0;
}

SEC("tp_btf/sched_process_exit")
int sched_process_exit(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct process_event *e;

	if (BPF_CORE_READ(task, signal, live.counter) != 0)
		return 0;
	e = process_event_begin(EVENT_EXIT, task);
	if (e)
		bpf_ringbuf_submit(e, wake_flags(e->h.time_ns));
	return 0;
}

SEC("syscall")
int whoami(void *ctx)
{
	return bpf_get_current_pid_tgid() >> 32;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
