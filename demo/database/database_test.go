package database

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sonde-dev/sonde/demo/servetest"
)

// canned knows three statements, whatever their texts say besides.
type canned struct{}

func (canned) Columns(sql string) []string {
	if strings.HasPrefix(sql, "SELECT") {
		return []string{"sku", "quantity"}
	}
	return nil
}

func (canned) Run(sql string, args []string) ([][]string, string, error) {
	switch {
	case strings.HasPrefix(sql, "SELECT"):
		return [][]string{{strings.Join(args, ","), "7"}, {"", "8"}}, "SELECT 2", nil
	case strings.HasPrefix(sql, "INSERT"):
		return nil, "", &StateError{"23505", "duplicate key"}
	case strings.HasPrefix(sql, "BREAK"):
		return nil, "", errors.New("broken")
	}
	return nil, "UPDATE 3", nil
}

func serve(t *testing.T) string {
	return servetest.Serve(t, func(c net.Conn) error { return ServeConn(c, canned{}) })
}

// TestServerAnswersPgx has the usual Go driver as its judge, in each way that it has of asking.
func TestServerAnswersPgx(t *testing.T) {
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			c, err := pgx.Connect(ctx, "postgres://app@"+serve(t)+"/shop?sslmode=prefer&default_query_exec_mode="+mode)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(ctx)
			for range 2 { // the second time from the cache of statements
				rows, err := c.Query(ctx, "SELECT sku, quantity FROM stock WHERE sku IN ($1, $2)", "a", "b'")
				if err != nil {
					t.Fatal(err)
				}
				got, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (out [2]string, err error) {
					return out, r.Scan(&out[0], &out[1])
				})
				first := "a,b'"
				if mode == "simple_protocol" { // arguments are in the text
					first = ""
				}
				if d := cmp.Diff([][2]string{{first, "7"}, {"", "8"}}, got); d != "" || err != nil {
					t.Errorf("rows (-want +got), %v:\n%s", err, d)
				}
				var state *pgconn.PgError
				if _, err := c.Exec(ctx, "INSERT INTO orders VALUES ($1)", "1"); !errors.As(err, &state) || state.Code != "23505" {
					t.Errorf("INSERT: %v, want 23505", err)
				}
				if tag, err := c.Exec(ctx, "UPDATE stock SET reserved = 1"); err != nil || tag.RowsAffected() != 3 {
					t.Errorf("UPDATE = %v, %v", tag, err)
				}
			}
			var state *pgconn.PgError
			if _, err := c.Exec(ctx, "BREAK"); !errors.As(err, &state) || state.Code != "XX000" {
				t.Errorf("BREAK: %v, want XX000", err)
			}
		})
	}
}

func TestClient(t *testing.T) {
	c, err := Dial(serve(t), "app", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	const sql = "SELECT sku, quantity FROM stock WHERE sku = $1"
	if c.IsPrepared(sql) {
		t.Error("prepared before Prepare")
	}
	if err := c.Prepare(sql); err != nil || !c.IsPrepared(sql) {
		t.Errorf("Prepare: %v", err)
	}
	for range 2 {
		if rows, err := c.Execute(sql, "a"); rows != 2 || err != nil {
			t.Errorf("Execute = %d, %v", rows, err)
		}
	}
	var state *StateError
	if _, err := c.Query("INSERT INTO orders VALUES (1)"); !errors.As(err, &state) || state.Code != "23505" {
		t.Errorf("Query: %v, want 23505", err)
	}
	if rows, err := c.Query("SELECT 1"); rows != 2 || err != nil {
		t.Errorf("Query after an error = %d, %v", rows, err)
	}
	if _, err := c.Execute("never prepared"); err == nil {
		t.Error("Execute of what was never prepared: no error")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestServerRefusesNonsense(t *testing.T) {
	for _, in := range []string{"GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00\x03abc", "\x00\x00\x00\x08\x00\x02\x00\x00"} {
		client, server := net.Pipe()
		go func() { client.Write([]byte(in)); client.Close() }()
		if err := ServeConn(server, canned{}); err == nil {
			t.Errorf("ServeConn(%q): no error", in)
		}
		server.Close()
	}
}
