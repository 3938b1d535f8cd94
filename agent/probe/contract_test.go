package probe

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sonde-dev/sonde/agent/probe/event"
	"github.com/sonde-dev/sonde/signal"
)

// contractSpec opens bpf/test/contract.bpf.c, compiled from the same headers as the programs.
func contractSpec(t testing.TB) *ebpf.CollectionSpec {
	t.Helper()
	spec, err := ebpf.LoadCollectionSpec("../../bpf/build/contract.o")
	if errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("CI") != "" {
			t.Fatal("bpf/build/contract.o is missing: run `make bpf`")
		}
		t.Skip("bpf/build/contract.o is missing: run `make bpf`")
	}
	if err != nil {
		t.Fatalf("open bpf/build/contract.o: %v", err)
	}
	return spec
}

// cRecord is a record as C lays it out: fields are set by name, at the offset that the type information tells.
type cRecord struct {
	t   *testing.T
	typ *btf.Struct
	b   []byte
}

func newRecord(t *testing.T, types *btf.Spec, name string) cRecord {
	t.Helper()
	var typ *btf.Struct
	if err := types.TypeByName(name, &typ); err != nil {
		t.Fatalf("find struct %s: %v", name, err)
	}
	return cRecord{t: t, typ: typ, b: make([]byte, typ.Size)}
}

// field returns the bytes of a field; further names are fields of fields.
func (r cRecord) field(path ...string) []byte {
	r.t.Helper()
	typ, b := r.typ, r.b
	for i, name := range path {
		at := -1
		for j, m := range typ.Members {
			if m.Name == name {
				at = j
			}
		}
		if at < 0 {
			r.t.Fatalf("struct %s has no field %v", r.typ.Name, path)
		}
		m := typ.Members[at]
		size, err := btf.Sizeof(m.Type)
		if err != nil {
			r.t.Fatalf("size of %v: %v", path, err)
		}
		b = b[m.Offset.Bytes() : m.Offset.Bytes()+uint32(size)]
		if i+1 < len(path) {
			typ = btf.UnderlyingType(m.Type).(*btf.Struct)
		}
	}
	return b
}

// set writes a number in the width of its field, little-endian.
func (r cRecord) set(v uint64, path ...string) {
	r.t.Helper()
	var wide [8]byte
	binary.LittleEndian.PutUint64(wide[:], v)
	f := r.field(path...)
	for i := len(f); i < 8; i++ {
		if wide[i] != 0 {
			r.t.Fatalf("%d does not fit into %v", v, path)
		}
	}
	copy(f, wide[:])
}

func (r cRecord) header(kind event.Kind, prefix ...string) event.Event {
	h := func(name string) []string { return append(append([]string{}, prefix...), "h", name) }
	r.set(uint64(kind), h("kind")...)
	r.set(0x1122334455667788, h("time_ns")...)
	r.set(0x99aabbccddeeff01, h("conn")...)
	r.set(0x01020304, h("tgid")...)
	r.set(0x05060708, h("tid")...)
	return event.Event{Kind: kind, Time: 0x1122334455667788, Conn: 0x99aabbccddeeff01, PID: 0x01020304, TID: 0x05060708}
}

// TestDecodeReadsWhatCWrites fills every field of every record through the type information of the C side.
func TestDecodeReadsWhatCWrites(t *testing.T) {
	types := contractSpec(t).Types
	decode := func(t *testing.T, b []byte, want event.Event) {
		t.Helper()
		if diff := cmp.Diff(&want, (&Decoder{}).Decode(b), cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
			t.Errorf("decode differs (-want +got):\n%s", diff)
		}
		for n := range b[:len(b)-len(want.Payload)] {
			if ev := (&Decoder{}).Decode(b[:n]); ev != nil && ev.Kind != event.Exec {
				t.Fatalf("a record of %d bytes cut to %d is decoded", len(b), n)
			}
		}
	}
	t.Run("data", func(t *testing.T) {
		r := newRecord(t, types, "data_event")
		want := r.header(event.Data)
		r.set(1, "h", "direction")
		r.set(7, "h", "tail_len")
		r.set(5, "h", "captured")
		r.set(0xa1a2a3a4, "seq")
		r.set(0xb1b2b3b4, "len")
		r.set(1, "h", "flag")
		r.set(0xc1c2c3c4, "other")
		want.HasOther, want.Other = true, 0xc1c2c3c4
		copy(r.field("tail"), "tail678!")
		want.Direction, want.Seq, want.Len, want.Payload, want.Tail = event.Egress, 0xa1a2a3a4, 0xb1b2b3b4, []byte("bytes"), []byte("tail678")
		decode(t, append(r.b, "bytes"...), want)
	})
	for _, c := range []struct {
		name          string
		family        uint64
		local, remote string // as the socket holds them
		want          [2]netip.AddrPort
	}{
		{"open4", 2, "\x7f\x00\x00\x01", "\x0a\x01\x02\x03", [2]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8080"), netip.MustParseAddrPort("10.1.2.3:54321")}},
		{"open6", 10, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x0a\x01\x02\x03",
			[2]netip.AddrPort{netip.MustParseAddrPort("[2001:db8::7]:8080"), netip.MustParseAddrPort("10.1.2.3:54321")}},
		{"openUnix", 1, "", "", [2]netip.AddrPort{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecord(t, types, "open_event")
			want := r.header(event.Open)
			r.set(c.family, "family")
			r.set(2, "role")
			r.set(1, "protocol")
			r.set(1, "seen")
			r.set(0xf0000001, "netns")
			r.set(8080, "local_port")
			r.set(54321, "remote_port")
			r.set(0xc1c2c3c4, "next_ingress")
			r.set(0xd1d2d3d4, "next_egress")
			copy(r.field("local_addr"), c.local)
			copy(r.field("remote_addr"), c.remote)
			r.set(123456789012345, "start_time_ns")
			copy(r.field("comm"), "fifteen letters")
			want.Open = event.OpenInfo{Local: c.want[0], Remote: c.want[1], Netns: 0xf0000001, Role: event.RoleServer, Protocol: event.ProtocolHTTP1,
				StartTime: 123456789012345, Comm: "fifteen letters", Seen: true, HasPositions: true, NextIngress: 0xc1c2c3c4, NextEgress: 0xd1d2d3d4}
			if c.family == 1 {
				r.set(0xffff888811112222, "unix_self")
				r.set(0xffff888833334444, "unix_peer")
				want.Open.Unix, want.Open.UnixSelf, want.Open.UnixPeer = true, 0xffff888811112222, 0xffff888833334444
			}
			decode(t, r.b, want)
		})
	}
	t.Run("close", func(t *testing.T) {
		r := newRecord(t, types, "close_event")
		want := r.header(event.Close)
		r.set(1, "h", "flag")
		r.set(0xc1c2c3c4, "next_ingress")
		r.set(0xd1d2d3d4, "next_egress")
		want.Close = event.CloseInfo{Reset: true, HasPositions: true, NextIngress: 0xc1c2c3c4, NextEgress: 0xd1d2d3d4}
		decode(t, r.b, want)
	})
	for _, kind := range []event.Kind{event.Fork, event.Exit, event.Exec} {
		t.Run(kind.String(), func(t *testing.T) {
			name, prefix := "process_event", []string{}
			if kind == event.Exec {
				name, prefix = "exec_event", []string{"p"}
			}
			in := func(name string) []string { return append(append([]string{}, prefix...), name) }
			r := newRecord(t, types, name)
			want := r.header(kind, prefix...)
			r.set(0x0a0b0c0d, in("parent")...)
			r.set(12, in("args_len")...)
			r.set(123456789012345, in("start_time_ns")...)
			copy(r.field(in("comm")...), "comm")
			copy(r.field(in("cgroup")...), "docker-0123.scope")
			copy(r.field(in("filename")...), "/usr/bin/env")
			copy(r.field(in("args")...), "env\x00-i\x00\x00last\x00beyond")
			want.Process = event.ProcessInfo{ParentPID: 0x0a0b0c0d, StartTime: 123456789012345, Comm: "comm", Filename: "/usr/bin/env",
				Args: []string{"env", "-i", "", "last"}, Cgroup: "docker-0123.scope"}
			if kind == event.Exec {
				r.set(8, "env_len")
				r.set(1, "env_cut")
				copy(r.field("env"), "A=1\x00B=2\x00beyond")
				want.Process.Environ, want.Process.EnvironCut = []byte("A=1\x00B=2\x00"), true
			}
			decode(t, r.b, want)
		})
	}
}

// TestNumbersAreShared compares the enumerations of the C side with the constants of Go.
func TestNumbersAreShared(t *testing.T) {
	types := contractSpec(t).Types
	for name, want := range map[string]map[string]uint64{
		"event_kind": {"EVENT_OPEN": uint64(event.Open), "EVENT_DATA": uint64(event.Data), "EVENT_CLOSE": uint64(event.Close),
			"EVENT_EXEC": uint64(event.Exec), "EVENT_EXIT": uint64(event.Exit), "EVENT_FORK": uint64(event.Fork)},
		"direction": {"INGRESS": uint64(event.Ingress), "EGRESS": uint64(event.Egress)},
		"role":      {"ROLE_UNKNOWN": uint64(event.RoleUnknown), "ROLE_CLIENT": uint64(event.RoleClient), "ROLE_SERVER": uint64(event.RoleServer)},
		"protocol":  {"PROTOCOL_UNKNOWN": uint64(event.ProtocolUnknown), "PROTOCOL_HTTP1": uint64(event.ProtocolHTTP1)},
		"loss_cause": {"LOSS_RING_FULL": uint64(signal.RingFull), "LOSS_RING_FULL_MESSAGE": uint64(signal.RingFullMessage),
			"LOSS_STORAGE_FULL": uint64(signal.StorageFull), "LOSS_PAYLOAD_FAULT": uint64(signal.PayloadFault), "LOSS_NO_SOCKET": uint64(signal.NoSocket),
			"LOSS_RECURSION": uint64(signal.Recursion), "LOSS_PROCESS_RING_FULL": uint64(signal.ProcessRingFull),
			"LOSS_TLS_UNBOUND": uint64(signal.TLSUnbound), "LOSS_CAUSES": 8},
	} {
		var enum *btf.Enum
		if err := types.TypeByName(name, &enum); err != nil {
			t.Fatalf("find enum %s: %v", name, err)
		}
		got := map[string]uint64{}
		for _, v := range enum.Values {
			got[v.Name] = v.Value
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("enum %s differs (-Go +C):\n%s", name, diff)
		}
		if name == "loss_cause" && len(signal.KernelCauses()) > int(got["LOSS_CAUSES"]) {
			t.Errorf("the kernel side has room for %d causes, signal knows %d", got["LOSS_CAUSES"], len(signal.KernelCauses()))
		}
	}
}
