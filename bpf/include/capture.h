/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One socket call, from "is it ours" to its records in the ring. Both tiers come through capture_call(); they differ
 * only in how they find the socket and its state. The including file defines, before this header:
 *
 *	SK_READ(sk, field)	reads a field of struct sock
 *	TCP_READ(sk, field)	reads a field of struct tcp_sock
 *	UNIX_PEER(sk)		the address of the other socket of a Unix pair
 *	MAY_BE_DATAGRAM		false where there are streams only
 *
 * How much of a call is copied of HTTP/1, which is followed here:
 * - requests: up to request_bytes a turn;
 * - responses: up to response_bytes a turn, until a call ends with the end of a head; of errors error_bytes more;
 * - both whole, up to pipelined_bytes a turn, once several requests were seen under way at once.
 * Of all else, the first bytes of each turn; see stream_bytes().
 * The rest of a call is described by its length and its last bytes. A turn is a run of calls in one direction; it ends
 * when bytes move in the other one.
 *
 * Functions that are not static are global to the verifier: it walks them once, not at every call.
 */
#ifndef SONDE_CAPTURE_H
#define SONDE_CAPTURE_H

#include "call.h"
#include "announce.h"
#include "iovecs.h"
#include "follow.h"
#include "emit.h"
#include "stream.h"
#include "conn_life.h"

/* is_look_due says whether an unknown connection that user space was told of looks for a verdict in this call. */
static __always_inline bool is_look_due(struct conn_state *c)
{
	if (!is_unknown(c) || c->announced_ns == 0)
		return false;
	if (++c->looks < LOOKS)
		return true;
	if (c->looks < LOOKS + LOOKS_PAUSE)
		return false;
	c->looks = LOOKS;
	return true;
}

/* conn_is_quiet is the short way out of most calls on sockets nobody wants. */
static __always_inline bool conn_is_quiet(struct conn_state *c, struct sock *sk, __u32 tgid)
{
	if (c->flags & CONN_SILENT)
		return true;
	if (c->tgid != tgid || c->generation != selection_generation || !(c->flags & CONN_KNOWN))
		conn_reselect(c, sk, tgid);
	else if (is_look_due(c))
		conn_take_verdict(c);
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
	if (MAY_BE_DATAGRAM && c->flags & CONN_DATAGRAM && SK_READ(sk, __sk_common.skc_dport) == 0)
		datagram_peer(c, args, direction);
	call.pid_tgid = pid_tgid;
	call.time_ns = args->time_ns ?: bpf_ktime_get_ns();
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
