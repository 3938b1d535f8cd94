package query

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// problem is an error with the status it is answered with; its text goes to the caller.
type problem struct {
	status int
	err    error
}

func (p problem) Error() string { return p.err.Error() }
func (p problem) Unwrap() error { return p.err }

func badRequest(err error) error       { return problem{http.StatusBadRequest, err} }
func notFound(text string) error       { return problem{http.StatusNotFound, errors.New(text)} }
func overloaded(text string) error     { return problem{http.StatusServiceUnavailable, errors.New(text)} }
func tooManyWaiting(text string) error { return problem{http.StatusTooManyRequests, errors.New(text)} }

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil { // a NaN or an infinity: a fault of ours that must not go out as half a reply
		status, b = http.StatusInternalServerError, []byte(`{"error":"the reply could not be encoded; please report this: `+http.StatusText(status)+`"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // an error here is the client's going away
}

// answer turns a question into a handler.
func (a *api) answer(question func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := question(r)
		var p problem
		switch {
		case err == nil:
			writeJSON(w, http.StatusOK, body)
		case errors.As(err, &p):
			writeJSON(w, p.status, ErrorReply{Error: p.Error()})
		case errors.Is(err, context.DeadlineExceeded):
			writeJSON(w, http.StatusServiceUnavailable, ErrorReply{Error: "the query took longer than " + a.cfg.Timeout.String() + ": ask for a shorter range"})
		case errors.Is(err, context.Canceled):
			w.WriteHeader(499) // nginx' status for a client that went away; nobody reads it
		default:
			a.log.Error("answer query", "path", r.URL.Path, "query", r.URL.RawQuery, "err", err)
			writeJSON(w, http.StatusInternalServerError, ErrorReply{Error: "the store could not be read: " + err.Error() + "; see the log of Sonde"})
		}
	})
}
