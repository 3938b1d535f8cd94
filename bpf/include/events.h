/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The records that go to user space, and the ring buffer they go through. agent/probe/decode.go reads these layouts;
 * a test holds its offsets against the type information of the compiled objects.
 *
 * The reader is woken when WAKE_BYTES are waiting; it also looks by itself several times a second.
 */
#ifndef SONDE_EVENTS_H
#define SONDE_EVENTS_H

#define WAKE_BYTES (256 * 1024)
#define TAIL_MAX 8
#define ARGS_MAX 1024
#define ENV_MAX 8192
#define NAME_MAX_LEN 128

enum event_kind {
	EVENT_OPEN = 1,
	EVENT_DATA = 2,
	EVENT_CLOSE = 3,
	EVENT_EXEC = 4,
	EVENT_EXIT = 5,
	EVENT_FORK = 6,
};

enum direction {
	INGRESS = 0,
	EGRESS = 1,
};

enum role {
	ROLE_UNKNOWN = 0,
	ROLE_CLIENT = 1,
	ROLE_SERVER = 2,
};

struct event_header {
	__u8 kind;
	__u8 direction; /* DATA */
	__u8 tail_len;	/* DATA */
	__u8 flag;	/* CLOSE: ended by a reset; DATA: other is valid */
	__u32 captured; /* DATA: bytes of payload after the record */
	__u64 time_ns;
	__u64 conn;
	__u32 tgid;
	__u32 tid;
};

struct data_event {
	struct event_header h;
	__u32 seq;
	__u32 len;
	__u8 tail[TAIL_MAX];
	__u32 other; /* position of the other direction's next byte at this call: what was sent before it was received */
	__u32 pad;
	/* payload follows */
};

struct open_event {
	struct event_header h;
	__u8 family;
	__u8 role;
	__u8 protocol;
	__u8 seen;	    /* observed from its first byte */
	__u32 netns;
	__u16 local_port;
	__u16 remote_port;
	__u32 next_ingress; /* position of the next byte of each direction, this call included */
	__u8 local_addr[16];
	__u8 remote_addr[16];
	__u64 unix_self;
	__u64 unix_peer;
	__u64 start_time_ns;
	char comm[16];
	__u32 next_egress;
	__u32 datagrams;    /* UDP: each DATA is one datagram, or the first piece of one */
};

/* What a TCP connection has moved since it began, and how well. */
struct transfer {
	__u64 received; /* bytes that arrived in order; a FIN counts as one */
	__u64 acked;	/* bytes sent that the peer confirmed; SYN and FIN count as one each */
	__u32 retransmits; /* segments sent again */
	__u32 srtt_us;	/* smoothed round-trip time, in eighths of a microsecond; 0: none yet */
};

struct close_event {
	struct event_header h;
	__u32 next_ingress; /* position behind the last byte moved; a FIN may count as one more */
	__u32 next_egress;
	struct transfer transfer; /* TCP */
};

struct process_event {
	struct event_header h;
	__u32 parent;
	__u32 args_len;
	__u64 start_time_ns;
	char comm[16];
	char cgroup[NAME_MAX_LEN];
	char filename[NAME_MAX_LEN]; /* EXEC */
	char args[ARGS_MAX];	     /* EXEC: separated by zero bytes */
};

/*
 * An EXEC also carries the environment: some programs write their title over it within milliseconds (nginx), and it may
 * name the service.
 */
struct exec_event {
	struct process_event p;
	__u32 env_len;
	__u32 env_cut; /* there was more */
	char env[ENV_MAX];
};

_Static_assert(sizeof(struct event_header) == 32, "event_header");
_Static_assert(sizeof(struct data_event) == 56, "data_event");
_Static_assert(sizeof(struct open_event) == 128, "open_event");
_Static_assert(sizeof(struct close_event) == 64, "close_event");
_Static_assert(sizeof(struct process_event) == 32 + 32 + 2 * NAME_MAX_LEN + ARGS_MAX, "process_event");
_Static_assert(sizeof(struct exec_event) == sizeof(struct process_event) + 8 + ENV_MAX, "exec_event");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024); /* set by the loader */
} events SEC(".maps");

/*
 * wake_flags returns the flags for submitting a record: readers are woken for a batch, not for a record. Looking at how
 * much waits costs a cache line that the reader keeps writing, so only about one record in 32 looks; time_ns, whose low
 * bits are as good as random, chooses.
 */
static __always_inline __u64 wake_flags(__u64 time_ns)
{
	if (((time_ns >> 4) & 31) == 0 && bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= WAKE_BYTES)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

/*
 * reader_hurry wakes the reader for what waits already, by an empty record that is thrown away: a connection moves much, and user
 * space is to say how much of it is worth copying.
 */
static __always_inline void reader_hurry(void)
{
	void *r;

	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) == 0)
		return; /* it is at work */
	r = bpf_ringbuf_reserve(&events, 8, 0);
	if (r)
		bpf_ringbuf_discard(r, BPF_RB_FORCE_WAKEUP);
}

#endif
