#!/usr/bin/env bash
# Makes the Go cases of the corpus again: builds programs that really crash, runs them, and labels what they wrote.
# The labels come from the sources: a line marked `// culprit: NAME` is where the crash named NAME must be found.
#
# usage: tests/corpus/make/go.sh            needs go, gcc and the Go toolchains named below (fetched by go itself)
set -uo pipefail
cd "$(dirname "$0")"
corpus=$(cd .. && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r go "$work/depotd"
cp -r go-loggers "$work/tallyd"
src=$work/depotd

# build NAME TOOLCHAIN [GO BUILD ARGUMENTS]: a binary whose sources seem to lie under /app.
build() {
  local name=$1 toolchain=$2
  shift 2
  local goroot
  goroot=$(GOTOOLCHAIN=$toolchain go env GOROOT)
  echo "$goroot" > "$work/$name.goroot"
  # Without cgo where it can be: with it, Go does not notice deadlocks.
  local cgo=0
  case $name in *race | lanes*) cgo=1 ;; esac
  (cd "$src" && CGO_ENABLED=$cgo GOTOOLCHAIN=$toolchain go build -o "$work/$name" "$@") || exit 1
}

# place MARK: file and line of a marked line.
place() {
  (cd "$src" && grep -rn "// culprit: $1\$" --include=*.go . | head -1 | sed -E 's/^\.\/([^:]*):([0-9]+):.*/\1 \2/')
}

# run BINARY CRASH: its output and exit code, with the machine's paths replaced.
run() {
  local binary=$1
  shift
  (cd "$work" && ulimit -c 0 && exec timeout -s KILL 20 "$work/$binary" "$@") > "$work/raw" 2>&1
  code=$?
  tidy "$binary"
}

# tidy BINARY: the paths of this machine replaced by those of an image.
tidy() {
  sed -e "s#$(cat "$work/$1.goroot")/#/usr/local/go/#g" -e "s#$src/#/app/#g" -e "s#$(go env GOMODCACHE)/#/go/pkg/mod/#g" \
    "$work/raw" > "$work/log"
}

# label CASE CATEGORY REASON MARK FUNCTION MESSAGE EVIDENCE GROUP NOTE: writes the case from $work/log and $code.
label() {
  local folder=$corpus/go-made-$1
  mkdir -p "$folder"
  cp "$work/log" "$folder/log.txt"
  {
    echo "runtime: go"
    echo "termination:"
    echo "  exitCode: $code"
    echo "  reason: Error"
    echo "expect:"
    echo "  category: $2"
    echo "  reason: $3"
    [ -n "$6" ] && echo "  message: '${6//\'/\'\'}'"
    if [ "$4" != - ]; then
      read -r file line <<< "$(place "$4")"
      echo "  culprit:"
      [ -n "$5" ] && echo "    function: $5"
      echo "    file: $(basename "$file")"
      echo "    line: $line"
    fi
    [ -n "$7" ] && echo "  evidence: '${7//\'/\'\'}'"
    [ -n "$8" ] && echo "  group: $8"
    echo "provenance: '$9'"
  } > "$folder/case.yaml"
}

# crash CASE BINARY "CRASH ARGS" CATEGORY REASON MARK FUNCTION MESSAGE [EVIDENCE [GROUP]]
crash() {
  local evidence=${9:-$8}
  # shellcheck disable=SC2086
  run "$2" $3
  label "$1" "$4" "$5" "$6" "$7" "$8" "$evidence" "${10:-}" "depotd $3, $2"
}

# again CASE FILTER...: the log of the last crash through a filter, with the same labels.
again() {
  local from=$corpus/go-made-$1 to=$corpus/go-made-$2
  shift 2
  mkdir -p "$to"
  "$@" < "$from/log.txt" > "$to/log.txt"
  sed "s/^provenance: '\(.*\)'/provenance: '\1, through: ${1##*/}'/" "$from/case.yaml" > "$to/case.yaml"
}

build go119 go1.19.13 ./cmd/depotd
build go121 go1.21.13 ./cmd/depotd
build go124 go1.24.4 ./cmd/depotd
build go125 go1.25.9 ./cmd/depotd
build go126 go1.26.8 ./cmd/depotd
build go127 go1.27.0 ./cmd/depotd
build go126trim go1.26.8 -trimpath ./cmd/depotd
build go119trim go1.19.13 -trimpath ./cmd/depotd
build go126race go1.26.8 -race ./cmd/depotd
build go126optimised-off go1.26.8 -gcflags=all="-N -l" ./cmd/depotd
build lanes119 go1.19.13 ./native
build lanes126 go1.26.8 ./native
for v in 119 121 124 125 126 127; do
  b=go$v
  crash map-writes-$v $b map-writes Code ConcurrentMapAccess put 'stock.(*Shelf).Put' 'concurrent map writes' 'fatal error: concurrent map writes' made-map-writes
  crash index-$v $b index Code IndexOutOfBounds index 'stock.(*Shelf).At' 'with length 0' 'panic: runtime error: index out of range' made-index
  crash nil-deref-$v $b nil-deref Code NilDereference nil-deref 'stock.(*Shelf).OwnerName' 'nil pointer dereference' '' made-nil-deref
  crash deadlock-$v $b deadlock Code Deadlock push 'stock.(*Queue).Push' 'all goroutines are asleep - deadlock!' '' made-deadlock
  crash lines-$v $b lines Code UnhandledError raise faults.Raise 'no depot' '' made-lines
  crash repanic-$v $b repanic Code IndexOutOfBounds repanic faults.Repanic 'index out of range' '' made-repanic
  crash wrapped-$v $b wrapped Code IndexOutOfBounds wrapped faults.Wrapped 'index out of range' '' made-wrapped
  crash nested-$v $b nested Code NilDereference nested faults.Nested.func1 'assignment to entry in nil map' '' made-nested
  crash recursion-$v $b recursion Code StackOverflow recursion 'stock.(*Node).Depth' 'stack overflow' 'fatal error: stack overflow' made-recursion
  crash stringer-$v $b stringer Code StackOverflow stringer stock.Label.String 'stack overflow' '' made-stringer
  crash struct-$v $b struct Code UnhandledError raise faults.Raise 'faults.Fault' '' made-struct
  crash pointer-$v $b pointer Code UnhandledError raise faults.Raise '*faults.Fault' '' made-pointer
  crash must-refused-$v $b must-refused Dependency ConnectionRefused must faults.Must 'connect: connection refused' '' made-must-refused
  crash send-closed-$v $b send-closed Code SyncMisuse push 'stock.(*Queue).Push' 'send on closed channel' '' made-send-closed
  crash serving-term-$v $b serving-term Lifecycle Terminated - '' '' 'received terminated, draining connections'
  crash quit-$v $b quit Lifecycle Terminated - '' 'SIGQUIT: quit' ''
done

for b in go119trim go126trim go126optimised-off; do
  crash map-writes-$b $b map-writes Code ConcurrentMapAccess put 'stock.(*Shelf).Put' 'concurrent map writes' '' made-map-writes
  crash index-$b $b index Code IndexOutOfBounds index 'stock.(*Shelf).At' 'index out of range' '' made-index
  crash index-goroutine-$b $b 'index in-goroutine' Code IndexOutOfBounds index 'stock.(*Shelf).At' 'index out of range'
  crash must-file-$b $b must-file Startup MissingFile must faults.Must 'no such file or directory' '' made-must-file
done

for level in none single all system crash; do
  export GOTRACEBACK=$level
  mark=index function='stock.(*Shelf).At'
  [ $level = none ] && mark=- function=
  crash index-traceback-$level go126 index Code IndexOutOfBounds $mark "$function" 'index out of range'
  crash map-writes-crowd-$level go126 map-writes-crowd Code ConcurrentMapAccess "$([ $level = none ] && echo - || echo put)" 'stock.(*Shelf).Put' 'concurrent map writes'
  unset GOTRACEBACK
done

b=go126
crash map-read-write $b map-read-write Code ConcurrentMapAccess - '' 'concurrent map'
crash map-iterate $b map-iterate Code ConcurrentMapAccess - '' 'concurrent map'
crash map-writes-crowd-125 go125 map-writes-crowd Code ConcurrentMapAccess put 'stock.(*Shelf).Put' 'concurrent map writes'
crash race go126race race Code DataRace - '' 'DATA RACE'
crash deadlock-wait $b deadlock-wait Code Deadlock wait 'stock.(*Queue).Wait' 'all goroutines are asleep - deadlock!' '' made-deadlock-wait
crash deadlock-lock $b deadlock-lock Code Deadlock relock 'stock.(*Queue).Relock' 'all goroutines are asleep - deadlock!' '' made-deadlock-lock
crash goexit $b goexit Code Deadlock - '' 'no goroutines (main called runtime.Goexit) - deadlock!'
crash close-closed $b close-closed Code SyncMisuse close 'stock.(*Queue).Close' 'close of closed channel' '' made-close-closed
crash close-nil $b close-nil Code SyncMisuse close 'stock.(*Queue).Close' 'close of nil channel' '' made-close-nil
crash unlock $b unlock Code SyncMisuse unlock 'stock.(*Queue).Unlock' 'sync: unlock of unlocked mutex' '' made-unlock
crash runlock $b runlock Code SyncMisuse runlock 'stock.(*Shelf).RUnlock' 'RUnlock of unlocked RWMutex' '' made-runlock
crash negative-wg $b negative-wg Code SyncMisuse done 'stock.(*Queue).Done' 'sync: negative WaitGroup counter' '' made-negative-wg
crash nil-map $b nil-map Code NilDereference nil-map 'stock.(*Shelf).Mark' 'assignment to entry in nil map' '' made-nil-map
crash slice $b slice Code IndexOutOfBounds slice 'stock.(*Shelf).Slice' 'slice bounds out of range' '' made-slice
crash slice-to-array $b slice-to-array Code IndexOutOfBounds slice-to-array stock.Pair 'cannot convert slice with length 1' '' made-slice-to-array
crash makeslice $b makeslice Code IndexOutOfBounds makeslice stock.Reserve 'makeslice: len out of range' '' made-makeslice
crash divide $b divide Code ArithmeticError divide stock.Average 'integer divide by zero' '' made-divide
crash shift $b shift Code ArithmeticError shift stock.Shift 'negative shift amount' '' made-shift
crash conversion $b conversion Code TypeMismatch conversion stock.Weight 'interface conversion' '' made-conversion
crash conversion-nil $b conversion-nil Code TypeMismatch conversion stock.Weight 'interface conversion'
crash unhashable $b unhashable Code TypeMismatch unhashable stock.Seen 'hash of unhashable type' '' made-unhashable
crash uncomparable $b uncomparable Code TypeMismatch uncomparable stock.Same 'comparing uncomparable type' '' made-uncomparable
crash generic $b generic Code IndexOutOfBounds generic 'stock.Generic[...]' 'index out of range [3] with length 1' '' made-generic
crash mutual $b mutual Code StackOverflow - '' 'stack overflow' '' made-mutual
crash string $b string Code UnhandledError raise faults.Raise 'no depot for parcel 4711' '' made-string
crash int $b int Code UnhandledError raise faults.Raise 'panic: 42' '' made-int
crash code $b code Code UnhandledError raise faults.Raise 'faults.Code(7)' '' made-code
crash word $b word Code UnhandledError raise faults.Raise 'faults.Word("lost")' '' made-word
crash error $b error Code UnhandledError raise faults.Raise 'parcel 0 is lost' '' made-error
crash named $b named Code UnhandledError raise faults.Raise 'panic: depot north' ''
crash nil $b nil Code UnhandledError raise faults.Raise 'panic: nil' '' made-nil
crash must-dns $b must-dns Dependency DnsFailure must faults.Must 'lookup db.shop.invalid' '' made-must-dns
crash must-file $b must-file Startup MissingFile must faults.Must 'open /etc/depotd/rates.yaml: no such file or directory' '' made-must-file
crash must-tls $b must-tls Dependency TlsFailure must faults.Must 'x509: certificate' '' made-must-tls
crash must-timeout $b must-timeout Dependency DependencyTimeout must faults.Must 'i/o timeout' '' made-must-timeout
crash must-env $b must-env Startup MissingConfiguration must faults.Must 'DEPOT_DSN is not set' '' made-must-env
crash fatal-refused $b fatal-refused Dependency ConnectionRefused - '' 'connect: connection refused' '' made-fatal-refused
crash fatal-dns $b fatal-dns Dependency DnsFailure - '' 'lookup db.shop.invalid' '' made-fatal-dns
crash fatal-file $b fatal-file Startup MissingFile - '' 'open /etc/depotd/rates.yaml: no such file or directory' '' made-fatal-file
crash fatal-tls $b fatal-tls Dependency TlsFailure - '' 'x509: certificate' '' made-fatal-tls
crash fatal-timeout $b fatal-timeout Dependency DependencyTimeout - '' 'i/o timeout' '' made-fatal-timeout
crash fatal-port $b fatal-port Startup PortInUse - '' 'bind: address already in use' '' made-fatal-port
crash fatal-env $b fatal-env Startup MissingConfiguration - '' 'DEPOT_DSN is not set' '' made-fatal-env
crash fatal-plain $b fatal-plain Unknown ErrorExit - '' 'depot 7 has no lanes, giving up' '' made-fatal-plain
crash bad-flag $b bad-flag Startup InvalidConfiguration - '' 'flag provided but not defined: -verbos' '' made-bad-flag
crash bad-flag-value $b bad-flag-value Startup InvalidConfiguration - '' 'invalid value "many" for flag -workers' '' made-bad-flag-value
crash threads $b threads Resource ThreadLimit - '' 'thread exhaustion'
crash fault $b fault Native BusError fault main.firstByte 'fatal error: fault' '' made-fault
crash term $b term Lifecycle Terminated - '' ''
crash abort $b abort Native Abort - '' 'SIGABRT: abort'
crash serving-fatal $b serving-fatal Startup PortInUse - '' 'bind: address already in use'
crash serving-panic $b serving-panic Code ArithmeticError divide stock.Average 'integer divide by zero' '' made-divide
crash print-exit $b print-exit Code IndexOutOfBounds index 'stock.(*Shelf).At' 'index out of range'
crash print-go-on $b print-go-on Lifecycle Terminated - '' ''
(ulimit -v 1500000; ulimit -c 0; GOMAXPROCS=1 exec "$work/go126" memory) > "$work/raw" 2>&1
code=$?
tidy go126
label memory Resource HeapExhausted - '' 'out of memory' 'fatal error:' '' 'depotd memory under ulimit -v'
for v in 119 126; do
  crash cgo-segv-$v lanes$v segv Native Segfault cgo-segv main.lane '' 'SIGSEGV: segmentation violation' made-cgo-segv
  crash cgo-abort-$v lanes$v abort Native Abort cgo-abort main.giveUp 'SIGABRT: abort' '' made-cgo-abort
done

# Loggers, frameworks and helpers.
src=$work/tallyd
build tally126 go1.26.8 .
build tally127trim go1.27.0 -trimpath .
(cd "$src" && GOTOOLCHAIN=go1.26.8 go mod vendor)
build tallyvendor go1.26.8 -mod=vendor -trimpath .
build tallyvendorplain go1.26.8 -mod=vendor .
for b in tally126 tally127trim tallyvendor tallyvendorplain; do
  crash zap-fatal-$b $b zap-fatal Dependency ConnectionRefused zap-fatal main.zapFatal 'connect: connection refused' '' made-zap-fatal
  crash handle-crash-$b $b handle-crash Code IndexOutOfBounds at 'main.(*Tally).At' 'index out of range' '' made-handle-crash
  crash singleflight-$b $b singleflight Code IndexOutOfBounds at 'main.(*Tally).At' 'index out of range' '' made-singleflight
  crash errgroup-$b $b errgroup Code IndexOutOfBounds at 'main.(*Tally).At' 'index out of range'
  crash klog-fatal-$b $b klog-fatal Dependency ConnectionRefused klog-fatal '' 'connect: connection refused' '' made-klog-fatal
done
b=tally126
crash zap-plain-fatal $b zap-plain-fatal Code UnhandledError zap-plain-fatal main.zapPlainFatal 'the tally does not add up' '' made-zap-plain-fatal
crash zap-console $b zap-console Dependency ConnectionRefused zap-console main.zapConsole 'connect: connection refused' '' made-zap-console
crash zap-panic $b zap-panic Code UnhandledError zap-panic main.zapPanic 'the tally does not add up' '' made-zap-panic
crash zero-fatal $b zero-fatal Dependency ConnectionRefused - '' 'connect: connection refused'
crash logrus-fatal $b logrus-fatal Dependency ConnectionRefused - '' 'connect: connection refused'
crash logrus-json $b logrus-json Dependency ConnectionRefused - '' 'connect: connection refused'
crash slog-json $b slog-json Dependency ConnectionRefused - '' 'connect: connection refused'
crash slog-text $b slog-text Dependency ConnectionRefused - '' 'connect: connection refused'
crash gin $b gin Lifecycle Terminated - '' '' 'draining connections'
crash json-stack $b json-stack Code IndexOutOfBounds at 'main.(*Tally).At' 'index out of range'
src=$work/depotd

# The same logs as collectors hand them on.
for from in index-126 map-writes-crowd-125 lines-119 nested-127 must-refused-126 fatal-port; do
  again $from $from-pod-prefix sed 's#^#[pod/depotd-7b6c5d4f8-m4n5p/depotd] #'
  again $from $from-cri awk '{ printf "2026-11-24T04:15:%02d.%09dZ stderr F %s\n", NR % 60, NR * 7919003 % 1000000000, $0 }'
  again $from $from-timestamps awk '{ printf "2026-11-24T04:15:%02d.%dZ %s\n", NR % 60, NR * 7919003 % 1000000000, $0 }'
  again $from $from-foreman awk '{ printf "04:15:%02d web.1  | %s\n", NR % 60, $0 }'
  again $from $from-crlf sed 's/$/\r/'
  again $from $from-trimmed sed -E 's#^#[pod/depotd-7b6c5d4f8-m4n5p/depotd] #; s/ +$//'
  again $from $from-docker python3 -c 'import json, sys
for line in sys.stdin: print(json.dumps({"log": line, "stream": "stderr", "time": "2026-11-24T04:15:10.1Z"}, separators=(",", ":")))'
  again $from $from-stdout-mixed awk '{ print } NR % 5 == 4 { print "cache warmed: 41 entries, 3 ms" }'
done
