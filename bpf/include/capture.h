/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One socket call, from "is it ours" to its records in the ring. Both tiers come through capture_call(); they differ
 * only in how they find the socket and its state. The including file defines, before this header:
 *
 *	SK_READ(sk, field)	reads a field of struct sock
 *	TCP_READ(sk, field)	reads a field of struct tcp_sock
 *	UNIX_PEER(sk)		the address of the other socket of a Unix pair
 *
 * How much of a call is copied of HTTP/1, which is followed here:
 * - requests: up to request_bytes a turn;
 * - responses: up to response_bytes a turn, until a call ends with the end of a head;
 * - both whole, up to pipelined_bytes a turn, once several requests were seen under way at once.
 * Of all else, the first bytes of each turn; see stream_bytes().
 * The rest of a call is described by its length and its last bytes. A turn is a run of calls in one direction; it ends
 * when bytes move in the other one.
 *
 * Functions that are not static are global to the verifier: it walks them once, not at every call.
 */
#ifndef SONDE_CAPTURE_H
#define SONDE_CAPTURE_H

const volatile __u32 request_bytes = 8192;
const volatile __u32 response_bytes = 1024;
const volatile __u32 pipelined_bytes = 1 << 20;

#define IOVECS_MAX 16

/* struct call is one call of a socket that moved bytes. */
struct call {
	__u64 time_ns;
	__u64 pid_tgid;
	struct user_bytes user;
	__u32 seq;
	__u32 len;
	__u8 direction;
};

/* is_datagram says whether the socket is of UDP over IPv4 or IPv6. */
static __always_inline bool is_datagram(struct sock *sk, __u16 family)
{
	return (family == AF_INET || family == AF_INET6) && SK_READ(sk, sk_protocol) == IPPROTO_UDP;
}

/* open_fill_peer names the peer of a UDP socket that is not connected to one. */
static __always_inline void open_fill_peer(struct open_event *e, const struct conn_state *c)
{
	e->datagrams = 1;
	if (e->remote_port)
		return;
	e->remote_port = c->peer_port;
	if (e->family == AF_INET)
		__builtin_memcpy(e->remote_addr, c->peer + 12, 4);
	else
		__builtin_memcpy(e->remote_addr, c->peer, sizeof(e->remote_addr));
}

static __always_inline void open_fill_addresses(struct open_event *e, struct sock *sk, __u16 family)
{
	e->family = family;
	if (family == AF_UNIX) {
		e->unix_self = (__u64)sk;
		e->unix_peer = UNIX_PEER(sk);
		return;
	}
	e->local_port = SK_READ(sk, __sk_common.skc_num);
	e->remote_port = __builtin_bswap16(SK_READ(sk, __sk_common.skc_dport));
	if (family == AF_INET) {
		*(__u32 *)e->local_addr = SK_READ(sk, __sk_common.skc_rcv_saddr);
		*(__u32 *)e->remote_addr = SK_READ(sk, __sk_common.skc_daddr);
	} else {
		SK_READ_INTO(e->local_addr, sk, __sk_common.skc_v6_rcv_saddr);
		SK_READ_INTO(e->remote_addr, sk, __sk_common.skc_v6_daddr);
	}
}

/*
 * tcp_position_in returns where in its stream the next byte to be received is. A receive that reaches the FIN counts it
 * in copied_seq; it is no byte of the stream.
 */
static __always_inline __u32 tcp_position_in(struct sock *sk)
{
	__u32 at = TCP_READ(sk, copied_seq);

	if (SK_READ(sk, __sk_common.skc_flags) & (1UL << SOCK_DONE) && at == TCP_READ(sk, rcv_nxt))
		at--;
	return at;
}

/* position_now returns where in its stream the next byte of a direction is. */
static __always_inline __u32 position_now(struct conn_state *c, struct sock *sk, __u32 direction)
{
	if (SK_READ(sk, __sk_common.skc_family) == AF_UNIX || c->flags & CONN_DATAGRAM)
		return c->bytes[direction & 1];
	return direction == EGRESS ? TCP_READ(sk, write_seq) : tcp_position_in(sk);
}

/* conn_announce tells user space who speaks on this socket. */
static __noinline int conn_announce(struct conn_state *c, struct sock *sk, struct call *call)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct open_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		loss_count(LOSS_RING_FULL);
		return -1;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->h.kind = EVENT_OPEN;
	e->h.time_ns = call->time_ns;
	e->h.conn = c->id;
	e->h.tgid = call->pid_tgid >> 32;
	e->h.tid = (__u32)call->pid_tgid;
	e->role = c->role;
	e->protocol = c->protocol;
	e->seen = c->flags & CONN_SEEN ? 1 : 0;
	e->netns = SK_READ(sk, __sk_common.skc_net.net, ns.inum);
	open_fill_addresses(e, sk, SK_READ(sk, __sk_common.skc_family));
	if (c->flags & CONN_DATAGRAM)
		open_fill_peer(e, c);
	e->next_ingress = call->direction == INGRESS ? call->seq : position_now(c, sk, INGRESS);
	e->next_egress = call->direction == EGRESS ? call->seq : position_now(c, sk, EGRESS);
	e->start_time_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	BPF_CORE_READ_STR_INTO(&e->comm, task, group_leader, comm);
	bpf_ringbuf_submit(e, wake_flags(e->h.time_ns));
	c->announced_ns = call->time_ns;
	return 0;
}

/* conn_reselect asks whether this connection of this process is to be observed. */
static __noinline int conn_reselect(struct conn_state *c, struct sock *sk, __u32 tgid)
{
	struct conn_verdict *verdict;
	bool wanted = is_process_selected(tgid);

	if (wanted && SK_READ(sk, __sk_common.skc_family) != AF_UNIX)
		wanted = is_port_selected(SK_READ(sk, __sk_common.skc_num),
					  __builtin_bswap16(SK_READ(sk, __sk_common.skc_dport)));
	if (wanted)
		c->flags &= ~CONN_EXCLUDED;
	else
		c->flags |= CONN_EXCLUDED;
	verdict = bpf_map_lookup_elem(&conn_verdicts, &c->id);
	if (verdict) {
		c->want[INGRESS] = verdict->want[INGRESS];
		c->want[EGRESS] = verdict->want[EGRESS];
		c->flags |= c->want[INGRESS] || c->want[EGRESS] ? CONN_CLAIMED : CONN_SILENT;
	}
	if (c->tgid != tgid)
		c->announced_ns = 0; /* another process has the socket now */
	c->tgid = tgid;
	c->generation = selection_generation;
	c->flags |= CONN_KNOWN;
	return 0;
}

/* struct iov_walk goes over the iovecs of a call. */
struct iov_walk {
	__u64 iov;
	__u32 i;
	__u32 done; /* bytes of the call in the iovecs before this one */
};

/* iov_next reads iovec w->i and returns how many bytes of the call are in it. */
static __always_inline __u32 iov_next(struct iov_walk *w, const struct call *call, struct user_iovec *v)
{
	__u32 left = call->len - w->done;

	v->base = 0;
	v->len = 0;
	if (bpf_probe_read_user(v, sizeof(*v), (const void *)(w->iov + w->i * sizeof(*v))))
		return left;
	return v->len < left ? v->len : left;
}

/* iov_first_bytes is first_bytes of a call with iovecs, which may be tiny or empty. */
__noinline int iov_first_bytes(struct head *dst, const struct call *call)
{
	struct iov_walk w = {};
	struct user_iovec v;

	if (!dst || !call)
		return 0;
	w.iov = call->user.iov;
	for (w.i = 0; w.i < IOVECS_MAX; w.i++) {
		__u32 n;

		if (w.i >= call->user.iov_count || w.done >= call->len || w.done >= HEAD_BYTES)
			break;
		n = iov_next(&w, call, &v);
		if (n == 0)
			continue;
		BOUND(n, HEAD_BYTES);
		if (bpf_probe_read_user(dst->b + (w.done & (HEAD_BYTES - 1)), n, (const void *)v.base))
			return 0;
		w.done += n;
	}
	return w.done < HEAD_BYTES ? w.done : HEAD_BYTES;
}

/* first_bytes reads the start of the call to dst, at most HEAD_BYTES, and returns how many there are. */
static __always_inline __u32 first_bytes(const struct call *call, __u8 *dst)
{
	__u32 n = call->len < HEAD_BYTES ? call->len : HEAD_BYTES;

	if (call->user.iov) {
		struct head h = {};

		n = iov_first_bytes(&h, call);
		__builtin_memcpy(dst, h.b, HEAD_BYTES);
		return n;
	}
	if (!call->user.base || !n)
		return 0;
	BOUND(n, HEAD_BYTES);
	if (bpf_probe_read_user(dst, n, (const void *)call->user.base))
		return 0;
	return n;
}

/*
 * turn_head collects the first bytes of a turn in c->head, over several calls if they are that short, and returns the
 * verdict on them.
 */
__noinline int turn_head(struct conn_state *c, const struct call *call)
{
	__u32 had, n;

	if (!c || !call)
		return VERDICT_NO;
	had = c->head_len;
	if (had >= HEAD_BYTES)
		return VERDICT_NO; /* continuation of a turn that was judged */
	if (had == 0)
		__builtin_memset(&c->head, 0, sizeof(c->head));
	n = first_bytes(call, c->head.b + (had & (HEAD_BYTES - 1)));
	if (n == 0)
		return VERDICT_NO;
	had += n;
	c->head_len = had < HEAD_BYTES ? had : HEAD_BYTES;
	return http1_recognize_start(&c->head, c->head_len);
}

static __always_inline void conn_silence(struct conn_state *c)
{
	c->flags |= CONN_SILENT;
}

/* is_followed says whether this is HTTP/1 whose heads are found here, is_unknown whether nobody knows what it is. */
static __always_inline bool is_followed(const struct conn_state *c)
{
	return c->protocol == PROTOCOL_HTTP1 && !(c->flags & CONN_CLAIMED);
}

static __always_inline bool is_unknown(const struct conn_state *c)
{
	return c->protocol == PROTOCOL_UNKNOWN && !(c->flags & CONN_CLAIMED);
}

/* is_sniffed_out says whether enough was copied of a turn of which nobody knows what it is. */
static __always_inline bool is_sniffed_out(const struct conn_state *c, __u32 direction, bool new_turn)
{
	return is_unknown(c) && !new_turn && c->turn_bytes[direction & 1] >= SNIFF_BYTES;
}

/* is_hopeless says whether nobody has recognised a connection for so long that nobody will. */
static __always_inline bool is_hopeless(const struct conn_state *c, __u64 now)
{
	return c->tries == 0 && (c->flags & CONN_DATAGRAM || now - c->announced_ns > TRIES_NS);
}

/*
 * conn_recognize looks for HTTP/1 on a connection of which nothing is known. It returns false when the connection is to
 * be silent from now on.
 */
static __always_inline bool conn_recognize(struct conn_state *c, const struct call *call, bool new_turn)
{
	int v;

	if (new_turn) {
		c->head_len = 0;
		if (is_hopeless(c, call->time_ns)) {
			conn_silence(c);
			return false;
		}
		if (c->tries)
			c->tries--;
	}
	if (c->flags & CONN_DATAGRAM)
		return true;
	v = turn_head(c, call);
	if (v == VERDICT_MAYBE) {
		if (c->head_len >= HEAD_BYTES)
			c->head_len = 0; /* nothing but empty lines */
	} else if (v == VERDICT_REQUEST || v == VERDICT_RESPONSE) {
		c->protocol = PROTOCOL_HTTP1;
		c->role = (v == VERDICT_REQUEST) == (call->direction == EGRESS) ? ROLE_CLIENT : ROLE_SERVER;
		c->announced_ns = 0;
	} else {
		/* judged: the rest of the turn is not looked at, except after a PROXY line, which is none of the message */
		c->head_len = is_proxy_line(c->head.b) ? 0 : HEAD_BYTES;
	}
	return true;
}

/* call_start returns what the first bytes of a call look like. A function of its own for the sake of the stack. */
__noinline int call_start(const struct call *call)
{
	struct head head = {};

	if (!call)
		return VERDICT_NO;
	return http1_recognize(&head, first_bytes(call, head.b));
}

/* wanted_bytes decides how much of this call is copied; see the head of this file. */
static __always_inline __u32 wanted_bytes(struct conn_state *c, const struct call *call, bool new_turn)
{
	__u32 dir = call->direction & 1;
	bool request = is_request_direction(c, dir);
	__u32 limit = request ? request_bytes : response_bytes;

	if (new_turn) {
		c->turn_bytes[dir] = 0;
		c->head_open[dir] = 1;
	} else if (!c->head_open[dir]) {
		/* a head in the middle of a turn: pipelining, or the response after 100 Continue */
		if (call_start(call) < VERDICT_MAYBE) {
			if (!request && !c->pipelined)
				return 0;
		} else {
			if (request)
				c->pipelined = 1;
			c->turn_bytes[dir] = 0;
			c->head_open[dir] = 1;
		}
	}
	if (c->pipelined)
		limit = pipelined_bytes;
	if (c->turn_bytes[dir] >= limit)
		return 0;
	limit -= c->turn_bytes[dir];
	if (limit > call->len)
		limit = call->len;
	return limit < PAYLOAD_MAX ? limit : PAYLOAD_MAX;
}

/* tail_read copies the last bytes of a buffer of len bytes to the end of tail, before what is there already. */
static __always_inline void tail_read(struct chunk *k, __u64 base, __u64 len)
{
	__u32 n = len < TAIL_MAX ? len : TAIL_MAX;

	if (!base || n == 0 || bpf_probe_read_user(k->tail, TAIL_MAX, (const void *)(base + len - n)))
		return;
	k->tail_len = n;
}

/* iov_tail reads the last bytes of a call from the iovec that ends it, if that is among the first IOVECS_MAX. */
__noinline int iov_tail(struct chunk *k, const struct call *call)
{
	struct iov_walk w = {};
	struct user_iovec v;

	if (!k || !call)
		return 0;
	w.iov = call->user.iov;
	for (w.i = 0; w.i < IOVECS_MAX; w.i++) {
		__u32 n;

		if (w.i >= call->user.iov_count)
			break;
		n = iov_next(&w, call, &v);
		w.done += n;
		if (w.done == call->len) {
			tail_read(k, v.base, n);
			break;
		}
	}
	return 0;
}

/* call_emit_buffer sends the record of a call with one buffer, or with none that can be read. */
static __always_inline int call_emit_buffer(struct conn_state *c, const struct call *call, struct chunk *k,
					    struct found *found, __u32 want)
{
	k->base = call->user.base;
	k->len = call->len;
	k->captured = k->base ? want : 0;
	if (call->user.iov)
		iov_tail(k, call);
	else if (k->captured < call->len)
		tail_read(k, k->base, call->len);
	c->turn_bytes[call->direction & 1] += k->captured;
	return data_emit(c, k, found);
}

/*
 * call_emit_iovecs sends one record for each iovec whose bytes are wanted. The last record speaks for the rest of the
 * call: its length covers it.
 */
static __always_inline int call_emit_iovecs(struct conn_state *c, const struct call *call, struct chunk *k,
					    struct found *found, __u32 want)
{
	struct iov_walk w = { .iov = call->user.iov };
	struct user_iovec v;

	for (w.i = 0; w.i < IOVECS_MAX; w.i++) {
		__u8 last4[4] __attribute__((aligned(4))) = {};
		bool last;
		__u32 n;

		if (w.i >= call->user.iov_count || w.done >= call->len)
			return 0;
		n = iov_next(&w, call, &v);
		if (n == 0 && w.i < IOVECS_MAX - 1)
			continue;
		k->base = v.base;
		k->captured = n < want ? n : want;
		if (n >= 4)
			bpf_probe_read_user(last4, 4, (const void *)(v.base + n - 4));
		want -= k->captured;
		if (!c->pipelined && http1_is_head_end(last4)) {
			c->head_open[call->direction & 1] = 0;
			want = 0;
		}
		last = want == 0 || w.i == IOVECS_MAX - 1 || w.i + 1 >= call->user.iov_count;
		k->seq = call->seq + w.done;
		k->len = last ? call->len - w.done : n;
		k->tail_len = 0;
		if (last && k->captured < k->len)
			iov_tail(k, call);
		c->turn_bytes[call->direction & 1] += k->captured;
		if (data_emit(c, k, found))
			return -1;
		if (last)
			return 0;
		w.done += n;
	}
	return 0;
}

/*
 * turn_update learns from what was emitted: has the head ended, are there several requests. There are if a method
 * follows a head, if a head ends in a turn whose head had ended before, and if the call ends with a head that is not
 * its first. (A body may look like that; then more is copied than needed.)
 */
static __always_inline void turn_update(struct conn_state *c, const struct chunk *k, const struct found *found)
{
	__u32 dir = k->direction & 1;
	bool again = found->head_length && !c->head_open[dir];
	bool last = found->head_end && found->head_length && found->head_length < k->captured;

	if (found->second_head || again || last)
		c->pipelined = 1;
	if (found->head_length || found->head_end)
		c->head_open[dir] = 0;
}

/* call_emit sends what is wanted of a call of a recognised connection. */
__noinline int call_emit(struct conn_state *c, struct call *call, __u32 new_turn)
{
	struct chunk k = {};
	struct found found = {};
	__u32 want;
	int err;

	if (!c || !call)
		return 0;
	want = wanted_bytes(c, call, new_turn);
	k.time_ns = call->time_ns;
	k.pid_tgid = call->pid_tgid;
	k.direction = call->direction;
	k.seq = call->seq;
	k.scan = is_request_direction(c, call->direction) && !c->pipelined;
	if (call->user.iov && want)
		err = call_emit_iovecs(c, call, &k, &found, want);
	else
		err = call_emit_buffer(c, call, &k, &found, want);
	if (err && begins_request(c, call->direction, new_turn))
		loss_count(LOSS_RING_FULL_MESSAGE);
	turn_update(c, &k, &found);
	return 0;
}

/*
 * stream_bytes decides how much of a call is copied on a connection that is not followed here: the first bytes of each
 * turn, and of each call after them its start, because another message may begin there. While nobody knows what the
 * connection speaks, there is no use in the latter.
 */
static __always_inline __u32 stream_bytes(struct conn_state *c, const struct call *call, bool new_turn)
{
	__u32 dir = call->direction & 1;
	bool claimed = c->flags & CONN_CLAIMED;
	__u32 limit = claimed ? c->want[dir] : SNIFF_BYTES;

	if (new_turn)
		c->turn_bytes[dir] = 0;
	if (c->turn_bytes[dir] < limit)
		limit -= c->turn_bytes[dir];
	else
		limit = claimed ? PREFIX_BYTES : 0;
	return limit < call->len ? limit : call->len;
}

/* struct pieces is where stream_emit stands in a call. */
struct pieces {
	struct iov_walk w;
	__u64 base; /* of what is left of the current buffer */
	__u32 left; /* bytes in it */
	__u32 want; /* bytes of the call still to be copied */
};

/*
 * PIECES_MAX bounds the records of one call, in pieces of PAYLOAD_MAX or as many iovecs as there may be (UIO_MAXIOV of
 * linux/uio.h): memcached answers a pipeline with a thousand.
 */
#define PIECES_MAX 1024

/*
 * piece_next makes k the next piece of a call: a part of one buffer. The last piece speaks for the rest of the call. It
 * returns whether there is one. Global, so that the verifier does not follow the loop around it through every state.
 */
__noinline int piece_next(struct pieces *p, const struct call *call, struct chunk *k, __u32 last)
{
	__u32 n;

	if (!p || !call || !k)
		return 0;
	if (p->left == 0) {
		struct user_iovec v;

		if (!call->user.iov || p->w.i >= call->user.iov_count)
			return 0;
		p->left = iov_next(&p->w, call, &v);
		p->base = v.base;
		p->w.i++;
	}
	n = p->left < PAYLOAD_MAX ? p->left : PAYLOAD_MAX;
	k->base = p->base;
	k->seq = call->seq + p->w.done;
	k->captured = n < p->want ? n : p->want;
	if (!p->base)
		k->captured = 0;
	p->w.done += n;
	p->base += n;
	p->left -= n;
	p->want = k->captured == n ? p->want - n : 0;
	k->len = n;
	if (p->want == 0 || last)
		k->len = call->len - (k->seq - call->seq);
	return 1;
}

/* stream_emit sends what is wanted of a call, in as many records as it takes. */
__noinline int stream_emit(struct conn_state *c, struct call *call, __u32 new_turn)
{
	struct chunk k = {};
	struct found found;
	struct pieces p = {};

	if (!c || !call)
		return 0;
	k.time_ns = call->time_ns;
	k.pid_tgid = call->pid_tgid;
	k.direction = call->direction;
	p.w.iov = call->user.iov;
	p.base = call->user.base;
	p.left = call->user.iov ? 0 : call->len;
	p.want = stream_bytes(c, call, new_turn);
	if (p.want == 0 && !(c->flags & CONN_CLAIMED))
		return 0;
	for (int i = 0; i < PIECES_MAX; i++) {
		if (!piece_next(&p, call, &k, i == PIECES_MAX - 1))
			break;
		if (k.len == 0)
			continue; /* an empty iovec */
		c->turn_bytes[call->direction & 1] += k.captured;
		if (data_emit(c, &k, &found))
			break;
		if (p.want == 0)
			break;
	}
	if (is_unknown(c) && c->turn_bytes[call->direction & 1] >= HURRY_BYTES)
		reader_hurry();
	return 0;
}

/*
 * tcp_call_position finds where in its stream a call's first byte is. The socket has moved on already: by the call, and
 * by the later messages of the same system call; moved is all of that.
 */
static __noinline __u32 tcp_call_position(struct sock *sk, __u32 direction, __u32 moved)
{
	if (direction == EGRESS)
		return TCP_READ(sk, write_seq) - moved;
	return tcp_position_in(sk) - moved;
}

/* call_position finds where a call is, and returns whether it begins a turn. */
static __always_inline bool call_position(struct conn_state *c, struct sock *sk, struct call *call, __u16 family,
					  __u32 later)
{
	__u32 dir = call->direction & 1, other;
	bool moved;

	if (family == AF_UNIX || c->flags & CONN_DATAGRAM) {
		call->seq = c->bytes[dir];
		other = c->bytes[!dir];
	} else {
		call->seq = tcp_call_position(sk, dir, call->len + later);
		other = tcp_call_position(sk, !dir, 0);
		c->has_other = 1;
	}
	c->bytes[dir] += call->len;
	moved = !c->called[dir] || other != c->other[dir] || c->flags & CONN_DATAGRAM;
	c->called[dir] = 1;
	c->other[dir] = other;
	return moved;
}

static __always_inline void transfer_fill(struct transfer *t, struct sock *sk)
{
	t->received = TCP_READ(sk, bytes_received);
	t->acked = TCP_READ(sk, bytes_acked);
	t->retransmits = TCP_READ(sk, total_retrans);
	t->srtt_us = TCP_READ(sk, srtt_us);
}

/* conn_close tells user space that a connection is gone, if it knows of it. */
static __always_inline void conn_close(struct conn_state *c, struct sock *sk, bool reset)
{
	struct close_event *e;

	if (!c->announced_ns)
		return;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e) {
		loss_count(LOSS_RING_FULL);
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	e->h.kind = EVENT_CLOSE;
	e->h.time_ns = bpf_ktime_get_ns();
	e->h.conn = c->id;
	e->h.flag = reset ? CLOSE_RESET : 0;
	if (c->tls)
		e->h.flag |= CLOSE_PLAIN;
	e->next_ingress = position_now(c, sk, INGRESS);
	e->next_egress = position_now(c, sk, EGRESS);
	if (SK_READ(sk, __sk_common.skc_family) != AF_UNIX)
		transfer_fill(&e->transfer, sk);
	bpf_ringbuf_submit(e, wake_flags(e->h.time_ns));
	c->announced_ns = 0;
}

/* is_reset says whether a TCP socket that is now closed did not end with FINs both ways. */
static __always_inline bool is_reset(struct sock *sk, int old_state)
{
	return SK_READ(sk, sk_err) != 0 || old_state == TCP_ESTABLISHED || old_state == TCP_CLOSE_WAIT;
}

/*
 * conn_end handles a TCP socket that enters the state CLOSE. The process may not have read all that came: then the
 * connection is reported as closed when the socket is destroyed, after the last data.
 */
static __always_inline void conn_end(struct conn_state *c, struct sock *sk, int old_state)
{
	bool reset = is_reset(sk, old_state);

	if (SK_READ(sk, sk_receive_queue.qlen) == 0)
		conn_close(c, sk, reset);
	else if (reset)
		c->flags |= CONN_ENDED_BY_RESET;
}

/* is_end_of_unix says whether a receive of nothing was the end of a Unix stream, rather than of one direction of it. */
static __always_inline bool is_end_of_unix(struct sock *sk)
{
	return SK_READ(sk, __sk_common.skc_family) == AF_UNIX &&
	       (SK_READ(sk, sk_shutdown) & SHUTDOWN_MASK) == SHUTDOWN_MASK;
}

/* is_stream says whether the socket is of a kind that is observed: TCP over IPv4 or IPv6, or a Unix stream. */
static __always_inline bool is_stream(struct sock *sk, __u16 family)
{
	if (family == AF_INET || family == AF_INET6)
		return SK_READ(sk, sk_protocol) == IPPROTO_TCP;
	return family == AF_UNIX && SK_READ(sk, sk_type) == SOCK_STREAM;
}

/*
 * is_first_call says whether a TCP socket moved nothing but these len bytes. What arrived or was acknowledged says
 * little: the peer is as fast as the scheduler wants. The numbers that the streams began with are what was received
 * (acknowledged) last less how much that was; the SYN of the side that connected counts as acknowledged.
 */
static __always_inline bool is_first_call(struct sock *sk, __u32 direction, __u32 len)
{
	__u32 in = tcp_position_in(sk) - (TCP_READ(sk, rcv_nxt) - (__u32)TCP_READ(sk, bytes_received));
	__u32 out = TCP_READ(sk, write_seq) - (TCP_READ(sk, snd_una) - (__u32)TCP_READ(sk, bytes_acked));

	return direction == EGRESS ? in == 0 && out - len <= 1 : in == len && out <= 1;
}

/*
 * conn_start fills the state of a socket: when its connection is established, or at the first call that is seen of one
 * that was there before. Only the former is sure to be seen from its first byte whatever comes first: a send is reported
 * when it returns, and by then another thread may have received the response.
 */
static __always_inline void conn_start(struct conn_state *c, __u64 id, bool datagram, bool seen)
{
	c->id = id;
	c->tries = datagram ? TRIES_DATAGRAMS : seen ? TRIES_SEEN : TRIES_JOINED;
	c->flags |= CONN_STARTED | (seen ? CONN_SEEN : 0) | (datagram ? CONN_DATAGRAM : 0);
}

/* conn_opened_by notes who opened a connection, by the state before it was established. What is recognised may say otherwise. */
static __always_inline void conn_opened_by(struct conn_state *c, int old_state)
{
	c->role = old_state == TCP_SYN_SENT ? ROLE_CLIENT : ROLE_SERVER;
}

/* conn_is_quiet is the short way out of most calls on sockets nobody wants. */
static __always_inline bool conn_is_quiet(struct conn_state *c, struct sock *sk, __u32 tgid)
{
	if (c->flags & CONN_SILENT)
		return true;
	if (c->tgid != tgid || c->generation != selection_generation || !(c->flags & CONN_KNOWN))
		conn_reselect(c, sk, tgid);
	return c->flags & (CONN_EXCLUDED | CONN_SILENT);
}

static __always_inline bool is_announce_due(const struct conn_state *c, __u64 now)
{
	__u64 every = c->flags & CONN_DATAGRAM ? ANNOUNCE_DATAGRAMS_NS : ANNOUNCE_NS;

	return c->announced_ns == 0 || now - c->announced_ns > every;
}

/*
 * datagram_peer notes to whom an unconnected UDP socket sends; a new peer is announced. The address of a call that
 * receives is of no use: in the socket tier it is not there yet.
 */
__noinline int datagram_peer(struct conn_state *c, const struct user_args *args, __u32 direction)
{
	struct user_sockaddr to = {};
	__u64 at = 0;

	if (!c || !args || direction != EGRESS)
		return 0;
	at = user_sockaddr_of(args);
	if (!at || bpf_probe_read_user(&to, sizeof(to.in4), (const void *)at))
		return 0;
	if (to.in6.family == AF_INET6 && bpf_probe_read_user(&to, sizeof(to), (const void *)at))
		return 0;
	if (to.in6.family == AF_INET) { /* as IPv4 within IPv6, RFC 4291 §2.5.5.2 */
		__u32 addr = to.in4.addr;

		__builtin_memset(to.in6.addr, 0, sizeof(to.in6.addr));
		to.in6.addr[10] = 0xff;
		to.in6.addr[11] = 0xff;
		__builtin_memcpy(to.in6.addr + 12, &addr, 4);
	} else if (to.in6.family != AF_INET6) {
		return 0;
	}
	to.in6.port = __builtin_bswap16(to.in6.port);
	if (c->peer_port == to.in6.port && !__builtin_memcmp(c->peer, to.in6.addr, sizeof(c->peer)))
		return 0;
	c->peer_port = to.in6.port;
	__builtin_memcpy(c->peer, to.in6.addr, sizeof(c->peer));
	c->announced_ns = 0;
	return 0;
}

/*
 * capture_call handles one call that moved len bytes, before later bytes of the same system call; c is the started
 * state of its socket.
 */
static __always_inline void capture_call(struct conn_state *c, struct sock *sk, __u16 family, __u32 direction,
					 __u32 len, __u32 later, __u64 pid_tgid, const struct user_args *args)
{
	struct call call = {};
	bool new_turn;

	call.direction = direction;
	call.len = len;
	new_turn = call_position(c, sk, &call, family, later);
	if (is_sniffed_out(c, direction, new_turn))
		return;
	user_bytes_of(c, args, &call.user);
	if (c->flags & CONN_DATAGRAM && SK_READ(sk, __sk_common.skc_dport) == 0)
		datagram_peer(c, args, direction);
	call.pid_tgid = pid_tgid;
	call.time_ns = bpf_ktime_get_ns();
	if (is_unknown(c) && !conn_recognize(c, &call, new_turn))
		return;
	if (is_announce_due(c, call.time_ns))
		if (conn_announce(c, sk, &call)) {
			if (begins_request(c, direction, new_turn))
				loss_count(LOSS_RING_FULL_MESSAGE);
			return;
		}
	if (is_followed(c))
		call_emit(c, &call, new_turn);
	else
		stream_emit(c, &call, new_turn);
}

#endif
