// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What the connections that are open have moved: an iterator over the socket storage of the socket tier, so over the
 * sockets of all network namespaces that Sonde knows. It runs when user space reads it, and costs nothing between.
 *
 * Writes: one struct flow for each TCP socket that was announced. Needs Linux 5.9 (commit 5ce6e77c7edf, "bpf: Implement
 * bpf iterator for sock local storage map").
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kernel_compat.h"
#include "loss.h"
#include "events.h"
#include "recognize.h"
#include "conn_state.h"

struct flow {
	__u64 conn;
	struct transfer transfer;
};

_Static_assert(sizeof(struct flow) == 32, "flow");

/* The arguments of the iterator, kernel/bpf/../net/core/bpf_sk_storage.c: meta, map, socket, value. */
SEC("iter/bpf_sk_storage_map")
int flows(__u64 *ctx)
{
	struct bpf_iter_meta *meta = (struct bpf_iter_meta *)ctx[0];
	struct sock *sk = (struct sock *)ctx[2];
	struct conn_state *c = (struct conn_state *)ctx[3];
	struct tcp_sock *tcp;
	struct flow f = {};

	if (!sk || !c || !c->announced_ns)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	f.conn = c->id;
	f.transfer.received = tcp->bytes_received;
	f.transfer.acked = tcp->bytes_acked;
	f.transfer.retransmits = tcp->total_retrans;
	f.transfer.srtt_us = tcp->srtt_us;
	bpf_seq_write(meta->seq, &f, sizeof(f));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
