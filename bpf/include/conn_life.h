/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where a call is in its stream, and how a connection begins and ends. Included by capture.h. */
#ifndef SONDE_CONN_LIFE_H
#define SONDE_CONN_LIFE_H

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

#endif
