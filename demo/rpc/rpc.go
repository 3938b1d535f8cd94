// Package rpc speaks gRPC for unary calls at both ends, over HTTP/2 without TLS.
//
// In: a method and a message. Out: a status and a message. It must not know the shop, nor who watches. Messages have one field,
// a string with number 1, as google.protobuf.StringValue has.
// The protocol: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	maxMessage  = 1 << 20
	prefixSize  = 5 // a flag for compression, and the length
	contentType = "application/grpc"
)

// Code is a status of a call (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md).
type Code int

// The codes that occur here.
const (
	OK            Code = 0
	Unknown       Code = 2
	Unimplemented Code = 12
	Internal      Code = 13
	Unavailable   Code = 14
)

// String returns the name of the specification, NOT_FOUND, or the number.
func (c Code) String() string {
	switch c {
	case OK:
		return "OK"
	case Unknown:
		return "UNKNOWN"
	case Unimplemented:
		return "UNIMPLEMENTED"
	case Internal:
		return "INTERNAL"
	case Unavailable:
		return "UNAVAILABLE"
	}
	return strconv.Itoa(int(c))
}

var errFrame = errors.New("not one uncompressed message")

func frame(text string) []byte {
	m := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), text)
	b := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m)))
	return append(b, m...)
}

func unframe(b []byte) (string, error) {
	if len(b) < prefixSize || b[0] != 0 || binary.BigEndian.Uint32(b[1:]) != uint32(len(b)-prefixSize) {
		return "", errFrame
	}
	b = b[prefixSize:]
	if len(b) == 0 {
		return "", nil // a default value is not written
	}
	number, kind, n := protowire.ConsumeTag(b)
	if n < 0 || number != 1 || kind != protowire.BytesType {
		return "", errFrame
	}
	text, n := protowire.ConsumeString(b[n:])
	if n < 0 {
		return "", errFrame
	}
	return text, nil
}

// Method answers one call. A status that is not OK has no message. It must be safe for concurrent use.
type Method func(method, message string) (answer string, code Code)

// Protocols says that a server or client speaks HTTP/2 without TLS, and nothing else.
func Protocols() *http.Protocols {
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	return p
}

// Handler serves calls; method is asked with "package.Service/Method".
func Handler(method Method) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), contentType) {
			http.Error(w, "gRPC only", http.StatusUnsupportedMediaType)
			return
		}
		w.Header().Set("Content-Type", contentType)
		b, err := io.ReadAll(io.LimitReader(r.Body, maxMessage))
		text := ""
		if err == nil {
			text, err = unframe(b)
		}
		answer, code := "", Internal
		if err == nil {
			answer, code = method(r.URL.Path[1:], text)
		}
		if code != OK { // the status alone ("Trailers-Only")
			w.Header().Set("Grpc-Status", strconv.Itoa(int(code)))
			w.WriteHeader(http.StatusOK)
			return
		}
		w.Header().Set("Trailer", "Grpc-Status")
		w.Write(frame(answer))
		w.Header().Set("Grpc-Status", "0")
	})
}

// Client calls one server after another over connections that are kept.
type Client struct{ http http.Client }

// NewClient returns a client that opens connections when it needs them.
func NewClient() *Client {
	return &Client{http.Client{Transport: &http.Transport{Protocols: Protocols(), DisableCompression: true}}}
}

// Call calls a method, "package.Service/Method". An error means that there was no status.
func (c *Client) Call(ctx context.Context, addr, method, message string) (answer string, code Code, err error) {
	u := url.URL{Scheme: "http", Host: addr, Path: "/" + method}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(frame(message)))
	if err != nil {
		return "", 0, fmt.Errorf("make a call: %w", err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Te", "trailers")
	resp, err := c.http.Do(req)
	if err != nil {
		return "", 0, fmt.Errorf("call %s: %w", method, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	if err != nil {
		return "", 0, fmt.Errorf("call %s: %w", method, err)
	}
	status := resp.Trailer.Get("Grpc-Status")
	if status == "" {
		status = resp.Header.Get("Grpc-Status")
	}
	n, err := strconv.Atoi(status)
	if err != nil {
		return "", 0, fmt.Errorf("call %s: no status, but HTTP %s", method, resp.Status)
	}
	if Code(n) == OK {
		answer, err = unframe(b)
	}
	return answer, Code(n), err
}
