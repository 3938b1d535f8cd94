/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The socket tier's part in reading TLS: it tells which socket a TLS session uses, and ends the plain text's connection
 * with the socket. Costs one look-up in task storage per socket call, once a library is probed; nothing before.
 */
#ifndef SONDE_TLS_SOCKET_H
#define SONDE_TLS_SOCKET_H

/* What is probed on this host, see agent/probe/tls. */
#define TLS_LIBRARIES 1
#define TLS_GO 2
volatile __u32 tls_probed SEC(".data.tls") = 0;

/* A Go process's socket whose calls are not looked at any more: it speaks no TLS. */
#define TLS_GO_TRIES 64

static const struct plain_conn plain_none = {};

/* plain_conn_of returns the plain text of a socket, made when there is none yet. */
static __noinline struct plain_conn *plain_conn_of(struct conn_state *c, struct sock *sk, bool seen)
{
	__u64 id = c->id | TLS_CONN;
	struct plain_conn *p = bpf_map_lookup_elem(&plain_conns, &id);

	if (p)
		return p;
	bpf_map_update_elem(&plain_conns, &id, &plain_none, BPF_NOEXIST);
	p = bpf_map_lookup_elem(&plain_conns, &id);
	if (!p) {
		loss_count(LOSS_STORAGE_FULL);
		return NULL;
	}
	conn_start(&p->c, id, false, seen);
	p->sk.__sk_common.skc_family = SK_READ(sk, __sk_common.skc_family);
	p->sk.__sk_common.skc_num = SK_READ(sk, __sk_common.skc_num);
	p->sk.__sk_common.skc_dport = SK_READ(sk, __sk_common.skc_dport);
	p->sk.__sk_common.netns = SK_READ(sk, __sk_common.skc_net.net, ns.inum);
	p->sk.__sk_common.skc_rcv_saddr = SK_READ(sk, __sk_common.skc_rcv_saddr);
	p->sk.__sk_common.skc_daddr = SK_READ(sk, __sk_common.skc_daddr);
	SK_READ_INTO(p->sk.__sk_common.skc_v6_rcv_saddr, sk, __sk_common.skc_v6_rcv_saddr);
	SK_READ_INTO(p->sk.__sk_common.skc_v6_daddr, sk, __sk_common.skc_v6_daddr);
	p->c.role = c->role; /* who opened it; what is recognised may say otherwise */
	c->tls = 1;
	return p;
}

/* tls_header reads the first record header of a call; false: there is none. */
static __always_inline bool tls_header(struct conn_state *c, __u32 len, __u8 *h)
{
	struct user_args args = {};
	struct user_bytes user;
	struct user_iovec v;

	current_args(&args);
	if (args.number == NR_sendmmsg || args.number == NR_recvmmsg)
		return false;
	user_bytes_of(c, &args, &user);
	if (user.iov && !bpf_probe_read_user(&v, sizeof(v), (const void *)user.iov) && v.len >= TLS_RECORD_HEADER)
		user.base = v.base;
	if (len < TLS_RECORD_HEADER || !user.base || bpf_probe_read_user(h, TLS_RECORD_HEADER, (const void *)user.base))
		return false;
	return is_tls_header(h);
}

/* tls_bind notes that a session uses this socket: its library calls it now. */
static __noinline int tls_bind(struct tls_call *call, struct conn_state *c, struct sock *sk, __u32 len)
{
	struct tls_session_key key = { .ssl = call->ssl, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *s = bpf_map_lookup_elem(&tls_sessions, &key);
	__u8 h[8] __attribute__((aligned(8)));
	struct plain_conn *p;

	if (s && s->conn == c->id) {
		c->tls = 1;
		return 0;
	}
	if (!tls_header(c, len, h)) /* something else that happens to be done meanwhile */
		return 0;
	p = plain_conn_of(c, sk, h[0] == TLS_HANDSHAKE);
	s = tls_session_of(&key);
	if (!p || !s)
		return 0;
	if (s->missed && !s->conn)
		p->c.flags &= ~CONN_SEEN;
	if (h[0] == TLS_HANDSHAKE)
		s->whole = TLS_WHOLE;
	s->conn = c->id;
	p->session = key;
	return 0;
}

/* tls_near_call handles a socket call of a program that moves the bytes of its TLS library by itself. */
static __noinline int tls_near_call(struct tls_thread *t, struct conn_state *c, struct sock *sk, __u32 direction,
				    __u32 len)
{
	struct tls_session_key key = { .ssl = t->said.id, .tgid = bpf_get_current_pid_tgid() >> 32 };
	__u32 said = t->said.kind, n = t->said.len, record;
	__u8 h[8] __attribute__((aligned(8)));

	t->said.id = 0;
	t->received.id = 0;
	if (!tls_header(c, len, h)) {
		if (t->by_memory != TLS_BY_MEMORY)
			t->by_memory--;
		return 0;
	}
	if (!plain_conn_of(c, sk, h[0] == TLS_HANDSHAKE))
		return 0;
	record = h[3] << 8 | h[4];
	if (direction == INGRESS) {
		t->received.id = c->id;
		t->received.kind = h[0];
		t->received.len = record;
		return 0;
	}
	if (!key.ssl)
		return 0;
	if (h[0] != TLS_APPLICATION_DATA)
		tls_evidence(&key, c->id, n == 0);
	else if (said == TLS_WRITE)
		tls_evidence(&key, c->id, tls_length_weight(n, record));
	return 0;
}

/*
 * tls_go_received notes that a goroutine received the start of a record of data outside of any call that was seen to begin:
 * it may be within one that began before.
 */
static __noinline int tls_go_received(const struct tls_goroutine *key, struct conn_state *c, struct sock *sk, __u32 len)
{
	struct tls_call call = { .kind = TLS_NONE, .conn = c->id };
	__u8 h[8] __attribute__((aligned(8)));

	if (!tls_header(c, len, h) || h[0] != TLS_APPLICATION_DATA || !plain_conn_of(c, sk, false))
		return 0;
	c->tls = 0; /* whose session it is shows when that call ends */
	call.len = h[3] << 8 | h[4];
	bpf_map_update_elem(&tls_goroutines, key, &call, BPF_ANY);
	return 0;
}

/* tls_go_bind does for a goroutine what tls_bind does for a thread. Go keeps the goroutine in r14 (its internal ABI). */
static __noinline int tls_go_bind(struct conn_state *c, struct sock *sk, __u32 direction, __u32 len)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
	struct tls_goroutine key = { .g = regs->r14, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_call *call = bpf_map_lookup_elem(&tls_goroutines, &key);

	if (call && call->kind != TLS_NONE)
		return tls_bind(call, c, sk, len);
	c->tls_misses++;
	if (direction == INGRESS)
		tls_go_received(&key, c, sk, len);
	return 0;
}

/* tls_socket_call is told of every socket call on TCP. */
static __always_inline void tls_socket_call(struct conn_state *c, struct sock *sk, __u32 direction, __u32 len)
{
	struct tls_thread *t;

	if (tls_probed & TLS_LIBRARIES) {
		t = bpf_task_storage_get(&tls_threads, bpf_get_current_task_btf(), 0, 0);
		if (t && t->call.kind) {
			t->call.conn = c->id;
			tls_bind(&t->call, c, sk, len);
			return;
		}
		if (t && t->by_memory) {
			tls_near_call(t, c, sk, direction, len);
			return;
		}
	}
	if (tls_probed & TLS_GO && !c->tls && c->tls_misses < TLS_GO_TRIES)
		tls_go_bind(c, sk, direction, len);
}

/* plain_conn_close ends the plain text of a socket that is gone. */
static __noinline int plain_conn_close(struct conn_state *c, bool reset)
{
	__u64 id = c->id | TLS_CONN;
	struct plain_conn *p = bpf_map_lookup_elem(&plain_conns, &id);
	struct tls_session_key key;
	struct tls_session *s;
	struct close_event *e;

	if (!p)
		return 0;
	if (p->c.announced_ns) {
		e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
		if (e) {
			__builtin_memset(e, 0, sizeof(*e));
			e->h.kind = EVENT_CLOSE;
			e->h.time_ns = bpf_ktime_get_ns();
			e->h.conn = id;
			e->h.flag = reset ? CLOSE_RESET : 0;
			e->next_ingress = p->sk.copied_seq;
			e->next_egress = p->sk.write_seq;
			bpf_ringbuf_submit(e, wake_flags(e->h.time_ns));
		} else {
			loss_count(LOSS_RING_FULL);
		}
	}
	key = p->session;
	s = bpf_map_lookup_elem(&tls_sessions, &key);
	if (s && s->conn == c->id) /* its address may be that of another session by now */
		s->conn = 0;
	bpf_map_delete_elem(&plain_conns, &id);
	return 0;
}

#endif
