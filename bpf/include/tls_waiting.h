/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Calls into TLS libraries that were under way when the probes came: a thread waits inside for the next bytes. User space asks which
 * threads wait (tls_waiting_threads), finds in their stacks what they were called with, and probes the places that the calls
 * return to. Then they are made calls that were seen to begin (tls_take_over), if the threads have not run meanwhile. Included by tls.bpf.c.
 */
#ifndef SONDE_TLS_WAITING_H
#define SONDE_TLS_WAITING_H

#define TLS_PUT_AWAY 8 /* return addresses; as many as there are nested calls of probed functions */

/* struct tls_waiting_thread is a thread that waits for bytes or for a CPU, and the registers that functions preserve. */
struct tls_waiting_thread {
	__u32 tid;
	__u32 tgid;
	__u64 switches; /* how often it has left the CPU: it has not run while this stays */
	__u64 pc;
	__u64 sp;
	__u64 bx;
	__u64 bp;
	__u64 r12;
	__u64 r13;
	__u64 r14;
	__u64 r15;
	struct {
		__u64 at; /* on the stack */
		__u64 address;
	} put_away[TLS_PUT_AWAY]; /* by uretprobes, of whoever */
};

_Static_assert(sizeof(struct tls_waiting_thread) == 208, "tls_waiting_thread");

enum tls_take_over_state {
	TLS_ASKED = 0,
	TLS_TAKEN = 1,
	TLS_SEEN = 2, /* it was seen to begin: the thread came after the probes */
	TLS_RAN = 3,  /* the thread has run meanwhile */
};

/* struct tls_waiting is a call that is to be taken over, by the thread's id. */
struct tls_waiting {
	struct tls_call call;
	__u64 switches;
	__u32 state; /* enum tls_take_over_state */
	__u32 pad;
};

_Static_assert(sizeof(struct tls_waiting) == 64, "tls_waiting");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u32); /* removed when the call returns */
	__type(value, struct tls_waiting);
} tls_waiting SEC(".maps");

/* arch/x86/entry/syscalls/syscall_64.tbl: the calls besides those that read, in which one waits for bytes of a socket. */
enum waiting_number {
	NR_poll = 7,
	NR_select = 23,
	NR_restart_syscall = 219,
	NR_epoll_wait = 232,
	NR_pselect6 = 270,
	NR_ppoll = 271,
	NR_epoll_pwait = 281,
};

static __always_inline bool waits_for_bytes(__u64 nr)
{
	return nr == NR_read || nr == NR_readv || nr == NR_recvfrom || nr == NR_recvmsg || nr == NR_poll || nr == NR_ppoll ||
	       nr == NR_select || nr == NR_pselect6 || nr == NR_epoll_wait || nr == NR_epoll_pwait || nr == NR_restart_syscall;
}

/* is_running tells whether a thread is on a CPU. A kernel for one CPU does not say; there only the thread that asks is. */
static __always_inline bool is_running(struct task_struct *task)
{
	return bpf_core_field_exists(task->on_cpu) && *(volatile int *)&task->on_cpu;
}

/* may_read tells whether a thread waits for bytes, or for a CPU: it may have got its bytes a moment ago. */
static __always_inline bool may_read(struct task_struct *task, const struct pt_regs *regs)
{
	return task->__state == TASK_RUNNING || (task->__state & TASK_INTERRUPTIBLE && waits_for_bytes(regs->orig_ax));
}

/* has_run tells whether a thread has run since it had left the CPU that often. */
static __always_inline bool has_run(struct task_struct *task, __u64 switches)
{
	return is_running(task) || task->nvcsw + task->nivcsw != switches;
}

/* thread_describe is a function, so that the type information has its types, which user space is held against. */
static __noinline int thread_describe(struct tls_waiting_thread *w, struct task_struct *task, struct pt_regs *regs)
{
	struct return_instance *put_away = BPF_CORE_READ(task, utask, return_instances);

	w->tid = task->pid;
	w->tgid = task->tgid;
	w->switches = task->nvcsw + task->nivcsw;
	w->pc = regs->ip;
	w->sp = regs->sp;
	w->bx = regs->bx;
	w->bp = regs->bp;
	w->r12 = regs->r12;
	w->r13 = regs->r13;
	w->r14 = regs->r14;
	w->r15 = regs->r15;
	for (int i = 0; i < TLS_PUT_AWAY && put_away; i++) {
		w->put_away[i].at = BPF_CORE_READ(put_away, stack);
		w->put_away[i].address = BPF_CORE_READ(put_away, orig_ret_vaddr);
		put_away = BPF_CORE_READ(put_away, next);
	}
	return 0;
}

SEC("iter/task")
int tls_waiting_threads(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct tls_waiting_thread w = {};
	struct pt_regs *regs;

	if (!task || !task->mm || is_running(task))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (!may_read(task, regs))
		return 0;
	thread_describe(&w, task, regs);
	bpf_seq_write(ctx->meta->seq, &w, sizeof(w));
	return 0;
}

SEC("iter/task")
int tls_take_over(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct tls_session_key key = {};
	struct tls_session *s;
	struct tls_waiting *w;
	struct tls_thread *t;
	__u32 tid;

	if (!task)
		return 0;
	tid = task->pid;
	w = bpf_map_lookup_elem(&tls_waiting, &tid);
	if (!w || w->state != TLS_ASKED)
		return 0;
	w->state = TLS_RAN;
	if (has_run(task, w->switches))
		return 0;
	t = bpf_task_storage_get(&tls_threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	key.ssl = w->call.ssl;
	key.tgid = task->tgid;
	s = tls_session_of(&key);
	if (!t || !s)
		return 0;
	if (t->call.kind) {
		w->state = TLS_SEEN;
		return 0;
	}
	s->whole = TLS_WHOLE; /* a session is read by one thread at a time: no other call is under way unseen */
	t->call = w->call;
	if (!has_run(task, w->switches)) {
		w->state = TLS_TAKEN;
		return 0;
	}
	if (t->call.ssl == w->call.ssl && t->call.sp == w->call.sp)
		t->call.kind = TLS_NONE;
	return 0;
}

#endif
