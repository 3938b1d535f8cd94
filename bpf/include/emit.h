/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The records of a call that is followed: what is copied of it, and its last bytes. Included by capture.h. */
#ifndef SONDE_EMIT_H
#define SONDE_EMIT_H

/* tail_read copies the last bytes of a buffer of len bytes to the end of tail, before what is there already. */
static __always_inline void tail_read(struct chunk *k, __u64 base, __u64 len)
{
	__u32 n = len < TAIL_MAX ? len : TAIL_MAX;

	if (!base || n == 0 || BYTES_READ(k->tail, TAIL_MAX, base + len - n))
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
			want = error_wanted(c, call->len - w.done - n);
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
	if (!is_request_direction(c, call->direction) && c->turn_bytes[call->direction & 1] == 0)
		error_begins(c, call);
	if (call->user.iov && want)
		err = call_emit_iovecs(c, call, &k, &found, want);
	else
		err = call_emit_buffer(c, call, &k, &found, want);
	if (err && begins_request(c, call->direction, new_turn))
		loss_count(LOSS_RING_FULL_MESSAGE);
	turn_update(c, &k, &found);
	return 0;
}

#endif
