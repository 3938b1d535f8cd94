package all_test

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/all"
	"github.com/sonde-dev/sonde/agent/replay"
	"github.com/sonde-dev/sonde/test/garbage"
)

// free is a byte of a start that is chosen at random.
const free = -1

// starts are bytes by which protocols begin, those that random bytes hit most easily. No protocol is to claim random bytes more often than once in 2^40;
// half of that is in what is fixed here, and the rest in what is tried behind it.
var starts = []struct {
	protocol string
	fixed    []int
	is       uint64 // how many values of the fixed bytes are as good as these
}{
	{"thrift", []int{0x82, 0x21}, 4},
	{"thrift", []int{0x82, 0x81, 0x01, 0x04}, 4 * 128 * 255},
	{"thrift", []int{0, 0, free, free, 0x82, 0x21}, 4 * 256},
	{"thrift", []int{0x80, 1, 0, 1}, 4},
	{"postgresql", []int{'P', 0}, 1},
	{"postgresql", []int{'Q', 0}, 1},
	{"postgresql", []int{'B', 0}, 1},
	{"mysql", []int{free, free, free, 0, 3}, 2},
	{"dubbo", []int{0xda, 0xbb, 0xc2, 0}, 64},
	{"dubbo", []int{0xda, 0xbb, 0x02, 20}, 18 * 12},
	{"mqtt", []int{0xa2}, 1},
	{"mqtt", []int{0x82}, 1},
	{"mqtt", []int{0x40, 2, free, free, 0xc0, 0}, 4 * 3},
	{"mqtt", []int{0xc0, 0}, 2},
	{"memcached", []int{'m', 'g', ' '}, 4},
	{"memcached", []int{'g', 'e', 't', ' '}, 1},
	{"memcached", []int{0x80, 0}, 40},
	{"cql", []int{4, 0, free, free, 7}, 3 * 32 * 2},
	{"cql", []int{4, 0, free, free, 10}, 3 * 32},
	{"clickhouse", []int{0}, 1},
	{"clickhouse", []int{1}, 1},
	{"kafka", []int{0, free, free, free, 0, 3}, 16 * 80},
	{"http", []int{0, 0, free, 1, 4}, 12},
	{"rocketmq", []int{0, free, free, free, 1}, 64},
	{"fastcgi", []int{1, 6}, 1},
	{"tls", []int{23, 3, 3}, 1},
	{"mongodb", []int{free, free, 0, 0, free, free, free, free, 0, 0, 0, 0}, 1},
	{"amqp", []int{1, 0, 0}, 1},
	{"dns", []int{0}, 1},
	{"nats", []int{'S', 'U', 'B', ' '}, 8},
}

// shortest: fewer bytes may well be a message.
const shortest = 16

// bitsOf returns how many bits random bytes have to hit for a start.
func bitsOf(fixed []int, is uint64) (n int) {
	for _, c := range fixed {
		if c != free {
			n += 8
		}
	}
	return n - (bits.Len64(is) - 1)
}

// Whoever begins by chance as a protocol does is not claimed by what comes by chance behind it.
func TestNobodyClaimsWhatBeginsLikeIt(t *testing.T) {
	const want = 39 // a few claims say no more than about how many they are
	r := rand.New(rand.NewPCG(23, 23))
	noise := make([]byte, 1<<20)
	for i := 0; i < len(noise); i += 8 {
		binary.LittleEndian.PutUint64(noise[i:], r.Uint64())
	}
	for _, s := range starts {
		tries := 1 << 18 // beyond that, what is known of a start has to be reason
		if testing.Short() {
			tries = 1 << 12
		}
		if more, _ := strconv.Atoi(os.Getenv("SONDE_GARBAGE_TRIES")); more > 0 {
			tries = more
		}
		asked := slices.DeleteFunc(all.Protocols(), func(p protocol.Protocol) bool { return p.Name() != s.protocol }) // HTTP has two
		claims := 0
		for range tries {
			at := r.IntN(len(noise) - 4096)
			b := noise[at : at+shortest+r.IntN(400)]
			was := [shortest]byte(b)
			for i, c := range s.fixed {
				if c != free {
					b[i] = byte(c)
				}
			}
			for _, p := range asked {
				if v := p.Recognize(b); v == protocol.IsRequest || v == protocol.IsResponse {
					if claims++; claims == 1 {
						t.Logf("%s claims %q", p.Name(), b)
					}
				}
			}
			copy(b, was[:])
		}
		if hit := bitsOf(s.fixed, s.is); claims > 0 && hit+bits.Len(uint(tries/claims))-1 < want {
			t.Errorf("%s: % x: claimed %d times of %d, which is once in 2^%d", s.protocol, s.fixed, claims, tries, hit+bits.Len(uint(tries/claims))-1)
		}
	}
}

// Conversations of garbage are of no protocol, however their calls are put together: random bytes, what resembles HTTP, what begins as protocols do. It is
// the same that test/truth sends over real sockets. SONDE_GARBAGE is how many to play.
func TestNobodyClaimsGarbage(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 2000
	}
	if more, _ := strconv.Atoi(os.Getenv("SONDE_GARBAGE")); more > 0 {
		n = more
	}
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 29))
		conv := &replay.Conversation{Seen: r.IntN(2) == 0}
		for range 1 + r.IntN(4) {
			for _, isClient := range []bool{true, false} {
				if b := mess(r); len(b) > 0 && (isClient || r.IntN(5) > 0) {
					conv.Calls = append(conv.Calls, replay.Call{FromClient: isClient, Len: uint32(len(b)), Payload: b})
				}
			}
		}
		if told, _ := play(conv, whole(conv), nil); len(told) > 0 {
			t.Errorf("seed %d: told %q", seed, told)
			for _, k := range conv.Calls {
				t.Logf("client %v: %d bytes, %q", k.FromClient, k.Len, k.Payload[:min(len(k.Payload), 60)])
			}
		}
	}
}

// mess is random bytes, or something that resembles HTTP and is none, or a start with random bytes behind it.
func mess(r *rand.Rand) []byte {
	b, a := garbage.Noise(r), garbage.Almost(r)
	switch r.IntN(4) {
	case 0:
		return b
	case 1:
		return []byte(a)
	case 2:
		return garbage.Around(b, a)
	default:
		for i, c := range starts[r.IntN(len(starts))].fixed {
			if c != free && len(b) >= shortest {
				b[i] = byte(c)
			}
		}
		return b
	}
}
