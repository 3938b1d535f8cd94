/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is written to a session before its socket is known. A program that moves the bytes of its library by itself (memory
 * BIOs) sends the record after the write has ended, and that send tells the socket. If the connection was there before the
 * probes, that may be its first request. Its bytes are kept here until the session's next call, and handed on with the
 * time of the write. Included by tls.bpf.c.
 */
#ifndef SONDE_TLS_OWED_H
#define SONDE_TLS_OWED_H

#define OWED_BYTES 4096 /* kept of a write: the head of a request */
#define OWED_SLACK 64	/* zeros behind them: readers of ends and heads ask for a little more than there is */

struct tls_owed {
	__u64 time_ns;
	__u64 at; /* address of bytes */
	__u32 len;  /* bytes written */
	__u32 kept; /* of them here, from the first on */
	__u8 bytes[2 * OWED_BYTES + OWED_SLACK];
};

static const struct tls_owed owed_none = {};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64); /* sessions between their first write and what follows it */
	__type(key, struct tls_session_key);
	__type(value, struct tls_owed);
} tls_owed SEC(".maps");

/* owed_keep keeps n more bytes. It returns false where that fails. */
static __noinline int owed_keep(struct tls_session *s, const struct tls_session_key *key, __u64 buf, __u32 n)
{
	struct tls_owed *o;
	__u32 had, more = n;

	if (!s->owed)
		bpf_map_update_elem(&tls_owed, key, &owed_none, BPF_ANY);
	o = bpf_map_lookup_elem(&tls_owed, key);
	if (!o)
		return 0;
	had = o->kept;
	if (had == o->len && had < OWED_BYTES) {
		barrier_var(had);
		had &= OWED_BYTES - 1;
		BOUND(more, OWED_BYTES);
		if (bpf_probe_read_user(o->bytes + had, more, (const void *)buf)) {
			loss_count(LOSS_PAYLOAD_FAULT);
			more = 0;
		}
		o->kept = had + more;
	}
	if (!o->time_ns)
		o->time_ns = bpf_ktime_get_ns();
	o->at = (__u64)o->bytes;
	o->len += n;
	s->owed = 1;
	return 1;
}

/* owed_settle hands on what was kept, now that the socket is known. */
static __noinline int owed_settle(struct tls_session *s, const struct tls_session_key *key)
{
	struct tls_owed *o = bpf_map_lookup_elem(&tls_owed, key);
	__u32 kept, rest;

	s->owed = 0;
	if (!o) {
		session_missed(s);
		return 0;
	}
	kept = o->kept;
	rest = o->len - kept;
	if (kept)
		session_emit(s, o->at, kept, EGRESS, o->time_ns);
	if (rest)
		session_emit(s, 0, rest, EGRESS, o->time_ns);
	bpf_map_delete_elem(&tls_owed, key);
	return 0;
}

#endif
