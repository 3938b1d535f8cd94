// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The socket tier: tp_btf/sock_send_length and sock_recv_length fire once for every send and receive on a socket,
 * whatever the system call, and hand over the socket itself. Nothing else of the host is touched.
 *
 * Emits: OPEN, DATA, CLOSE. Needs Linux 6.3 (commit 6e6eda44b939, "sock: add tracepoint for send recv length").
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kernel_compat.h"
#include "loss.h"
#include "events.h"
#include "recognize.h"
#include "conn_state.h"
#include "select.h"
#include "user_args.h"
#include "payload.h"
#include "tls.h"

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

#define TCP_SOCK(sk) ((struct tcp_sock *)bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct tcp_sock)))
#define UNIX_SOCK(sk) ((struct unix_sock *)bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct unix_sock)))

/* The socket is a typed pointer here: its fields are plain loads. */
#define SK_READ(sk, field, ...) SK_READ_##__VA_OPT__(2)(sk, field, ##__VA_ARGS__)
#define SK_READ_(sk, field) ((sk)->field)
#define SK_READ_2(sk, field, next) ((sk)->field->next)
#define SK_READ_INTO(dst, sk, field) bpf_core_read(dst, 16, &(sk)->field)
#define TCP_READ(sk, field) (TCP_SOCK(sk)->field)
#define UNIX_PEER(sk) ((__u64)UNIX_SOCK(sk)->peer)
#define MAY_BE_DATAGRAM 1

#include "capture.h"

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn_state);
} conns SEC(".maps");

static __always_inline void current_args(struct user_args *a)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());

	a->number = regs->orig_ax;
	if (regs->cs == USER32_CS)
		a->number = -1;
	a->a2 = regs->si;
	a->a3 = regs->dx;
	a->a4 = regs->r10;
}

#include "tls_socket.h"

/* end_of_unix reports the end of a Unix stream, which has no state change to hook: a receive that got nothing. */
static __always_inline void end_of_unix(struct sock *sk)
{
	struct conn_state *c;

	if (!is_end_of_unix(sk))
		return;
	c = bpf_sk_storage_get(&conns, sk, 0, 0);
	if (c)
		conn_close(c, sk, false);
}

static __always_inline int socket_call(struct sock *sk, int ret, int flags, __u32 direction)
{
	struct user_args args = {};
	struct conn_state *c;
	__u64 pid_tgid;
	bool datagram;
	__u16 family;

	if (ret <= 0) {
		if (ret == 0 && direction == INGRESS)
			end_of_unix(sk);
		return 0;
	}
	if (direction == INGRESS && flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	family = SK_READ(sk, __sk_common.skc_family);
	datagram = is_datagram(sk, family);
	if (!datagram && !is_stream(sk, family))
		return 0;
	c = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c) {
		loss_count(LOSS_STORAGE_FULL);
		return 0;
	}
	pid_tgid = bpf_get_current_pid_tgid();
	if (!(c->flags & CONN_STARTED))
		conn_start(c, bpf_get_socket_cookie(sk), datagram,
			   !datagram && family != AF_UNIX && is_first_call(sk, direction, ret));
	if (tls_probed && !datagram && family != AF_UNIX)
		tls_socket_call(c, sk, direction, ret);
	if (conn_is_quiet(c, sk, pid_tgid >> 32))
		return 0;
	if (!(direction == INGRESS && flags & MSG_TRUNC)) /* MSG_TRUNC: the bytes were thrown away, not copied */
		current_args(&args);
	else
		args.number = -1;
	args.flags = flags;
	capture_call(c, sk, family, direction, ret, 0, pid_tgid, &args);
	return 0;
}

SEC("tp_btf/sock_send_length")
int sock_send_length(__u64 *ctx)
{
	return socket_call((struct sock *)ctx[0], (int)ctx[1], (int)ctx[2], EGRESS);
}

SEC("tp_btf/sock_recv_length")
int sock_recv_length(__u64 *ctx)
{
	return socket_call((struct sock *)ctx[0], (int)ctx[1], (int)ctx[2], INGRESS);
}

/* established remembers a connection that is seen from its first byte. */
static __always_inline void established(struct sock *sk, int old_state)
{
	struct conn_state *c;

	if (!is_stream(sk, SK_READ(sk, __sk_common.skc_family)))
		return;
	c = bpf_sk_storage_get(&conns, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!c)
		loss_count(LOSS_STORAGE_FULL);
	else if (!(c->flags & CONN_STARTED)) {
		conn_start(c, bpf_get_socket_cookie(sk), false, true);
		conn_opened_by(c, old_state);
	}
}

SEC("tp_btf/inet_sock_set_state")
int inet_sock_set_state(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	struct conn_state *c;

	if ((int)ctx[2] == TCP_ESTABLISHED)
		established(sk, (int)ctx[1]);
	if ((int)ctx[2] != TCP_CLOSE)
		return 0;
	c = bpf_sk_storage_get(&conns, sk, 0, 0);
	if (c && c->tls && is_reset(sk, (int)ctx[1]))
		c->flags |= CONN_ENDED_BY_RESET;
	if (c)
		conn_end(c, sk, (int)ctx[1]);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int tcp_destroy_sock(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	struct conn_state *c = bpf_sk_storage_get(&conns, sk, 0, 0);

	if (c && c->tls)
		plain_conn_close(c, c->flags & CONN_ENDED_BY_RESET);
	if (c)
		conn_close(c, sk, c->flags & CONN_ENDED_BY_RESET);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
