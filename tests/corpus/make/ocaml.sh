#!/usr/bin/env bash
# Makes the OCaml cases of the corpus again: programs that really crash, compiled to machine code and to bytecode.
#
# usage: tests/corpus/make/ocaml.sh   needs ocaml (4.13 made the cases)
set -uo pipefail
cd "$(dirname "$0")"
RUNTIME=ocaml
SOURCES=$PWD/ocaml
. ./exceptions.sh
export OCAMLRUNPARAM=b
cp -r "$SOURCES" "$work/one"
cp -r "$SOURCES" "$work/two"
sed -i '1i (* Another build. *)\n\n' "$work/two/ledger.ml"
for build in one two; do
  (cd "$work/$build" && ocamlopt -g -I +threads unix.cmxa threads.cmxa ledger.ml -o ledger 2> /dev/null &&
    ocamlc -g -I +threads unix.cma threads.cma ledger.ml -o ledger.byte 2> /dev/null)
done
program=$work/one/ledger

# crash CASE CRASH CATEGORY REASON MARK FUNCTION EXCEPTION MESSAGE [EVIDENCE [GROUP]]
crash() {
  run "$program" "$2"
  label "$1" "$3" "$4" "$5" "$6" "$7" "$8" "${9:-}" "${10:-}" "ledger $2, OCaml 4.13"
}

crash find find Code MissingKey find Ledger.Plan.find Not_found Not_found 'Fatal error: exception Not_found' find
crash find-again find-again Code MissingKey find-again Ledger.Plan.find_again Not_found Not_found '' find-again
crash index index Code IndexOutOfBounds index Ledger.Plan.at Invalid_argument 'index out of bounds' '' index
crash divide divide Code ArithmeticError divide Ledger.Plan.average Division_by_zero Division_by_zero '' divide
crash assert assert Code AssertionFailed assert Ledger.Plan.only '' 'Assertion failed' '' assert
crash pattern pattern Code UnhandledError pattern Ledger.Plan.lane '' 'Pattern matching failed' '' pattern
crash sealed sealed Code UnhandledError sealed Ledger.Plan.seal Ledger.Sealed 'Ledger.Sealed("shelf", 7)' '' sealed
crash lost lost Code UnhandledError lost Ledger.Plan.lose Ledger.Lost 'Ledger.Lost(7, "no lane")' '' lost
crash failure failure Code UnhandledError failure Ledger.Plan.fail Failure 'ledger is sealed' '' failure
crash head head Code MissingKey head Ledger.Plan.head Failure 'Failure("hd")' '' head
crash nth nth Code IndexOutOfBounds nth Ledger.Plan.nth Failure 'Failure("nth")' '' nth
crash option option Code UnwrapFailed option Ledger.Plan.option Invalid_argument 'option is None' '' option
crash number number Code UnhandledError number Ledger.Plan.number Failure int_of_string '' number
crash file file Startup MissingFile file Ledger.Plan.read Sys_error '/etc/ledger/none.conf' '' file
crash setting setting Startup MissingConfiguration setting Ledger.Plan.setting Failure 'LEDGER_DATABASE_URL is not set' '' setting
crash connect connect Dependency ConnectionRefused connect Ledger.Plan.connect Unix.Unix_error ECONNREFUSED '' connect
crash bind bind Startup PortInUse bind Ledger.Plan.bind Unix.Unix_error EADDRINUSE '' bind
crash memory memory Resource HeapExhausted memory Ledger.Plan.memory Out_of_memory 'Out of memory' '' memory
crash reraise reraise Code MissingKey find Ledger.Plan.find Not_found Not_found
crash line line Code UnhandledError line Ledger.Plan.line End_of_file End_of_file '' line
crash printed printed Code MissingKey find Ledger.Plan.find Not_found Not_found
crash thread thread Lifecycle CleanExit '' '' '' ''
program=$work/one/ledger.byte
crash byte-find find Code MissingKey find Ledger.Plan.find Not_found Not_found '' find
crash byte-index index Code IndexOutOfBounds index Ledger.Plan.at Invalid_argument 'index out of bounds' '' index
crash byte-depth depth Code StackOverflow depth Ledger.Plan.depth '' 'Stack overflow' '' depth
program=$work/one/ledger
for how in find failure assert; do
  OCAMLRUNPARAM=b=0 run "$program" $how
  case $how in
  find) label bare-find Code MissingKey '' '' Not_found Not_found '' '' 'without a backtrace, OCaml 4.13' ;;
  failure) label bare-failure Code UnhandledError '' '' Failure 'ledger is sealed' '' '' 'without a backtrace, OCaml 4.13' ;;
  assert) NO_PLACES= label bare-assert Code AssertionFailed assert '' '' 'Assertion failed' '' '' 'without a backtrace, OCaml 4.13' ;;
  esac
done
SOURCES=$work/two program=$work/two/ledger
crash find-two find Code MissingKey find Ledger.Plan.find Not_found Not_found '' find
crash failure-two failure Code UnhandledError failure Ledger.Plan.fail Failure 'ledger is sealed' '' failure
crash bind-two bind Startup PortInUse bind Ledger.Plan.bind Unix.Unix_error EADDRINUSE '' bind

# A script that fails, and one that does not parse.
printf 'let table = Hashtbl.create 7\n\nlet () = print_int (Hashtbl.find table "TX")\n' > "$work/script.ml"
cd "$work" && run ocaml script.ml && cd - > /dev/null
label script Code MissingKey '' '' Not_found Not_found '' '' 'a script, OCaml 4.13'
printf 'let () = print_endline "in a script\n' > "$work/broken.ml"
cd "$work" && run ocaml broken.ml && cd - > /dev/null
label broken Code UnhandledError '' '' '' 'String literal not terminated' '' '' 'a script that does not parse, OCaml 4.13'
sed -i "s/^  message:/  culprit:\n    file: broken.ml\n    line: 1\n  message:/" "$corpus/ocaml-made-broken/case.yaml"

for case in find failure sealed; do
  again "$case" "$case-kubectl" kubectl_stamps
  again "$case" "$case-pod" pod_prefix
  again "$case" "$case-foreman" foreman_prefix
  again "$case" "$case-docker" docker_json
  again "$case" "$case-coloured" coloured
  again "$case" "$case-windows" windows_ends
done
again find find-interleaved interleaved
survived printed survived
