package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"coroner/testbed/fakenode/internal/kube"
	"coroner/testbed/fakenode/internal/record"
)

// recordings follows a namespace until the context ends.
func recordings(ctx context.Context, args []string) error {
	var kubeconfig, namespace, dir string
	flags := flag.NewFlagSet("fakenode record", flag.ContinueOnError)
	flags.StringVar(&kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "how to reach the API server")
	flags.StringVar(&namespace, "namespace", "", "what to follow")
	flags.StringVar(&dir, "dir", "", "where the recording is written")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if namespace == "" || dir == "" {
		return errors.New("--namespace and --dir are needed")
	}
	client, _, err := kube.Open(kubeconfig)
	if err != nil {
		return err
	}
	return record.Run(ctx, client, namespace, dir)
}
