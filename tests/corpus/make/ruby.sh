#!/usr/bin/env bash
# Makes the Ruby cases of the corpus again: programs that really crash on Ruby 3.1, and on 3.3 and 3.4 built for WASI.
#
# usage: tests/corpus/make/ruby.sh   needs ruby, bundler and puma, node, and in PACKAGES a node_modules with
# @ruby/wasm-wasi, @ruby/3.3-wasm-wasi and @ruby/3.4-wasm-wasi
set -uo pipefail
cd "$(dirname "$0")"
RUNTIME=ruby
SOURCES=$PWD/ruby
. ./exceptions.sh
: "${PACKAGES:?}"
vm=$SOURCES/vm.js
cp -r "$SOURCES" "$work/depot"
mkdir -p "$work/root/srv" && cp -r "$SOURCES" "$work/root/srv/depot"
PIPE_FILTER="s#$work/depot/#/srv/depot/#g; s#$work/two/#/srv/depot/#g; s#/srv/depot/app.rb#app.rb#g"
folder=$work/depot

# crash CASE "CRASH PLACE" CATEGORY REASON MARK FUNCTION EXCEPTION MESSAGE [EVIDENCE [GROUP]]
crash() {
  cd "$folder"
  # shellcheck disable=SC2086
  run ruby app.rb $2
  cd - > /dev/null
  label "$1" "$3" "$4" "$5" "$6" "$7" "$8" "${9:-}" "${10:-}" "depot $2, Ruby 3.1"
}

# wasi VERSION CASE CRASH …: the same on another version.
wasi() {
  local version=$1
  shift
  run node --no-warnings "$vm" "$PACKAGES" "$PACKAGES/@ruby/$version-wasm-wasi/dist/ruby+stdlib.wasm" "$work/root" /srv/depot/app.rb "$2"
  [ $code = 1 ] || return
  sed -i '/^Ignoring /d' "$work/log"
  label "$1-$version" "$3" "$4" "$5" "$6" "$7" "$8" "${9:-}" "${10:-}" "depot $2, Ruby $version"
}

crash nil nil Code NilDereference nil owner_length NoMethodError "undefined method \`name' for nil:NilClass" '' made-nil
crash missing missing Code MissingKey missing find KeyError 'key not found: "A-7"' '' made-missing
crash type type Code TypeMismatch type weight TypeError 'no implicit conversion of Integer into String' '' made-type
crash convert convert Code UnhandledError convert convert ArgumentError 'invalid value for Integer()' '' made-convert
crash index index Code IndexOutOfBounds index at IndexError 'index 5 outside of array bounds' '' made-index
crash divide divide Code ArithmeticError divide average ZeroDivisionError 'divided by 0' '' made-divide
crash recursion recursion Code StackOverflow recursion depth SystemStackError 'stack level too deep' '' made-recursion
crash sealed sealed Code UnhandledError sealed seal Depot::ShelfError 'shelf is sealed' '' made-sealed
crash sealed-again sealed-again Code UnhandledError sealed-again seal_again Depot::ShelfError 'shelf is sealed' '' made-sealed-again
crash close close Code ArithmeticError divide average ZeroDivisionError 'divided by 0' 'divided by 0 (ZeroDivisionError)' made-close
crash close-year close-year Code ArithmeticError divide average ZeroDivisionError 'divided by 0' 'divided by 0 (ZeroDivisionError)' made-close-year
crash multi multi Code UnhandledError multi multi Depot::ShelfError 'first line' '' made-multi
crash silent silent Code UnhandledError silent silent Depot::ShelfError '' '' made-silent
crash arguments arguments Code UnhandledError - '' ArgumentError 'wrong number of arguments' '' made-arguments
crash undefined undefined Code UnhandledError undefined undefined NameError 'undefined local variable or method' '' made-undefined
crash constant constant Code UnhandledError constant constant NameError 'uninitialized constant Depot::Ledger' '' made-constant
crash frozen frozen Code UnhandledError frozen frozen FrozenError "can't modify frozen String" '' made-frozen
crash block block Code NilDereference block 'block (2 levels) in in_block' NoMethodError 'for nil:NilClass' '' made-block
crash build build Code IndexOutOfBounds index at IndexError 'index 9 outside' '' made-build
crash memory memory Resource HeapExhausted - '' NoMemoryError 'failed to allocate memory'
crash load load Startup MissingModule load 'block in <main>' LoadError 'cannot load such file -- depot/plugins/rail' '' made-load
crash refused refused Dependency ConnectionRefused refused connect Errno::ECONNREFUSED 'Connection refused' '' made-refused
crash opened opened Dependency ConnectionRefused refused connect Errno::ECONNREFUSED 'Connection refused' '' made-opened
crash http http Dependency ConnectionRefused http get Errno::ECONNREFUSED 'Connection refused' '' made-http
crash resolve resolve Dependency DnsFailure resolve resolve SocketError 'getaddrinfo' '' made-resolve
crash listen listen Startup PortInUse listen listen Errno::EADDRINUSE 'Address already in use' '' made-listen
crash read read Startup MissingFile read read Errno::ENOENT /etc/depot/depot.yml '' made-read
crash full full Resource DiskFull full write Errno::ENOSPC 'No space left on device' '' made-full
crash setting setting Startup MissingConfiguration setting setting KeyError DEPOT_DATABASE_URL '' made-setting
crash wait wait Dependency DependencyTimeout wait 'block in wait' Timeout::Error 'execution expired' '' made-wait
crash program program Startup CommandNotFound program run Errno::ENOENT convert-crate '' made-program
crash segv segv Native Segfault segv segv - 'Segmentation fault' '[BUG] Segmentation fault' made-segv
crash abort abort Unknown ErrorExit - '' - 'depot: no ledger is configured'
crash nil-thread 'nil thread' Code NilDereference nil owner_length NoMethodError "undefined method \`name'" '' made-nil
crash close-fiber 'close fiber' Code ArithmeticError divide average ZeroDivisionError 'divided by 0'
crash sealed-logged 'sealed logged' Code UnhandledError sealed seal Depot::ShelfError 'shelf is sealed' '' made-sealed
crash close-full 'close full' Code ArithmeticError divide average ZeroDivisionError 'divided by 0' '' made-close
cd "$folder" && run bash -c 'ulimit -n 48; exec ruby app.rb files' && cd - > /dev/null
label files Resource TooManyOpenFiles files 'block in open_files' Errno::EMFILE 'Too many open files' '' made-files 'depot files, Ruby 3.1, ulimit -n 48'

# A source that does not parse: its line is the culprit.
cd "$folder" && run ruby app.rb syntax && cd - > /dev/null
label syntax Code UnhandledError - '' SyntaxError 'syntax error, unexpected end-of-input' '' made-syntax 'a required source that does not parse, Ruby 3.1'
sed -i "s/^  message:/  culprit:\n    file: broken.rb\n    line: 6\n  message:/" "$corpus/ruby-made-syntax/case.yaml"
cd "$folder" && run ruby lib/depot/broken.rb && cd - > /dev/null
label syntax-main Code UnhandledError - '' - 'syntax error, unexpected end-of-input' '' '' 'a program that does not parse, Ruby 3.1'

for v in 3.3 3.4; do
  wasi $v nil nil Code NilDereference nil "$([ $v = 3.4 ] && echo Depot::Shelf#)owner_length" NoMethodError 'for nil' '' made-nil-wasi
  wasi $v missing missing Code MissingKey missing "$([ $v = 3.4 ] && echo Depot::Shelf#)find" KeyError 'key not found: "A-7"' '' made-missing-wasi
  wasi $v index index Code IndexOutOfBounds index "$([ $v = 3.4 ] && echo Depot::Shelf#)at" IndexError 'index 5 outside' '' made-index-wasi
  wasi $v build build Code IndexOutOfBounds index "$([ $v = 3.4 ] && echo Depot::Shelf#)at" IndexError 'index 9 outside' '' made-build-wasi
  wasi $v divide divide Code ArithmeticError divide "$([ $v = 3.4 ] && echo Depot::Shelf#)average" ZeroDivisionError 'divided by 0' '' made-divide-wasi
  wasi $v close-year close-year Code ArithmeticError divide "$([ $v = 3.4 ] && echo Depot::Shelf#)average" ZeroDivisionError 'divided by 0' '' made-close-year-wasi
  wasi $v sealed sealed Code UnhandledError sealed "$([ $v = 3.4 ] && echo Depot::Shelf#)seal" Depot::ShelfError 'shelf is sealed' '' made-sealed-wasi
  wasi $v load load Startup MissingModule load 'block in <top (required)>' LoadError 'cannot load such file' '' made-load-wasi
  wasi $v convert convert Code UnhandledError convert "$([ $v = 3.4 ] && echo Depot::Shelf#)convert" ArgumentError 'invalid value' '' made-convert-wasi
done

# The interpreter, bundler and puma before any code of the program runs.
run ruby /app/none.rb
label no-script Startup MissingFile - '' LoadError '/app/none.rb' '' '' 'a script that is not there'
run ruby --bad app.rb
label bad-option Startup InvalidConfiguration - '' - 'invalid option --bad' '' '' 'an option that is unknown'
mkdir -p "$work/gems" && cd "$work/gems"
printf 'gem "nosuchgem"\n' > Gemfile
run bundle exec ruby -e 1
label bundler Startup MissingModule - '' - nosuchgem '' '' 'bundle exec with a gem that is not installed'
run ruby -e 'require "bundler/setup"'
label bundler-setup Startup MissingModule - '' Bundler::GemNotFound nosuchgem '' '' 'bundler/setup with a gem that is not installed'
printf 'gem "json"\n' > Gemfile
run bundle exec nosuchcommand
label bundler-command Startup CommandNotFound - '' - nosuchcommand '' '' 'bundle exec of a command that is not there'
printf 'require_relative "missing/app"\nrun ->(env) { [200, {}, []] }\n' > config.ru
PIPE_FILTER="s#$work/gems/#/srv/depot/#g" run puma -b tcp://127.0.0.1:18455 config.ru
label puma-load Startup MissingModule - '' LoadError 'cannot load such file -- /srv/depot/missing/app' '' '' 'puma with an application that cannot be loaded'
printf 'x = nil\nx.run\nrun ->(env) { [200, {}, []] }\n' > config.ru
PIPE_FILTER="s#$work/gems/#/srv/depot/#g" run puma -b tcp://127.0.0.1:18455 config.ru
label puma-nil Code NilDereference - '' NoMethodError "undefined method \`run' for nil:NilClass" '' '' 'puma with an application that fails while it loads'
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 18456)); time.sleep(30)' & server=$!
until (echo > /dev/tcp/127.0.0.1/18456) 2> /dev/null; do :; done
printf 'run ->(env) { [200, {}, []] }\n' > config.ru
run puma -b tcp://127.0.0.1:18456 config.ru
label puma-port Startup PortInUse - '' Errno::EADDRINUSE 'Address already in use' '' '' 'puma on a port in use'
kill $server
cat > Rakefile <<'RUBY'
require ENV.fetch("SHELF")
task(:close) { Depot::Shelf.new.close("2026-10") }
RUBY
SHELF=$folder/lib/depot/shelf run rake close
label rake Code ArithmeticError divide average ZeroDivisionError 'divided by 0' '' '' 'a rake task'
SHELF=$folder/lib/depot/shelf run rake close --trace
label rake-trace Code ArithmeticError divide average ZeroDivisionError 'divided by 0' '' '' 'a rake task, --trace'
cd - > /dev/null

# A second build with shifted lines: the marks are in its own sources.
cp -r "$SOURCES" "$work/two"
for source in "$work"/two/lib/depot/*.rb "$work/two/app.rb"; do sed -i '1i # Copyright\n# Licence' "$source"; done
folder=$work/two SOURCES=$work/two crash nil-shifted nil Code NilDereference nil owner_length NoMethodError '' '' made-nil
folder=$work/two SOURCES=$work/two crash close-year-shifted close-year Code ArithmeticError divide average ZeroDivisionError '' '' made-close-year

# JSON records with the class, the text and the frames in fields of their own.
json() {
  python3 -c '
import json, re, sys
lines = sys.stdin.read().splitlines()
at = next(n for n, line in enumerate(lines) if " FATAL -- : " in line)
for line in lines[:at]: print(json.dumps({"severity": "INFO", "message": line}))
message, name = re.match(r".* FATAL -- : (.*) \((.*)\)$", lines[at]).groups()
print(json.dumps({"severity": "FATAL", "message": "depot stops", "exception": {"class": name, "message": message, "backtrace": lines[at + 1:]}}))'
}
again sealed-logged sealed-json json
for from in close-year nil nil-thread load; do
  for filter in kubectl_stamps pod_prefix compose_prefix foreman_prefix docker_json windows_ends coloured; do
    again $from $from-$filter $filter
  done
  again $from $from-interleaved interleaved
done
# Cut inside of the frames of the outermost exception.
cut_head() { sed -n '/from app.rb/,$p'; }
again close-year close-year-headless cut_head
survived sealed-logged sealed-logged-survived
survived sealed-json sealed-json-survived
awk '/\(NoMethodError\)/ && ++n == 2 { exit } { print }' "$corpus/ruby-made-nil-thread/log.txt" > "$work/log" && code=143
cp "$work/log" "$work/thread" && { cat "$work/thread"; ordinary 12; } > "$work/log"
label thread-survived Lifecycle Terminated - '' - '' '' '' 'a thread that ended, the process went on, then SIGTERM'
