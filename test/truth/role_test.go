package truth

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/sonde-dev/sonde/test/load"
	"github.com/sonde-dev/sonde/test/wire"
)

// The roles that this test program plays as a process of its own, so that each is a service for Sonde.
const (
	roleEnv = "SONDE_TRUTH_ROLE"
	argsEnv = "SONDE_TRUTH_ARGS"
)

// Args is what a role is told. Each uses what it needs.
type Args struct {
	Network, Addr string
	Plan          string // of a client: which requests it makes
	Requests      int
	Connections   int
	Rate          float64 // requests per second, 0 for as fast as it goes
	Seconds       float64
	Paths         []string // made in turn; "%d" is the number of the request
	Seed          uint64
	TLS           string // folder of cert.pem and key.pem; "" for plain text
}

func playRole(ctx context.Context, role string) error {
	var a Args
	if err := json.Unmarshal([]byte(os.Getenv(argsEnv)), &a); err != nil {
		return fmt.Errorf("read arguments: %w", err)
	}
	log := &wire.Log{}
	var err error
	switch role {
	case "server":
		log, err = serve(ctx, a)
	case "client":
		log, err = browse(a)
	case "load":
		begin := time.Now()
		log, err = load.Run(load.Plan{Network: a.Network, Addr: a.Addr, Requests: a.Requests, Connections: a.Connections,
			Rate: a.Rate, Paths: a.Paths, Timed: a.Plan == "timed"})
		fmt.Fprintf(os.Stderr, "%.0f requests/s\n", float64(a.Requests)/time.Since(begin).Seconds())
	case "raw":
		log, err = rawPlan(a)
	case "fresh":
		log, err = freshStacks(a)
	case "old":
		log, err = oldConnections(a)
	case "shop":
		err = playShop(ctx, a)
	case "http2-server":
		log, err = serveHTTP2(ctx, a)
	case "http2-client":
		log, err = browseHTTP2(a)
	case "grpc-server":
		log, err = serveGRPC(ctx, a)
	case "grpc-client":
		log, err = callGRPC(a)
	case "kafka-broker":
		log, err = serveKafka(ctx, a)
	case "kafka-client":
		log, err = useKafka(ctx, a)
	case "kafka-holder":
		log, err = produceHeld(ctx, a)
	case "kafka-follower":
		log, err = followKafka(ctx, a)
	case "kafka-laggard":
		log, err = lagBehind(ctx, a)
	case "kafka-member":
		err = joinGroup(ctx, a)
	case "thrift-server":
		log, err = serveThrift(ctx, a)
	case "thrift-client":
		log, err = callThrift(ctx, a)
	case "amqp-client":
		log, err = speakAMQP(a)
	case "mqtt-client":
		log, err = speakMQTT(a)
	case "pgx":
		log, err = playPgx(ctx, a)
	case "mysql":
		log, err = playMySQL(ctx, a)
	case "memcached":
		log, err = useMemcached(a)
	case "redis":
		log, err = useRedis(ctx, a)
	case "dns-server":
		log, err = serveNames(ctx, a)
	case "dns-client":
		log, err = resolveNames(ctx, a)
	case "nats-server":
		log, err = serveNATS(ctx, a)
	case "nats-client":
		log, err = speakNATS(a)
	case "cassandra-server":
		log, err = serveCassandra(ctx, a)
	case "cassandra-client":
		log, err = useCassandra(a)
	case "remoting-server":
		log, err = serveRemoting(ctx, a)
	case "remoting-client":
		log, err = callRemoting(a)
	case "mongo-server":
		log, err = serveMongo(ctx, a)
	case "mongo-client":
		log, err = useMongo(a)
	case "content-server":
		err = serveContent(ctx, a)
	case "content-client":
		err = askContent(a)
	case "dialect-server":
		log, err = serveDialects(ctx, a)
	case "dialect-client":
		log, err = speakDialects(a)
	case "garbage-server":
		err = garbageServer(ctx, a)
	case "garbage-client":
		err = garbageClient(a)
	default:
		err = fmt.Errorf("no such role")
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(log)
}
