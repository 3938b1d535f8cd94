package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/sonde-dev/sonde/server/query"
)

// client asks a running Sonde.
type client struct {
	base string // http://host:port
	http http.Client
}

func newClient(listen string) *client {
	return &client{base: "http://" + listen, http: http.Client{Timeout: 10 * time.Second}}
}

// get fetches path and decodes the reply into v.
func (c *client) get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return fmt.Errorf("ask Sonde at %s: %w", c.base, err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask Sonde at %s: %w (is `sonde run` running? another address: --listen)", c.base, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var e query.ErrorReply
		_ = json.NewDecoder(resp.Body).Decode(&e) // the status says enough if this fails
		return fmt.Errorf("ask Sonde at %s for %s: %s: %s", c.base, path, resp.Status, e.Error)
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return fmt.Errorf("read the reply to %s: %w", path, err)
	}
	return nil
}
