package truth

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/apache/cassandra-gocql-driver/v2/lz4"
	"github.com/apache/cassandra-gocql-driver/v2/snappy"

	"github.com/sonde-dev/sonde/test/wire"
)

// useCassandra does what applications do with the official driver of Go. Its plan is words: a version, a compression, "old" for connections that
// wait for the word. Its account is of statements as it made them; those of the table slow are timed.
func useCassandra(a Args) (*wire.Log, error) {
	s, err := cassandraSession(a, "right")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if strings.Contains(a.Plan, "old") {
		return useOldCassandra(s, a)
	}
	if strings.Contains(a.Plan, "auth") {
		if _, err := cassandraSession(a, "wrong"); err == nil {
			return nil, errors.New("a wrong password was accepted")
		}
	}
	u := &cassandraUser{Session: s, ctx: context.Background()}
	if err := s.Query("CREATE TABLE app.fresh (id int PRIMARY KEY)").Exec(); err != nil {
		return nil, err
	}
	u.done.add("CREATE", "ok", 1)
	var users sync.WaitGroup
	for range a.Connections {
		users.Go(func() {
			for i := range a.Requests {
				u.round(i)
			}
		})
	}
	users.Wait()
	return &u.done.log, errors.Join(u.errs...)
}

func cassandraSession(a Args, password string) (*gocql.Session, error) {
	_, port, err := net.SplitHostPort(a.Addr)
	if err != nil {
		return nil, err
	}
	c := gocql.NewCluster("127.0.0.1")
	c.Port, _ = strconv.Atoi(port)
	c.ProtoVersion, c.NumConns, c.Timeout, c.ConnectTimeout = 4, 2, 20*time.Second, 20*time.Second
	c.Authenticator = gocql.PasswordAuthenticator{Username: "somebody", Password: password}
	c.Logger = quietDriver{}
	for _, word := range strings.Fields(a.Plan) {
		switch word {
		case "v5":
			c.ProtoVersion = 5
		case "lz4":
			c.Compressor = lz4.LZ4Compressor{}
		case "snappy":
			c.Compressor = snappy.SnappyCompressor{}
		}
	}
	if a.TLS != "" {
		c.SslOpts = &gocql.SslOptions{Config: &tls.Config{InsecureSkipVerify: true}}
	}
	return c.CreateSession()
}

// quietDriver keeps the driver from writing about errors that are to happen.
type quietDriver struct{}

func (quietDriver) Error(string, ...gocql.LogField)   {}
func (quietDriver) Warning(string, ...gocql.LogField) {}
func (quietDriver) Info(string, ...gocql.LogField)    {}
func (quietDriver) Debug(string, ...gocql.LogField)   {}

// cassandraUser makes requests from several goroutines at once.
type cassandraUser struct {
	*gocql.Session
	ctx  context.Context
	mu   sync.Mutex
	done account
	errs []error
}

// did enters what came of n statements, which is to be status.
func (u *cassandraUser) did(operation, status string, n int, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var refused gocql.RequestError
	got := "ok"
	switch {
	case errors.As(err, &refused):
		got = fmt.Sprintf("0x%04X", refused.Code())
	case err != nil:
		got = err.Error()
	}
	if got != status {
		u.errs = append(u.errs, fmt.Errorf("%s: %s, want %s", operation, got, status))
	}
	u.done.add(operation, got, n)
}

// round makes each kind of request once.
func (u *cassandraUser) round(i int) {
	select_ := func(table string, pages, rows int) {
		it := u.Query("SELECT id, name FROM app." + table).PageSize(100).Iter()
		n, id, name := 0, 0, ""
		for it.Scan(&id, &name) {
			n++
		}
		err := it.Close()
		if err == nil && n != rows {
			err = fmt.Errorf("%d rows of %s", n, table)
		}
		u.did("SELECT", "ok", pages, err)
	}
	select_("users", 1, 3)
	select_("many", 2, 200)
	select_("big", 1, 1)
	select_("warned", 1, 3)
	u.did("INSERT", "ok", 1, u.Query("INSERT INTO app.users (id, name) VALUES (?, ?)", []byte{byte(i)}, make([]byte, i*9973%250000)).Exec())
	u.did("DELETE", "ok", 1, u.Query("DELETE FROM app.users WHERE id = ?", []byte("secret")).Exec())
	u.did("TRUNCATE", "ok", 1, u.Query("TRUNCATE app.users").Exec())
	begin := time.Now()
	u.did("UPDATE", "ok", 1, u.Query("UPDATE app.slow SET name = ? WHERE id = ?", []byte("secret"), []byte{1}).Exec())
	u.mu.Lock()
	u.done.log.Durations = append(u.done.log.Durations, time.Since(begin).Seconds())
	u.mu.Unlock()
	for _, code := range []string{"1000", "1001", "1100", "1200", "2100", "2200"} {
		u.did("SELECT", "0x"+code, 1, u.Query("SELECT id FROM app.e"+code+" WHERE id = ?", []byte{1}).Exec())
	}
	u.did("TRUNCATE", "0x1003", 1, u.Query("TRUNCATE app.e1003 ").Exec())
	u.did("PREPARE", "0x2000", 1, u.Query("SELECT id FROM app.e2000 ").Exec())
	batch := u.Batch(gocql.LoggedBatch)
	batch.Query("INSERT INTO app.users (id, name) VALUES (1, 'secret')")
	batch.Query("INSERT INTO app.users (id, name) VALUES (?, ?)", []byte{1}, []byte("secret"))
	u.did("BATCH", "ok", 1, batch.Exec())
}

// useOldCassandra prepares, waits for the word, asks something on each connection alone, and then much at once.
func useOldCassandra(s *gocql.Session, a Args) (*wire.Log, error) {
	u := &cassandraUser{Session: s, ctx: context.Background()}
	var all sync.WaitGroup
	ask := func(i int) {
		u.did("EXECUTE", "ok", 1, u.Query("UPDATE app.users SET name = ? WHERE id = ?", []byte("secret"), []byte{byte(i)}).Exec())
		u.did("EXECUTE", "0x2200", 1, u.Query("SELECT id FROM app.e2200 WHERE id = ?", []byte{byte(i)}).Exec())
		u.did("TRUNCATE", "ok", 1, u.Query("TRUNCATE app.users").Exec())
		u.did("INSERT", "ok", 1, u.Query(fmt.Sprintf("INSERT INTO app.new%d (id) VALUES (?)", i), []byte{1}).Exec()) // prepared from now on
	}
	ask(-1)
	u.done = account{}
	if err := errors.Join(u.errs...); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return nil, err
	}
	for range 8 {
		u.did("LIST", "ok", 1, u.Query("LIST ROLES OF app.users").Exec())
	}
	for range a.Connections {
		all.Go(func() {
			for i := range a.Requests {
				ask(i)
			}
		})
	}
	all.Wait()
	return &u.done.log, errors.Join(u.errs...)
}
