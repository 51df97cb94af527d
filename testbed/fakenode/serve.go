package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"coroner/testbed/fakenode/internal/kube"
	"coroner/testbed/fakenode/internal/logs"
	"coroner/testbed/fakenode/internal/node"
	"coroner/testbed/fakenode/internal/play"
	"coroner/testbed/fakenode/internal/server"
)

type serveOptions struct {
	kubeconfig, cert, key, clientCA string
	listen, control                 string
	nodes, workers                  int
	dir, templates                  string
	termDelay                       time.Duration
	config                          play.Config
}

func parseServe(args []string) (o serveOptions, err error) {
	flags := flag.NewFlagSet("fakenode serve", flag.ContinueOnError)
	flags.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "how to reach the API server, as an administrator")
	flags.IntVar(&o.nodes, "nodes", 1, "how many nodes, fake-1 to fake-N")
	flags.StringVar(&o.cert, "cert", "", "certificate of the log server, of the API server's kubelet CA and for 127.0.0.1")
	flags.StringVar(&o.key, "key", "", "its key")
	flags.StringVar(&o.clientCA, "client-ca", "", "CA of the API server's client certificate (the kubeconfig's if not given)")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:10350", "address of the log server: the API server must be on this machine")
	flags.StringVar(&o.control, "control", "127.0.0.1:10351", "address for tests: /truth, /control, /stats")
	flags.StringVar(&o.dir, "dir", "", "folder for truth.jsonl, which then outlives this process")
	flags.StringVar(&o.templates, "templates", "", "folder with more log templates, NAME.log")
	flags.IntVar(&o.workers, "workers", 16, "status writes at the same time")
	flags.DurationVar(&o.termDelay, "term-delay", 300*time.Millisecond, "between the end of a deleted pod and its disappearance")
	flags.DurationVar(&o.config.FirstRestart, "first-restart", 500*time.Millisecond, "pause before the first restart")
	flags.DurationVar(&o.config.BaseBackoff, "backoff", 10*time.Second, "pause before the second restart, doubled for each that follows")
	flags.DurationVar(&o.config.MaxBackoff, "max-backoff", 5*time.Minute, "longest pause before a restart")
	flags.DurationVar(&o.config.Relist, "relist", 300*time.Millisecond, "an end is noticed up to this much later")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.kubeconfig == "" || o.cert == "" || o.key == "" {
		return o, errors.New("--kubeconfig, --cert and --key are needed")
	}
	if o.nodes < 0 || o.workers < 1 {
		return o, fmt.Errorf("--nodes %d and --workers %d: want at least 0 and 1", o.nodes, o.workers)
	}
	return o, nil
}

func serve(ctx context.Context, args []string) error {
	o, err := parseServe(args)
	if err != nil {
		return err
	}
	client, ca, err := kube.Open(o.kubeconfig)
	if err != nil {
		return err
	}
	if o.config.Logs, err = library(o.templates); err != nil {
		return err
	}
	truth, err := node.OpenTruth(truthPath(o.dir))
	if err != nil {
		return err
	}
	leases := &node.Leases{Client: client}
	for n := 1; n <= o.nodes; n++ {
		leases.Nodes = append(leases.Nodes, node.Name(n))
	}
	kubelet := node.NewKubelet(node.Options{Client: client, Config: &o.config, Truth: truth, Workers: o.workers, TermDelay: o.termDelay})
	faults := server.NewFaults(&leases.Paused)

	port, err := listenTLS(ctx, o, ca, server.Kubelet(kubelet, faults))
	if err != nil {
		return err
	}
	if err := listenPlain(ctx, o.control, server.Control(faults, truth, kubelet.Pods)); err != nil {
		return err
	}
	if err := leases.Register(ctx, port); err != nil {
		return err
	}
	log.Printf("%d nodes are ready, logs on %s, tests on %s", o.nodes, o.listen, o.control)
	go leases.Run(ctx)
	kubelet.Run(ctx, leases.Nodes)
	return nil
}

func truthPath(dir string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "truth.jsonl")
}

func library(folder string) (logs.Library, error) {
	library, err := logs.Builtin()
	if err == nil && folder != "" {
		err = library.Add(os.DirFS(folder))
	}
	return library, err
}

// listenTLS serves the API server, which has to show a certificate: a kubelet's logs are not for everybody.
func listenTLS(ctx context.Context, o serveOptions, ca []byte, handler http.Handler) (port int, err error) {
	if o.clientCA != "" {
		if ca, err = os.ReadFile(o.clientCA); err != nil {
			return 0, err
		}
	}
	clients := x509.NewCertPool()
	if !clients.AppendCertsFromPEM(ca) {
		return 0, errors.New("the clients' CA is no PEM certificate")
	}
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return 0, err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return 0, err
	}
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{pair}, ClientCAs: clients, ClientAuth: tls.RequireAndVerifyClientCert,
		},
	}
	go func() { report(web.ServeTLS(listener, "", "")) }()
	closeWith(ctx, web)
	_, text, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

func listenPlain(ctx context.Context, address string, handler http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { report(web.Serve(listener)) }()
	closeWith(ctx, web)
	return nil
}

func closeWith(ctx context.Context, web *http.Server) {
	context.AfterFunc(ctx, func() { web.Close() })
}

func report(err error) {
	if !errors.Is(err, http.ErrServerClosed) {
		log.Print(err)
	}
}
