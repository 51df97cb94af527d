// Command slack stands in for Slack: it takes what incoming webhooks and two methods of the Web API take, refuses what they
// refuse, in the same words, and shows what it was sent.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("slack: ")
	listen := flag.String("listen", "127.0.0.1:8065", "address of the server")
	file := flag.String("file", "", "file to which each request is appended as a line of JSON")
	fail := flag.Int("fail", 0, "answer the first N requests with 500")
	rate := flag.Float64("rate", 1, "messages a second for each webhook or channel, 0 for no limit")
	burst := flag.Float64("burst", 5, "messages that may come at once after a pause")
	token := flag.String("token", "xoxb-testbed", "the bot token that the Web API wants")
	flag.Parse()

	out := io.Discard
	if *file != "" {
		opened, err := os.OpenFile(*file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			log.Fatal(err)
		}
		defer opened.Close()
		out = opened
	}
	slack := &server{
		now:     time.Now,
		rates:   newRates(*rate, *burst, time.Now),
		records: &records{file: out},
		token:   *token,
		faults:  faults{Fail: *fail},
	}
	if err := serve(*listen, slack.handler()); err != nil {
		log.Fatal(err)
	}
}

func serve(address string, handler http.Handler) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	log.Printf("listening on %s, webhooks are /services/T.../B.../...", address)
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
		return server.Close()
	}
}
