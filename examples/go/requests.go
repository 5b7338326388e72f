package main

import (
	"context"
	"encoding/json"
	"errors"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
)

// Refusal is an answer of the coordinator that a retry does not change.
type Refusal struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

func hasCode(err error, codes ...string) bool {
	var refusal *Refusal
	return errors.As(err, &refusal) && slices.Contains(codes, refusal.Code)
}

func (a *agent) onReconnect(*nats.Conn) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	close(a.reconnected)
	a.reconnected = make(chan struct{})
}

// request sends one request. A request that was sent before a reconnect may never be answered.
func (a *agent) request(ctx context.Context, subject string, data []byte, patience time.Duration) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a.mutex.Lock()
	reconnected := a.reconnected
	a.mutex.Unlock()
	go func() {
		select {
		case <-reconnected:
			cancel()
		case <-ctx.Done():
		}
	}()
	return a.connection.RequestWithContext(ctx, subject, data)
}

// ask retries until there is an answer. Every request of this agent is idempotent.
func (a *agent) ask(ctx context.Context, subject string, body map[string]any, patience time.Duration, answer any) error {
	body["instance"] = a.instance
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		reply, err := a.request(ctx, subject, data, patience)
		if err == nil {
			var outcome struct {
				OK    bool     `json:"ok"`
				Error *Refusal `json:"error"`
			}
			if err := json.Unmarshal(reply.Data, &outcome); err != nil {
				return err
			}
			if outcome.OK {
				return json.Unmarshal(reply.Data, answer)
			}
			if !outcome.Error.Retryable {
				return outcome.Error
			}
		}
		// No worker, or no answer: the request may have been carried out.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(float64(pause) * (0.5 + mathrand.Float64()/2))):
		}
	}
}
