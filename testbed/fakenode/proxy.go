package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"coroner/testbed/fakenode/internal/kube"
	"coroner/testbed/fakenode/internal/proxy"
)

// proxies serves ways to the API server until the context ends. Clients come by plain HTTP, without credentials: they get
// those of the kubeconfig.
func proxies(ctx context.Context, args []string) error {
	var kubeconfig string
	var ways []string
	var seed uint64
	flags := flag.NewFlagSet("fakenode proxy", flag.ContinueOnError)
	flags.StringVar(&kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "how to reach the API server")
	flags.Func("way", "LISTEN,CONTROL: the addresses of one way and of its control; can be given more than once", func(text string) error {
		ways = append(ways, text)
		return nil
	})
	flags.Uint64Var(&seed, "seed", 1, "of the dice that choose what is spoilt")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if len(ways) == 0 {
		return errors.New("--way is needed")
	}
	server, transport, err := kube.Transport(kubeconfig)
	if err != nil {
		return err
	}
	for n, text := range ways {
		listen, control, found := strings.Cut(text, ",")
		if !found {
			return fmt.Errorf("--way %s: want LISTEN,CONTROL", text)
		}
		way := proxy.NewWay(seed + uint64(n))
		if err := listenPlain(ctx, listen, proxy.New(server, transport, way)); err != nil {
			return err
		}
		if err := listenPlain(ctx, control, way.Control()); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}
