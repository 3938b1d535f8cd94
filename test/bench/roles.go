package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// goArgs are the arguments of the roles that Go plays by itself.
type goArgs struct {
	Addr    string
	Seconds float64
	Dir     string // of cert.pem and key.pem
}

// goConnections is the number of connections of a client role.
const goConnections = 16

func serveRole(role string) func(*bench) (*worker, string, error) {
	return func(b *bench) (*worker, string, error) {
		_, addr, err := loopback()
		if err != nil {
			return nil, "", err
		}
		if err := certificate(b.dir); err != nil {
			return nil, "", err
		}
		w, err := startRole(role, goArgs{Addr: addr, Dir: b.dir})
		if err != nil {
			return nil, "", err
		}
		return w, addr, untilListening(w, addr)
	}
}

func loadRole(role string) func(*bench, string) (float64, float64, error) {
	return func(b *bench, addr string) (requests, rate float64, err error) {
		w, err := startRole(role, goArgs{Addr: addr, Seconds: b.seconds})
		if err == nil {
			err = w.wait()
		}
		if err != nil {
			return 0, 0, err
		}
		_, err = fmt.Sscan(w.stdout.String(), &requests, &rate)
		return requests, rate, err
	}
}

func playGo(role string) error {
	var a goArgs
	if err := json.Unmarshal([]byte(os.Getenv(argsEnv)), &a); err != nil {
		return fmt.Errorf("read arguments: %w", err)
	}
	switch role {
	case "grpc-server":
		return serveGRPC(a)
	case "grpc-client":
		return repeat(a, callGRPC)
	case "https-server":
		return serveHTTPS(a)
	case "https-client":
		return repeat(a, callHTTPS)
	}
	return fmt.Errorf("no role %q", role)
}

// repeat calls on some connections for the time of a run and prints how often, and how often a second.
func repeat(a goArgs, connect func(addr string) (call func() error, err error)) error {
	var n atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, goConnections)
	begin := time.Now()
	end := begin.Add(time.Duration(a.Seconds * float64(time.Second)))
	for range goConnections {
		wg.Go(func() {
			call, err := connect(a.Addr)
			for err == nil && time.Now().Before(end) {
				if err = call(); err == nil {
					n.Add(1)
				}
			}
			if err != nil {
				failed <- err
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	fmt.Println(n.Load(), float64(n.Load())/time.Since(begin).Seconds())
	return nil
}

func serveGRPC(a goArgs) error {
	l, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	return s.Serve(l)
}

func callGRPC(addr string) (func() error, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	client := grpc_health_v1.NewHealthClient(conn)
	return func() error {
		_, err := client.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
		return err
	}, nil
}

func serveHTTPS(a goArgs) error {
	page := make([]byte, 1024)
	s := &http.Server{Addr: a.Addr, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })}
	s.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){} // HTTP/1.1
	return s.ListenAndServeTLS(filepath.Join(a.Dir, "cert.pem"), filepath.Join(a.Dir, "key.pem"))
}

func callHTTPS(addr string) (func() error, error) {
	t := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 1} // its own certificate
	c := &http.Client{Transport: t}
	return func() error {
		r, err := c.Get("https://" + addr + "/page")
		if err != nil {
			return err
		}
		defer r.Body.Close()
		_, err = io.Copy(io.Discard, r.Body)
		return err
	}, nil
}

// certificate writes cert.pem and key.pem for 127.0.0.1 to a folder, once.
func certificate(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "key.pem")); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
