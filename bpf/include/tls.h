/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the probes on TLS libraries (tls.bpf.c) and the socket tier know together. The plain text of a TLS connection is
 * a connection of its own: its id is that of the socket with the top bit set, its positions count plain-text bytes.
 *
 * Which socket a TLS session uses is found without looking into the library. Most do their socket calls inside the call
 * that reads or writes plain text, on the same thread: bound at once. Others (memory BIOs: Node, Python's asyncio) let
 * their program move the bytes. There, a socket call and a TLS call that follow each other directly on a thread are
 * evidence that they belong together; two pieces that agree bind.
 */
#ifndef SONDE_TLS_H
#define SONDE_TLS_H

#define TLS_CONN (1ULL << 63) /* in the id of a connection: the plain text of that socket */

#define TLS_RECORD_HEADER 5 /* RFC 8446 §5.1: type, version, length */
#define TLS_CHANGE_CIPHER_SPEC 20
#define TLS_HANDSHAKE 22
#define TLS_APPLICATION_DATA 23
#define TLS_HEARTBEAT 24
#define TLS_RECORD_MAX 16384 /* plain-text bytes of a record */
/*
 * A record is longer than its plain text by at least a tag (RFC 8446 §5.2: 16 and the inner type; RFC 7905: 16), at most
 * by an explicit IV, a SHA-384 MAC and one block of padding (RFC 5246 §6.2.3.2).
 */
#define TLS_OVERHEAD_MIN 16
#define TLS_OVERHEAD_MAX 80

#define TLS_EVIDENCE 2 /* pieces that bind a session whose library does no socket calls */

enum tls_kind {
	TLS_NONE = 0,
	TLS_READ = 1,
	TLS_WRITE = 2,
	TLS_HANDSHAKING = 3,
};

/*
 * struct tls_call is a call into a TLS library that is under way. Of Go's, kind may be TLS_NONE: one that began before
 * the probes were there, of which only a receive was seen; then len is that of the record that begins there.
 */
struct tls_call {
	__u64 ssl; /* the session: an address, opaque */
	__u64 buf;
	__u64 count_at; /* where the library will put how many bytes it moved; 0: it returns the number */
	__u64 sp;	/* at entry: tells the return of this call from that of one inside it */
	__u64 conn;	/* id of the socket that it used */
	__u16 kind;
	__u16 handed_on; /* of a write: its bytes were, when it began */
	__u32 len;	 /* of Go's: bytes that the caller has, or has room for */
};

/* struct tls_near is the last thing of one sort that happened on a thread, until something else uses it up. */
struct tls_near {
	__u64 id;    /* a session after a TLS call, a socket after a receive; 0: nothing */
	__u32 len;   /* plain-text bytes written; or length of the record */
	__u16 kind;  /* enum tls_kind; or type of the record */
	__u16 fresh; /* */
};

struct tls_thread {
	__u32 by_memory; /* it was seen to use memory BIOs: TLS_BY_MEMORY; calls left in which it may turn out to: fewer. User space writes here */
	__u32 pad;
	struct tls_call call;
	struct tls_call outer;	  /* in which call is: a program may write when told that the handshake is done, within a read */
	struct tls_near said;	  /* TLS call without a socket call in it */
	struct tls_near received; /* receive outside of any TLS call */
};

#define TLS_BY_MEMORY 0xffffffff

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tls_thread);
} tls_threads SEC(".maps");

/* Calls of goroutines, which may change threads: the key is the goroutine. */
struct tls_goroutine {
	__u64 g;
	__u64 tgid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tls_goroutine);
	__type(value, struct tls_call);
} tls_goroutines SEC(".maps");

struct tls_session_key {
	__u64 ssl;
	__u64 tgid;
};

struct tls_session {
	__u64 conn;	 /* id of its socket; 0: not known */
	__u64 candidate; /* by evidence so far */
	__u32 evidence;
	__u8 missed; /* plain text was moved before the socket was known */
	__u8 whole;  /* enum tls_whole */
	__u8 owed;   /* its writes are kept until the send of their records tells the socket, see tls_owed.h */
	__u8 pad;
	/*
	 * What is written is handed on when the write begins, before anybody can answer it, with these exceptions.
	 * ahead: bytes handed on that the library has not taken yet: it will be asked to again. waiting: the handshake comes
	 * first, and the bytes of the write that causes it wait for its end; or the socket is not known before that.
	 */
	__u32 ahead;
	__u32 waiting_len;
	__u64 waiting;
	__u64 waiting_ns; /* when the write began, or the handshake that it waited for ended */
};

/*
 * enum tls_whole says from where on the plain text of a session is seen. A read may be under way that began before the
 * probes were there; nothing tells of its return, and what it reads would be missing unnoticed.
 */
enum tls_whole {
	TLS_NOT_WHOLE = 0,
	TLS_WHOLE_FROM_READ = 1, /* a read was seen to begin: so none is under way unseen */
	TLS_WHOLE = 2,		 /* the handshake was, or a write where no read can be under way */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tls_session_key);
	__type(value, struct tls_session);
} tls_sessions SEC(".maps");

/*
 * struct plain_sock stands for struct sock where capture.h wants one: the probes of libraries have none. Field names are
 * the kernel's. Positions are those of the plain text.
 */
struct plain_sock {
	struct {
		__be32 skc_daddr;
		__be32 skc_rcv_saddr;
		__be16 skc_dport;
		__u16 skc_num;
		__u16 skc_family;
		__u16 pad;
		__u32 netns;
		__u32 skc_flags;
		__u8 skc_v6_daddr[16];
		__u8 skc_v6_rcv_saddr[16];
	} __sk_common;
	struct {
		__u32 qlen;
	} sk_receive_queue;
	__u32 write_seq;
	__u32 copied_seq;
	__u32 rcv_nxt;
	__u32 snd_una;
	__u32 bytes_acked;
	__u32 bytes_received;
	__u32 total_retrans;
	__u32 srtt_us;
	int sk_err;
	__u16 sk_type;
	__u16 sk_protocol;
	__u8 sk_shutdown;
	__u8 reset; /* the socket ended by a reset */
	__u8 pad[2];
};

/* struct plain_conn is the plain text of one socket. */
struct plain_conn {
	struct conn_state c;
	struct plain_sock sk;
	struct tls_session_key session;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64); /* its id; removed with the socket */
	__type(value, struct plain_conn);
} plain_conns SEC(".maps");

static __always_inline bool is_tls_header(const __u8 *h)
{
	return h[0] >= TLS_CHANGE_CIPHER_SPEC && h[0] <= TLS_HEARTBEAT && h[1] == 3 && h[2] <= 4;
}

/*
 * tls_length_weight returns how many pieces of evidence it is that n plain-text bytes and a record of that length meet: all
 * of them if their difference is that of the usual ciphers (TLS 1.3: 17; AES-GCM: 24, ChaCha20: 16 in TLS 1.2), one if
 * another cipher may have it. A call of more than a record begins with a full one.
 */
static __always_inline __u32 tls_length_weight(__u32 n, __u32 record)
{
	__u32 overhead;

	if (n > TLS_RECORD_MAX)
		n = TLS_RECORD_MAX;
	overhead = record - n;
	if (overhead == 17 || overhead == 24 || overhead == 16)
		return TLS_EVIDENCE;
	return overhead > TLS_OVERHEAD_MIN && overhead <= TLS_OVERHEAD_MAX;
}

/* tls_session_of returns what is known of a session, made when there is nothing yet. */
static __noinline struct tls_session *tls_session_of(const struct tls_session_key *key)
{
	struct tls_session fresh = {}, *s = bpf_map_lookup_elem(&tls_sessions, key);

	if (s)
		return s;
	bpf_map_update_elem(&tls_sessions, key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_sessions, key);
}

/*
 * tls_evidence notes that a session and a socket belong together. A socket has one session: a claim on one that another
 * session holds is none.
 */
static __noinline int tls_evidence(const struct tls_session_key *key, __u64 conn, __u32 weight)
{
	__u64 plain = conn | TLS_CONN;
	struct plain_conn *p = bpf_map_lookup_elem(&plain_conns, &plain);
	struct tls_session *s;

	if (!p || !weight || (p->session.ssl && p->session.ssl != key->ssl))
		return 0;
	s = tls_session_of(key);
	if (!s || s->conn)
		return 0;
	if (s->candidate != conn) {
		s->candidate = conn;
		s->evidence = 0;
	}
	s->evidence += weight;
	if (s->evidence < TLS_EVIDENCE)
		return 0;
	if (s->missed)
		p->c.flags &= ~CONN_SEEN;
	if (p->c.flags & CONN_SEEN)
		s->whole = TLS_WHOLE;
	s->conn = conn;
	p->session = *key;
	return 0;
}

#endif
