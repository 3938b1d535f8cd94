// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The system-call tier, for kernels without the socket tracepoints: the exits of the calls that move bytes. The saved
 * registers still hold the arguments there, so entries need no hook. Each of these calls costs something on the whole
 * host, also on files.
 *
 * Emits: OPEN, DATA, CLOSE, the same as the socket tier. Needs Linux 5.15 (bpf_task_pt_regs). io_uring is not seen.
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

/* The socket is found by following pointers here: every field is read with a check. */
#define SK_READ(sk, ...) BPF_CORE_READ(sk, __VA_ARGS__)
#define SK_READ_INTO(dst, sk, field) bpf_core_read(dst, 16, &(sk)->field)
#define TCP_READ(sk, field) BPF_CORE_READ((struct tcp_sock *)(sk), field)
#define UNIX_PEER(sk) ((__u64)BPF_CORE_READ((struct unix_sock *)(sk), peer))
#define MAY_BE_DATAGRAM 1

#include "capture.h"

#define S_IFMT 0170000	 /* include/uapi/linux/stat.h */
#define S_IFSOCK 0140000
#define MMSG_MAX 16	 /* messages of one sendmmsg or recvmmsg whose bytes are told apart */

struct tracked {
	struct conn_state c;
	__u64 inode; /* tells a new socket at the address of an old one */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64); /* address of struct sock */
	__type(value, struct tracked);
} conns SEC(".maps");

struct sys_exit {
	__u64 common;
	long number;
	long ret;
};

/* sock_of_fd follows a descriptor of the current process to its socket; NULL when it is none. */
static __noinline struct sock *sock_of_fd(__u32 fd, __u64 *inode)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **slot, *file = NULL;
	struct socket *socket;

	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	slot = BPF_CORE_READ(fdt, fd) + fd;
	if (bpf_probe_read_kernel(&file, sizeof(file), slot) || !file)
		return NULL;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	*inode = BPF_CORE_READ(file, f_inode, i_ino);
	socket = (struct socket *)BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

/*
 * tracked_new puts the state of a socket into the map. A function of its own, because its stack is large. inode 0: not
 * known yet.
 */
static __noinline struct tracked *tracked_new(struct sock *sk, __u64 inode, __u32 direction, __u32 len)
{
	__u64 key = (__u64)sk;
	struct tracked fresh = {};
	bool seen = inode == 0; /* its connection is being established */
	__u16 family = SK_READ(sk, __sk_common.skc_family);
	bool datagram = is_datagram(sk, family);

	if (!seen && !datagram && family != AF_UNIX)
		seen = is_first_call(sk, direction, len);

	fresh.inode = inode;
	conn_start(&fresh.c, (__u64)(bpf_get_prandom_u32() >> 1) << 32 | bpf_get_prandom_u32(), datagram, seen);
	if (bpf_map_update_elem(&conns, &key, &fresh, BPF_ANY)) {
		loss_count(LOSS_STORAGE_FULL);
		return NULL;
	}
	return bpf_map_lookup_elem(&conns, &key);
}

static __always_inline struct conn_state *conn_of(struct sock *sk, __u64 inode, __u32 direction, __u32 len)
{
	__u64 key = (__u64)sk;
	struct tracked *t = bpf_map_lookup_elem(&conns, &key);

	if (t && t->inode == 0)
		t->inode = inode; /* the first call since the connection was established */
	if (!t || t->inode != inode)
		t = tracked_new(sk, inode, direction, len);
	return t ? &t->c : NULL;
}

/*
 * fd_call handles bytes moved on a descriptor, before later bytes of the same system call. It returns 0 when the
 * descriptor is no socket.
 */
static __noinline int fd_call(__u32 fd, __u32 direction, __u32 len, __u32 later, const struct user_args *args)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u64 inode = 0;
	struct sock *sk;
	struct conn_state *c;
	__u16 family;

	if (pid_tgid >> 32 == self_tgid)
		return 0;
	sk = sock_of_fd(fd, &inode);
	if (!sk)
		return 0;
	family = SK_READ(sk, __sk_common.skc_family);
	if (!is_stream(sk, family) && !is_datagram(sk, family))
		return 1;
	c = conn_of(sk, inode, direction, len + later);
	if (!c || conn_is_quiet(c, sk, pid_tgid >> 32))
		return 1;
	capture_call(c, sk, family, direction, len, later, pid_tgid, args);
	return 1;
}

static __always_inline void current_args(struct user_args *a)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());

	a->number = BPF_CORE_READ(regs, orig_ax);
	if (BPF_CORE_READ(regs, cs) == USER32_CS)
		a->number = -1;
	a->a1 = BPF_CORE_READ(regs, di);
	a->a2 = BPF_CORE_READ(regs, si);
	a->a3 = BPF_CORE_READ(regs, dx);
	a->a4 = BPF_CORE_READ(regs, r10);
}

/* end_of_unix reports the end of a Unix stream: a receive that got nothing. */
static __always_inline void end_of_unix(__u32 fd)
{
	__u64 inode = 0, key;
	struct tracked *t;

	key = (__u64)sock_of_fd(fd, &inode);
	t = bpf_map_lookup_elem(&conns, &key);
	if (t && t->inode == inode && is_end_of_unix((struct sock *)key))
		conn_close(&t->c, (struct sock *)key, false);
}

static __always_inline int one_message(struct sys_exit *ctx, __u32 direction)
{
	struct user_args args = {};
	__u64 flags = 0;

	if (ctx->ret < 0)
		return 0;
	current_args(&args);
	if (ctx->ret == 0) {
		if (direction == INGRESS)
			end_of_unix(args.a1);
		return 0;
	}
	if (args.number == NR_recvfrom)
		flags = args.a4;
	else if (args.number == NR_recvmsg)
		flags = args.a3;
	if (flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	if (flags & MSG_TRUNC)
		args.number = -1; /* the bytes were thrown away, not copied */
	fd_call(args.a1, direction, ctx->ret, 0, &args);
	return 0;
}

static __always_inline __u32 mmsg_len(__u64 vector, __u32 i)
{
	__u64 entry = vector + i * sizeof(struct user_mmsghdr64);
	__u32 len = 0;

	bpf_probe_read_user(&len, sizeof(len), (const void *)(entry + sizeof(struct user_msghdr64)));
	return len;
}

/*
 * many_messages handles sendmmsg and recvmmsg: ret messages, their lengths in the array. The lengths are read twice
 * rather than kept: the stacks of a chain of calls may take 512 bytes together.
 */
static __always_inline int many_messages(struct sys_exit *ctx, __u32 direction)
{
	struct user_args args = {};
	__u64 vector;
	__u32 total = 0;

	if (ctx->ret <= 0)
		return 0;
	current_args(&args);
	if (direction == INGRESS && args.a4 & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	vector = args.a2;
	args.number = NR_sendmsg;
	for (__u32 i = 0; i < MMSG_MAX; i++) {
		if (i >= ctx->ret)
			break;
		total += mmsg_len(vector, i);
	}
	for (__u32 i = 0; i < MMSG_MAX; i++) {
		__u32 len;

		if (i >= ctx->ret)
			break;
		len = mmsg_len(vector, i);
		total -= len;
		args.a2 = vector + i * sizeof(struct user_mmsghdr64);
		if (len)
			fd_call(args.a1, direction, len, total, &args);
	}
	return 0;
}

#define ONE(name, direction)                                                                           \
	SEC("tracepoint/syscalls/sys_exit_" #name)                                                     \
	int sys_exit_##name(struct sys_exit *ctx)                                                      \
	{                                                                                              \
		return one_message(ctx, direction);                                                    \
	}

ONE(read, INGRESS)
ONE(readv, INGRESS)
ONE(preadv2, INGRESS)
ONE(recvfrom, INGRESS)
ONE(recvmsg, INGRESS)
ONE(write, EGRESS)
ONE(writev, EGRESS)
ONE(pwritev2, EGRESS)
ONE(sendto, EGRESS)
ONE(sendmsg, EGRESS)
ONE(sendfile64, EGRESS)

SEC("tracepoint/syscalls/sys_exit_sendmmsg")
int sys_exit_sendmmsg(struct sys_exit *ctx)
{
	return many_messages(ctx, EGRESS);
}

SEC("tracepoint/syscalls/sys_exit_recvmmsg")
int sys_exit_recvmmsg(struct sys_exit *ctx)
{
	return many_messages(ctx, INGRESS);
}

/* splice(fd_in, off_in, fd_out, …): one end is a pipe, the other may be a socket. */
SEC("tracepoint/syscalls/sys_exit_splice")
int sys_exit_splice(struct sys_exit *ctx)
{
	struct user_args args = {};

	if (ctx->ret <= 0)
		return 0;
	current_args(&args);
	if (!fd_call(args.a3, EGRESS, ctx->ret, 0, &args))
		fd_call(args.a1, INGRESS, ctx->ret, 0, &args);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int inet_sock_set_state(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	__u64 key = ctx[0];
	struct tracked *t;

	if ((int)ctx[2] == TCP_ESTABLISHED && is_stream(sk, SK_READ(sk, __sk_common.skc_family))) {
		t = tracked_new(sk, 0, 0, 0);
		if (t)
			conn_opened_by(&t->c, (int)ctx[1]);
	}
	if ((int)ctx[2] != TCP_CLOSE)
		return 0;
	t = bpf_map_lookup_elem(&conns, &key);
	if (!t)
		return 0;
	conn_end(&t->c, sk, (int)ctx[1]);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int tcp_destroy_sock(__u64 *ctx)
{
	__u64 key = ctx[0];
	struct tracked *t = bpf_map_lookup_elem(&conns, &key);

	if (!t)
		return 0;
	conn_close(&t->c, (struct sock *)key, t->c.flags & CONN_ENDED_BY_RESET);
	bpf_map_delete_elem(&conns, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
