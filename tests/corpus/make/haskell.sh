#!/usr/bin/env bash
# Makes the Haskell cases of the corpus again: programs that really crash.
#
# usage: tests/corpus/make/haskell.sh   needs ghc (9.0 made the cases)
set -uo pipefail
cd "$(dirname "$0")"
RUNTIME=haskell
SOURCES=$PWD/haskell
. ./exceptions.sh
cp -r "$SOURCES" "$work/one"
cp -r "$SOURCES" "$work/two"
sed -i '1i -- Another build.\n\n' "$work/two/Tally.hs"
for build in one two; do
  (cd "$work/$build" && ghc -O0 -rtsopts -o tally Main.hs > /dev/null 2>&1)
done
program=$work/one/tally

# crash CASE CRASH CATEGORY REASON MARK FUNCTION EXCEPTION MESSAGE [EVIDENCE [GROUP]]
crash() {
  # shellcheck disable=SC2086
  run "$program" $2
  label "$1" "$3" "$4" "$5" "$6" "$7" "$8" "${9:-}" "${10:-}" "tally $2, GHC 9.0"
}

crash ballots ballots Code UnhandledError ballots ballots '' 'no such candidate: zoe' 'tally: no such candidate: zoe' ballots
crash seats seats Code UnhandledError seats seats '' 'no such candidate: zoe' '' seats
crash plain plain Code UnhandledError plain '' '' 'plain: zoe' '' plain
crash head head Code MissingKey '' '' '' 'Prelude.head: empty list'
crash just just Code UnwrapFailed just '' '' 'Maybe.fromJust: Nothing' '' just
crash map map Code MissingKey '' '' '' 'Map.!: given key is not an element in the map'
crash only only Code UnhandledError only only '' 'Non-exhaustive patterns in function only' '' only
crash lambda lambda Code UnhandledError lambda '' '' 'Non-exhaustive patterns in lambda' '' lambda
crash do do Code UnhandledError do '' '' 'Pattern match failure in do expression' '' do
crash field field Code UnhandledError '' '' '' 'No match in record selector laneName'
crash undefined undefined Code UnhandledError undefined '' '' Prelude.undefined '' undefined
crash divide divide Code ArithmeticError '' '' '' 'divide by zero'
crash user user Code UnhandledError '' '' '' 'user error (ballots are wet)'
crash file file Startup MissingFile '' '' '' '/etc/tally/none: openFile: does not exist'
crash setting setting Startup MissingConfiguration '' '' '' 'TALLY_DATABASE_URL: getEnv: does not exist'
crash index index Code IndexOutOfBounds '' '' '' 'Index (9) out of range'
crash bang bang Code IndexOutOfBounds '' '' '' 'Prelude.!!: index too large'
crash loop loop Code UnhandledError '' '' '' '<<loop>>'
crash read read Code UnhandledError '' '' '' 'Prelude.read: no parse'
crash mvar mvar Code Deadlock '' '' '' 'thread blocked indefinitely in an MVar operation'
crash stm stm Code Deadlock '' '' '' 'thread blocked indefinitely in an STM transaction'
crash deep deep Code UnhandledError ballots ballots '' 'no such candidate: deep' '' deep
crash async async Code UnhandledError ballots ballots '' 'no such candidate: zoe'
crash thread thread Lifecycle CleanExit '' '' '' ''
crash stack 'stack +RTS -K1m -RTS' Code StackOverflow '' '' '' 'Stack space overflow'
crash heap 'heap +RTS -M60m -RTS' Resource HeapExhausted '' '' '' 'Heap exhausted'
crash process process Startup CommandNotFound '' '' '' tally-convert
crash assert assert Code AssertionFailed assert '' '' 'Assertion failed' '' assert
SOURCES=$work/two program=$work/two/tally
crash ballots-two ballots Code UnhandledError ballots ballots '' 'no such candidate: zoe' '' ballots
crash only-two only Code UnhandledError only only '' 'Non-exhaustive patterns in function only' '' only
crash just-two just Code UnwrapFailed just '' '' 'Maybe.fromJust: Nothing' '' just

for case in ballots head only; do
  again "$case" "$case-kubectl" kubectl_stamps
  again "$case" "$case-pod" pod_prefix
  again "$case" "$case-foreman" foreman_prefix
  again "$case" "$case-docker" docker_json
  again "$case" "$case-coloured" coloured
  again "$case" "$case-windows" windows_ends
done
again ballots ballots-interleaved interleaved
survived ballots survived
