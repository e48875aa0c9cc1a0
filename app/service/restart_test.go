package service

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"cloudstorage/app/daemon"
	"cloudstorage/app/daemon/daemontest"
	"cloudstorage/app/e2e/gatewaytest"
)

// load is clients that ask without a pause, each over a connection that it keeps
// until the server closes it after an answer, and then goes on at the next
// server, as a balancer does. Nothing is sent twice: what is not answered is
// lost.
type load struct {
	servers  []string
	answered chan struct{} // gets a value for each answer
}

func (l *load) run(ctx context.Context, client int) error {
	refused := 0
	for server := client; ctx.Err() == nil; server++ {
		conn, err := net.Dial("tcp", l.servers[server%len(l.servers)])
		if errors.Is(err, syscall.ECONNREFUSED) && refused < len(l.servers) {
			refused++
			continue
		}
		if err != nil {
			return err
		}
		refused = 0
		err = l.use(ctx, conn)
		if err = errors.Join(err, conn.Close()); err != nil {
			return fmt.Errorf("client %d: %w", client, err)
		}
	}
	return nil
}

// use asks until the server says that it closes the connection, or ctx is done.
func (l *load) use(ctx context.Context, conn net.Conn) error {
	reader := bufio.NewReader(conn)
	for ctx.Err() == nil {
		last, err := ask(conn, reader)
		if err != nil {
			return err
		}
		select {
		case l.answered <- struct{}{}:
		case <-ctx.Done():
		}
		if last {
			return nil
		}
	}
	return nil
}

// ask sends one request and reads its answer; last says that no other may follow.
func ask(conn net.Conn, reader *bufio.Reader) (last bool, err error) {
	if err := conn.SetDeadline(time.Now().Add(daemontest.StartTimeout)); err != nil {
		return false, err
	}
	if _, err := io.WriteString(conn, "GET /v1/files HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return false, err
	}
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		return false, fmt.Errorf("a request was lost: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%s %s: %w", answer.Status, body, err)
	}
	return answer.Close, nil
}

func TestRestartsUnderLoadLoseNoRequest(t *testing.T) {
	t.Parallel()
	const clients, answers = 8, 200
	env := daemontest.Environ(t, gatewaytest.Start(t), map[string]string{"STORAGE_RATE_LIMIT": "-1"})
	one, two := daemontest.Start(t, Program(), env), daemontest.Start(t, Program(), env)
	l := &load{servers: []string{one.Address, two.Address}, answered: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	for i := range clients {
		ended.Go(func() {
			if err := l.run(ctx, i); err != nil {
				t.Error(err)
				stop()
			}
		})
	}
	serveSome := func() {
		for range answers {
			select {
			case <-l.answered:
			case <-ctx.Done():
				return
			}
		}
	}
	// ends stops a server while the clients go on.
	ends := func(s *daemontest.Server) {
		serveSome()
		s.Stop()
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			if code := s.Wait(); code != daemon.Done {
				t.Errorf("exit code %d:\n%s", code, s.Log)
			}
		}()
		for {
			select {
			case <-l.answered:
				continue
			case <-gone:
			}
			break
		}
		serveSome()
	}
	ends(one)
	again := maps.Clone(env)
	again["STORAGE_ADDRESS"] = one.Address
	daemontest.Start(t, Program(), again)
	ends(two)
	stop()
	ended.Wait()
}
