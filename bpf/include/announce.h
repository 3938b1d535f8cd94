/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who speaks on a connection, where it stands in its streams, and whether it is to be observed. Included by capture.h. */
#ifndef SONDE_ANNOUNCE_H
#define SONDE_ANNOUNCE_H

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

/* conn_take_verdict takes over what user space said of a connection, if it has said anything. */
static __noinline int conn_take_verdict(struct conn_state *c)
{
	struct conn_verdict *verdict = bpf_map_lookup_elem(&conn_verdicts, &c->id);

	if (!verdict)
		return 0;
	c->want[INGRESS] = verdict->want[INGRESS];
	c->want[EGRESS] = verdict->want[EGRESS];
	c->flags |= c->want[INGRESS] || c->want[EGRESS] ? CONN_CLAIMED : CONN_SILENT;
	return 0;
}

/* conn_reselect asks whether this connection of this process is to be observed. */
static __noinline int conn_reselect(struct conn_state *c, struct sock *sk, __u32 tgid)
{
	bool wanted = is_process_selected(tgid);

	if (wanted && SK_READ(sk, __sk_common.skc_family) != AF_UNIX)
		wanted = is_port_selected(SK_READ(sk, __sk_common.skc_num),
					  __builtin_bswap16(SK_READ(sk, __sk_common.skc_dport)));
	if (wanted)
		c->flags &= ~CONN_EXCLUDED;
	else
		c->flags |= CONN_EXCLUDED;
	conn_take_verdict(c);
	if (c->tgid != tgid)
		c->announced_ns = 0; /* another process has the socket now */
	c->tgid = tgid;
	c->generation = selection_generation;
	c->flags |= CONN_KNOWN;
	return 0;
}

#endif
