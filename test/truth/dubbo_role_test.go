package truth

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/sonde-dev/sonde/test/wire"
)

// Dubbo's frames (org.apache.dubbo.remoting.exchange.codec.ExchangeCodec): magic, flags, status, id, length; bodies in Hessian 2.
const (
	dubboHead                                = 16
	dubboRequest, dubboTwoWay, dubboHessian2 = 0x80, 0x40, 2
	dubboService                             = "com.acme.Users"
)

// dubboStatuses are the methods and how they end: a result, an exception of the service, a status of the server's, nothing.
var dubboStatuses = map[string]string{
	"get": "OK", "put": "OK", "slow": "OK", "early": "OK", "broken": "EXCEPTION", "busy": "SERVER_THREADPOOL_EXHAUSTED_ERROR", "nowhere": "SERVICE_NOT_FOUND", "log": "-",
}

var dubbo = remoting{
	read: func(r io.Reader) ([]byte, error) {
		b := make([]byte, dubboHead)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		body := make([]byte, binary.BigEndian.Uint32(b[12:]))
		_, err := io.ReadFull(r, body)
		return append(b, body...), err
	},
	id: func(f []byte) (uint64, bool) { return binary.BigEndian.Uint64(f[4:]), f[2]&dubboRequest == 0 },
	answer: func(f []byte, a *account) [][]byte {
		body := f[dubboHead:]
		var texts [4]string // the version of Dubbo, the path, the version of the service, the method
		for i := range texts {
			texts[i], body = hessianText(body)
		}
		status := dubboStatuses[texts[3]]
		a.log.AddRow(wire.Row{Key: wire.Key{Route: texts[1] + "/" + texts[3], Status: status}, Sum: wire.Sum{N: 1}})
		code, result := byte(20), append([]byte{0x91}, hessian("of "+texts[3])...)
		switch texts[3] {
		case "log":
			return nil
		case "slow":
			time.Sleep(remotingSlow)
		case "get":
			result = append(append([]byte{0x91, 'B', 0xea, 0x60}, make([]byte, 60000)...), 'N')
		case "broken": // the definition of its class, and an object of it
			result = append(append(append([]byte{0x90, 'C'}, hessian("java.lang.IllegalStateException")...), 0x91), hessian("detailMessage")...)
			result = append(append(result, 0x60), hessian("broken")...)
		case "busy":
			code, result = 100, hessian("Thread pool is EXHAUSTED!")
		case "nowhere":
			code, result = 60, hessian("no such service")
		}
		return [][]byte{dubboFrame(dubboHessian2, code, binary.BigEndian.Uint64(f[4:]), result)}
	},
	calls: func(id uint64) (calls []remotingCall) {
		for i, method := range []string{"get", "log", "put", "broken", "busy", "nowhere", "slow", "early"} {
			flags := byte(dubboRequest | dubboTwoWay | dubboHessian2)
			if method == "log" {
				flags &^= dubboTwoWay
			}
			var body []byte
			for _, text := range []string{"2.0.2", dubboService, "0.0.0", method, "Ljava/lang/String;", "secret"} {
				body = append(body, hessian(text)...)
			}
			if method == "put" {
				body = append(append(body, 'B', 0xc3, 0x50), make([]byte, 50000)...)
			}
			calls = append(calls, remotingCall{frame: dubboFrame(flags, 0, id+uint64(i), append(body, 'H', 'Z')), isOneWay: method == "log", isTimed: method == "slow", isEarly: method == "early",
				enter: func(f []byte, a *account) {
					status := "-"
					if f != nil {
						status = map[byte]string{20: "OK", 60: "SERVICE_NOT_FOUND", 100: "SERVER_THREADPOOL_EXHAUSTED_ERROR"}[f[3]]
						if f[3] == 20 && f[dubboHead] == 0x90 {
							status = "EXCEPTION"
						}
					}
					a.log.AddRow(wire.Row{Key: wire.Key{Route: fmt.Sprint(dubboService, "/", method), Status: status}, Sum: wire.Sum{N: 1}})
				}})
		}
		return calls
	},
}

func dubboFrame(flags, status byte, id uint64, body []byte) []byte {
	b := binary.BigEndian.AppendUint64([]byte{0xda, 0xbb, flags, status}, id)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
}

// hessian writes a string of less than 1024 characters (Hessian 2.0 §4.12).
func hessian(s string) []byte {
	if len(s) < 32 {
		return append([]byte{byte(len(s))}, s...)
	}
	return append([]byte{0x30 + byte(len(s)>>8), byte(len(s))}, s...)
}

func hessianText(b []byte) (string, []byte) {
	n, head := int(b[0]), 1
	if b[0] >= 0x30 {
		n, head = int(b[0]-0x30)<<8|int(b[1]), 2
	}
	return string(b[head : head+n]), b[head+n:]
}
