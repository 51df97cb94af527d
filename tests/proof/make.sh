#!/bin/bash
# Makes the cases of this folder again: tests/proof/make.sh [NAME...]
# Each program is really run under the race detector, and really run without it until it dies. Needs Go; versions other
# than the installed one are fetched by Go itself. What a case expects is in `cases`.
set -uf # no globs: functions of Go have asterisks in their names
cd "$(dirname "$0")" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A program, copied to where an image's build would have it.
copy() { # PROGRAM DIRECTORY
  case $1 in
    cache-shifted)
      mkdir -p "$2" && cp -r programs/cache/. "$2"
      sed -i 's|^package .*|&\n\n// Moved by a comment\n// of three lines, as if\n// somebody had worked on it.|' "$2"/main.go "$2"/inventory/cache.go ;;
    *) mkdir -p "$2" && cp -r "programs/${1%-prefixed}/." "$2" ;;
  esac
}

# The reports, from the developer's checkout. A program that the detector watches may still die by itself before it has met
# all of its races: the run with the most reports is kept.
race() { # PROGRAM ARGUMENTS
  local program=$1 reports most=0
  shift
  case $program in
    cache-*) program=cache ;;
  esac
  copy "$program" "$work/dev/$program"
  cd "$work/dev/$program" || exit 1
  if [ "${1:-}" = test ]; then
    go test -race -count=1 ./...
  else
    go build -race -o "$work/racy" .
    for _ in $(seq 12); do
      ROUNDS=1500 timeout -s KILL 10 "$work/racy" "$@" >"$work/report" 2>&1
      reports=$(grep -c 'WARNING: DATA RACE' "$work/report")
      [ "$reports" -gt "$most" ] && most=$reports && cp "$work/report" "$work/most"
    done
    cat "$work/most"
  fi 2>&1
  cd - >/dev/null || exit 1
}

crash() { # TRACEBACK FLAGS PROGRAM ARGUMENTS: the log of the first run that dies by itself
  local traceback=$1 flags=$2 program=$3 status
  shift 3
  [ "$program" = cache-against-queue ] && program=queue
  [ "$traceback" = - ] || export GOTRACEBACK=$traceback
  [ "$flags" = - ] && flags=
  copy "$program" "$work/src/$program"
  # shellcheck disable=SC2086 # none or one
  (cd "$work/src/$program" && go build $flags -o "$work/server" .) || exit 1
  for _ in $(seq 40); do
    timeout -s KILL 20 "$work/server" "$@" >"$work/out" 2>&1
    status=$?
    [ $status = 2 ] && cat "$work/out" && return
  done
  echo "it does not die: $program $*" >&2
  exit 1
}

# YAML, in which a quote inside of quotes is written twice.
expect() { # SHOWS ANSWER FUNCTION FUNCTION
  printf "shows: '%s'\nanswer: %s\n" "${1//\'/\'\'}" "$2"
  shift 2
  [ $# = 0 ] && echo "pair: []" && return
  echo "pair:"
  printf "  - '%s'\n" "$@"
}

# What a log collector puts before every line.
collected() {
  case $1 in
    *-prefixed) sed "s|^|2026-11-24T04:15:10.123456789Z [pod/${1%-prefixed}-7b6c5d4f8-m4n5p/api] |" ;;
    *) cat ;;
  esac
}

# shellcheck disable=SC2086 # arguments and functions are words
grep -v '^#' cases | while IFS='|' read -r name program version traceback flags racing crashing answer pair shows; do
  [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
  echo "$name" >&2
  export GOTOOLCHAIN=$version GOFLAGS=-mod=mod
  [ "$version" = go1.21.13 ] && sed -i 's/^go 1.24/go 1.21/' programs/cache/go.mod
  mkdir -p "$name"
  race "$program" $racing </dev/null | sed "s|$work|/home/ann|g" | collected "$program" | head -c 60000 >"$name/race.log"
  (crash "$traceback" "$flags" "$program" $crashing </dev/null) | sed "s|$work|/build|g" | collected "$program" |
    head -c 60000 >"$name/crash.log"
  [ "$version" = go1.21.13 ] && sed -i 's/^go 1.21/go 1.24/' programs/cache/go.mod
  expect "$shows" "$answer" $pair >"$name/expect"
done
