// Package all lists the protocols that Sonde knows.
//
// In: nothing. Out: the registry. A new protocol is one more line here; it must not need an edit anywhere else.
package all

import (
	"slices"

	"github.com/sonde-dev/sonde/agent/protocol"
	"github.com/sonde-dev/sonde/agent/protocol/amqp"
	"github.com/sonde-dev/sonde/agent/protocol/cassandra"
	"github.com/sonde-dev/sonde/agent/protocol/clickhouse"
	"github.com/sonde-dev/sonde/agent/protocol/dialect"
	"github.com/sonde-dev/sonde/agent/protocol/dns"
	"github.com/sonde-dev/sonde/agent/protocol/dubbo"
	"github.com/sonde-dev/sonde/agent/protocol/fastcgi"
	"github.com/sonde-dev/sonde/agent/protocol/http1"
	"github.com/sonde-dev/sonde/agent/protocol/http2"
	"github.com/sonde-dev/sonde/agent/protocol/kafka"
	"github.com/sonde-dev/sonde/agent/protocol/memcached"
	"github.com/sonde-dev/sonde/agent/protocol/mongodb"
	"github.com/sonde-dev/sonde/agent/protocol/mqtt"
	"github.com/sonde-dev/sonde/agent/protocol/mysql"
	"github.com/sonde-dev/sonde/agent/protocol/nats"
	"github.com/sonde-dev/sonde/agent/protocol/postgres"
	"github.com/sonde-dev/sonde/agent/protocol/redis"
	"github.com/sonde-dev/sonde/agent/protocol/rocketmq"
	"github.com/sonde-dev/sonde/agent/protocol/thrift"
	"github.com/sonde-dev/sonde/agent/protocol/tls"
)

// Names returns the names of all protocols and dialects, each once, in the order of Protocols.
func Names() (names []string) {
	for _, p := range Protocols() {
		if !slices.Contains(names, p.Name()) {
			names = append(names, p.Name())
		}
	}
	return names
}

// Protocols returns the registry in order of recognition: the first that claims the bytes of a connection gets it.
func Protocols() []protocol.Protocol {
	return append([]protocol.Protocol{
		http1.Protocol{},
		http2.Protocol{},
		http2.GRPC{}, // found inside HTTP/2; here for its names
		redis.Protocol{},
		memcached.Protocol{},
		fastcgi.Protocol{},
		amqp.Protocol{},
		clickhouse.Protocol{},
		dns.Protocol{},
		mqtt.Protocol{},
		nats.Protocol{},
		postgres.Protocol{},
		mysql.Protocol{},
		kafka.Protocol{},
		rocketmq.Protocol{},
		dubbo.Protocol{},
		thrift.Protocol{},
		mongodb.Protocol{},
		cassandra.Protocol{},
		tls.Protocol{},
	}, dialect.Protocols()...) // found inside HTTP; here for their names
}
