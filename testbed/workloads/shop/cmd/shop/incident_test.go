package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTheShopDiesOfConcurrentMapWritesUnderLoad runs the real service and the
// real load: the end comes from the Go runtime's own detector.
func TestTheShopDiesOfConcurrentMapWritesUnderLoad(t *testing.T) {
	const patience = 180 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	address := freeAddress(t)
	var stdout, stderr bytes.Buffer
	shop := exec.CommandContext(ctx, build(t, "."))
	shop.Env = append(os.Environ(), "LISTEN="+address, "GOTRACEBACK=single")
	shop.Stdout, shop.Stderr = &stdout, &stderr
	if err := shop.Start(); err != nil {
		t.Fatal(err)
	}
	awaitHealth(ctx, t, "http://"+address)
	load := exec.CommandContext(ctx, build(t, "../../../load"), "--url", "http://"+address, "--for", patience.String(), "--ramp", "1s")
	if err := load.Start(); err != nil {
		t.Fatal(err)
	}
	shop.Wait()
	load.Process.Kill()
	load.Wait()

	if code := shop.ProcessState.ExitCode(); code != 2 {
		t.Fatalf("exit %d, want 2; stderr %s", code, stderr.String())
	}
	trace := regexp.MustCompile(`(?s)fatal error: concurrent map writes\n.*catalog\.\(\*Cache\)\.Get\(.*/shop/internal/catalog/cache\.go:\d+`)
	if !trace.MatchString(stderr.String()) {
		t.Errorf("no such end in %s", stderr.String())
	}
	if !strings.Contains(stdout.String(), `"GET /products/`) {
		t.Error("no ordinary traffic was logged before the end")
	}
}

func build(t *testing.T, source string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %s", source, out)
	}
	return binary
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func awaitHealth(ctx context.Context, t *testing.T, base string) {
	t.Helper()
	for ctx.Err() == nil {
		if response, err := http.Get(base + "/healthz"); err == nil {
			response.Body.Close()
			return
		}
	}
	t.Fatal("the shop never became healthy")
}
