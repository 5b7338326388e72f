// An agent for if-coordinator: takes tasks, keeps their leases while it works, and ends each claim.
//
//	NATS_URL=nats://localhost:4222 go run .
//
// Change work. With STOP_WHEN_IDLE=1 the agent ends when no task is ready. After SIGTERM or Ctrl-C it
// gives back its tasks and ends.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	lease = 60 * time.Second
	wait  = 30 * time.Second
	// During a short failure of NATS, a worker holds a request for less time.
	replyTimeout = 15 * time.Second
)

// Task has the fields of a task's record that the agent needs. Unknown fields are ignored: records gain fields.
type Task struct {
	ID      string          `json:"task_id"`
	Title   string          `json:"title"`
	Payload json.RawMessage `json:"payload"`
}

// work does the task and returns its result. An error is a failed attempt. When ctx is done, another session
// may have the task: stop soon.
func work(ctx context.Context, task Task) (any, error) {
	return fmt.Sprintf("did %q", task.Title), ctx.Err()
}

type claim struct {
	attempt int
	stop    context.CancelFunc
}

type agent struct {
	connection *nats.Conn
	session    string
	// Different for each process: a process that starts under the same session id replaces this one.
	instance string

	mutex  sync.Mutex
	claims map[string]claim
	// Closed and replaced after each reconnect.
	reconnected chan struct{}
}

func (a *agent) register(ctx context.Context) error {
	body := map[string]any{"ttl_seconds": lease.Seconds()}
	return a.ask(ctx, "sessions.register."+a.session, body, replyTimeout, &struct{}{})
}

// renew renews the session and the leases of its claims, every third of their length.
func (a *agent) renew(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lease / 3):
		}
		claims := []map[string]any{}
		a.mutex.Lock()
		for id, held := range a.claims {
			claims = append(claims, map[string]any{"task_id": id, "attempt": held.attempt})
		}
		a.mutex.Unlock()
		var beat struct{ Lost, Cancelled []string }
		// Without an answer by then, the leases have expired.
		untilExpiry, cancel := context.WithTimeout(ctx, lease*2/3)
		body := map[string]any{"claims": claims}
		err := a.ask(untilExpiry, "sessions.heartbeat."+a.session, body, replyTimeout, &beat)
		cancel()
		switch {
		case err == nil:
			a.stopWorkOn(append(beat.Lost, beat.Cancelled...)...)
		case hasCode(err, "not_found"):
			// The session has expired. Its claims last as long as their leases.
			if err := a.register(ctx); err != nil {
				return err
			}
		case errors.Is(err, context.DeadlineExceeded):
			for _, held := range claims {
				a.stopWorkOn(held["task_id"].(string))
			}
		default:
			return err
		}
	}
}

func (a *agent) stopWorkOn(ids ...string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, id := range ids {
		if held, ok := a.claims[id]; ok {
			held.stop()
		}
	}
}

func (a *agent) handle(ctx context.Context, task Task, attempt int) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	a.mutex.Lock()
	a.claims[task.ID] = claim{attempt, stop}
	a.mutex.Unlock()
	defer func() {
		a.mutex.Lock()
		delete(a.claims, task.ID)
		a.mutex.Unlock()
	}()

	result, err := work(working, task)
	end := map[string]any{"status": "complete", "result": result}
	if working.Err() != nil {
		// Refused if another session has the task, and right if the task was cancelled.
		end = map[string]any{"status": "available"}
	} else if err != nil {
		end = map[string]any{"status": "failed", "error": err.Error()}
	}
	err = a.release(ctx, task.ID, attempt, end)
	if hasCode(err, "invalid_request", "too_large") {
		// The result cannot be stored: another attempt would end in the same way.
		end = map[string]any{"status": "failed", "error": err.Error(), "retry": false}
		err = a.release(ctx, task.ID, attempt, end)
	}
	if err != nil {
		fmt.Printf("%s: %v\n", task.ID, err)
	} else {
		fmt.Printf("%s: %s\n", task.ID, end["status"])
	}
	return ctx.Err()
}

func (a *agent) release(ctx context.Context, id string, attempt int, end map[string]any) error {
	end["session_id"], end["attempt"] = a.session, attempt
	return a.ask(ctx, "tasks.release."+id, end, replyTimeout, &struct{}{})
}

func (a *agent) takeTasks(ctx context.Context, stopWhenIdle bool) error {
	patience := wait
	if stopWhenIdle {
		patience = 0
	}
	for {
		var next struct {
			Claims []struct {
				Task    Task
				Attempt int
			}
		}
		body := map[string]any{
			"session_id": a.session,
			// With the same request_id, a retry gets the same claim.
			"request_id":   rand.Text(),
			"ttl_seconds":  lease.Seconds(),
			"wait_seconds": patience.Seconds(),
		}
		if err := a.ask(ctx, "tasks.next", body, patience+replyTimeout, &next); err != nil {
			return err
		}
		for _, claimed := range next.Claims {
			if err := a.handle(ctx, claimed.Task, claimed.Attempt); err != nil {
				return err
			}
		}
		if stopWhenIdle && len(next.Claims) == 0 {
			return nil
		}
	}
}

func (a *agent) run(ctx context.Context, stopWhenIdle bool) error {
	if err := a.register(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- a.takeTasks(ctx, stopWhenIdle) }()
	go func() { ended <- a.renew(ctx) }()
	err := <-ended
	cancel()
	// Gives back the tasks that the session still holds.
	leaving, done := context.WithTimeout(context.Background(), replyTimeout)
	defer done()
	_ = a.ask(leaving, "sessions.unregister."+a.session, map[string]any{}, replyTimeout, &struct{}{})
	return err
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	log.SetFlags(0)
	host, _ := os.Hostname()
	host, _, _ = strings.Cut(host, ".")
	a := &agent{
		session:     env("SESSION", fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:8])),
		instance:    rand.Text(),
		claims:      map[string]claim{},
		reconnected: make(chan struct{}),
	}
	var err error
	a.connection, err = nats.Connect(
		env("NATS_URL", nats.DefaultURL), nats.MaxReconnects(-1), nats.ReconnectHandler(a.onReconnect))
	if err != nil {
		log.Fatal(err)
	}
	defer a.connection.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	err = a.run(ctx, os.Getenv("STOP_WHEN_IDLE") == "1")
	if err != nil && ctx.Err() == nil {
		log.Fatal(err) // Such as session_replaced: another process has this session id.
	}
}
