package truth

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/sonde-dev/sonde/test/wire"
)

// grpcCode writes a status code as the wire's specification does: NOT_FOUND.
func grpcCode(c codes.Code) string {
	if c == codes.Canceled {
		return "CANCELLED"
	}
	var b strings.Builder
	for i, r := range c.String() {
		if i > 0 && r >= 'A' && r <= 'Z' && c != codes.OK {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// grpcServer keeps its own account of what it answered.
type grpcServer struct {
	pb.UnimplementedTestServiceServer
	mu  sync.Mutex
	log wire.Log
}

func (s *grpcServer) count(method string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.AddRow(wire.Row{Key: wire.Key{Route: method[1:], Status: grpcCode(status.Code(err))}, Sum: wire.Sum{N: 1}})
}

// How long the server waits: in EmptyCall, and before each message of StreamingOutputCall.
const (
	grpcSlow  = 30 * time.Millisecond
	grpcPause = 20 * time.Millisecond
)

func (s *grpcServer) EmptyCall(context.Context, *pb.Empty) (*pb.Empty, error) {
	time.Sleep(grpcSlow)
	return &pb.Empty{}, nil
}

// UnaryCall answers with the status that it is asked for.
func (s *grpcServer) UnaryCall(_ context.Context, r *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	if st := r.GetResponseStatus(); st.GetCode() != 0 {
		return nil, status.Error(codes.Code(st.Code), st.Message)
	}
	return &pb.SimpleResponse{Payload: &pb.Payload{Body: make([]byte, r.ResponseSize)}}, nil
}

// CacheableUnaryCall never answers.
func (s *grpcServer) CacheableUnaryCall(ctx context.Context, _ *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	<-ctx.Done()
	time.Sleep(200 * time.Millisecond) // the client's RST_STREAM, not the server's own deadline, ends the call
	return nil, status.FromContextError(ctx.Err()).Err()
}

// StreamingOutputCall sends a message after each pause.
func (s *grpcServer) StreamingOutputCall(r *pb.StreamingOutputCallRequest, out pb.TestService_StreamingOutputCallServer) error {
	for _, p := range r.ResponseParameters {
		time.Sleep(grpcPause)
		if err := out.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: make([]byte, p.Size)}}); err != nil {
			return err
		}
	}
	return nil
}

func (s *grpcServer) FullDuplexCall(both pb.TestService_FullDuplexCallServer) error {
	for {
		if _, err := both.Recv(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := both.Send(&pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: []byte("pong")}}); err != nil {
			return err
		}
	}
}

func serveGRPC(ctx context.Context, a Args) (*wire.Log, error) {
	l, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &grpcServer{}
	var inside credentials.TransportCredentials // nil: none
	if a.TLS != "" {
		if inside, err = credentials.NewServerTLSFromFile(filepath.Join(a.TLS, "cert.pem"), filepath.Join(a.TLS, "key.pem")); err != nil {
			return nil, err
		}
	}
	srv := grpc.NewServer(
		grpc.Creds(inside),
		grpc.UnaryInterceptor(func(ctx context.Context, r any, i *grpc.UnaryServerInfo, h grpc.UnaryHandler) (any, error) {
			m, err := h(ctx, r)
			s.count(i.FullMethod, err)
			return m, err
		}),
		grpc.StreamInterceptor(func(x any, ss grpc.ServerStream, i *grpc.StreamServerInfo, h grpc.StreamHandler) error {
			err := h(x, ss)
			s.count(i.FullMethod, err)
			return err
		}))
	pb.RegisterTestServiceServer(srv, s)
	context.AfterFunc(ctx, srv.Stop)
	if err := srv.Serve(l); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return &s.log, nil
}

// callGRPC makes calls of every kind, a.Connections at once on one connection, and counts how they ended. With the plan "old" it
// counts only what it does after a line on its standard input.
func callGRPC(a Args) (*wire.Log, error) {
	inside := insecure.NewCredentials()
	if a.TLS != "" {
		inside = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	}
	conn, err := grpc.NewClient("passthrough:///"+a.Addr, grpc.WithTransportCredentials(inside))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.Connect() // else calls may be cancelled before they are sent
	for st := conn.GetState(); st != connectivity.Ready; st = conn.GetState() {
		if st == connectivity.Shutdown || !conn.WaitForStateChange(context.Background(), st) {
			return nil, fmt.Errorf("connect: %v", st)
		}
	}
	log, c := &wire.Log{}, pb.NewTestServiceClient(conn)
	if a.Plan == "old" {
		grpcRound(c, a, &wire.Log{})
		fmt.Fprintln(os.Stderr, "ready")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			return nil, fmt.Errorf("wait for the word: %w", err)
		}
	}
	if a.Plan == "old" { // alone: what is missed at the start is to be seen
		if _, err := c.EmptyCall(context.Background(), &pb.Empty{}); err != nil {
			return nil, err
		}
		log.AddRow(wire.Row{Key: wire.Key{Route: "grpc.testing.TestService/EmptyCall", Status: "OK"}, Sum: wire.Sum{N: 1}})
	}
	for range a.Requests {
		grpcRound(c, a, log)
	}
	time.Sleep(300 * time.Millisecond) // let the server see what was cancelled
	return log, nil
}

func grpcRound(c pb.TestServiceClient, a Args, log *wire.Log) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range a.Connections {
		for _, call := range grpcCalls {
			if call.isCancelled && a.Plan != "" {
				continue
			}
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				begin := time.Now()
				err := call.do(ctx, c)
				took, code := time.Since(begin).Seconds(), grpcCode(status.Code(err))
				if call.isCancelled { // what its client says on the wire, whether it was cancelled or too late
					code = "CANCELLED"
				}
				mu.Lock()
				defer mu.Unlock()
				log.AddRow(wire.Row{Key: wire.Key{Route: "grpc.testing.TestService/" + call.method, Status: code}, Sum: wire.Sum{N: 1}})
				if !call.isCancelled {
					log.Durations = append(log.Durations, took)
				}
			})
		}
		wg.Wait()
	}
}

var grpcCalls = []struct {
	method      string
	isCancelled bool
	do          func(context.Context, pb.TestServiceClient) error
}{
	{"EmptyCall", false, func(ctx context.Context, c pb.TestServiceClient) error {
		_, err := c.EmptyCall(ctx, &pb.Empty{})
		return err
	}},
	{"UnaryCall", false, func(ctx context.Context, c pb.TestServiceClient) error {
		_, err := c.UnaryCall(ctx, &pb.SimpleRequest{ResponseSize: 70000, Payload: &pb.Payload{Body: make([]byte, 40000)}})
		return err
	}},
	{"UnaryCall", false, func(ctx context.Context, c pb.TestServiceClient) error {
		_, err := c.UnaryCall(ctx, &pb.SimpleRequest{ResponseStatus: &pb.EchoStatus{Code: int32(codes.NotFound), Message: "none"}})
		return err
	}},
	{"UnaryCall", false, func(ctx context.Context, c pb.TestServiceClient) error {
		_, err := c.UnaryCall(ctx, &pb.SimpleRequest{ResponseStatus: &pb.EchoStatus{Code: int32(codes.Internal), Message: "oops"}})
		return err
	}},
	{"StreamingOutputCall", false, func(ctx context.Context, c pb.TestServiceClient) error {
		p := &pb.ResponseParameters{Size: 100}
		s, err := c.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{ResponseParameters: []*pb.ResponseParameters{p, p, p, p, p}})
		for err == nil {
			_, err = s.Recv()
		}
		return noEOF(err)
	}},
	{"FullDuplexCall", false, func(ctx context.Context, c pb.TestServiceClient) error {
		s, err := c.FullDuplexCall(ctx)
		for range 5 {
			if err == nil {
				err = s.Send(&pb.StreamingOutputCallRequest{})
			}
			if err == nil {
				_, err = s.Recv()
			}
		}
		if err == nil {
			s.CloseSend()
			_, err = s.Recv()
		}
		return noEOF(err)
	}},
	{"UnimplementedCall", false, func(ctx context.Context, c pb.TestServiceClient) error {
		_, err := c.UnimplementedCall(ctx, &pb.Empty{})
		return err
	}},
	{"CacheableUnaryCall", true, func(ctx context.Context, c pb.TestServiceClient) error {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(100*time.Millisecond, cancel)
		_, err := c.CacheableUnaryCall(ctx, &pb.SimpleRequest{})
		return err
	}},
	{"CacheableUnaryCall", true, func(ctx context.Context, c pb.TestServiceClient) error {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err := c.CacheableUnaryCall(ctx, &pb.SimpleRequest{})
		return err
	}},
}

func noEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
