package instance

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

const (
	id      = "c77b1a83ab4dc91213d9b4beeb88b5ae94e589b2d21f359f59b52f044336a19e"
	sandbox = "0000000000000000000000000000000000000000000000000000000000000000"
)

func TestTheContainerIsTheLastElementOfItsCgroup(t *testing.T) {
	for name, text := range map[string]string{
		"cgroupfs":       "11:memory:/testbed/kubepods/burstable/pod1/" + id + "\n1:name=systemd:/",
		"systemd driver": "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope\n",
	} {
		if got := firstMatch(containerInCgroup, []byte(text)); got != id {
			t.Errorf("%s: %q, want the ID", name, got)
		}
	}
	if got := firstMatch(containerInCgroup, []byte("0::/\n")); got != "-" {
		t.Errorf("a private cgroup namespace: %q, want -", got)
	}
}

func TestASandboxMountIsNoContainer(t *testing.T) {
	mounts := "600 597 8:1 /sandboxes/" + sandbox + " /etc/hostname rw - ext4 /dev/sda rw\n" +
		"700 597 0:30 /kubepods/pod1/" + id + " /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
	if got := firstMatch(containerInCgroup, cgroupMounts([]byte(mounts))); got != id {
		t.Errorf("%q, want the cgroup's", got)
	}
}

func TestThePodIsReadFromTheTerminationLogsMount(t *testing.T) {
	const uid = "e5373945-e45f-449b-aec4-162fefba846f"
	mounts := "7 5 8:1 /state/kubelet/pods/" + uid + "/containers/app/1f2e3d4c /dev/termination-log rw - ext4 /dev/sda rw\n"
	if got := firstMatch(podInMounts, []byte(mounts)); got != uid {
		t.Errorf("%q, want %s", got, uid)
	}
}

func TestEveryStartIsAnotherInstance(t *testing.T) {
	t.Setenv("POD_UID", "the-uid")
	lines := regexp.MustCompile(`^START instance=[0-9a-f]{16} container=\S+ pod=the-uid program=x pid=\d+\n$`)
	var first, second bytes.Buffer
	Announce(&first, "x")
	Announce(&second, "x")
	if !lines.MatchString(first.String()) {
		t.Errorf("%q does not match %s", first.String(), lines)
	}
	if strings.Fields(first.String())[1] == strings.Fields(second.String())[1] {
		t.Error("two runs have the same instance")
	}
}
