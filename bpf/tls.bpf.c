// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The plain text of TLS: uprobes on the functions of TLS libraries that read and write it. Each library file is probed
 * once, for all processes. Calls are handed on when they return; the plain text is a connection of its own, see tls.h,
 * and goes through the same capture as that of sockets.
 *
 * Emits: OPEN, DATA. Needs the socket tier, which finds the sockets. Costs about 4 µs per call of a library.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kernel_compat.h"
#include "loss.h"

/*
 * The bytes of a call are the user's, or kept in a map (tls_owed.h). Addresses of the kernel have the top bit set; that none comes from
 * a user is seen to in session_emit.
 */
#define IS_KERNEL(at) ((__s64)(at) < 0)
#define BYTES_READ(dst, n, at)                                                                         \
	(IS_KERNEL(at) ? bpf_probe_read_kernel(dst, n, (const void *)(at)) :                           \
			 bpf_probe_read_user(dst, n, (const void *)(at)))

#include "events.h"
#include "recognize.h"
#include "conn_state.h"
#include "select.h"
#include "user_args.h"
#include "payload.h"
#include "tls.h"

/* What stands for the socket is a struct plain_sock here. */
#define PLAIN(sk) ((struct plain_sock *)(sk))
#define SK_READ(sk, field, ...) SK_READ_##__VA_OPT__(2)(sk, field)
#define SK_READ_(sk, field) (PLAIN(sk)->field)
#define SK_READ_2(sk, field) (PLAIN(sk)->__sk_common.netns)
#define SK_READ_INTO(dst, sk, field) __builtin_memcpy(dst, &PLAIN(sk)->field, 16)
#define TCP_READ(sk, field) (PLAIN(sk)->field)
#define UNIX_PEER(sk) 0
#define MAY_BE_DATAGRAM 0

#include "capture.h"

/* What the loader says of a probed function, in the cookie of its probe. */
#define COOKIE_KIND(cookie) ((cookie) & 0xff)
#define COOKIE_COUNT_AT(cookie) ((cookie) >> 8 & 0xff) /* argument that points to the count; 0: none */
#define COOKIE_ALONE(cookie) ((cookie) >> 16 & 1)      /* its session must not be in another call meanwhile */

/* The same of a function that one of Go defers: it runs when the results of that one are on the stack already. */
#define COOKIE_DEFERRED_KIND(cookie) ((cookie) & 7)
#define COOKIE_RESULT_AT(cookie) ((cookie) >> 3 & 0x1fff)     /* where, in words from the stack pointer of the function that defers */
#define COOKIE_ARGUMENTS_AT(cookie) ((cookie) >> 16 & 0x1fff) /* the same of its arguments, which it keeps there; 0: not known */
#define COOKIE_SIZE(cookie) ((cookie) >> 29 & 0xffff)	      /* bytes of code that the function that defers has */
#define COOKIE_BACK(cookie) ((__s64)(cookie) >> 45)	      /* bytes from its begin to the probed instruction */

/*
 * session_emit hands on plain text of a session, of a given time or (0) of now. It returns false where the session's
 * connection is not known.
 */
static __noinline int session_emit(struct tls_session *s, __u64 buf, __u32 n, __u32 direction, __u64 time_ns)
{
	struct user_args args = { .number = NR_write, .a2 = buf, .time_ns = time_ns };
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u64 id = s->conn | TLS_CONN;
	struct plain_conn *p;
	struct sock *sk;

	if (!s->conn || !s->whole)
		return 0;
	if (IS_KERNEL(buf) && !time_ns)
		args.a2 = 0; /* a user has no business there */
	p = bpf_map_lookup_elem(&plain_conns, &id);
	if (!p)
		return 0;
	sk = (struct sock *)&p->sk;
	if (direction == EGRESS)
		p->sk.write_seq += n;
	else
		p->sk.copied_seq += n;
	if (!conn_is_quiet(&p->c, sk, pid_tgid >> 32))
		capture_call(&p->c, sk, AF_INET, direction, n, 0, pid_tgid, &args);
	return 1;
}

/* session_missed counts plain text of a session whose connection is not known. */
static __always_inline void session_missed(struct tls_session *s)
{
	loss_count(LOSS_TLS_UNBOUND);
	s->missed = 1;
	s->owed = 0;
}

#include "tls_owed.h"
#include "tls_waiting.h"

/*
 * write_begins hands on what is to be written: at its end the answer may be there already, or even the connection gone.
 * A library in C may refuse all or some of it, and its caller come again with the rest (repeats); Go's does not.
 */
static __always_inline void write_begins(struct tls_session *s, struct tls_call *call, __u32 len, bool repeats)
{
	__u32 ahead = repeats ? s->ahead : 0;

	call->handed_on = 1;
	if (len <= ahead)
		return;
	if (session_emit(s, call->buf + ahead, len - ahead, EGRESS, 0)) {
		if (repeats)
			s->ahead = len;
		return;
	}
	call->handed_on = 0;
	s->waiting = IS_KERNEL(call->buf) ? 0 : call->buf + ahead;
	s->waiting_ns = bpf_ktime_get_ns();
	s->waiting_len = len - ahead;
}

/*
 * write_continues hands on what had to wait, as soon as it can be: when the handshake is done, or when an answer is read
 * before the write that it answers has returned, by another goroutine.
 */
static __always_inline void write_continues(struct tls_session *s, bool repeats)
{
	__u32 n;

	if (!s->waiting_len || s->whole != TLS_WHOLE || !s->conn)
		return;
	n = __sync_lock_test_and_set(&s->waiting_len, 0);
	if (!n)
		return;
	if (!session_emit(s, s->waiting, n, EGRESS, s->waiting_ns))
		session_missed(s);
	else if (repeats)
		s->ahead += n;
}

/* write_ends settles a write of which the library took n bytes. */
static __always_inline void write_ends(struct tls_session *s, const struct tls_session_key *key,
				       const struct tls_call *call, __u32 n, bool repeats)
{
	if (!call->handed_on && s->waiting_len) {
		__u32 late = __sync_lock_test_and_set(&s->waiting_len, 0);

		if (repeats && n < late)
			late = n;
		if (!n || !late || (s->whole == TLS_WHOLE && session_emit(s, s->waiting, late, EGRESS, 0)))
			return;
		if (s->whole != TLS_WHOLE || s->conn || !repeats || call->conn || !owed_keep(s, key, s->waiting, late))
			session_missed(s);
		return;
	}
	if (repeats)
		s->ahead -= n < s->ahead ? n : s->ahead;
}

/*
 * session_begins notes a read or a handshake, before which nothing that is under way can be missed; nor can it before a
 * write of a library that does not allow a read meanwhile (alone).
 */
static __always_inline struct tls_session *session_begins(__u64 ssl, __u64 tgid, __u32 kind, bool alone)
{
	struct tls_session_key key = { .ssl = ssl, .tgid = tgid };
	struct tls_session *s = tls_session_of(&key);

	if (!s)
		loss_count(LOSS_STORAGE_FULL);
	else if (kind == TLS_HANDSHAKING || (kind == TLS_WRITE && alone))
		s->whole = TLS_WHOLE;
	else if (kind == TLS_READ && !s->whole)
		s->whole = TLS_WHOLE_FROM_READ;
	if (s && s->owed && s->conn)
		owed_settle(s, &key);
	return s;
}

/* session_ends handles the end of a call that moved n bytes. */
static __always_inline void session_ends(struct tls_session *s, const struct tls_session_key *key,
					 const struct tls_call *call, __u32 n, bool repeats)
{
	if (call->kind == TLS_WRITE) {
		write_ends(s, key, call, n, repeats);
	} else if (call->kind == TLS_HANDSHAKING) {
		s->waiting_ns = bpf_ktime_get_ns();
		write_continues(s, repeats);
	} else if (n) {
		write_continues(s, repeats);
		if (!session_emit(s, call->buf, n, INGRESS, 0))
			session_missed(s);
	}
}

/* thread_returned looks for evidence, when a library has returned that made no socket call. */
static __always_inline void thread_returned(struct tls_thread *t, const struct tls_session_key *key, __u32 kind, __u32 n)
{
	__u64 conn = t->received.id;
	__u32 weight = 1;

	if (t->received.kind == TLS_APPLICATION_DATA)
		weight = kind == TLS_READ && n ? tls_length_weight(n, t->received.len) : 0;
	t->by_memory = TLS_BY_MEMORY;
	t->received.id = 0;
	if (conn)
		tls_evidence(key, conn, weight);
	if (t->said.id == key->ssl && t->said.kind == TLS_WRITE && t->said.len)
		return; /* its record is to be sent first */
	t->said.id = kind == TLS_READ && n ? 0 : key->ssl;
	t->said.kind = kind;
	t->said.len = n;
}

/*
 * thread_calls_back notes that the program writes in a call-back, within a read or a handshake. What the thread received
 * for that call is evidence now: the write is to be handed on at once.
 */
static __always_inline void thread_calls_back(struct tls_thread *t)
{
	struct tls_session_key key = { .ssl = t->call.ssl, .tgid = bpf_get_current_pid_tgid() >> 32 };

	if (t->received.id && t->received.kind != TLS_APPLICATION_DATA) {
		tls_evidence(&key, t->received.id, 1);
		t->received.id = 0;
	}
	t->outer = t->call;
}

static __always_inline __u64 argument(struct pt_regs *ctx, __u32 i)
{
	__u64 fourth = ctx->cx, fifth = ctx->r8;

	barrier_var(fourth); /* else they become one load at a variable place, which contexts do not allow */
	barrier_var(fifth);
	return i == 4 ? fourth : i == 5 ? fifth : 0;
}

SEC("uprobe.multi")
int tls_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), ssl = ctx->di, sp = ctx->sp, buf = ctx->si;
	__u64 count_at = argument(ctx, COOKIE_COUNT_AT(cookie));
	__u32 len = ctx->dx;
	struct task_struct *task = bpf_get_current_task_btf();
	struct tls_session *s;
	struct tls_thread *t;

	if (bpf_get_current_pid_tgid() >> 32 == self_tgid)
		return 0;
	t = bpf_task_storage_get(&tls_threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t) {
		loss_count(LOSS_STORAGE_FULL);
		return 0;
	}
	s = session_begins(ssl, bpf_get_current_pid_tgid() >> 32, COOKIE_KIND(cookie), COOKIE_ALONE(cookie));
	if (!s)
		return 0;
	if (t->call.kind && t->call.ssl == ssl && sp < t->call.sp) {
		/* a function of the library that another one of them uses */
		if (COOKIE_KIND(cookie) != TLS_WRITE || t->call.kind == TLS_WRITE)
			return 0;
		thread_calls_back(t);
	}
	t->call.ssl = ssl;
	t->call.buf = buf;
	t->call.count_at = count_at;
	t->call.sp = sp;
	t->call.conn = 0;
	t->call.kind = COOKIE_KIND(cookie);
	if (t->call.kind == TLS_WRITE)
		write_begins(s, &t->call, len, true);
	return 0;
}

/* is_end_of says whether a place behind a call is that behind the call which a thread is in. */
static __always_inline bool is_end_of(const struct tls_thread *t, struct pt_regs *ctx)
{
	return t && t->call.kind && t->call.sp == ctx->sp - 8; /* 8: the return address is gone */
}

/* call_ended handles the end of the call that a thread was in. */
static __always_inline int call_ended(struct tls_thread *t, struct pt_regs *ctx)
{
	struct tls_session_key key;
	struct tls_session *s;
	struct tls_call call;
	__u64 count = 0;
	int n;

	call = t->call;
	t->call = t->outer;
	t->outer.kind = TLS_NONE;
	n = (int)ctx->ax;
	if (n > 0 && call.count_at) {
		bpf_probe_read_user(&count, sizeof(count), (const void *)call.count_at);
		n = count;
	}
	if (n < 0 || call.kind == TLS_HANDSHAKING)
		n = 0;
	key.ssl = call.ssl;
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	if (!call.conn)
		thread_returned(t, &key, call.kind, n);
	s = tls_session_of(&key);
	if (s)
		session_ends(s, &key, &call, n, true);
	return 0;
}

SEC("uprobe.multi")
int tls_leave(struct pt_regs *ctx)
{
	struct tls_thread *t = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);

	return is_end_of(t, ctx) ? call_ended(t, ctx) : 0;
}

/* tls_resume stands for tls_leave where a call returns that was taken over. */
SEC("uprobe.multi")
int tls_resume(struct pt_regs *ctx)
{
	struct tls_thread *t = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);
	__u32 tid = bpf_get_current_pid_tgid();

	if (!is_end_of(t, ctx) || bpf_map_delete_elem(&tls_waiting, &tid))
		return 0;
	return call_ended(t, ctx);
}

/* tls_free: the address of a session may be that of another one next. */
SEC("uprobe.multi")
int tls_free(struct pt_regs *ctx)
{
	struct tls_session_key key = { .ssl = ctx->di, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *s = bpf_map_lookup_elem(&tls_sessions, &key);

	if (!s)
		return 0;
	if (s->owed)
		owed_settle(s, &key);
	s->conn = 0;
	s->candidate = 0;
	s->evidence = 0;
	s->missed = 0;
	s->ahead = 0;
	s->waiting_len = 0;
	s->owed = 0;
	return 0;
}

/*
 * go_restarts tells whether a call is one that began before. A function that finds its stack too small has it moved, and
 * is entered again from its first instruction (runtime.morestack): what it writes was handed on the first time.
 */
static __always_inline bool go_restarts(const struct tls_goroutine *key, const struct tls_call *call)
{
	const struct tls_call *began = bpf_map_lookup_elem(&tls_goroutines, key);

	return began && began->kind == call->kind && began->ssl == call->ssl && began->buf == call->buf &&
	       began->len == call->len;
}

/* go_is_calling tells whether a goroutine is in a call that was seen to begin. */
static __always_inline bool go_is_calling(const struct tls_goroutine *key)
{
	const struct tls_call *call = bpf_map_lookup_elem(&tls_goroutines, key);

	return call && call->kind != TLS_NONE;
}

/* Go's internal ABI: arguments in rax, rbx, rcx, …, the goroutine in r14; the result in rax. */
SEC("uprobe.multi")
int go_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct tls_goroutine key = { .g = ctx->r14, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_call call = { .ssl = ctx->ax, .buf = ctx->bx, .len = ctx->cx, .kind = COOKIE_KIND(cookie) };
	struct tls_session *s;

	if (key.tgid == self_tgid || (call.kind == TLS_WRITE && go_restarts(&key, &call)))
		return 0;
	s = session_begins(call.ssl, key.tgid, call.kind, COOKIE_ALONE(cookie));
	/* Read and Write shake hands first */
	if (!s || (call.kind == TLS_HANDSHAKING && go_is_calling(&key)))
		return 0;
	if (call.kind == TLS_WRITE)
		write_begins(s, &call, ctx->cx, false);
	if (bpf_map_update_elem(&tls_goroutines, &key, &call, BPF_ANY))
		loss_count(LOSS_STORAGE_FULL);
	return 0;
}

/*
 * go_ends handles the end of a function that a goroutine called, and which returns n. It returns false where the call was
 * not seen to begin.
 */
static __always_inline bool go_ends(const struct tls_goroutine *key, __u32 kind, long n)
{
	struct tls_call *at = bpf_map_lookup_elem(&tls_goroutines, key), call;
	struct tls_session_key session;
	struct tls_session *s;

	if (!at || at->kind == TLS_NONE)
		return false;
	call = *at;
	if (call.kind == kind)
		bpf_map_delete_elem(&tls_goroutines, key);
	else if (kind != TLS_HANDSHAKING) /* that of a read or write is within it */
		return true;
	call.kind = kind;
	session.ssl = call.ssl;
	session.tgid = key->tgid;
	s = tls_session_of(&session);
	if (s)
		session_ends(s, &session, &call, n > 0 ? n : 0, false);
	return true;
}

SEC("uprobe.multi")
int go_leave(struct pt_regs *ctx)
{
	struct tls_goroutine key = { .g = ctx->r14, .tgid = bpf_get_current_pid_tgid() >> 32 };

	go_ends(&key, COOKIE_KIND(bpf_get_attach_cookie(ctx)), ctx->ax);
	return 0;
}

/* go_bind_received binds a session to the socket of which the read that ends now received a record. */
static __always_inline void go_bind_received(struct tls_session *s, const struct tls_session_key *key,
					     const struct tls_call *received, __u32 n)
{
	__u64 plain = received->conn | TLS_CONN;
	struct plain_conn *p = bpf_map_lookup_elem(&plain_conns, &plain);

	if (!p || s->conn || (p->session.ssl && p->session.ssl != key->ssl) || n + TLS_OVERHEAD_MIN > received->len)
		return;
	if (s->missed)
		p->c.flags &= ~CONN_SEEN;
	s->conn = received->conn;
	p->session = *key;
}

/*
 * go_was_reading handles the end of a read that nobody saw begin: it did before the probes were there. Its arguments are
 * still where it keeps them, a session and a buffer. No other read of that session was under way.
 */
static __always_inline void go_was_reading(const struct tls_goroutine *key, __u64 arguments, __u32 n)
{
	struct tls_call *received = bpf_map_lookup_elem(&tls_goroutines, key);
	struct tls_session_key session = { .tgid = key->tgid };
	struct tls_call call = { .kind = TLS_READ };
	struct tls_session *s;
	__u64 kept[2];

	if (bpf_probe_read_user(kept, sizeof(kept), (const void *)arguments)) {
		loss_count(LOSS_PAYLOAD_FAULT);
		return;
	}
	session.ssl = kept[0];
	call.buf = kept[1];
	s = session_begins(session.ssl, session.tgid, TLS_READ, false);
	if (!s)
		return;
	if (received)
		go_bind_received(s, &session, received, n);
	bpf_map_delete_elem(&tls_goroutines, key);
	session_ends(s, &session, &call, n, false);
}

/*
 * go_deferred stands for go_leave where a function returns through one that it defers: a ret is single-stepped, which is
 * dear. Entered before its frame is made, so that the stack pointer of the caller is 8 above, behind the return address.
 */
SEC("uprobe.multi")
int go_deferred(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), sp = ctx->sp, begin = ctx->ip - COOKIE_BACK(cookie), from = 0;
	struct tls_goroutine key = { .g = ctx->r14, .tgid = bpf_get_current_pid_tgid() >> 32 };
	__u32 kind = COOKIE_DEFERRED_KIND(cookie);
	long n = 0;

	/* After a panic the runtime calls it, and there are no results. */
	if (bpf_probe_read_user(&from, sizeof(from), (const void *)sp) || from - begin >= COOKIE_SIZE(cookie))
		return 0;
	if (bpf_probe_read_user(&n, sizeof(n), (const void *)(sp + 8 + 8 * COOKIE_RESULT_AT(cookie))))
		loss_count(LOSS_PAYLOAD_FAULT);
	if (!go_ends(&key, kind, n) && n > 0 && kind == TLS_READ && COOKIE_ARGUMENTS_AT(cookie) && key.tgid != self_tgid)
		go_was_reading(&key, sp + 8 + 8 * COOKIE_ARGUMENTS_AT(cookie), n);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
