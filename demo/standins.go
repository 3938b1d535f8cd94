package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/demo/broker"
	"github.com/sonde-dev/sonde/demo/cache"
	"github.com/sonde-dev/sonde/demo/database"
	"github.com/sonde-dev/sonde/demo/resolver"
	"github.com/sonde-dev/sonde/demo/rpc"
)

// standIn plays what does not speak HTTP, as the routes of its spec say.
func (p *player) standIn(ctx context.Context) error {
	addr := fmt.Sprintf("127.0.0.1:%d", p.spec.port)
	if p.spec.speaks == protocolDNS {
		c, err := net.ListenPacket("udp", addr)
		if err != nil {
			return fmt.Errorf("open the shop's %s: %w", p.spec.service, err)
		}
		return resolver.Serve(ctx, c, p.resolve)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("open the shop's %s: %w", p.spec.service, err)
	}
	switch p.spec.speaks {
	case protocolCache:
		return accept(ctx, l, cache.NewServer().ServeConn)
	case protocolBroker:
		return accept(ctx, l, broker.NewServer().ServeConn)
	case protocolDatabase:
		return accept(ctx, l, func(c net.Conn) error { return database.ServeConn(c, statements{p.spec}) })
	case protocolRPC:
		srv := &http.Server{Handler: rpc.Handler(p.answerRPC), Protocols: rpc.Protocols(), ReadHeaderTimeout: callTimeout}
		return serveHTTP(ctx, srv, l)
	}
	return fmt.Errorf("play %s: nobody here speaks %s", p.spec.service, p.spec.speaks)
}

// accept serves connections until ctx is cancelled; what is open then ends with the process. What goes wrong on one
// connection is its client's to tell: its log has a call without a reply.
func accept(ctx context.Context, l net.Listener, serve func(net.Conn) error) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		go func() {
			defer c.Close()
			serve(c)
		}()
	}
}

func serveHTTP(ctx context.Context, srv *http.Server, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func (p *player) answerRPC(method, _ string) (string, rpc.Code) {
	for i := range p.spec.routes {
		r := &p.spec.routes[i]
		if r.path != method {
			continue
		}
		time.Sleep(r.work())
		if r.fails() {
			return "", rpc.Code(r.failStatus)
		}
		return string(filler(r.bytes)), rpc.OK
	}
	return "", rpc.Unimplemented
}

// resolve knows the names of its routes: those of the cluster are all on this host, the others are elsewhere (RFC 5737, RFC
// 3849: addresses for documentation).
func (p *player) resolve(_, name string) ([]netip.Addr, bool) {
	for i := range p.spec.routes {
		r := &p.spec.routes[i]
		if r.path != name {
			continue
		}
		time.Sleep(r.work())
		if strings.HasSuffix(name, ".cluster.local") {
			return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, true
		}
		return []netip.Addr{netip.MustParseAddr("192.0.2.25"), netip.MustParseAddr("2001:db8::25")}, true
	}
	return nil, false
}

// statements are what the database knows: the routes of a spec, by verb and table.
type statements struct{ spec *spec }

func (s statements) route(sql string) *specRoute {
	verb, _, _ := strings.Cut(sql, " ")
	for i := range s.spec.routes {
		if r := &s.spec.routes[i]; r.method == verb && strings.Contains(sql+" ", " "+r.path+" ") {
			return r
		}
	}
	return nil
}

// Columns are what stands between SELECT and FROM, or after RETURNING; the last word of each is its name.
func (s statements) Columns(sql string) (names []string) {
	list, isSelect := strings.CutPrefix(sql, "SELECT ")
	if isSelect {
		list, _, _ = strings.Cut(list, " FROM ")
	} else if _, list, isSelect = strings.Cut(sql, " RETURNING "); !isSelect {
		return nil
	}
	for column := range strings.SplitSeq(list, ", ") {
		names = append(names, column[strings.LastIndexByte(column, ' ')+1:])
	}
	return names
}

// Run takes as long as the route says, and fails as often.
func (s statements) Run(sql string, _ []string) (rows [][]string, tag string, err error) {
	r := s.route(sql)
	if r == nil {
		return nil, "", &database.StateError{Code: "42P01", Message: "relation does not exist"}
	}
	time.Sleep(r.work())
	if r.fails() {
		return nil, "", &database.StateError{Code: fmt.Sprintf("%05d", r.failStatus), Message: fmt.Sprintf("duplicate key value violates unique constraint \"%s_pkey\"", r.path)}
	}
	columns := s.Columns(sql)
	for i := range r.bytes {
		row := make([]string, len(columns))
		for j := range row {
			row[j] = fmt.Sprint(7 * (i + j + 1))
		}
		rows = append(rows, row)
	}
	switch r.method {
	case "SELECT":
		return rows, fmt.Sprintf("SELECT %d", len(rows)), nil
	case "INSERT":
		return rows, "INSERT 0 1", nil
	}
	return rows, r.method + " 1", nil
}
