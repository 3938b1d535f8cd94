/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which processes and connections are observed. User space fills the maps and raises the generation; a connection asks
 * again when it sees a new generation or another process, and remembers the answer in between.
 *
 * The first verdict on a connection is no reason for a new generation: a connection that nobody knows looks for it by
 * itself (conn_is_quiet), and all others need not.
 */
#ifndef SONDE_SELECT_H
#define SONDE_SELECT_H

const volatile __u32 self_tgid = 0; /* Sonde's own process, never observed */

volatile __u32 selection_generation = 1;
volatile __u32 observe_by_default = 1;
volatile __u32 ports_included = 0; /* number of ports in port_verdicts that are included */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);  /* tgid */
	__type(value, __u8); /* 1 observe, 0 do not */
} process_verdicts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u16);  /* port, host byte order */
	__type(value, __u8); /* 1 included, 0 excluded */
} port_verdicts SEC(".maps");

/* What user space wants of each turn of a connection, in bytes by direction; both 0: nothing at all, ever. */
struct conn_verdict {
	__u32 want[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* connection id */
	__type(value, struct conn_verdict);
} conn_verdicts SEC(".maps");

static __always_inline bool is_process_selected(__u32 tgid)
{
	__u8 *v;

	if (tgid == self_tgid)
		return false;
	v = bpf_map_lookup_elem(&process_verdicts, &tgid);
	return v ? *v : observe_by_default;
}

static __always_inline bool is_port_selected(__u16 local, __u16 remote)
{
	__u8 *l = bpf_map_lookup_elem(&port_verdicts, &local);
	__u8 *r = bpf_map_lookup_elem(&port_verdicts, &remote);

	if ((l && !*l) || (r && !*r))
		return false;
	return ports_included == 0 || l || r;
}

#endif
