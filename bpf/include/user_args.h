/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where in the user's memory the bytes of the current system call are. The saved registers of the task hold the call's
 * number and arguments for as long as it runs, so nothing has to be remembered from its entry.
 *
 * System-call numbers: arch/x86/entry/syscalls/syscall_64.tbl.
 */
#ifndef SONDE_USER_ARGS_H
#define SONDE_USER_ARGS_H

enum syscall_number {
	NR_read = 0,
	NR_write = 1,
	NR_readv = 19,
	NR_writev = 20,
	NR_sendfile = 40,
	NR_sendto = 44,
	NR_recvfrom = 45,
	NR_sendmsg = 46,
	NR_recvmsg = 47,
	NR_splice = 275,
	NR_recvmmsg = 299,
	NR_sendmmsg = 307,
	NR_preadv2 = 327,
	NR_pwritev2 = 328,
};

/* BYTES_READ copies bytes of a call that has one buffer. The including file may know other memory than the user's. */
#ifndef BYTES_READ
#define BYTES_READ(dst, n, at) bpf_probe_read_user(dst, n, (const void *)(at))
#endif

#define USER32_CS 0x23 /* arch/x86/include/asm/segment.h: code segment of a 32-bit task */

/* struct user_bytes is either one buffer or an array of iovecs. Nothing at all: both null. */
struct user_bytes {
	__u64 base;
	__u64 iov;
	__u64 iov_count;
};

/* user_args is the part of struct pt_regs that matters here. */
struct user_args {
	__u64 number;
	__u64 a1, a2, a3, a4;
	__u32 flags; /* recvmmsg: as the socket is asked, which may differ from a4 */
	__u64 time_ns; /* when it was; 0: now */
};

/* struct sockaddr_in and struct sockaddr_in6 as user space lays them out (linux/in.h, linux/in6.h) */
struct user_sockaddr {
	union {
		struct {
			__u16 family;
			__u16 port;
			__u32 addr;
		} in4;
		struct {
			__u16 family;
			__u16 port;
			__u32 flowinfo;
			__u8 addr[16];
		} in6;
	};
};

/* user_sockaddr_of returns where the address that a call sends to is, 0 when it names none. */
static __always_inline __u64 user_sockaddr_of(const struct user_args *a)
{
	struct pt_regs *regs;
	__u64 name = 0;

	switch (a->number) {
	case NR_sendto:
		regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
		return BPF_CORE_READ(regs, r8);
	case NR_sendmsg:
	case NR_sendmmsg: /* the messages of one call mostly go to one peer: the first one's */
		bpf_probe_read_user(&name, sizeof(name), (const void *)a->a2);
		return name;
	}
	return 0;
}

static __always_inline void msghdr_bytes(__u64 msg, struct user_bytes *out)
{
	struct user_msghdr64 hdr;

	if (bpf_probe_read_user(&hdr, sizeof(hdr), (const void *)msg))
		return;
	out->iov = hdr.iov;
	out->iov_count = hdr.iovlen;
}

/*
 * mmsg_bytes finds the message of sendmmsg or recvmmsg whose turn it is: one call moves each in order. An array of the
 * same address and length is taken for the same call until its end. A recvmmsg that does not wait ends early more often
 * than not, and then nothing tells its successor from its continuation: such messages have no payload.
 */
static __always_inline void mmsg_bytes(struct conn_state *c, const struct user_args *a, struct user_bytes *out)
{
	__u64 vector = a->a2 ^ a->a3 << 48; /* user addresses have 47 bits */
	__u32 i = 0;

	if (a->number == NR_recvmmsg && a->flags & MSG_DONTWAIT)
		return;
	if (c->mmsg_vector == vector && c->mmsg_next < (__u32)a->a3 && !(a->number == NR_recvmmsg && a->a4 & MSG_WAITFORONE))
		i = c->mmsg_next;
	c->mmsg_vector = vector;
	c->mmsg_next = i + 1;
	msghdr_bytes(a->a2 + i * sizeof(struct user_mmsghdr64), out);
}

static __always_inline void user_bytes_of(struct conn_state *c, const struct user_args *a, struct user_bytes *out)
{
	out->base = 0;
	out->iov = 0;
	out->iov_count = 0;
	switch (a->number) {
	case NR_read:
	case NR_write:
	case NR_sendto:
	case NR_recvfrom:
		out->base = a->a2;
		break;
	case NR_readv:
	case NR_writev:
	case NR_preadv2:
	case NR_pwritev2:
		out->iov = a->a2;
		out->iov_count = a->a3;
		break;
	case NR_sendmsg:
	case NR_recvmsg:
		msghdr_bytes(a->a2, out);
		break;
	case NR_sendmmsg:
	case NR_recvmmsg:
		mmsg_bytes(c, a, out);
		break;
	}
	/* one iovec is one buffer */
	if (out->iov && out->iov_count == 1) {
		struct user_iovec v = {};

		bpf_probe_read_user(&v, sizeof(v), (const void *)out->iov);
		out->base = v.base;
		out->iov = 0;
	}
}

#endif
