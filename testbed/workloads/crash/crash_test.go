package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "crash")
	build := exec.Command("go", "build", "-o", binary, ".")
	// As in the images. With cgo Go does not look for deadlocks.
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// crash runs the real program to its end.
func crash(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	cmd := exec.Command(binary, append([]string{"--delay", "1ms"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &err
	if e := cmd.Start(); e != nil {
		t.Fatal(e)
	}
	const stuck = 60 * time.Second
	killer := time.AfterFunc(stuck, func() { cmd.Process.Kill() })
	defer killer.Stop()
	cmd.Wait()
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

func TestEachModeDiesAsItsNameSays(t *testing.T) {
	for mode, want := range map[string]struct {
		code   int
		stderr string
	}{
		"panic":           {2, `panic: checkout order-4711: no payment provider configured.*orders\.Checkout`},
		"panic-string":    {2, `panic: giving up\n.*orders\.Refuse`},
		"panic-struct":    {2, `panic: \(orders\.Rejection\).*orders\.RefuseWithDetails`},
		"panic-goroutine": {2, `panic: checkout order-4712.*created by github.com/acme/crash/internal/orders\.CheckoutInBackground`},
		"repanic":         {2, `panic: checkout order-4713[^\n]*\[recovered`},
		"nil":             {2, `\[signal SIGSEGV.*orders\.PrintTotal`},
		"nilmap":          {2, `assignment to entry in nil map.*orders\.CountStock`},
		"index":           {2, `index out of range \[-1\].*orders\.LastItem`},
		"slice":           {2, `slice bounds out of range.*orders\.FirstItems`},
		"divide":          {2, `integer divide by zero.*orders\.Average`},
		"cast":            {2, `interface conversion.*orders\.Customer`},
		"map-write":       {2, `fatal error: concurrent map writes.*sessions\.\(\*Registry\)\.Touch`},
		"map-read-write":  {2, `fatal error: concurrent map (read and map write|writes).*sessions\.\(\*Registry\)`},
		"map-iterate":     {2, `fatal error: concurrent map (iteration and map write|writes).*sessions\.\(\*Registry\)`},
		"deadlock":        {2, `all goroutines are asleep.*queue\.AwaitNobody`},
		"closed-channel":  {2, `send on closed channel.*queue\.SendAfterClose`},
		"close-twice":     {2, `close of closed channel.*queue\.CloseTwice`},
		"unlock":          {2, `unlock of unlocked mutex.*queue\.ReleaseTwice`},
		"waitgroup":       {2, `negative WaitGroup counter.*queue\.FinishTwice`},
		"stack-overflow":  {2, `stack overflow.*orders\.Resolve`},
		"open-files":      {1, `too many open files`},
		"exit":            {1, `^$`},
		"exit0":           {0, `nothing left to do`},
		"log-fatal":       {1, `giving up\n$`},
		"os-exit":         {1, `^giving up\n$`},
		"missing-env":     {1, `required environment variable SHOP_API_KEY is not set`},
		"missing-file":    {1, `no such file or directory`},
		"bad-flag":        {2, `flag provided but not defined: -portt`},
		"port-in-use":     {1, `address already in use`},
		"kill":            {2, `SIGABRT: abort`},
		"secrets":         {2, `orders\.Checkout`},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := crash(t, "--mode", mode, "--listen", "127.0.0.1:0")
			if mode == "port-in-use" {
				code, stdout, stderr = crash(t, "--mode", mode, "--listen", "127.0.0.1:38471")
			}
			if code != want.code || !regexp.MustCompile(`(?s)`+want.stderr).MatchString(stderr) {
				t.Errorf("exit %d, want %d; stderr %q does not match %q", code, want.code, head(stderr), want.stderr)
			}
			if !strings.HasPrefix(stdout, "START instance=") {
				t.Errorf("stdout begins %q, want the START line", head(stdout))
			}
		})
	}
}

func head(text string) string { return text[:min(len(text), 600)] }

func TestWhichChoosesTheBug(t *testing.T) {
	_, _, a := crash(t, "--mode", "panic", "--which", "a")
	_, _, b := crash(t, "--mode", "panic", "--which", "b")
	if !strings.Contains(a, "orders.Checkout") || !strings.Contains(b, "orders.Ship") || strings.Contains(b, "orders.Checkout") {
		t.Errorf("a: %q\nb: %q", head(a), head(b))
	}
}

func TestParkedGoroutinesFillTheDumpBelowTheFatalLine(t *testing.T) {
	_, _, stderr := crash(t, "--mode", "map-write", "--goroutines", "60", "--traceback", "all")
	if !strings.HasPrefix(stderr, "fatal error: concurrent map writes") {
		t.Errorf("stderr begins %q", head(stderr))
	}
	if got := strings.Count(stderr, "queue.consume"); got < 60 {
		t.Errorf("%d parked goroutines in the dump, want 60", got)
	}
}

func TestBigLogIsAsBigAsItWasTold(t *testing.T) {
	code, stdout, stderr := crash(t, "--mode", "biglog", "--mib", "3")
	if code != 2 || len(stdout) < 3<<20 || len(stdout) > 4<<20 || !strings.Contains(stderr, "panic:") {
		t.Errorf("exit %d with %d bytes, want 2 and 3 MiB", code, len(stdout))
	}
}

func TestOnceCrashesOnlyTheFirstTime(t *testing.T) {
	state := filepath.Join(t.TempDir(), "crashed")
	if code, _, _ := crash(t, "--mode", "once", "--state", state); code != 2 {
		t.Fatalf("first run: exit %d, want 2", code)
	}
	serve(t, 2, "--mode", "once", "--state", state)
}

func TestTermIsAnsweredAsTheModeSays(t *testing.T) {
	for mode, code := range map[string]int{"graceful": 0, "unhealthy-clean": 0, "term-fatal": 1, "run": 2} {
		t.Run(mode, func(t *testing.T) { serve(t, code, "--mode", mode) })
	}
}

// serve starts a mode that listens, sends SIGTERM and checks the exit code.
// Go turns a signal that nobody handles into exit 2 only for the first process
// of a container; here it shows as the signal.
func serve(t *testing.T, code int, args ...string) {
	t.Helper()
	log, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, append(args, "--listen", "127.0.0.1:0")...)
	cmd.Stderr = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	awaitText(t, log, "listening on")
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if got := status.ExitStatus(); got != code && !(code == 2 && status.Signal() == syscall.SIGTERM) {
		t.Errorf("%v: %v, want exit %d", args, cmd.ProcessState, code)
	}
}

func awaitText(t *testing.T, log *os.File, text string) {
	t.Helper()
	var seen []byte
	buffer := make([]byte, 4096)
	for !bytes.Contains(seen, []byte(text)) {
		n, err := log.Read(buffer)
		if err != nil {
			t.Fatalf("the log ended with %q, want %q in it", seen, text)
		}
		seen = append(seen, buffer[:n]...)
	}
}

func TestAnUnknownModeIsRefusedWithACodeOfItsOwn(t *testing.T) {
	code, _, stderr := crash(t, "--mode", "explode")
	if code != 64 || !strings.Contains(stderr, `no mode "explode"`) {
		t.Errorf("exit %d, %q", code, stderr)
	}
}
