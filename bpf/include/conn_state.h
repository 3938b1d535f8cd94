/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is remembered of one socket between its calls. The socket tier keeps it in socket storage, which dies with the
 * socket; the system-call tier in an LRU map.
 *
 * Two threads may send and receive at once. So what changes from call to call is kept by direction; what one direction
 * learns for both is a byte of its own, because a flag set beside others could be lost.
 */
#ifndef SONDE_CONN_STATE_H
#define SONDE_CONN_STATE_H

enum conn_flags {
	CONN_SILENT = 1 << 0,	 /* not a protocol anybody wants: one look-up a call from now on */
	CONN_EXCLUDED = 1 << 1,	 /* not selected; asked again when the selection or the process changes */
	CONN_SEEN = 1 << 2,	 /* observed from its first byte */
	CONN_KNOWN = 1 << 5,	 /* the process was looked at */
	CONN_STARTED = 1 << 6,	 /* a direction was seen */
	CONN_ENDED_BY_RESET = 1 << 7,
	CONN_CLAIMED = 1 << 8,	 /* user space knows what it speaks and said how much to copy */
	CONN_DATAGRAM = 1 << 9,	 /* a UDP socket, whatever its peers: each call is a message */
};

struct conn_state {
	__u64 id;
	__u64 announced_ns; /* when user space was last told who this is; 0: never */
	__u64 bytes[2];	    /* by direction: position in the stream of a Unix socket */
	__u64 mmsg_vector;  /* sendmmsg, recvmmsg: array being worked through (address and length), */
	__u32 mmsg_next;    /* index of its next message */
	__u32 tgid;
	__u32 generation; /* of the selection that was asked */
	__u32 turn_bytes[2]; /* by direction: copied of the current turn */
	__u32 want[2];	  /* by direction, of a claimed connection: bytes to copy of each turn */
	__u16 flags;
	__u16 tries; /* turns left in which somebody may recognise something */
	__u8 protocol;
	__u8 role;
	__u8 pipelined; /* several requests were under way at once: responses are copied whole */
	__u8 tls;	/* its plain text is a connection too, see tls.h */
	__u8 head_open[2]; /* by direction: the head of the current message has not ended yet */
	__u8 called[2];	   /* by direction: there was a call, and other is set */
	__u8 head_len;
	__u8 has_other;	/* other is exact: a Unix socket tells only what was seen */
	__u32 other[2]; /* by direction of a call: the position of the other direction then. If it moved, a turn begins */
	__u8 peer[16];	/* to whom an unconnected UDP socket sent last, */
	__u16 peer_port; /* in host byte order */
	__u16 tls_misses; /* calls in which no goroutine was found to speak TLS */
	__u16 looks;	/* for the first verdict, see is_look_due */
	__u16 error_left; /* of an error whose head has ended: bytes of its body that are still wanted */
	struct head head; /* first bytes of the turn, while they are too few to tell */
};

/*
 * TRIES_SEEN: turns a connection seen from its start has to be recognised in; more than one because of a PROXY line, a
 * log-in or a STARTTLS dialogue. TRIES_JOINED: the same for one joined in the middle, perhaps of a long body. User space
 * gives up before that; these bounds, and TRIES_NS, hold when it does not answer.
 */
#define TRIES_SEEN 64
#define TRIES_JOINED 1024
#define TRIES_DATAGRAMS 16384 /* datagrams; their time is not bounded, a resolver may rest for hours */
#define TRIES_NS (2ULL * 1000 * 1000 * 1000)

/*
 * SNIFF_BYTES: what is copied of a turn before anybody knows what the connection speaks: a statement of 64 KiB, and
 * what follows it until user space has answered. HURRY_BYTES: from there on the answer is urgent.
 */
#define SNIFF_BYTES (1024 * 1024)
#define HURRY_BYTES (32 * 1024)

/*
 * LOOKS: calls in which an unknown connection looks for a verdict, each a look-up in a hash; after that it does so in one
 * of LOOKS_PAUSE. User space answers within milliseconds; who is left is one endless turn, or one that nobody answers.
 */
#define LOOKS 4096
#define LOOKS_PAUSE 64

/* PREFIX_BYTES: what is copied of each call beyond the wanted bytes of a turn: a message may begin there. */
#define PREFIX_BYTES 256

/* ANNOUNCE_NS: a busy connection is announced again this often, so that user space may forget idle ones. */
#define ANNOUNCE_NS (60ULL * 1000 * 1000 * 1000)

/* ANNOUNCE_DATAGRAMS_NS: the end of a UDP socket cannot be seen, so that user space forgets it sooner. */
#define ANNOUNCE_DATAGRAMS_NS (10ULL * 1000 * 1000 * 1000)

static __always_inline bool is_request_direction(const struct conn_state *c, __u32 direction)
{
	return (c->role == ROLE_SERVER) == (direction == INGRESS);
}

/* begins_request says whether a call on a recognised connection is the first of a request, as far as turns tell. */
static __always_inline bool begins_request(const struct conn_state *c, __u32 direction, bool new_turn)
{
	return new_turn && c->role != ROLE_UNKNOWN && is_request_direction(c, direction);
}

#endif
