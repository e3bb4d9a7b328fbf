// Command go-nats is the Go contestant of the benchmark: net/http with one JetStream message per order, or per
// batch of orders.
//
//	go-nats NATS_URL SUBJECT
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	bodyBytesMax = 4096
	// A message of JetStream has at most 1 MiB.
	batchBytesMax = 950_000
	// More than the benchmark has connections, so that a publish never waits.
	publishesMax = 16_384
	ackMax       = 5 * time.Second
)

var (
	created = []byte(`{"result":"created"}`)
	invalid = []byte(`{"result":"invalid"}`)
	busy    = []byte(`{"result":"busy"}`)
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(natsURL, subject string) error {
	nc, err := nats.Connect(natsURL)
	if err != nil {
		return err
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(publishesMax))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", accept(js, subject, bodyBytesMax, orderMessage))
	mux.HandleFunc("POST /orders/batch", accept(js, subject, batchBytesMax, batchMessage))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("ready http://%s\n", listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	return server.Serve(listener)
}

// accept stores what message makes of the body.
func accept(js jetstream.JetStream, subject string, bytesMax int64, message func([]byte) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := readAll(http.MaxBytesReader(w, r.Body, bytesMax), r.ContentLength)
		if err != nil {
			answer(w, http.StatusRequestEntityTooLarge, invalid)
			return
		}
		stored, err := message(body)
		if err != nil {
			answer(w, http.StatusBadRequest, invalid)
			return
		}
		if err := store(js, subject, stored); err != nil {
			answer(w, http.StatusServiceUnavailable, busy)
			return
		}
		answer(w, http.StatusOK, created)
	}
}

// readAll allocates once if the length is known, where io.ReadAll grows its buffer.
func readAll(body io.Reader, length int64) ([]byte, error) {
	if length < 0 || length > batchBytesMax {
		return io.ReadAll(body)
	}
	bytes := make([]byte, length)
	_, err := io.ReadFull(body, bytes)
	return bytes, err
}

// store returns nil when JetStream has acknowledged the message. Other requests publish meanwhile.
func store(js jetstream.JetStream, subject string, message []byte) error {
	ack, err := js.PublishAsync(subject, message)
	if err != nil {
		return err
	}
	timer := time.NewTimer(ackMax)
	defer timer.Stop()
	select {
	case <-ack.Ok():
		return nil
	case err := <-ack.Err():
		return err
	case <-timer.C:
		return errors.New("no ack in time")
	}
}

func answer(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}
