/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The buffers of a call, of which there may be several: its first bytes. Included by capture.h. */
#ifndef SONDE_IOVECS_H
#define SONDE_IOVECS_H

/* struct iov_walk goes over the iovecs of a call. */
struct iov_walk {
	__u64 iov;
	__u32 i;
	__u32 done; /* bytes of the call in the iovecs before this one */
};

/* iov_next reads iovec w->i and returns how many bytes of the call are in it. */
static __always_inline __u32 iov_next(struct iov_walk *w, const struct call *call, struct user_iovec *v)
{
	__u32 left = call->len - w->done;

	v->base = 0;
	v->len = 0;
	if (bpf_probe_read_user(v, sizeof(*v), (const void *)(w->iov + w->i * sizeof(*v))))
		return left;
	return v->len < left ? v->len : left;
}

/* iov_first_bytes is first_bytes of a call with iovecs, which may be tiny or empty. */
__noinline int iov_first_bytes(struct head *dst, const struct call *call)
{
	struct iov_walk w = {};
	struct user_iovec v;

	if (!dst || !call)
		return 0;
	w.iov = call->user.iov;
	for (w.i = 0; w.i < IOVECS_MAX; w.i++) {
		__u32 n;

		if (w.i >= call->user.iov_count || w.done >= call->len || w.done >= HEAD_BYTES)
			break;
		n = iov_next(&w, call, &v);
		if (n == 0)
			continue;
		BOUND(n, HEAD_BYTES);
		if (bpf_probe_read_user(dst->b + (w.done & (HEAD_BYTES - 1)), n, (const void *)v.base))
			return 0;
		w.done += n;
	}
	return w.done < HEAD_BYTES ? w.done : HEAD_BYTES;
}

/* first_bytes reads the start of the call to dst, at most HEAD_BYTES, and returns how many there are. */
static __always_inline __u32 first_bytes(const struct call *call, __u8 *dst)
{
	__u32 n = call->len < HEAD_BYTES ? call->len : HEAD_BYTES;

	if (call->user.iov) {
		struct head h = {};

		n = iov_first_bytes(&h, call);
		__builtin_memcpy(dst, h.b, HEAD_BYTES);
		return n;
	}
	if (!call->user.base || !n)
		return 0;
	BOUND(n, HEAD_BYTES);
	if (BYTES_READ(dst, n, call->user.base))
		return 0;
	return n;
}

#endif
