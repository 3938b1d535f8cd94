package truth

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sonde-dev/sonde/test/wire"
)

// waitWord says that a client is ready and waits for a line.
func waitWord() error {
	fmt.Fprintln(os.Stderr, "ready")
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return err
}

// sqlErrors counts errors by their code, as the client got them, and what was not executed because of one.
type sqlErrors struct{ log wire.Log }

const notExecuted = "not_executed"

func (e *sqlErrors) skipped(operation string) {
	e.log.AddRow(wire.Row{Key: wire.Key{Method: operation, Status: notExecuted}, Sum: wire.Sum{N: 1}})
}

func (e *sqlErrors) note(err error, operation ...string) {
	var pg *pgconn.PgError
	var my *mysqldriver.MySQLError
	switch {
	case err == nil:
	case errors.As(err, &pg):
		e.log.AddRow(wire.Row{Key: wire.Key{Status: pg.Code}, Sum: wire.Sum{N: 1}})
	case errors.As(err, &my):
		e.log.AddRow(wire.Row{Key: wire.Key{Method: operation[0], Status: fmt.Sprint(my.Number)}, Sum: wire.Sum{N: 1}})
	default:
		fmt.Fprintln(os.Stderr, "unexpected:", err)
		os.Exit(1)
	}
}

// sqlSlow is how long statements sleep that are timed, here and in the scripts of testdata.
const sqlSlow = 50 * time.Millisecond

// timed keeps how long a statement took that sleeps.
func (e *sqlErrors) timed(statement func() error) {
	begin := time.Now()
	err := statement()
	e.log.Durations = append(e.log.Durations, time.Since(begin).Seconds())
	e.note(err, "SELECT")
}

// playPgx runs statements by pgx: a.Plan is "cached" (prepared by itself), "simple" (the simple protocol), "exec" (unnamed), "old".
func playPgx(ctx context.Context, a Args) (*wire.Log, error) {
	cfg, err := pgx.ParseConfig(a.Addr)
	if err != nil {
		return nil, err
	}
	switch a.Plan {
	case "simple":
		cfg.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	case "exec":
		cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	cfg.RuntimeParams["application_name"] = a.Plan
	c, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	e := &sqlErrors{}
	if a.Plan == "old" {
		if _, err := c.Prepare(ctx, "old", "SELECT $1::int /* old */"); err != nil {
			return nil, err
		}
		if err := waitWord(); err != nil {
			return nil, err
		}
		for range a.Requests {
			_, err := c.Exec(ctx, "old", 5)
			e.note(err)
		}
	}
	for i := range a.Requests {
		rows, err := c.Query(ctx, "SELECT a, b FROM t WHERE a < $1", i)
		e.note(err)
		rows.Close()
		_, err = c.Exec(ctx, "INSERT INTO t VALUES ($1, $2)", i+1000, fmt.Sprintf("it's %d", i))
		e.note(err)
		_, err = c.Exec(ctx, "UPDATE t SET b = $1 WHERE a = $2", "x", i)
		e.note(err)
		_, err = c.Exec(ctx, "INSERT INTO t VALUES (1, 'duplicate')")
		e.note(err)
		_, err = c.Exec(ctx, "SELECT * FROM missing")
		e.note(err)
		e.timed(func() error {
			_, err := c.Exec(ctx, "SELECT pg_sleep(0.05)")
			return err
		})
		if err := pgBatch(ctx, c, i, e, a.Plan != "simple"); err != nil {
			return nil, err
		}
	}
	return &e.log, nil
}

// pgBatch sends several statements at once; every third one fails in its middle.
func pgBatch(ctx context.Context, c *pgx.Conn, i int, e *sqlErrors, isPipeline bool) error {
	b := &pgx.Batch{}
	for k := range 5 {
		b.Queue("INSERT INTO u VALUES ($1)", i*10+k)
		b.Queue("SELECT count(*) FROM u")
	}
	if i%3 == 2 {
		b.Queue("INSERT INTO u VALUES ($1)", 0) // there
		b.Queue("SELECT count(*) FROM u")
		b.Queue("DELETE FROM u WHERE a = $1", 1)
	}
	err := c.SendBatch(ctx, b).Close()
	e.note(err)
	if err != nil && isPipeline { // otherwise it is one Query
		e.skipped("SELECT")
		e.skipped("DELETE")
	}
	return nil
}

// playMySQL runs statements by go-sql-driver: a.Plan is "prepared", "text" (the client puts the values in), "zip" (compressed), "old".
func playMySQL(ctx context.Context, a Args) (*wire.Log, error) {
	cfg, err := mysqldriver.ParseDSN(a.Addr)
	if err != nil {
		return nil, err
	}
	cfg.InterpolateParams = a.Plan == "text"
	cfg.MultiStatements = true
	if a.Plan == "zip" {
		cfg.Apply(mysqldriver.EnableCompression(true))
	}
	db, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	e := &sqlErrors{}
	if a.Plan == "old" {
		old, err := c.PrepareContext(ctx, "SELECT ? /* old */")
		if err != nil {
			return nil, err
		}
		if err := waitWord(); err != nil {
			return nil, err
		}
		for range a.Requests {
			rows, err := old.QueryContext(ctx, 5)
			e.note(err, "EXECUTE")
			for err == nil && rows.Next() {
			}
			rows.Close()
		}
	}
	for i := range a.Requests {
		if err := mysqlRound(ctx, c, i, e); err != nil {
			return nil, err
		}
	}
	return &e.log, nil
}

func mysqlRound(ctx context.Context, c *sql.Conn, i int, e *sqlErrors) error {
	exec := func(q string, args ...any) {
		_, err := c.ExecContext(ctx, q, args...)
		e.note(err, verbOf(q))
	}
	rows, err := c.QueryContext(ctx, "SELECT a, b FROM t WHERE a < ?", i)
	e.note(err, "SELECT")
	for err == nil && rows.Next() {
	}
	rows.Close()
	exec("INSERT INTO t VALUES (?, ?)", i+1000, fmt.Sprintf("it's %d", i))
	exec("UPDATE t SET b = ? WHERE a = ?", "x", i)
	exec("INSERT INTO t VALUES (1, 'duplicate')")
	exec("SELECT * FROM missing")
	exec("SELEC 1")
	exec("DO 1; DO 2; DO 3")
	exec("CALL p()")
	e.timed(func() error {
		_, err := c.ExecContext(ctx, "SELECT SLEEP(?)", sqlSlow.Seconds())
		return err
	})
	for range 3 {
		e.note(c.PingContext(ctx), "PING")
		e.log.AddRow(wire.Row{Key: wire.Key{Method: "PING"}, Sum: wire.Sum{N: 1}}) // the server does not log it
	}
	stmt, err := c.PrepareContext(ctx, "SELECT b FROM t WHERE a = ?")
	if err != nil {
		return err
	}
	for k := range 5 {
		var b string
		if err := stmt.QueryRowContext(ctx, k+1).Scan(&b); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	if err := stmt.Close(); err != nil {
		return err
	}
	rows, err = c.QueryContext(ctx, "SELECT repeat('y', 3000) FROM t x LIMIT 20")
	e.note(err, "SELECT")
	for err == nil && rows.Next() {
	}
	return rows.Close()
}
