package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"coroner/testbed/fakenode/internal/bulk"
	"coroner/testbed/fakenode/internal/kube"
	"coroner/testbed/fakenode/internal/script"
)

func pods(ctx context.Context, args []string) error {
	var o bulk.Options
	var kubeconfig, text string
	var wait time.Duration
	flags := flag.NewFlagSet("fakenode pods", flag.ContinueOnError)
	flags.StringVar(&kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "how to reach the API server")
	flags.IntVar(&o.Count, "count", 1, "pods in all")
	flags.StringVar(&o.Namespace, "namespace", "storm", "their namespace, made if it is missing")
	flags.IntVar(&o.Workloads, "workloads", 1, "workloads to spread them over")
	flags.StringVar(&o.Prefix, "prefix", "app", "workloads are called PREFIX-001 and so on")
	flags.StringVar(&text, "script", "", "what each container lives through, or @FILE; %w in it is the workload's number")
	flags.StringVar(&o.Owner, "owner", "none", "none: bare pods with a generated name; deployment: real Deployments")
	flags.StringVar(&o.RestartPolicy, "restart-policy", "Always", "Always, OnFailure or Never")
	flags.IntVar(&o.Parallel, "parallel", 16, "requests at the same time")
	flags.DurationVar(&wait, "wait", 0, "how long to wait until all have started")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if path, isFile := strings.CutPrefix(text, "@"); isFile {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text = string(content)
	}
	o.Script = text
	if _, err := script.Parse(strings.ReplaceAll(text, "%w", "1")); err != nil {
		return fmt.Errorf("--script: %w", err)
	}
	if kubeconfig == "" {
		return errors.New("--kubeconfig or $KUBECONFIG is needed")
	}
	client, _, err := kube.Open(kubeconfig)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := bulk.Create(ctx, client, o); err != nil {
		return err
	}
	fmt.Printf("%d pods in %d workloads asked for in %s\n", o.Count, o.Workloads, time.Since(begin).Round(time.Millisecond))
	if wait == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := bulk.AwaitStart(limited, client, o); err != nil {
		return err
	}
	fmt.Printf("all have started after %s\n", time.Since(begin).Round(time.Millisecond))
	return nil
}

func templates() error {
	library, err := library("")
	if err != nil {
		return err
	}
	for _, name := range library.Names() {
		t := library[name]
		fmt.Printf("%-20s exit %-4d %-20s %s\n", name, t.Exit, t.Cause, t.Culprit)
	}
	return nil
}
