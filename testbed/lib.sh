# What every script here shares: paths, messages, and how the running testbed is found.
# To be sourced; it changes nothing.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
ROOT=$(dirname "$HERE")
TB=$ROOT/target/testbed # everything that building and running writes
BIN=$TB/bin
IMAGES=$TB/images

# Several testbeds can run side by side, told apart by $TESTBED: tests need not disturb a demo. What belongs to one run:
ST=$TB/state${TESTBED:+-$TESTBED} # data, certificates, logs, pid; gone after testbed/down
MODE=$TB/mode${TESTBED:+-$TESTBED} # exists while the user's own cluster is used instead
CGROUP=testbed-$(cksum <<<"$ST" | cut -d' ' -f1)

NODE=testbed
NODE_IP=10.77.0.1

# CI starts scripts with an empty environment.
export HOME=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
export PATH=$TB/go/bin:${PATH:-/usr/bin:/bin}:$HOME/.cargo/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { printf '%s\n' "testbed: $*"; }
die() { printf '%s\n' "testbed: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null; }
at_least() { printf '%s\n' "$1" "$2" | sort -VC; } # at_least WANTED FOUND, versions
need_root() { [ "$(id -u)" = 0 ] || die "must run as root: it is about namespaces, mounts and cgroups"; }
own_cluster() { [ ! -e "$MODE" ]; }

# Prints the version of the Go on PATH. For what is to be built: one that is older than the go.mod files here want, but not
# than 1.21, fetches the wanted one as a module.
go_version() { (cd / && GOTOOLCHAIN=local go version | sed 's/^go version go\([0-9.]*\).*/\1/'); }
use_go() {
  export GOFLAGS=-buildvcs=false
  at_least 1.26 "$(go_version)" || export GOTOOLCHAIN=go1.26.6
}

# lock FILE: one command at a time. The kernel drops the lock with its holder, however that ends.
lock() {
  mkdir -p "$TB"
  exec 9>"$1"
  flock -n 9 || { say "waiting for another testbed command to end"; flock 9; }
}

# The pid of the process that holds the testbed's namespaces; fails if there is none. It is found by its arguments: a pid
# written to a file could be another process's by now, or be lost with the file while the testbed runs on.
holder() { pgrep -o -f "^unshare .* $CGROUP\$"; }

# Whether a process has ended. A corpse that nobody has buried yet has no memory map left, hence no such link.
gone() { ! readlink "/proc/$1/exe" >/dev/null; }

# inside PID CMD...: runs CMD in all of the testbed's namespaces.
inside() {
  local ns=/proc/$1/ns
  shift
  nsenter --net="$ns/net" --mount="$ns/mnt" --pid="$ns/pid_for_children" -- "$@"
}

# wait_for SECONDS WHAT CMD...: until CMD succeeds; fails, naming WHAT, when the time is over.
wait_for() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "testbed: gave up waiting for $what" >&2; return 1; }
    sleep 0.1
  done
}
