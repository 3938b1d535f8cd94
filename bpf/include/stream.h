/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The records of a call on a connection of which only user space knows what it speaks. Included by capture.h. */
#ifndef SONDE_STREAM_H
#define SONDE_STREAM_H

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

#endif
