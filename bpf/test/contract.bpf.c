// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * For tests only: runs the recognition of the kernel side on bytes that a test hands over, and carries the type
 * information of the records and of the numbers that user space shares.
 */
#include "kernel_types.h"
#include <bpf/bpf_helpers.h>
#include "loss.h"
#include "events.h"
#include "recognize.h"

struct recognize_input {
	__u8 b[2 * HEAD_BYTES];
	__u32 n;
	__u32 pad;
};

/* recognize returns the verdict on the first n bytes, as turn_head asks for it. */
SEC("syscall")
int recognize(struct recognize_input *in)
{
	struct head h;

	__builtin_memcpy(h.b, in->b, sizeof(h.b));
	return http1_recognize_start(&h, in->n);
}

/* Types reach the type information through something that has them. */
struct contract {
	struct data_event data;
	struct open_event open;
	struct close_event close;
	struct exec_event exec;
	enum loss_cause cause;
	enum event_kind kind;
	enum direction direction;
	enum role role;
	enum protocol protocol;
	enum verdict verdict;
} contract;

char LICENSE[] SEC("license") = "Dual BSD/GPL";
