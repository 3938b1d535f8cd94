package truth

//lint:file-ignore SA1019 drivers still greet with OP_QUERY, which the stub has to read

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/wiremessage"

	"github.com/sonde-dev/sonde/test/wire"
)

// mongoStub answers drivers as a MongoDB of version 7 would, from no data: there is no server to be had. Its account is of what
// it answered. Messages are read and written with the official driver's own package.
type mongoStub struct {
	mu   sync.Mutex
	done account
}

func serveMongo(ctx context.Context, a Args) (*wire.Log, error) {
	l, err := stubListener(a)
	if err != nil {
		return nil, err
	}
	s := &mongoStub{}
	go acceptEach(l, s.serve)
	<-ctx.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.done.log, nil
}

func (s *mongoStub) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for id := int32(1); ; id++ {
		head, err := r.Peek(4)
		if err != nil {
			return
		}
		b := make([]byte, binary.LittleEndian.Uint32(head))
		if _, err := io.ReadFull(r, b); err != nil {
			return
		}
		_, requestID, _, opcode, body, _ := wiremessage.ReadHeader(b)
		isCompressed := opcode == wiremessage.OpCompressed
		var compressor wiremessage.CompressorID
		if isCompressed {
			var size int32
			opcode, body, _ = wiremessage.ReadCompressedOriginalOpCode(body)
			size, body, _ = wiremessage.ReadCompressedUncompressedSize(body)
			compressor, body, _ = wiremessage.ReadCompressedCompressorID(body)
			if body, err = driver.DecompressPayload(body, driver.CompressionOpts{Compressor: compressor, UncompressedSize: size}); err != nil {
				return
			}
		}
		var command bson.Raw
		isOld, isSilent := opcode == wiremessage.OpQuery, false
		if isOld {
			_, body, _ = wiremessage.ReadQueryFlags(body)
			_, body, _ = wiremessage.ReadQueryFullCollectionName(body)
			command = bson.Raw(body[8:])
		} else {
			flags, body, _ := wiremessage.ReadMsgFlags(body)
			isSilent = flags&wiremessage.MoreToCome != 0
			command = bson.Raw(body[1:])
		}
		command = command[:binary.LittleEndian.Uint32(command)]
		answer := s.answer(command, isSilent)
		if isSilent {
			continue
		}
		if _, err := c.Write(mongoReply(id, requestID, answer, isOld, isCompressed, compressor)); err != nil {
			return
		}
	}
}

func mongoReply(id, to int32, answer bson.D, isOld, isCompressed bool, compressor wiremessage.CompressorID) []byte {
	doc, _ := bson.Marshal(answer)
	var body []byte
	opcode := wiremessage.OpMsg
	if isOld {
		opcode = wiremessage.OpReply
		body = wiremessage.AppendReplyFlags(nil, 8)
		body = wiremessage.AppendReplyCursorID(body, 0)
		body = wiremessage.AppendReplyStartingFrom(body, 0)
		body = wiremessage.AppendReplyNumberReturned(body, 1)
	} else {
		body = wiremessage.AppendMsgFlags(nil, 0)
		body = wiremessage.AppendMsgSectionType(body, wiremessage.SingleDocument)
	}
	body = append(body, doc...)
	if isCompressed {
		small, _ := driver.CompressPayload(body, driver.CompressionOpts{Compressor: compressor, ZlibLevel: 6, ZstdLevel: 3, UncompressedSize: int32(len(body))})
		plain := body
		body = wiremessage.AppendCompressedOriginalOpCode(nil, opcode)
		body = wiremessage.AppendCompressedUncompressedSize(body, int32(len(plain)))
		body = wiremessage.AppendCompressedCompressorID(body, compressor)
		body = append(body, small...)
		opcode = wiremessage.OpCompressed
	}
	at, b := wiremessage.AppendHeaderStart(nil, id, to, opcode)
	b = append(b, body...)
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)))
	return b
}

// answer says what a server without trouble would, but for the collection "broken".
func (s *mongoStub) answer(command bson.Raw, isSilent bool) bson.D {
	elements, _ := command.Elements()
	name, status := elements[0].Key(), "ok"
	collection, _ := elements[0].Value().StringValueOK()
	d := bson.D{{Key: "ok", Value: 1.0}}
	switch {
	case name == "hello" || name == "isMaster" || name == "ismaster":
		name = "hello"
		d = bson.D{{Key: "helloOk", Value: true}, {Key: "ismaster", Value: true}, {Key: "isWritablePrimary", Value: true},
			{Key: "maxBsonObjectSize", Value: 16 << 20}, {Key: "maxMessageSizeBytes", Value: 48000000}, {Key: "maxWriteBatchSize", Value: 100000},
			{Key: "minWireVersion", Value: 0}, {Key: "maxWireVersion", Value: 21}, {Key: "readOnly", Value: false}, {Key: "ok", Value: 1.0}}
		if v, err := command.LookupErr("compression"); err == nil {
			d = append(d, bson.E{Key: "compression", Value: v})
		}
	case collection == "broken" && name == "insert":
		status = "11000"
		d = bson.D{{Key: "n", Value: 0}, {Key: "writeErrors", Value: bson.A{bson.D{{Key: "index", Value: 0}, {Key: "code", Value: 11000}, {Key: "errmsg", Value: "E11000 duplicate key"}}}}, {Key: "ok", Value: 1.0}}
	case collection == "broken":
		status = "26"
		d = bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: "ns not found"}, {Key: "code", Value: 26}, {Key: "codeName", Value: "NamespaceNotFound"}}
	case collection == "slow":
		time.Sleep(mongoSlow)
	case name == "find" || name == "aggregate":
		var batch bson.A
		for i := range mongoBatch {
			batch = append(batch, bson.D{{Key: "_id", Value: i}, {Key: "name", Value: "somebody"}})
		}
		d = bson.D{{Key: "cursor", Value: bson.D{{Key: "firstBatch", Value: batch}, {Key: "id", Value: int64(4711)}, {Key: "ns", Value: "app." + collection}}}, {Key: "ok", Value: 1.0}}
	case name == "getMore":
		d = bson.D{{Key: "cursor", Value: bson.D{{Key: "nextBatch", Value: bson.A{bson.D{{Key: "_id", Value: 99}}}}, {Key: "id", Value: int64(0)}, {Key: "ns", Value: "app.users"}}}, {Key: "ok", Value: 1.0}}
	case name == "insert" || name == "update" || name == "delete":
		d = bson.D{{Key: "n", Value: 1}, {Key: "nModified", Value: 1}, {Key: "ok", Value: 1.0}}
	}
	if isSilent {
		status = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done.add(name, status, 1)
	return d
}

// mongoBatch is how many documents the stub returns to a find, before one more to a getMore.
const mongoBatch = 30

// mongoSlow is how long the collection slow takes.
const mongoSlow = 50 * time.Millisecond

// useMongo does what applications do with the official driver.
func useMongo(a Args) (*wire.Log, error) {
	o := options.Client().ApplyURI("mongodb://" + a.Addr + "/?directConnection=true").SetMaxPoolSize(3).SetHeartbeatInterval(time.Hour)
	if a.TLS != "" {
		o.SetTLSConfig(&tls.Config{InsecureSkipVerify: true})
	}
	if a.Plan != "" && a.Plan != "old" {
		o.SetCompressors([]string{a.Plan})
	}
	c, err := mongo.Connect(o)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	users, broken := c.Database("app").Collection("users"), c.Database("app").Collection("broken")
	if err := c.Ping(ctx, nil); err != nil {
		return nil, err
	}
	if a.Plan == "old" {
		fmt.Fprintln(os.Stderr, "ready")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return nil, err
		}
		if err := c.Ping(ctx, nil); err != nil { // alone: what is missed at the start is to be seen
			return nil, err
		}
	}
	done := &account{}
	for i := range a.Requests {
		if _, err := users.InsertOne(ctx, bson.D{{Key: "secret", Value: make([]byte, i*997%200000)}}); err != nil {
			return nil, err
		}
		cur, err := users.Find(ctx, bson.D{{Key: "name", Value: "secret"}})
		if err != nil {
			return nil, err
		}
		n := 0
		for cur.Next(ctx) {
			n++
		}
		if n != mongoBatch+1 {
			return nil, fmt.Errorf("%d documents: %v", n, cur.Err())
		}
		var failed mongo.WriteException
		if _, err := broken.InsertOne(ctx, bson.D{}); !errors.As(err, &failed) {
			return nil, fmt.Errorf("insert a duplicate: %v", err)
		}
		if err := c.Database("app").RunCommand(ctx, bson.D{{Key: "collStats", Value: "broken"}}).Err(); err == nil {
			return nil, errors.New("no error")
		}
		begin := time.Now()
		if err := c.Database("app").RunCommand(ctx, bson.D{{Key: "count", Value: "slow"}}).Err(); err != nil {
			return nil, err
		}
		done.log.Durations = append(done.log.Durations, time.Since(begin).Seconds())
	}
	done.add("count", "ok", a.Requests)
	done.add("insert", "ok", a.Requests)
	done.add("find", "ok", a.Requests)
	done.add("getMore", "ok", a.Requests)
	done.add("insert", "11000", a.Requests)
	done.add("collStats", "26", a.Requests)
	done.log.AddRow(wire.Row{Key: wire.Key{Method: "rows"}, Sum: wire.Sum{N: int64(a.Requests * (mongoBatch + 1))}})
	return &done.log, c.Disconnect(ctx)
}
