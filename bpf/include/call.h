/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A call of a socket that moved bytes, as both tiers find it. Included by capture.h. */
#ifndef SONDE_CALL_H
#define SONDE_CALL_H

#define IOVECS_MAX 16

/* struct call is one call of a socket that moved bytes. */
struct call {
	__u64 time_ns;
	__u64 pid_tgid;
	struct user_bytes user;
	__u32 seq;
	__u32 len;
	__u8 direction;
};

/* is_datagram says whether the socket is of UDP over IPv4 or IPv6. */
static __always_inline bool is_datagram(struct sock *sk, __u16 family)
{
	return (family == AF_INET || family == AF_INET6) && SK_READ(sk, sk_protocol) == IPPROTO_UDP;
}

#endif
