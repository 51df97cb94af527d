# Ending a run and removing what it left. To be sourced after lib.sh.

cgroup_roots() {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; else find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d; fi
}

# Processes that were started outside and use the testbed's network, e.g. a port-forward that somebody left running.
guests() {
  local holder=$1 ns
  for ns in /proc/[0-9]*/ns; do
    [ "$ns" != "/proc/$holder/ns" ] && [ "$ns/net" -ef "/proc/$holder/ns/net" ] &&
      [ ! "$ns/pid" -ef "/proc/$holder/ns/pid_for_children" ] && echo "${ns//[^0-9]/}"
  done
  return 0
}

# The holder waits for init, and init's end is the end of everything in its pid namespace: when the holder is gone, all is.
end_processes() {
  local holder init pid
  holder=$(holder) || return 0
  for pid in $(guests "$holder"); do kill -TERM "$pid" 2>/dev/null || true; done
  init=$(pgrep -P "$holder" || true)
  kill -TERM ${init:-$holder} 2>/dev/null || true
  wait_for 10 "the daemons to end" gone "$holder" && return
  kill -KILL $init "$holder" 2>/dev/null || true
  wait_for 10 "the killed daemons to end" gone "$holder"
}

# The kernel frees the cgroups of ended processes a moment late.
remove_cgroups() {
  local dir
  for dir in $(cgroup_roots); do
    [ -d "$dir/$CGROUP" ] || continue
    find "$dir/$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null || [ ! -d "$dir/$CGROUP" ] || return 1
  done
}

# Harmless at any time, in any state.
stop() {
  end_processes
  wait_for 10 "the cgroups to empty" remove_cgroups
  rm -rf "$ST"
}
