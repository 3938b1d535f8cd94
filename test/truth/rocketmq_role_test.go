package truth

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// rocketHead is the head of a command (org.apache.rocketmq.remoting.protocol.RemotingCommand).
type rocketHead struct {
	Code      int               `json:"code"`
	Language  string            `json:"language"`
	Version   int               `json:"version"`
	Opaque    uint64            `json:"opaque"`
	Flag      int               `json:"flag"`
	ExtFields map[string]string `json:"extFields"`
}

// rocketStep is one request: its code, its name, its topic, whether it is one way, and what the stub answers.
type rocketStep struct {
	code, answer            int
	name, topic, status     string
	isOneWay, isEarly       bool
	sends, fetches, waitsMS int
}

// rocketSteps are the requests of a round. The name of the topic decides what is answered.
var rocketSteps = []rocketStep{
	{code: 105, name: "GET_ROUTEINFO_BY_TOPIC", topic: "orders", status: "SUCCESS"},
	{code: 105, name: "GET_ROUTEINFO_BY_TOPIC", topic: "nowhere", status: "TOPIC_NOT_EXIST", answer: 17},
	{code: 34, name: "HEART_BEAT", status: "SUCCESS"},
	{code: 310, name: "SEND_MESSAGE_V2", topic: "orders", status: "SUCCESS", sends: 1},
	{code: 310, name: "SEND_MESSAGE_V2", topic: "busy", status: "SYSTEM_BUSY", answer: 2, sends: 1},
	{code: 320, name: "SEND_BATCH_MESSAGE", topic: "orders", status: "SUCCESS", sends: 5},
	{code: 11, name: "PULL_MESSAGE", topic: "orders", status: "SUCCESS", fetches: 7},
	{code: 11, name: "PULL_MESSAGE", topic: "empty", status: "PULL_NOT_FOUND", answer: 19, waitsMS: 30},
	{code: 14, name: "QUERY_CONSUMER_OFFSET", topic: "slow", status: "SUCCESS", waitsMS: int(remotingSlow / time.Millisecond)},
	{code: 15, name: "UPDATE_CONSUMER_OFFSET", topic: "orders", status: "-", isOneWay: true},
	{code: 38, name: "GET_CONSUMER_LIST_BY_GROUP", status: "SUCCESS", isEarly: true},
}

func rocketStepOf(h rocketHead) (s rocketStep) {
	topic := h.ExtFields["topic"] + h.ExtFields["b"]
	for _, s = range rocketSteps {
		if s.code == h.Code && s.topic == topic {
			return s
		}
	}
	return rocketStep{code: h.Code, name: "other", status: "REQUEST_CODE_NOT_SUPPORTED", answer: 3}
}

// enter writes into an account what a step did: under its name, and the messages it moved.
func (s rocketStep) enter(a *account, status string) {
	a.log.AddRow(wire.Row{Key: wire.Key{Method: s.name, Route: s.topic, Status: status}, Sum: wire.Sum{N: 1}})
	for kind, n := range map[string]int{"sent": s.sends, "consumed": s.fetches} {
		if n > 0 {
			a.log.AddRow(wire.Row{Key: wire.Key{Method: kind}, Sum: wire.Sum{N: int64(n)}})
		}
	}
}

// rocketMQ is the remoting protocol with heads in JSON or, isBinary, in RocketMQ's own form.
func rocketMQ(isBinary bool) remoting {
	return remoting{
		read: func(r io.Reader) ([]byte, error) {
			var size [4]byte
			if _, err := io.ReadFull(r, size[:]); err != nil {
				return nil, err
			}
			b := make([]byte, binary.BigEndian.Uint32(size[:]))
			_, err := io.ReadFull(r, b)
			return b, err
		},
		id: func(f []byte) (uint64, bool) {
			h := readRocketHead(f)
			return h.Opaque, h.Flag&1 != 0
		},
		answer: func(f []byte, a *account) (frames [][]byte) {
			h := readRocketHead(f)
			s := rocketStepOf(h)
			s.enter(a, s.status)
			if s.isOneWay {
				return nil
			}
			time.Sleep(time.Duration(s.waitsMS) * time.Millisecond)
			var body []byte
			for i := range s.fetches { // as stored: size and magic first
				body = binary.BigEndian.AppendUint32(body, uint32(100+i))
				body = append(binary.BigEndian.AppendUint32(body, 0xdaa320a7), make([]byte, 100+i-8)...)
			}
			answer := rocketHead{Code: s.answer, Opaque: h.Opaque, Flag: 1, ExtFields: map[string]string{"brokerName": "stub"}}
			frames = append(frames, answer.frame(isBinary, body))
			if s.code == 34 { // by itself, and one way
				a.log.AddRow(wire.Row{Key: wire.Key{Method: "NOTIFY_CONSUMER_IDS_CHANGED", Status: "-"}, Sum: wire.Sum{N: 1}})
				push := rocketHead{Code: 40, Opaque: 1 << 20, Flag: 2, ExtFields: map[string]string{"consumerGroup": "shop"}}
				frames = append(frames, push.frame(isBinary, nil))
			}
			return frames
		},
		calls: func(id uint64) (calls []remotingCall) {
			for i, s := range rocketSteps {
				h := rocketHead{Code: s.code, Opaque: id + uint64(i), ExtFields: map[string]string{"topic": s.topic, "consumerGroup": "shop"}}
				var body []byte
				if s.sends > 0 {
					h.ExtFields = map[string]string{"b": s.topic, "a": "shop"}
					body = make([]byte, 30000)
				}
				if s.sends > 1 {
					h.ExtFields["m"], body = "true", nil
					for range s.sends { // TOTALSIZE, MAGICCODE and the rest
						body = append(binary.BigEndian.AppendUint32(body, 200), make([]byte, 196)...)
					}
				}
				if s.isOneWay {
					h.Flag = 2
				}
				calls = append(calls, remotingCall{frame: h.frame(isBinary, body), isOneWay: s.isOneWay, isTimed: s.topic == "slow", isEarly: s.isEarly, enter: func(f []byte, a *account) {
					status := "-"
					if f != nil {
						status = map[int]string{0: "SUCCESS", 2: "SYSTEM_BUSY", 17: "TOPIC_NOT_EXIST", 19: "PULL_NOT_FOUND"}[readRocketHead(f).Code]
					}
					s.enter(a, status)
					if s.code == 34 { // what the stub sends by itself
						a.log.AddRow(wire.Row{Key: wire.Key{Method: "NOTIFY_CONSUMER_IDS_CHANGED", Status: "-"}, Sum: wire.Sum{N: 1}})
					}
				}})
			}
			return calls
		},
	}
}

func readRocketHead(f []byte) (h rocketHead) {
	n := int(binary.BigEndian.Uint32(f) & 0xffffff)
	b := f[4 : 4+n]
	if f[0] == 0 {
		if err := json.Unmarshal(b, &h); err != nil {
			panic(fmt.Sprintf("%q: %v", b, err))
		}
		return h
	}
	h.Code, h.Opaque, h.Flag, h.ExtFields = int(binary.BigEndian.Uint16(b)), uint64(binary.BigEndian.Uint32(b[5:])), int(binary.BigEndian.Uint32(b[9:])), map[string]string{}
	b = b[13+4+int(binary.BigEndian.Uint32(b[13:])):] // without the remark
	for b = b[4:]; len(b) > 0; {
		k := int(binary.BigEndian.Uint16(b))
		name := string(b[2 : 2+k])
		b = b[2+k:]
		v := int(binary.BigEndian.Uint32(b))
		h.ExtFields[name], b = string(b[4:4+v]), b[4+v:]
	}
	return h
}

func (h rocketHead) frame(isBinary bool, body []byte) []byte {
	h.Language, h.Version = "GO", 401
	head, _ := json.Marshal(h)
	kind := uint32(0)
	if isBinary {
		const golang = 9
		kind = 1 << 24
		head = binary.BigEndian.AppendUint16(nil, uint16(h.Code))
		head = append(head, golang, 1, 145)
		head = binary.BigEndian.AppendUint32(head, uint32(h.Opaque))
		head = binary.BigEndian.AppendUint32(head, uint32(h.Flag))
		head = binary.BigEndian.AppendUint32(head, 0)
		var fields []byte
		for k, v := range h.ExtFields {
			fields = append(binary.BigEndian.AppendUint16(fields, uint16(len(k))), k...)
			fields = append(binary.BigEndian.AppendUint32(fields, uint32(len(v))), v...)
		}
		head = append(binary.BigEndian.AppendUint32(head, uint32(len(fields))), fields...)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(4+len(head)+len(body)))
	b = binary.BigEndian.AppendUint32(b, kind|uint32(len(head)))
	return append(append(b, head...), body...)
}
