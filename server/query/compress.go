package query

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
)

// compressMin: below one network packet, compression costs and gains nothing.
const compressMin = 1400

// compressed gzips the replies of h to clients that accept it. The reply is held in memory until it passes compressMin.
func compressed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if !acceptsGzip(r.Header.Get("Accept-Encoding")) {
			h.ServeHTTP(w, r)
			return
		}
		c := &compressor{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(c, r)
		c.finish()
	})
}

// acceptsGzip is true where gzip is listed and not refused with q=0.
func acceptsGzip(header string) bool {
	for _, part := range strings.Split(header, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q := strings.TrimPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			return strings.Trim(q, "0.") != "" || q == ""
		}
	}
	return false
}

type compressor struct {
	http.ResponseWriter
	status int
	held   bytes.Buffer
	zip    *gzip.Writer
}

func (c *compressor) WriteHeader(status int) { c.status = status }

func (c *compressor) Write(b []byte) (int, error) {
	if c.zip != nil {
		return c.zip.Write(b)
	}
	c.held.Write(b)
	if c.held.Len() < compressMin {
		return len(b), nil
	}
	c.Header().Set("Content-Encoding", "gzip")
	c.Header().Del("Content-Length")
	c.ResponseWriter.WriteHeader(c.status)
	// BestSpeed: a map of 200 services shrinks ten times either way, and the reader is usually on the same host.
	c.zip, _ = gzip.NewWriterLevel(c.ResponseWriter, gzip.BestSpeed)
	if _, err := c.zip.Write(c.held.Bytes()); err != nil {
		return 0, err
	}
	return len(b), nil
}

// finish ends the reply; errors are the client's going away.
func (c *compressor) finish() {
	if c.zip != nil {
		_ = c.zip.Close()
		return
	}
	c.ResponseWriter.WriteHeader(c.status)
	_, _ = c.ResponseWriter.Write(c.held.Bytes())
}
