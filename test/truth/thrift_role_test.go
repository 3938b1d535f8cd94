package truth

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/apache/thrift/lib/go/thrift"

	"github.com/sonde-dev/sonde/test/wire"
)

// thriftMethods are what the server offers, with the status of each: a result, an exception of the interface, an exception of the
// library, no answer.
var thriftMethods = map[string]string{
	"get": "OK", "put": "OK", "find": "EXCEPTION", "fail": "INTERNAL_ERROR", "gone": "UNKNOWN_METHOD", "log": "-", "slow": "OK", "early": "OK",
}

// thriftSlow is how long the method slow takes.
const thriftSlow = 50 * time.Millisecond

// thriftFactories makes the transport and the protocol of a plan: "framed compact".
func thriftFactories(plan string) (thrift.TTransportFactory, thrift.TProtocolFactory) {
	var tf thrift.TTransportFactory = thrift.NewTBufferedTransportFactory(8192)
	if strings.Contains(plan, "framed") {
		tf = thrift.NewTFramedTransportFactoryConf(thrift.NewTTransportFactory(), nil)
	}
	var pf thrift.TProtocolFactory = thrift.NewTBinaryProtocolFactoryConf(&thrift.TConfiguration{TBinaryStrictWrite: thrift.BoolPtr(true)})
	if strings.Contains(plan, "compact") {
		pf = thrift.NewTCompactProtocolFactoryConf(nil)
	}
	return tf, pf
}

// thriftServer answers without generated code, and counts what it answered.
type thriftServer struct {
	mu  sync.Mutex
	log wire.Log
}

func (s *thriftServer) ProcessorMap() map[string]thrift.TProcessorFunction  { return nil }
func (s *thriftServer) AddToProcessorMap(string, thrift.TProcessorFunction) {}
func (s *thriftServer) count(name, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.AddRow(wire.Row{Key: wire.Key{Route: name, Status: status}, Sum: wire.Sum{N: 1}})
}

func (s *thriftServer) Process(ctx context.Context, in, out thrift.TProtocol) (bool, thrift.TException) {
	name, _, seq, err := in.ReadMessageBegin(ctx)
	if err != nil {
		return false, thrift.WrapTException(err)
	}
	if err := errors.Join(in.Skip(ctx, thrift.STRUCT), in.ReadMessageEnd(ctx)); err != nil {
		return false, thrift.WrapTException(err)
	}
	status := thriftMethods[name]
	s.count(name, status)
	switch {
	case status == "-":
		return true, nil
	case name == "slow":
		time.Sleep(thriftSlow)
	}
	kind := thrift.TMessageType(thrift.REPLY)
	if status != "OK" && status != "EXCEPTION" {
		kind = thrift.EXCEPTION
	}
	err = out.WriteMessageBegin(ctx, name, kind, seq)
	switch status {
	case "OK":
		err = errors.Join(err, out.WriteStructBegin(ctx, ""), writeThriftText(ctx, out, 0, strings.Repeat("r", 3000)), out.WriteFieldStop(ctx))
	case "EXCEPTION":
		err = errors.Join(err, out.WriteStructBegin(ctx, ""), out.WriteFieldBegin(ctx, "", thrift.STRUCT, 1), out.WriteStructBegin(ctx, ""),
			writeThriftText(ctx, out, 1, "not found"), out.WriteFieldStop(ctx), out.WriteStructEnd(ctx), out.WriteFieldStop(ctx))
	case "INTERNAL_ERROR":
		err = errors.Join(err, thrift.NewTApplicationException(thrift.INTERNAL_ERROR, "broken").Write(ctx, out))
	case "UNKNOWN_METHOD":
		err = errors.Join(err, thrift.NewTApplicationException(thrift.UNKNOWN_METHOD, "no such").Write(ctx, out))
	}
	if kind == thrift.REPLY {
		err = errors.Join(err, out.WriteStructEnd(ctx))
	}
	if err = errors.Join(err, out.WriteMessageEnd(ctx), out.Flush(ctx)); err != nil {
		return false, thrift.WrapTException(err)
	}
	return true, nil
}

func writeThriftText(ctx context.Context, p thrift.TProtocol, field int16, s string) error {
	return errors.Join(p.WriteFieldBegin(ctx, "", thrift.STRING, field), p.WriteString(ctx, s), p.WriteFieldEnd(ctx))
}

func serveThrift(ctx context.Context, a Args) (*wire.Log, error) {
	l, err := thriftListener(a)
	if err != nil {
		return nil, err
	}
	s := &thriftServer{}
	tf, pf := thriftFactories(a.Plan)
	srv := thrift.NewTSimpleServer4(s, l, tf, pf)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve() }() // inside TLS, Stop does not end it
	select {
	case err := <-failed:
		return nil, err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.log, nil
}

func thriftListener(a Args) (thrift.TServerTransport, error) {
	if a.TLS == "" {
		return thrift.NewTServerSocket(a.Addr)
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(a.TLS, "cert.pem"), filepath.Join(a.TLS, "key.pem"))
	if err != nil {
		return nil, err
	}
	return thrift.NewTSSLServerSocket(a.Addr, &tls.Config{Certificates: []tls.Certificate{cert}})
}

// callThrift calls each method a.Requests times on a.Connections connections. With the plan "old" it counts only what it does after a line on
// its standard input.
func callThrift(ctx context.Context, a Args) (*wire.Log, error) {
	log := &wire.Log{}
	var clients []*thrift.TStandardClient
	for range a.Connections {
		c, err := net.Dial("tcp", a.Addr)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		if a.TLS != "" {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		}
		tf, pf := thriftFactories(a.Plan)
		tr, err := tf.GetTransport(thrift.NewTSocketFromConnConf(c, nil))
		if err != nil {
			return nil, err
		}
		clients = append(clients, thrift.NewTStandardClient(pf.GetProtocol(tr), pf.GetProtocol(tr)))
	}
	if strings.Contains(a.Plan, "old") {
		for _, c := range clients {
			if err := callMethods(ctx, c, &wire.Log{}, thriftOrder...); err != nil {
				return nil, err
			}
		}
		fmt.Fprintln(os.Stderr, "ready")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return nil, fmt.Errorf("wait for the word: %w", err)
		}
		for _, c := range clients { // alone: what is missed at the start is to be seen
			if err := callMethods(ctx, c, log, "early"); err != nil {
				return nil, err
			}
		}
	}
	for _, c := range clients {
		for range a.Requests {
			if err := callMethods(ctx, c, log, thriftOrder...); err != nil {
				return nil, err
			}
		}
	}
	return log, nil
}

// thriftOrder is a round of calls.
var thriftOrder = []string{"get", "log", "put", "find", "fail", "gone", "slow"}

func callMethods(ctx context.Context, c *thrift.TStandardClient, log *wire.Log, names ...string) error {
	for _, name := range names {
		want := thriftMethods[name]
		var res thrift.TStruct
		r := &thriftResult{}
		if res = r; want == "-" {
			res = nil // one way
		}
		begin := time.Now()
		_, err := c.Call(ctx, name, &thriftArgs{text: strings.Repeat("a", 2000)}, res)
		if name == "slow" {
			log.Durations = append(log.Durations, time.Since(begin).Seconds())
		}
		status := r.status()
		var app thrift.TApplicationException
		switch {
		case want == "-" && err == nil:
			status = "-"
		case errors.As(err, &app):
			status = map[int32]string{thrift.INTERNAL_ERROR: "INTERNAL_ERROR", thrift.UNKNOWN_METHOD: "UNKNOWN_METHOD"}[app.TypeId()]
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		}
		log.AddRow(wire.Row{Key: wire.Key{Route: name, Status: status}, Sum: wire.Sum{N: 1}})
	}
	return nil
}

// thriftArgs is a structure of one text.
type thriftArgs struct{ text string }

func (x *thriftArgs) Read(ctx context.Context, p thrift.TProtocol) error {
	return p.Skip(ctx, thrift.STRUCT)
}
func (x *thriftArgs) Write(ctx context.Context, p thrift.TProtocol) error {
	return errors.Join(p.WriteStructBegin(ctx, ""), writeThriftText(ctx, p, 1, x.text), p.WriteFieldStop(ctx), p.WriteStructEnd(ctx))
}

// thriftResult remembers which field of a reply was set.
type thriftResult struct {
	has   bool
	field int16
}

func (x *thriftResult) Write(context.Context, thrift.TProtocol) error { return errors.ErrUnsupported }
func (x *thriftResult) Read(ctx context.Context, p thrift.TProtocol) error {
	if _, err := p.ReadStructBegin(ctx); err != nil {
		return err
	}
	for {
		_, kind, id, err := p.ReadFieldBegin(ctx)
		if err != nil {
			return err
		}
		if kind == thrift.STOP {
			return p.ReadStructEnd(ctx)
		}
		x.has, x.field = true, id
		if err := errors.Join(p.Skip(ctx, kind), p.ReadFieldEnd(ctx)); err != nil {
			return err
		}
	}
}

func (x *thriftResult) status() string {
	if x.has && x.field > 0 {
		return "EXCEPTION"
	}
	return "OK"
}
