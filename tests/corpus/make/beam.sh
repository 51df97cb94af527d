#!/usr/bin/env bash
# Makes the BEAM cases of the corpus again: scripts, OTP applications and a release that really crash.
#
# usage: tests/corpus/make/beam.sh   needs erlang and elixir (OTP 25 and Elixir 1.14 made the cases)
set -uo pipefail
cd "$(dirname "$0")"
RUNTIME=beam
SOURCES=$PWD/beam
. ./exceptions.sh
PIPE_FILTER="s#$work/#/srv/#g"
cp -r "$SOURCES" "$work/one"
# The same programs as another build: every line has moved.
cp -r "$SOURCES" "$work/two"
sed -i '1i # Another build.\n#\n#' "$work"/two/app.exs "$work"/two/depot/lib/depot/*.ex
sed -i '1i %% Another build.\n%%\n%%' "$work"/two/*.erl
build() { (cd "$1" && erlc ./*.erl 2> /dev/null; cd depot && MIX_ENV=prod mix release --overwrite > /dev/null 2>&1); }
build "$work/one" && build "$work/two"
folder=$work/one

# In each: CASE CRASH CATEGORY REASON MARK FUNCTION EXCEPTION MESSAGE [EVIDENCE [GROUP]].
# elixir_script …: a script. erlang_boot …: a function that `erl -s` calls. otp …: an application that must run.
# one_line …: the same with a logger of single lines. release …: a mix release. mix_run …: the same by mix.
note() { label "$1" "$3" "$4" "$5" "$6" "$7" "$8" "${9:-}" "${10:-}" "${11:-}"; }
in_folder() { cd "$folder/$1" && shift && run "$@"; cd - > /dev/null; rm -f "$folder"/erl_crash.dump; }
erlang_boot() { in_folder . erl -noshell -s shelf go -extra "$2"; note "$@" 'erl -s, OTP 25'; }
otp() { HOW=$2 in_folder . erl -noshell -eval 'application:ensure_all_started(crate, permanent)'; note "$@" 'a permanent application, OTP 25'; }
one_line() {
  HOW=$2 in_folder . erl -noshell -config single -eval 'application:ensure_all_started(crate, permanent)'
  note "$@" 'a permanent application with a logger of single lines, OTP 25'
}
release() { HOW=$2 in_folder depot _build/prod/rel/depot/bin/depot start; note "$@" 'a mix release, Elixir 1.14'; }
mix_run() { HOW=$2 MIX_ENV=prod in_folder depot mix run --no-halt; note "$@" 'mix run, Elixir 1.14'; }

# note() counts its words, so that what is left out must be there as nothing.
pad() { local f=$1; shift; local a=("$@"); while [ ${#a[@]} -lt 10 ]; do a+=(''); done; "$f" "${a[@]}"; }
elixir_script() { in_folder . elixir app.exs "$2"; note "$@" 'a script, Elixir 1.14'; }

pad elixir_script fetch fetch Code MissingKey find Depot.Crates.find/2 KeyError 'key :depot_id not found in: %{a: 1}' '** (KeyError) key :depot_id' fetch
pad elixir_script fetch-again fetch-again Code MissingKey find-again Depot.Crates.find_again/2 KeyError 'key :depot_id not found in' '' fetch-again
pad elixir_script setting setting Startup MissingConfiguration setting Depot.Crates.find_setting/2 KeyError 'key "DEPOT_DATABASE_URL" not found' '' setting
pad elixir_script nil nil Code NilDereference nil Depot.Crates.name_of/1 KeyError 'key :name not found in: nil' '' nil
pad elixir_script nil-call nil-call Code NilDereference nil-call Depot.Crates.call_of/1 UndefinedFunctionError 'function nil.name/0 is undefined' '' nil-call
pad elixir_script divide divide Code ArithmeticError divide Depot.Crates.average/2 ArithmeticError 'bad argument in arithmetic expression' '' divide
pad elixir_script match match Startup MissingFile match Depot.Crates.read_config/1 MatchError '{:error, :enoent}' '' match
pad elixir_script file file Startup MissingFile file Depot.Crates.read_file/1 File.Error 'could not read file "/etc/depot/none.conf"' '' file
pad elixir_script environment environment Startup MissingConfiguration environment Depot.Crates.database/0 System.EnvError DEPOT_DATABASE_URL '' environment
pad elixir_script module module Startup MissingModule module Depot.Crates.plugin/1 UndefinedFunctionError 'module Depot.Rail is not available' '' module
pad elixir_script raise raise Code UnhandledError raise Depot.Crates.seal/1 RuntimeError 'depot is sealed' '' raise
pad elixir_script throw throw Code UnhandledError throw Depot.Crates.toss/1 throw :oops '' throw
pad elixir_script exit exit Code UnhandledError exit Depot.Crates.leave/1 exit '{:depot, 3}' '' exit
pad elixir_script call call Code UnhandledError call Depot.Crates.ask/1 '' 'no process: the process is not alive' 'exited in: GenServer.call(:ledger' call
pad elixir_script wait wait Code UnhandledError wait Depot.Crates.wait/1 '' 'time out' 'exited in: GenServer.call' wait
pad elixir_script case case Code UnhandledError case Depot.Crates.lane/1 CaseClauseError 'no case clause matching: :zz' '' case
pad elixir_script clause clause Code UnhandledError clause Depot.Crates.only/1 FunctionClauseError 'no function clause matching in Depot.Crates.only/1' '' clause
pad elixir_script empty empty Code MissingKey empty Depot.Crates.best/1 Enum.EmptyError 'empty error' '' empty
pad elixir_script bounds bounds Code IndexOutOfBounds bounds Depot.Crates.at/2 Enum.OutOfBoundsError 'out of bounds error' '' bounds
pad elixir_script protocol protocol Code TypeMismatch protocol Depot.Crates.each/1 Protocol.UndefinedError 'protocol Enumerable not implemented for nil' '' protocol
pad elixir_script refused refused Dependency ConnectionRefused connect Depot.Crates.connect/2 MatchError '{:error, :econnrefused}' '' connect
pad elixir_script resolve resolve Dependency DnsFailure connect Depot.Crates.connect/2 MatchError '{:error, :nxdomain}'
pad elixir_script listen listen Startup PortInUse listen Depot.Crates.listen/1 MatchError '{:error, :eaddrinuse}' '' listen
pad elixir_script arity arity Code TypeMismatch arity Depot.Crates.twice/1 BadArityError 'called with 2 arguments' '' arity
pad elixir_script multi multi Code UnhandledError multi Depot.Crates.multi/0 RuntimeError 'first line' '' multi
pad elixir_script reraise reraise Code UnhandledError find Depot.Crates.find/2 RuntimeError 'wrapped: key :depot_id not found' '' reraise
pad elixir_script argument argument Code UnhandledError argument Depot.Crates.convert/1 ArgumentError 'errors were found at the given arguments' 'not a textual representation of an integer' argument
pad elixir_script task task Code MissingKey find Depot.Crates.find/2 KeyError 'key :depot_id not found in' '** (EXIT from'
pad elixir_script linked linked Code MissingKey find Depot.Crates.find/2 KeyError 'key :depot_id not found in'
pad elixir_script agent agent Code MissingKey find Depot.Crates.find/2 KeyError 'key :depot_id not found in'
pad elixir_script child child Dependency ConnectionRefused '' '' '' ':econnrefused' 'failed to start child: Depot.Child'

pad erlang_boot boot-key key Code MissingKey key shelf:find/2 badkey '{badkey,<<"TX">>}' 'init terminating in do_boot' boot-key
pad erlang_boot boot-match match Startup MissingFile config shelf:config/1 badmatch '{badmatch,{error,enoent}}' '' boot-match
pad erlang_boot boot-divide divide Code ArithmeticError average shelf:average/2 badarith badarith '' boot-divide
pad erlang_boot boot-module module Startup MissingModule plugin shelf:plugin/1 undef undef '' boot-module
pad erlang_boot boot-function function Code UnhandledError gone shelf:gone/0 undef undef '' boot-function
pad erlang_boot boot-lane lane Code UnhandledError lane shelf:lane/1 case_clause '{case_clause,zz}' '' boot-lane
pad erlang_boot boot-clause clause Code UnhandledError price shelf:price/1 function_clause function_clause '' boot-clause
pad erlang_boot boot-thrown thrown Code UnhandledError toss shelf:toss/0 nocatch '{nocatch,{shelf_full,7}}' '' boot-thrown
pad erlang_boot boot-sealed sealed Code UnhandledError seal shelf:seal/0 '' shelf_is_sealed '' boot-sealed
pad erlang_boot boot-left left Code UnhandledError '' '' '' '{shelf_full,7}'
pad erlang_boot boot-connect connect Dependency ConnectionRefused dial shelf:connect/2 badmatch '{badmatch,{error,econnrefused}}' '' boot-connect
pad erlang_boot boot-listen listen Startup PortInUse bind shelf:listen/1 badmatch '{badmatch,{error,eaddrinuse}}' '' boot-listen
pad erlang_boot boot-argument argument Code UnhandledError convert shelf:convert/1 badarg badarg '' boot-argument
pad erlang_boot boot-fun fun_ Code TypeMismatch apply shelf:call/1 badfun '{badfun,x}' '' boot-fun
pad erlang_boot boot-asserted asserted Code AssertionFailed assert shelf:check/1 '' assertEqual '' boot-asserted
pad erlang_boot boot-memory memory Resource HeapExhausted '' '' '' 'binary_alloc: Cannot allocate'
pad erlang_boot boot-slogan slogan Code UnhandledError '' '' '' 'the shelf has fallen'
pad erlang_boot boot-linked linked Code MissingKey key shelf:find/2 badkey '{badkey,<<"TX">>}' 'Error in process'
pad erlang_boot boot-atoms atoms Resource HeapExhausted '' '' '' 'no more index entries in atom_tab'

pad otp key key Code MissingKey server-key crate_server:price/2 badkey '<<"TX">>' 'badkey' crate-key
pad otp other other Code MissingKey server-other crate_server:weight/2 badkey '<<"TX">>' '' crate-other
pad otp stop stop Code UnhandledError '' '' '' '{crate_full,7}'
pad otp call call Code UnhandledError server-call crate_server:ask/0 '' '{noproc,{gen_server,call,[ledger,{post,5}]}}' '' crate-call
pad otp spawned spawned Code MissingKey server-key crate_server:price/2 badkey '<<"TX">>'
pad otp proclib proclib Code MissingKey server-key crate_server:price/2 badkey '<<"TX">>'
pad otp return return Code UnhandledError '' '' '' bad_return_value
pad otp start-returned returned Code UnhandledError '' '' '' '{bad_return,{{crate_app,start,[normal,[]]},nope}}'
pad otp start-refused refused Code UnhandledError '' '' '' no_crate_configured
pad otp start-match start Startup MissingFile start crate_app:read/1 badmatch '{badmatch,{error,enoent}}' '' crate-start
pad otp init init Dependency ConnectionRefused init crate_server:connect/0 badmatch '{badmatch,{error,econnrefused}}' '' crate-init
pad otp init-stopped stopped Startup MissingFile '' '' '' '{cannot_open,enoent}'
pad one_line line-key key Code MissingKey server-key crate_server:price/2 badkey '{badkey,<<"TX">>}' '' crate-key
pad one_line line-call call Code UnhandledError server-call crate_server:ask/0 '' '{noproc,{gen_server,call,[ledger,{post,5}]}}' '' crate-call
pad one_line line-init init Dependency ConnectionRefused init crate_server:connect/0 badmatch '{badmatch,{error,econnrefused}}' '' crate-init
pad one_line line-returned returned Code UnhandledError '' '' '' '{bad_return,{{crate_app,start,[normal,[]]},nope}}'

pad release release-key key Code MissingKey order-key Depot.Orders.price/2 KeyError 'key "TX" not found in' '** (KeyError) key "TX"' order-key
pad release release-other other Code MissingKey order-other Depot.Orders.weight/2 KeyError 'key "TX" not found in' '' order-other
pad release release-stop stop Code UnhandledError '' '' stop '{:full, 7}'
pad release release-exit exit Code UnhandledError order-exit Depot.Orders.leave/0 stop :sealed '' order-exit
pad release release-raise raise Code UnhandledError order-raise Depot.Orders.seal/0 RuntimeError 'depot is sealed' '' order-raise
pad release release-call call Code UnhandledError order-call Depot.Orders.ask/0 '' 'no process' 'GenServer.call(:ledger' order-call
pad release release-nil nil Code NilDereference order-nil Depot.Orders.length_of/1 KeyError 'key :length not found in: nil' '' order-nil
pad release release-task task Code MissingKey order-key Depot.Orders.price/2 KeyError 'key "TX" not found in'
pad release release-init init Code MissingKey order-key Depot.Orders.price/2 KeyError 'key "TX" not found in: %{}' '' order-init
pad release release-init-stop init-stop Dependency ConnectionRefused '' '' '' econnrefused
pad release release-init-environment init-environment Startup MissingConfiguration order-environment Depot.Orders.database/0 System.EnvError DEPOT_DATABASE_URL '' order-environment
pad release release-init-listen init-listen Startup PortInUse order-listen Depot.Orders.listen/1 MatchError '{:error, :eaddrinuse}' '' order-listen
pad release release-init-return init-return Code UnhandledError '' '' '' 'bad return value: nil'
pad release release-start-raise start-raise Code UnhandledError start-raise Depot.Application.seal/0 RuntimeError 'depot is sealed' '' start-raise
pad release release-start-match start-match Startup MissingFile start-match Depot.Application.read/1 MatchError '{:error, :enoent}' '' start-match
pad release release-start-return start-return Code UnhandledError '' '' '' nope
pad release release-config config Startup MissingConfiguration '' '' RuntimeError 'environment variable DATABASE_URL is missing'
pad release release-environment environment Startup MissingConfiguration '' '' System.EnvError DEPOT_PORT
pad mix_run mix-key key Code MissingKey order-key Depot.Orders.price/2 KeyError 'key "TX" not found in' '' order-key
pad mix_run mix-init init Code MissingKey order-key Depot.Orders.price/2 KeyError 'key "TX" not found in' '' order-init
SASL=1 pad release sasl-key key Code MissingKey order-key Depot.Orders.price/2 KeyError 'key "TX" not found in' '' order-key
SASL=1 pad release sasl-init init Code MissingKey order-key Depot.Orders.price/2 KeyError 'key "TX" not found in' '' order-init

# A process died, and the node went on until it was stopped in order.
HOW=spawned in_folder depot _build/prod/rel/depot/bin/depot start
label spawned-survived Lifecycle CleanExit '' '' '' '' '' '' 'a process dies, the release goes on and is stopped'

# The other build.
SOURCES=$work/two
folder=$work/two
pad elixir_script fetch-two fetch Code MissingKey find Depot.Crates.find/2 KeyError 'key :depot_id not found in' '' fetch
pad elixir_script match-two match Startup MissingFile match Depot.Crates.read_config/1 MatchError '{:error, :enoent}' '' match
pad erlang_boot boot-key-two key Code MissingKey key shelf:find/2 badkey '{badkey,<<"TX">>}' '' boot-key
pad otp key-two key Code MissingKey server-key crate_server:price/2 badkey '<<"TX">>' '' crate-key
pad one_line line-other-two other Code MissingKey server-other crate_server:weight/2 badkey '{badkey,<<"TX">>}' '' crate-other
pad release release-key-two key Code MissingKey order-key Depot.Orders.price/2 KeyError 'key "TX" not found in' '' order-key
pad release release-init-two init Code MissingKey order-key Depot.Orders.price/2 KeyError 'key "TX" not found in' '' order-init

# Through collectors and terminals.
for case in fetch call clause boot-key key line-key release-key release-init; do
  again "$case" "$case-kubectl" kubectl_stamps
  again "$case" "$case-pod" pod_prefix
  again "$case" "$case-foreman" foreman_prefix
  again "$case" "$case-docker" docker_json
  again "$case" "$case-coloured" coloured
  again "$case" "$case-windows" windows_ends
done
for case in fetch release-key key; do again "$case" "$case-interleaved" interleaved; done
survived release-nil survived-release
survived key survived-key
