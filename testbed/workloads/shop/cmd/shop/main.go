// Command shop is the service of the incident: a small web shop that works
// until two requests count a view in the same map at the same moment.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/acme/internal/instance"
	"github.com/acme/shop/internal/api"
	"github.com/acme/shop/internal/catalog"
	"github.com/acme/shop/internal/config"
)

func main() {
	instance.Announce(os.Stdout, "shop")
	cfg := config.FromEnv()
	store, err := catalog.Open()
	if err != nil {
		log.Fatal(err)
	}
	// A DSN in a log is what many services really do. Here it shows that the
	// password does not get into reports.
	log.Printf("database %s is not used yet, %d products from the snapshot", cfg.DatabaseURL, len(store.SKUs()))

	server := &http.Server{Addr: cfg.Listen, Handler: api.AccessLog(os.Stdout, api.New(store).Handler())}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- server.ListenAndServe() }()
	log.Printf("shop listens on %s", cfg.Listen)

	select {
	case err = <-served:
	case <-stop.Done():
		err = drain(server, cfg)
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	log.Print("shop stopped")
}

func drain(server *http.Server, cfg config.Config) error {
	limit, cancel := context.WithTimeout(context.Background(), cfg.Drain)
	defer cancel()
	return server.Shutdown(limit)
}
