/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* HTTP/1, which is recognised and whose heads are followed here: how much of a call is copied. Included by capture.h. */
#ifndef SONDE_FOLLOW_H
#define SONDE_FOLLOW_H

const volatile __u32 request_bytes = 8192;
const volatile __u32 response_bytes = 1024;
const volatile __u32 pipelined_bytes = 1 << 20;
const volatile __u32 error_bytes = 1024; /* at most 65535; 0: nothing */

/*
 * is_json_after says whether a brace follows the first bytes of a call: "CONNECT " and JSON is how NATS begins. In HTTP a
 * host comes there (RFC 9110 §9.3.6).
 */
static __always_inline bool is_json_after(const struct call *call)
{
	__u8 next = 0;

	return call->user.base && !call->user.iov && call->len > HEAD_BYTES &&
	       !BYTES_READ(&next, sizeof(next), call->user.base + HEAD_BYTES) && next == '{';
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
	if (n == HEAD_BYTES && http1_is_connect(&c->head) && is_json_after(call))
		return VERDICT_NO;
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

/*
 * error_begins notes that a response begins with the call, and whether it is an error (RFC 9112 §4: HTTP-version has eight
 * bytes, then a space, then the status code). A function of its own, so that the verifier walks it once.
 */
__noinline int error_begins(struct conn_state *c, const struct call *call)
{
	struct user_iovec v = {};
	struct iov_walk w = {};
	__u8 digit = 0;
	__u32 n;

	if (!c || !call)
		return 0;
	c->error_left = 0;
	if (!error_bytes)
		return 0;
	n = call->len;
	v.base = call->user.base;
	w.iov = call->user.iov;
	for (; w.iov && w.i < IOVECS_MAX && w.i < call->user.iov_count; w.i++) {
		n = iov_next(&w, call, &v);
		if (n)
			break;
	}
	if (n > 9 && !BYTES_READ(&digit, sizeof(digit), v.base + 9) && (digit == '4' || digit == '5'))
		c->error_left = error_bytes;
	return 0;
}

/* error_wanted takes what is wanted of n bytes of an error's body. */
static __always_inline __u32 error_wanted(struct conn_state *c, __u32 n)
{
	if (n > c->error_left)
		n = c->error_left;
	c->error_left -= n;
	return n;
}

/* wanted_bytes decides how much of this call is copied; see the head of capture.h. */
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
				return error_wanted(c, call->len);
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

#endif
