/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Data records: one for a socket call, or one for each of its first iovecs, with as much of the payload as is wanted.
 * A ring-buffer reservation must have a constant size, so there are five sizes; each has slack for the scan of heads.
 */
#ifndef SONDE_PAYLOAD_H
#define SONDE_PAYLOAD_H

#define PAYLOAD_SLACK 8
#define PAYLOAD_MAX 16384

/* struct chunk is what one data record says. */
struct chunk {
	__u64 base;	/* user address of its bytes */
	__u64 time_ns;
	__u64 pid_tgid;
	__u32 seq;
	__u32 len;	/* bytes moved */
	__u32 captured; /* bytes wanted, at most PAYLOAD_MAX */
	__u8 direction;
	__u8 tail_len;
	bool scan; /* look for the end of a head in the payload */
	__u8 tail[TAIL_MAX] __attribute__((aligned(8)));
};

/* struct found is what the bytes of a record told. */
struct found {
	__u32 head_length; /* offset after the first head, 0: none ends in this record */
	bool second_head;  /* another message starts after it */
	bool head_end;	   /* the record ends with the end of a head */
};

static __always_inline bool is_upper(__u8 c)
{
	return c >= 'A' && c <= 'Z';
}

/* HEAD_SCAN makes the search for the end of a head a global function, so that the verifier walks its loop once. */
#define HEAD_SCAN(SIZE)                                                                                \
	struct bytes_##SIZE {                                                                          \
		__u8 b[SIZE + PAYLOAD_SLACK];                                                          \
	};                                                                                             \
	__noinline int head_scan_##SIZE(const struct bytes_##SIZE *p, __u32 n)                         \
	{                                                                                              \
		return p ? http1_head_length(p->b, n, SIZE) : 0;                                       \
	}

HEAD_SCAN(256)
HEAD_SCAN(1024)

static __always_inline void data_fill(struct data_event *e, const struct conn_state *c, const struct chunk *k)
{
	e->h.kind = EVENT_DATA;
	e->h.direction = k->direction;
	e->h.tail_len = k->tail_len;
	e->h.flag = c->has_other;
	e->h.captured = k->captured;
	e->h.time_ns = k->time_ns;
	e->h.conn = c->id;
	e->h.tgid = k->pid_tgid >> 32;
	e->h.tid = (__u32)k->pid_tgid;
	e->seq = k->seq;
	e->len = k->len;
	__builtin_memcpy(e->tail, k->tail, TAIL_MAX);
	e->other = c->other[k->direction & 1];
	e->pad = 0;
}

#define DATA_EMIT(SIZE, SCAN)                                                                          \
	static __always_inline int data_emit_##SIZE(const struct conn_state *c, struct chunk *k,       \
						    struct found *found)                               \
	{                                                                                              \
		struct {                                                                               \
			struct data_event e;                                                           \
			__u8 payload[SIZE + PAYLOAD_SLACK];                                            \
		} *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);                                    \
		__u32 want = k->captured;                                                              \
                                                                                                       \
		if (!r)                                                                                \
			return -1;                                                                     \
		BOUND(want, SIZE);                                                                     \
		if (BYTES_READ(r->payload, want, k->base)) {                                           \
			loss_count(LOSS_PAYLOAD_FAULT);                                                \
			want = 0;                                                                      \
		}                                                                                      \
		k->captured = want;                                                                    \
		data_fill(&r->e, c, k);                                                                \
		if (want >= 4 && want == k->len) {                                                     \
			__u32 last = want - 4;                                                         \
                                                                                                       \
			barrier_var(last);                                                             \
			last &= SIZE - 1; /* last < SIZE already; this shows it to the verifier */     \
			found->head_end = http1_is_head_end(r->payload + last);                        \
		}                                                                                      \
		if (k->scan) {                                                                         \
			__u32 n = head_scan_##SCAN((const struct bytes_##SCAN *)r->payload, want);     \
                                                                                                       \
			if (n <= want)                                                                 \
				found->head_length = n;                                                \
			if (n > 0 && n < want) {                                                       \
				bool is_cut = n + 1 == want;                                           \
                                                                                                       \
				barrier_var(n);                                                        \
				n &= SIZE - 1; /* n < SIZE already; this shows it to the verifier */   \
				found->second_head = is_upper(r->payload[n]) &&                        \
						     (is_cut || is_upper(r->payload[n + 1]));          \
			}                                                                              \
		}                                                                                      \
		bpf_ringbuf_submit(r, wake_flags(k->time_ns));                                        \
		return 0;                                                                              \
	}

DATA_EMIT(256, 256)
DATA_EMIT(1024, 1024)
DATA_EMIT(4096, 1024)
DATA_EMIT(16384, 1024)

static __always_inline int data_emit_0(const struct conn_state *c, const struct chunk *k)
{
	struct data_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e)
		return -1;
	data_fill(e, c, k);
	bpf_ringbuf_submit(e, wake_flags(k->time_ns));
	return 0;
}

/*
 * data_emit sends one record. It returns -1 when the ring was full, and counts that. It is a global function, so that
 * the verifier looks at it once and not at every place it is called from.
 */
__noinline int data_emit(const struct conn_state *c, struct chunk *k, struct found *found)
{
	int err;

	if (!c || !k || !found)
		return -1;
	found->head_length = 0;
	found->second_head = false;
	found->head_end = false;
	if (k->captured == 0)
		err = data_emit_0(c, k);
	else if (k->captured <= 256)
		err = data_emit_256(c, k, found);
	else if (k->captured <= 1024)
		err = data_emit_1024(c, k, found);
	else if (k->captured <= 4096)
		err = data_emit_4096(c, k, found);
	else
		err = data_emit_16384(c, k, found);
	if (err)
		loss_count(LOSS_RING_FULL);
	return err;
}

#endif
