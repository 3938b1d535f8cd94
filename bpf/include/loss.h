/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is not seen is counted by cause. The numbers are those of signal/loss.go; a test compares the two.
 */
#ifndef SONDE_LOSS_H
#define SONDE_LOSS_H

enum loss_cause {
	LOSS_RING_FULL = 0,
	LOSS_RING_FULL_MESSAGE = 1,
	LOSS_STORAGE_FULL = 2,
	LOSS_PAYLOAD_FAULT = 3,
	LOSS_NO_SOCKET = 4,
	LOSS_RECURSION = 5, /* read from the programs' own counters, never counted here */
	LOSS_PROCESS_RING_FULL = 6,
	LOSS_TLS_UNBOUND = 7, /* plain text of a TLS session whose socket is not known */
	LOSS_CAUSES = 8,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_CAUSES);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps");

static __always_inline void loss_count(enum loss_cause cause)
{
	__u32 key = cause;
	__u64 *n = bpf_map_lookup_elem(&losses, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
}

#endif
