package all

import (
	"testing"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/parsertest"
)

// Nothing is claimed by two protocols.
func TestNobodyClaimsWhatIsAnothers(t *testing.T) {
	for name, text := range parsertest.Foreign {
		var claims []string
		for _, p := range Protocols() {
			if v := p.Recognize([]byte(text)); v == protocol.IsRequest || v == protocol.IsResponse {
				claims = append(claims, p.Name())
			}
		}
		if len(claims) > 1 {
			t.Errorf("%s is claimed by %v", name, claims)
		}
	}
	for _, c := range []struct {
		protocol, file string
		port           uint16
	}{
		{"amqp", "../amqp/testdata/amqp1.pcap", 5672}, {"mqtt", "../mqtt/testdata/mqtt_connect.pcap", 1883},
		{"mqtt", "../mqtt/testdata/mqtt_pub.pcap", 1883}, {"nats", "../nats/testdata/nats-err.pcap", 4222},
		{"nats", "../nats/testdata/nats-headers.pcap", 4222}, {"mongodb", "../mongodb/testdata/mongo-msg.pcap", 3717},
	} {
		for _, calls := range parsertest.Capture(t, c.file, c.port) {
			for _, call := range calls {
				for _, p := range Protocols() {
					if v := p.Recognize(call.Data); (v == protocol.IsRequest || v == protocol.IsResponse) && p.Name() != c.protocol {
						t.Errorf("%s: %q is claimed by %s", c.file, call.Data, p.Name())
					}
				}
			}
		}
	}
}
