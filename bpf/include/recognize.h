/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
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
	VERDICT_NEVER = 4, /* certainly something else for the whole connection: TLS */
};

/* HEAD_BYTES is how much of a call recognition looks at: the longest method of RFC 9110 and WebDAV plus a space. */
#define HEAD_BYTES 16

/* Letters of a method, packed little-endian as a load from memory gives them. */
#define PACK4(a, b, c, d) ((__u32)(a) | (__u32)(b) << 8 | (__u32)(c) << 16 | (__u32)(d) << 24)

/* word_matches compares the first n bytes of the head with a word; fewer bytes than the word make a MAYBE. */
static __always_inline enum verdict word_matches(const __u8 *head, __u32 n, const char *word, __u32 len)
{
	for (__u32 i = 0; i < len; i++) {
		if (i >= n)
			return VERDICT_MAYBE;
		if (head[i] != (__u8)word[i])
			return VERDICT_NO;
	}
	return VERDICT_REQUEST;
}

#define TRY(word)                                                                                      \
	do {                                                                                           \
		enum verdict v = word_matches(head, n, word, sizeof(word) - 1);                        \
		if (v != VERDICT_NO)                                                                   \
			return v;                                                                      \
	} while (0)

/*
 * http1_recognize judges the first n bytes of a call; head holds HEAD_BYTES, zero-filled. The switch on the first
 * letter keeps the usual case to one comparison. Methods: RFC 9110 §9.3, RFC 5789, RFC 4918, 3253, 3744, 5323, 4791.
 */
static __always_inline enum verdict http1_recognize(const __u8 *head, __u32 n)
{
	switch (head[0]) {
	case 'G':
		TRY("GET ");
		break;
	case 'H':
		if (word_matches(head, n, "HTTP/1.", 7) == VERDICT_REQUEST)
			return VERDICT_RESPONSE;
		TRY("HEAD ");
		if (n < 7 && word_matches(head, n, "HTTP/1.", 7) == VERDICT_MAYBE)
			return VERDICT_MAYBE;
		break;
	case 'P':
		TRY("POST ");
		TRY("PUT ");
		TRY("PATCH ");
		TRY("PROPFIND ");
		TRY("PROPPATCH ");
		break;
	case 'D':
		TRY("DELETE ");
		break;
	case 'O':
		TRY("OPTIONS ");
		break;
	case 'C':
		TRY("CONNECT ");
		TRY("COPY ");
		TRY("CHECKOUT ");
		TRY("CHECKIN ");
		break;
	case 'T':
		TRY("TRACE ");
		break;
	case 'M':
		TRY("MKCOL ");
		TRY("MOVE ");
		TRY("MKCALENDAR ");
		TRY("MERGE ");
		TRY("MKACTIVITY ");
		break;
	case 'L':
		TRY("LOCK ");
		TRY("LABEL ");
		break;
	case 'U':
		TRY("UNLOCK ");
		TRY("UNCHECKOUT ");
		TRY("UPDATE ");
		break;
	case 'R':
		TRY("REPORT ");
		break;
	case 'S':
		TRY("SEARCH ");
		break;
	case 'A':
		TRY("ACL ");
		break;
	case 'V':
		TRY("VERSION-CONTROL ");
		break;
	case 'B':
		TRY("BASELINE-CONTROL");
		break;
	}
	return VERDICT_NO;
}

/* is_tls says whether a connection starts with a TLS handshake record (RFC 8446 §5.1: type 22, version 3.x). */
static __always_inline bool is_tls(const __u8 *head, __u32 n)
{
	return n >= 3 && head[0] == 22 && head[1] == 3 && head[2] <= 4;
}

/* http1_is_head_end says whether the last four bytes of a call end a head. */
static __always_inline bool http1_is_head_end(const __u8 *last4)
{
	return last4[0] == '\r' && last4[1] == '\n' && last4[2] == '\r' && last4[3] == '\n';
}

/*
 * http1_head_length returns the offset after the first empty line in p[0..n), or 0. It compares words, four places at a
 * time, and has one way through the loop: branches that meet again would make the verifier walk every combination. It
 * gives up after max bytes, a constant that bounds the loop; p must be readable up to max + 8. The result may lie
 * beyond n where bytes after n happen to complete the pattern: the caller compares.
 */
#define CRLFCRLF PACK4('\r', '\n', '\r', '\n')
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
