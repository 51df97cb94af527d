# shellcheck shell=bash
# Shared by the scripts of the runtimes that have exceptions: runs programs that really crash and labels what they wrote.
# The labels come from the sources: a line marked `culprit: NAME` is where the crash named NAME must be found.
#
# LINE_FROM_LOG takes the line from the first frame of that function instead: some runtimes are off by one.
#
# The script that sources this sets RUNTIME, the name of the runtime, and SOURCES, the folder of the marked sources.

corpus=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
code=0

# place MARK: file and line of a marked line.
place() {
  (cd "$SOURCES" && grep -rnE "culprit: $1\$" . | head -1 | sed -E 's/^\.\/([^:]*):([0-9]+):.*/\1 \2/')
}

# run COMMAND...: its output in $work/log and its exit code in $code; PIPE_FILTER, if set, is a sed script for the output.
run() {
  (ulimit -c 0 && exec timeout -s KILL 60 "$@") > "$work/raw" 2>&1
  code=$?
  sed -E "${PIPE_FILTER:-}" "$work/raw" > "$work/log"
}

quoted() {
  echo "'${1//\'/\'\'}'"
}

# label CASE CATEGORY REASON MARK FUNCTION EXCEPTION MESSAGE EVIDENCE GROUP NOTE: writes the case from $work/log and
# $code. `-` or nothing leaves a field out.
label() {
  local folder=$corpus/$RUNTIME-made-$1 file line
  mkdir -p "$folder"
  cp "$work/log" "$folder/log.txt"
  {
    echo "runtime: $RUNTIME"
    echo "termination:"
    echo "  exitCode: $code"
    echo "  reason: Error"
    echo "expect:"
    echo "  category: $2"
    echo "  reason: $3"
    [ -n "${6#-}" ] && echo "  exception: $(quoted "$6")"
    [ -n "${7#-}" ] && echo "  message: $(quoted "$7")"
    if [ -n "${4#-}" ]; then
      read -r file line <<< "$(place "$4")"
      if [ -n "${LINE_FROM_LOG:-}" ]; then
        line=$(grep -F "${5:-$(basename "$file")}" "$work/log" | grep -oE "$(basename "$file"):(line )?[0-9]+" | head -1 | grep -oE '[0-9]+$')
      fi
      echo "  culprit:"
      echo "    function: $(quoted "$5")"
      if [ -z "${NO_PLACES:-}" ]; then
        echo "    file: $(basename "$file")"
        echo "    line: $line"
      fi
    fi
    [ -n "${8#-}" ] && echo "  evidence: $(quoted "$8")"
    [ -n "${9#-}" ] && echo "  group: $RUNTIME-$9"
    echo "provenance: $(quoted "${10:-}")"
  } > "$folder/case.yaml"
}

# again FROM CASE FILTER...: the log of a case through a filter, with the same labels.
again() {
  local from=$corpus/$RUNTIME-made-$1 to=$corpus/$RUNTIME-made-$2
  shift 2
  mkdir -p "$to"
  "$@" < "$from/log.txt" > "$to/log.txt"
  sed -E "s/^provenance: '(.*)'/provenance: '\1, through: ${1##*/}'/" "$from/case.yaml" > "$to/case.yaml"
}

# survived FROM CASE: the same trace, and then the process went on and was stopped.
survived() {
  local from=$corpus/$RUNTIME-made-$1 to=$corpus/$RUNTIME-made-$2
  mkdir -p "$to"
  { cat "$from/log.txt"; ordinary 12; } > "$to/log.txt"
  cat > "$to/case.yaml" <<YAML
runtime: $RUNTIME
termination:
  exitCode: 143
  reason: Error
expect:
  category: Lifecycle
  reason: Terminated
provenance: 'a trace that was survived, then SIGTERM'
YAML
}

ordinary() {
  local n
  for n in $(seq 1 "$1"); do echo "2026-11-24 04:31:$((10 + n)).101 INFO  depot - order $((4000 + n)) packed in $((n * 3)) ms"; done
}

# The filters: what collectors and terminals do to lines.
kubectl_stamps() { awk '{ printf "2026-11-24T04:31:%02d.%09dZ %s\n", 10 + NR % 40, NR * 1103 % 1000000000, $0 }'; }
pod_prefix() { sed 's#^#[pod/depot-7b6c5d4f8-m4n5p/depot] #'; }
compose_prefix() { sed 's#^#depot-1  | #'; }
foreman_prefix() { awk '{ printf "04:31:%02d web.1  | %s\n", 10 + NR % 40, $0 }'; }
level_prefix() { awk '{ printf "2026-11-24 04:31:%02d,%03d ERROR %s\n", 10 + NR % 40, NR, $0 }'; }
docker_json() { python3 -c '
import json, sys
for n, line in enumerate(sys.stdin.buffer.read().decode(errors="replace").splitlines()):
    print(json.dumps({"log": line + "\n", "stream": "stderr", "time": "2026-11-24T04:31:10.%09dZ" % n}, ensure_ascii=False, separators=(",", ":")))'; }
windows_ends() { sed 's/$/\r/'; }
coloured() { awk '{ printf "\033[31m%s\033[0m\n", $0 }'; }
# Another stream's lines between those of the trace.
interleaved() { awk '{ print } NR % 4 == 0 { printf "2026-11-24 04:31:10.%03d INFO  depot - order %d packed in 7 ms\n", NR, 4000 + NR }'; }
spaces_for_tabs() { sed 's/\t/    /g'; }
