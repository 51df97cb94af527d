// Package instance lets a program say which container it runs in, so that a
// test can tell whose log it was given.
package instance

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"regexp"
)

// Identity tells one run of a program from every other.
type Identity struct {
	Run       string // random, new for every process
	Container string // container ID, or "-" where it cannot be seen
	Pod       string // pod UID, or "-" where it cannot be seen
}

var (
	// The last element of a cgroup path is the container's ID, plain with the
	// cgroupfs driver, in a scope unit with systemd's.
	containerInCgroup = regexp.MustCompile(`(?m)[/-]([0-9a-f]{64})(?:\.scope)?(?:\s|$)`)
	// The kubelet's bind mounts, the termination log among them, come from
	// the pod's own folder.
	podInMounts = regexp.MustCompile(`/pods/([0-9a-f]{8}-[0-9a-f-]{27})/`)
)

// Announce prints the START line of this process.
func Announce(out io.Writer, program string) {
	id := Current()
	fmt.Fprintf(out, "START instance=%s container=%s pod=%s program=%s pid=%d\n",
		id.Run, id.Container, id.Pod, program, os.Getpid())
}

// Current finds the identity of this process.
func Current() Identity {
	random := make([]byte, 8)
	rand.Read(random)
	cgroup, _ := os.ReadFile("/proc/self/cgroup")
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	id := Identity{
		Run:       hex.EncodeToString(random),
		Container: firstMatch(containerInCgroup, cgroup, cgroupMounts(mounts)),
		Pod:       firstMatch(podInMounts, mounts),
	}
	if uid := os.Getenv("POD_UID"); uid != "" {
		id.Pod = uid
	}
	return id
}

var cgroupMount = regexp.MustCompile(`(?m)^.* - cgroup2? .*$`)

// cgroupMounts keeps only the mounts of cgroups: other mounts hold the ID of
// the pod's sandbox, which looks just like a container's.
func cgroupMounts(mounts []byte) []byte {
	var kept []byte
	for _, line := range cgroupMount.FindAll(mounts, -1) {
		kept = append(append(kept, line...), '\n')
	}
	return kept
}

func firstMatch(pattern *regexp.Regexp, texts ...[]byte) string {
	for _, text := range texts {
		if found := pattern.FindSubmatch(text); found != nil {
			return string(found[1])
		}
	}
	return "-"
}
