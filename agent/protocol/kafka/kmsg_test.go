package kafka

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// The oracle of this file is kmsg, franz-go's generated encoding of every request and response in every version.

// fill sets every exported field to something: arrays of up to two elements, error codes now and then.
func fill(v reflect.Value, r *rand.Rand) {
	switch v.Kind() {
	case reflect.Pointer:
		if r.IntN(4) > 0 && v.CanSet() {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), r)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f, name := v.Field(i), v.Type().Field(i).Name
			switch {
			case name == "Version" || name == "UnknownTags" || !f.CanSet():
			case name == "ErrorCode":
				if r.IntN(3) == 0 {
					f.SetInt(int64(1 + r.IntN(120)))
				}
			case name == "Acks":
				f.SetInt(int64(r.IntN(3) - 1))
			case name == "Records" || name == "RecordBatches":
				f.SetBytes(batches(r, 1+r.IntN(3)))
			default:
				fill(f, r)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			b := make([]byte, r.IntN(200))
			v.SetBytes(b)
			return
		}
		n := r.IntN(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), r)
		}
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint(uint64(r.IntN(256)))
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("name-%d", r.IntN(10)))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.IntN(100)))
	case reflect.Uint32, reflect.Uint16:
		v.SetUint(uint64(r.IntN(100)))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	}
}

// batches encodes record batches of some records each, of which the heads are all that counts.
func batches(r *rand.Rand, n int) []byte {
	var out []byte
	for range n {
		count := 1 + r.IntN(50)
		b := kmsg.RecordBatch{
			FirstOffset: int64(r.IntN(1000)), Magic: 2, LastOffsetDelta: int32(count - 1), NumRecords: int32(count),
			Records: make([]byte, count*7),
		}
		b.Length = int32(49 + len(b.Records))
		out = b.AppendTo(out)
	}
	return out
}

// gather collects the values of fields of a name in the order of the wire.
func gather(v reflect.Value, name string, into *[]reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			gather(v.Elem(), name, into)
		}
	case reflect.Slice:
		for i := range v.Len() {
			gather(v.Index(i), name, into)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == name {
				*into = append(*into, v.Field(i))
			} else {
				gather(v.Field(i), name, into)
			}
		}
	}
}

// firstError returns the first error code that is not 0. onlyTop: the layout looks at the first one only.
func firstError(res kmsg.Response, onlyTop bool) int16 {
	var all []reflect.Value
	gather(reflect.ValueOf(res), "ErrorCode", &all)
	for _, v := range all {
		if v.Int() != 0 || onlyTop {
			return int16(v.Int())
		}
	}
	return 0
}

func countRecords(v any, name string) (n, size uint64) {
	var all []reflect.Value
	gather(reflect.ValueOf(v), name, &all)
	for _, f := range all {
		b := f.Bytes()
		size += uint64(len(b))
		for len(b) > 0 {
			var batch kmsg.RecordBatch
			l := 12 + int(binary.BigEndian.Uint32(b[8:]))
			if err := batch.ReadFrom(b[:l]); err != nil {
				panic(err)
			}
			n += uint64(batch.NumRecords)
			b = b[l:]
		}
	}
	return n, size
}

// each calls f for every request that kmsg knows, in every version, filled in several ways.
func each(t *testing.T, f func(t *testing.T, req kmsg.Request, res kmsg.Response, r *rand.Rand)) {
	for key := range int16(len(apis)) {
		blank := kmsg.RequestForKey(key)
		if blank == nil {
			t.Fatalf("kmsg does not know key %d", key)
		}
		for version := int16(0); version <= blank.MaxVersion(); version++ {
			t.Run(fmt.Sprintf("%s/%d", kmsg.NameForKey(key), version), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(key), uint64(version)))
				if key == keyControlledShutdown && version == 0 {
					t.Skip("kmsg writes the head of this request only")
				}
				for range 8 {
					req, res := kmsg.RequestForKey(key), kmsg.ResponseForKey(key)
					req.SetVersion(version)
					res.SetVersion(version)
					fill(reflect.ValueOf(req).Elem(), r)
					fill(reflect.ValueOf(res).Elem(), r)
					f(t, req, res, r)
				}
			})
		}
	}
}

var formatter = kmsg.NewRequestFormatter(kmsg.FormatterClientID("tester"))

func requestBytes(req kmsg.Request, correlation int32) []byte {
	return formatter.AppendRequest(nil, req, correlation)
}

func responseBytes(res kmsg.Response, correlation int32) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(correlation))
	if res.IsFlexible() && res.Key() != keyAPIVersions {
		b = append(b, 0)
	}
	b = res.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// feed hands over bytes in random pieces.
func feed(p protocol.Parser, dir protocol.Direction, b []byte, r *rand.Rand, sink protocol.Sink) {
	for len(b) > 0 {
		n := min(len(b), 1+r.IntN(1+r.IntN(200)))
		p.Data(dir, b[:n], sink)
		b = b[n:]
	}
}

// hasStop reports whether only the first error of a response is looked at.
func hasStop(fields []field, version int16) bool {
	for i, f := range fields {
		if f.kind == stop && fields[i-1].kind == errorCode && version >= int16(f.since) && version <= int16(f.until) {
			return true
		}
	}
	return false
}

func TestEveryVersion(t *testing.T) {
	each(t, func(t *testing.T, req kmsg.Request, res kmsg.Response, r *rand.Rand) {
		a, isKnown := apiOf(req.Key(), req.GetVersion())
		if !isKnown || a.isFlexible(req.GetVersion()) != req.IsFlexible() {
			t.Fatalf("known %v, flexible %v; kmsg says %v", isKnown, a.isFlexible(req.GetVersion()), req.IsFlexible())
		}
		names := &topics{names: map[[16]byte]string{}}
		p, got := newParser(false, names), parsertest.NewRecorder(t)
		out := requestBytes(req, 7)
		feed(p, protocol.ToServer, out, r, got)
		in := responseBytes(res, 7)
		feed(p, protocol.FromServer, in, r, got)
		x := got.Exchanges[1]
		if len(got.IDs) != 1 || !x.HasRequest || !x.RequestEnded || x.RequestEnd != (protocol.End{BodyBytes: uint64(len(out))}) {
			t.Fatalf("request %+v: %+v, want whole", req, x)
		}
		// Read back, so that only what this version has is there.
		sent := kmsg.RequestForKey(req.Key())
		sent.SetVersion(req.GetVersion())
		if err := sent.ReadFrom(req.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
		checkRequest(t, a, sent, x)
		if x.Request.NoResponse {
			if got.Losses[0] != 0 || x.ResponseEnded {
				t.Fatalf("silent request: %+v", x)
			}
			return
		}
		answer := kmsg.ResponseForKey(req.Key())
		answer.SetVersion(req.GetVersion())
		if err := answer.ReadFrom(res.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
		if !x.HasResponse || x.ResponseEnd != (protocol.End{BodyBytes: uint64(len(in))}) {
			t.Fatalf("response %+v: %+v, want whole", answer, x)
		}
		if a.response == nil {
			return
		}
		if want := errorName(firstError(answer, hasStop(a.response, req.GetVersion()))); x.Response.Status != want {
			t.Fatalf("response %+v: status %s, want %s", answer, x.Response.Status, want)
		}
		n, size := countRecords(answer, "RecordBatches")
		if req.Key() == keyFetch && (x.Response.Counts[protocol.MessagesConsumed] != n || x.Response.Counts[protocol.MessageBytesConsumed] != size) {
			t.Fatalf("fetched %v, want %d records in %d bytes", x.Response.Counts, n, size)
		}
	})
}

// checkRequest compares what requests say of topics, groups, records.
func checkRequest(t *testing.T, a *api, req kmsg.Request, x *parsertest.Exchange) {
	t.Helper()
	if x.Request.Operation != a.name {
		t.Errorf("operation %s, want %s", x.Request.Operation, a.name)
	}
	if a.request == nil {
		return
	}
	var values []reflect.Value
	gather(reflect.ValueOf(req), "Group", &values)
	gather(reflect.ValueOf(req), "GroupID", &values)
	groups := map[string]bool{}
	for _, v := range values {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.IsValid() && v.String() != "" {
			groups[v.String()] = true
		}
	}
	group := ""
	if len(groups) == 1 {
		for group = range groups {
		}
	}
	gotGroup := ""
	for _, attr := range x.Request.Attributes {
		if attr.Key == attrGroup {
			gotGroup = attr.Value
		}
	}
	if gotGroup != group {
		t.Errorf("%+v: group %q, want %q", req, gotGroup, group)
	}
	if req.Key() == keyProduce {
		n, size := countRecords(req, "Records")
		if x.Request.Counts[protocol.MessagesSent] != n || x.Request.Counts[protocol.MessageBytesSent] != size {
			t.Errorf("sent %v, want %d records in %d bytes", x.Request.Counts, n, size)
		}
		if isSilent := req.(*kmsg.ProduceRequest).Acks == 0; x.Request.NoResponse != isSilent {
			t.Errorf("no response: %v, want %v", x.Request.NoResponse, isSilent)
		}
	}
	if fetch, ok := req.(*kmsg.FetchRequest); ok && fetch.SessionEpoch != 0 {
		return // session_test.go
	}
	if slices.ContainsFunc(a.request, func(f field) bool { return f.kind == stop }) {
		return
	}
	want := map[string]bool{}
	if _, isMember := req.(*kmsg.ConsumerGroupHeartbeatRequest); !isMember {
		values = nil
		gather(reflect.ValueOf(req), "Topics", &values)
		for _, list := range values {
			for i := range list.Len() {
				if e := list.Index(i); e.Kind() == reflect.Struct {
					v := e.FieldByName("Topic")
					if v.Kind() == reflect.Pointer {
						v = v.Elem()
					}
					if v.IsValid() {
						want[v.String()] = true
					}
				}
			}
		}
	}
	delete(want, "") // by id
	switch len(want) {
	case 0:
		if x.Request.Target != "" {
			t.Errorf("%+v: target %q, want none", req, x.Request.Target)
		}
	case 1:
		if !want[x.Request.Target] && x.Request.Target != severalTopics {
			t.Errorf("target %q, want %v", x.Request.Target, want)
		}
	default:
		if x.Request.Target != severalTopics {
			t.Errorf("target %q, want %q: %v", x.Request.Target, severalTopics, want)
		}
	}
}
