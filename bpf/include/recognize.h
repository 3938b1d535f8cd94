/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * HTTP/1 is followed in the kernel: of its messages only the heads are copied. All other protocols are recognised in user
 * space, from the first calls of a connection; nothing here knows them.
 *
 * What the first bytes of a socket call look like. Pure functions over bytes: they are also run by a test against the
 * registry of protocols in agent/protocol, on the same inputs.
 */
#ifndef SONDE_RECOGNIZE_H
#define SONDE_RECOGNIZE_H

enum protocol {
	PROTOCOL_UNKNOWN = 0,
	PROTOCOL_HTTP1 = 1,
};

enum verdict {
	VERDICT_NO = 0,
	VERDICT_MAYBE = 1, /* a prefix of a message start, too short to tell */
	VERDICT_REQUEST = 2,
	VERDICT_RESPONSE = 3,
};

/* HEAD_BYTES is how much of a call recognition looks at. */
#define HEAD_BYTES 8

struct head {
	__u8 b[2 * HEAD_BYTES]; /* room to append a second short call */
};

/* Letters as a little-endian load from memory gives them. */
#define PACK4(a, b, c, d) ((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)
#define PACK8(a, b, c, d, e, f, g, h) (PACK4(a, b, c, d) | (__u64)PACK4(e, f, g, h) << 32)
#define FIRST(n) (~0ULL >> (64 - 8 * (n))) /* mask of the first n bytes, 1 to 8 */

/*
 * HTTP1_WORDS are the starts of HTTP/1 messages, with the length that matters: methods with the space after them, cut
 * at eight bytes. RFC 9110 §9.3, RFC 5789, and the WebDAV family: RFC 4918, 3253, 3648, 3744, 4791, 5323, 5842.
 */
#define HTTP1_WORDS(X)                                                                                 \
	X(PACK8('G', 'E', 'T', ' ', 0, 0, 0, 0), 4)                                                    \
	X(PACK8('P', 'O', 'S', 'T', ' ', 0, 0, 0), 5)                                                  \
	X(PACK8('P', 'U', 'T', ' ', 0, 0, 0, 0), 4)                                                    \
	X(PACK8('D', 'E', 'L', 'E', 'T', 'E', ' ', 0), 7)                                              \
	X(PACK8('H', 'E', 'A', 'D', ' ', 0, 0, 0), 5)                                                  \
	X(PACK8('P', 'A', 'T', 'C', 'H', ' ', 0, 0), 6)                                                \
	X(PACK8('O', 'P', 'T', 'I', 'O', 'N', 'S', ' '), 8)                                            \
	X(PACK8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' '), 8)                                            \
	X(PACK8('T', 'R', 'A', 'C', 'E', ' ', 0, 0), 6)                                                \
	X(PACK8('P', 'R', 'O', 'P', 'F', 'I', 'N', 'D'), 8)                                            \
	X(PACK8('P', 'R', 'O', 'P', 'P', 'A', 'T', 'C'), 8)                                            \
	X(PACK8('M', 'K', 'C', 'O', 'L', ' ', 0, 0), 6)                                                \
	X(PACK8('C', 'O', 'P', 'Y', ' ', 0, 0, 0), 5)                                                  \
	X(PACK8('M', 'O', 'V', 'E', ' ', 0, 0, 0), 5)                                                  \
	X(PACK8('L', 'O', 'C', 'K', ' ', 0, 0, 0), 5)                                                  \
	X(PACK8('U', 'N', 'L', 'O', 'C', 'K', ' ', 0), 7)                                              \
	X(PACK8('R', 'E', 'P', 'O', 'R', 'T', ' ', 0), 7)                                              \
	X(PACK8('S', 'E', 'A', 'R', 'C', 'H', ' ', 0), 7)                                              \
	X(PACK8('M', 'E', 'R', 'G', 'E', ' ', 0, 0), 6)                                                \
	X(PACK8('A', 'C', 'L', ' ', 0, 0, 0, 0), 4)                                                    \
	X(PACK8('L', 'A', 'B', 'E', 'L', ' ', 0, 0), 6)                                                \
	X(PACK8('U', 'P', 'D', 'A', 'T', 'E', ' ', 0), 7)                                              \
	X(PACK8('C', 'H', 'E', 'C', 'K', 'O', 'U', 'T'), 8)                                            \
	X(PACK8('C', 'H', 'E', 'C', 'K', 'I', 'N', ' '), 8)                                            \
	X(PACK8('U', 'N', 'C', 'H', 'E', 'C', 'K', 'O'), 8)                                            \
	X(PACK8('M', 'K', 'C', 'A', 'L', 'E', 'N', 'D'), 8)                                            \
	X(PACK8('M', 'K', 'A', 'C', 'T', 'I', 'V', 'I'), 8)                                            \
	X(PACK8('M', 'K', 'W', 'O', 'R', 'K', 'S', 'P'), 8)                                            \
	X(PACK8('V', 'E', 'R', 'S', 'I', 'O', 'N', '-'), 8)                                            \
	X(PACK8('B', 'A', 'S', 'E', 'L', 'I', 'N', 'E'), 8)                                            \
	X(PACK8('O', 'R', 'D', 'E', 'R', 'P', 'A', 'T'), 8)                                            \
	X(PACK8('B', 'I', 'N', 'D', ' ', 0, 0, 0), 5)                                                  \
	X(PACK8('U', 'N', 'B', 'I', 'N', 'D', ' ', 0), 7)                                              \
	X(PACK8('R', 'E', 'B', 'I', 'N', 'D', ' ', 0), 7)

#define IS_WORD(word, len)                                                                             \
	if ((v & FIRST(len)) == (word))                                                                \
		return VERDICT_REQUEST;

#define IS_START_OF_WORD(word, len)                                                                    \
	if (((v ^ (word)) & FIRST(n)) == 0)                                                            \
		return VERDICT_MAYBE;

/*
 * http1_recognize judges the first n bytes of a call; bytes after n must be zero. Like every function here that is not
 * static, it is global to the verifier, which walks it once and not at every place it is called from.
 */
__noinline int http1_recognize(const struct head *h, __u32 n)
{
	__u64 v;

	if (!h || n == 0)
		return VERDICT_NO;
	v = *(const __u64 *)h->b;
	HTTP1_WORDS(IS_WORD)
	if ((v & FIRST(7)) == PACK8('H', 'T', 'T', 'P', '/', '1', '.', 0))
		return VERDICT_RESPONSE;
	if (n >= HEAD_BYTES)
		return VERDICT_NO;
	HTTP1_WORDS(IS_START_OF_WORD)
	IS_START_OF_WORD(PACK8('H', 'T', 'T', 'P', '/', '1', '.', 0), 7)
	return VERDICT_NO;
}

/*
 * http1_recognize_start judges the first bytes of a connection nothing is known of. Unlike in the middle of one, empty
 * lines may come before the message (RFC 9112 §2.2); what follows up to four of them is enough to ask user space.
 */
#define IS_CUT_WORD(word, len)                                                                         \
	if (((v ^ (word)) & FIRST(n)) == 0)                                                            \
		return VERDICT_REQUEST;

__noinline int http1_recognize_start(const struct head *h, __u32 n)
{
	bool is_full = n >= HEAD_BYTES;
	struct head rest = {};
	__u64 v;

	if (!h || n == 0)
		return VERDICT_NO;
	v = *(const __u64 *)h->b;
	if ((v & 0xff) != '\r' && (v & 0xff) != '\n')
		return http1_recognize(h, n);
	if (is_full)
		n = HEAD_BYTES;
	for (int i = 0; i < HEAD_BYTES && n > 0 && ((v & 0xff) == '\r' || (v & 0xff) == '\n'); i++) {
		v >>= 8;
		n--;
	}
	if (n == 0)
		return VERDICT_MAYBE;
	if (n >= HEAD_BYTES)
		return VERDICT_NO; /* cannot be: one byte at least was taken; this shows it to the verifier */
	if (is_full) {
		HTTP1_WORDS(IS_CUT_WORD)
		if (((v ^ PACK8('H', 'T', 'T', 'P', '/', '1', '.', 0)) & FIRST(n)) == 0)
			return VERDICT_RESPONSE;
	}
	*(__u64 *)rest.b = v;
	return http1_recognize(&rest, n);
}

/*
 * is_proxy_line says whether a call starts with a header of the PROXY protocol, version 1 or 2 (its specification §2.1
 * and §2.2). The message that follows in the same turn is seen only if it begins a call.
 */
static __always_inline bool is_proxy_line(const __u8 *head)
{
	__u64 v = *(const __u64 *)head;

	return (v & FIRST(6)) == PACK8('P', 'R', 'O', 'X', 'Y', ' ', 0, 0) ||
	       v == PACK8('\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q');
}

/* http1_is_connect says whether a call starts with the method CONNECT. */
static __always_inline bool http1_is_connect(const struct head *h)
{
	return *(const __u64 *)h->b == PACK8('C', 'O', 'N', 'N', 'E', 'C', 'T', ' ');
}

/* http1_is_head_end says whether the last four bytes of a call end a head. */
#define CRLFCRLF PACK4('\r', '\n', '\r', '\n')
static __always_inline bool http1_is_head_end(const __u8 *last4)
{
	return *(const __u32 *)last4 == CRLFCRLF;
}

/*
 * http1_head_length returns the offset after the first empty line in p[0..n), or 0. It compares words, four places at a
 * time, and has one way through the loop: branches that meet again would make the verifier walk every combination. It
 * gives up after max bytes, a constant that bounds the loop; p must be readable up to max + 8. The result may lie
 * beyond n where bytes after n happen to complete the pattern: the caller compares.
 */
static __always_inline __u32 http1_head_length(const __u8 *p, __u32 n, const __u32 max)
{
	for (__u32 i = 0; i < max; i += 4) {
		__u64 w;

		if (i >= n)
			break;
		w = *(const __u64 *)(p + i);
		if ((__u32)w == CRLFCRLF)
			return i + 4;
		if ((__u32)(w >> 8) == CRLFCRLF)
			return i + 5;
		if ((__u32)(w >> 16) == CRLFCRLF)
			return i + 6;
		if ((__u32)(w >> 24) == CRLFCRLF)
			return i + 7;
	}
	return 0;
}

#endif
