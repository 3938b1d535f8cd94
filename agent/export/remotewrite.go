package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/sonde-dev/sonde/signal"
)

// RemoteWriteConfig names the other end of Prometheus remote write.
type RemoteWriteConfig struct {
	URL string
	// At most one of Username (with Password) and BearerToken.
	Username, Password string
	BearerToken        string
	Headers            map[string]string // further headers of each request (X-Scope-OrgID)
	// Timeout of one request.
	Timeout time.Duration
	// SeriesPerRequest bounds the size of a request; 2000 is Prometheus' own max_samples_per_send.
	SeriesPerRequest int
	// ZeroWithin: a series that is new to this sink begins with a zero at its time of creation, so that its first value is an
	// increase, unless it was created longer ago. Prometheus refuses what is older than half a block, 1 h.
	ZeroWithin time.Duration
}

// DefaultRemoteWriteConfig lacks only the URL.
var DefaultRemoteWriteConfig = RemoteWriteConfig{
	Timeout:          30 * time.Second, // as Prometheus
	SeriesPerRequest: 2000,
	ZeroWithin:       10 * time.Minute,
}

// Validate returns what is wrong with the configuration, or nil.
func (c RemoteWriteConfig) Validate() error {
	u, err := url.Parse(c.URL)
	if err != nil {
		return fmt.Errorf("parse remote write URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("remote write URL %q: want http://host:port/path or https", u.Redacted())
	}
	if c.Username != "" && c.BearerToken != "" {
		return errors.New("remote write: give a user name or a bearer token, not both")
	}
	if c.Timeout <= 0 || c.SeriesPerRequest < 1 || c.ZeroWithin < 0 {
		return fmt.Errorf("remote write: timeout %v, %d series per request, zero within %v: out of range",
			c.Timeout, c.SeriesPerRequest, c.ZeroWithin)
	}
	return nil
}

// RemoteWrite sends batches by Prometheus remote write 1.0, native histograms included (as Prometheus itself sends them in
// that protocol; a receiver must have them enabled). It has no disk: what waits, waits in the queue of Fanout. It is for one
// goroutine at a time.
type RemoteWrite struct {
	cfg     RemoteWriteConfig
	client  *http.Client
	name    string
	encoder encoder
	raw     []byte
	packed  []byte

	batch   *signal.Batch // being sent
	sent    int           // of its series
	refused error
}

// NewRemoteWrite makes the sink. cfg must be valid.
func NewRemoteWrite(cfg RemoteWriteConfig) *RemoteWrite {
	u, _ := url.Parse(cfg.URL)
	return &RemoteWrite{
		cfg:     cfg,
		client:  &http.Client{Timeout: cfg.Timeout},
		name:    "remote write " + u.Redacted(),
		encoder: encoder{zeroWithin: cfg.ZeroWithin, known: map[uint64]*known{}},
	}
}

// Name implements Sink.
func (w *RemoteWrite) Name() string { return w.name }

// Write implements Sink: it sends the batch in requests of bounded size. When one of them fails for the moment, the next
// call with the same batch goes on with that one. When one is refused for good, the others are still sent.
func (w *RemoteWrite) Write(ctx context.Context, b *signal.Batch) error {
	if w.batch != b {
		w.batch, w.sent, w.refused = b, 0, nil
	}
	for w.sent < len(b.Series) {
		part := b.Series[w.sent:min(w.sent+w.cfg.SeriesPerRequest, len(b.Series))]
		err := w.sendSeries(ctx, b, part)
		if refused := (*RefusedError)(nil); errors.As(err, &refused) {
			w.refused = refused
		} else if err != nil {
			return err
		}
		// Also after a refusal: it may have been the zeros that were not welcome.
		w.encoder.begun(part)
		w.sent += len(part)
	}
	w.encoder.forget(b)
	err := w.refused
	w.batch, w.refused = nil, nil
	return err
}

func (w *RemoteWrite) sendSeries(ctx context.Context, b *signal.Batch, part []signal.Series) error {
	req, err := w.encoder.encode(b, part)
	if err != nil {
		return &RefusedError{err}
	}
	return w.send(ctx, req)
}

// send makes one request.
func (w *RemoteWrite) send(ctx context.Context, wr *prompb.WriteRequest) error {
	size := wr.Size()
	if cap(w.raw) < size {
		w.raw = make([]byte, size)
	}
	w.raw = w.raw[:size]
	if _, err := wr.MarshalToSizedBuffer(w.raw); err != nil {
		return &RefusedError{fmt.Errorf("encode: %w", err)}
	}
	w.packed = snappy.Encode(w.packed[:cap(w.packed)], w.raw)

	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.URL, bytes.NewReader(w.packed))
	if err != nil {
		return &RefusedError{err}
	}
	w.setHeaders(req.Header)
	if w.cfg.Username != "" {
		req.SetBasicAuth(w.cfg.Username, w.cfg.Password)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // so that the connection can be used again
	return judge(resp, strings.TrimSpace(string(text)))
}

func (w *RemoteWrite) setHeaders(h http.Header) {
	// Remote Write 1.0 specification, "Protocol".
	h.Set("Content-Encoding", "snappy")
	h.Set("Content-Type", "application/x-protobuf")
	h.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	h.Set("User-Agent", "sonde")
	if w.cfg.BearerToken != "" {
		h.Set("Authorization", "Bearer "+w.cfg.BearerToken)
	}
	for k, v := range w.cfg.Headers {
		h.Set(k, v)
	}
}

// judge turns an answer into an error. Remote Write 1.0 specification, "Retries & Backoff": 5xx is to be retried, 429 may
// be, other 4xx must not.
func judge(resp *http.Response, text string) error {
	err := fmt.Errorf("answer %s: %s", resp.Status, text)
	switch code := resp.StatusCode; {
	case code/100 == 2:
		return nil
	case code == http.StatusTooManyRequests || code/100 == 5:
		return &RetryError{err, retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	default:
		return &RefusedError{err}
	}
}

// retryAfter reads the header (RFC 9110 §10.2.3): seconds or a date. What cannot be read means no wish.
func retryAfter(v string, now time.Time) time.Duration {
	const longest = 10 * time.Minute // a typing error at the other end should not silence us for a day
	d := time.Duration(0)
	if s, err := strconv.ParseUint(v, 10, 31); err == nil {
		d = time.Duration(s) * time.Second
	} else if t, err := http.ParseTime(v); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), longest)
}
