#!/usr/bin/env bash
# Makes the PHP cases of the corpus again: programs that really crash on PHP 8.2, and on other versions built for WASM.
#
# usage: tests/corpus/make/php.sh   needs php, php-fpm, node, python3, and in PACKAGES a node_modules with @php-wasm/cli
set -uo pipefail
cd "$(dirname "$0")"
RUNTIME=php
SOURCES=$PWD/php
. ./exceptions.sh
FPM=${FPM:-php-fpm8.2}
mkdir -p "$work/one" && cp -r "$SOURCES"/* "$work/one"
folder=$work/one
# The constructs that PHP 8.2's own configuration on a development machine has: both streams.
both=(-d display_errors=1 -d log_errors=1 -d html_errors=0)
stderr=(-d display_errors=0 -d log_errors=1)
stdout=(-d display_errors=1 -d log_errors=0 -d html_errors=0)
stamped=(-d display_errors=0 -d log_errors=1 -d error_log=/dev/stderr)
html=(-d display_errors=1 -d log_errors=0 -d html_errors=1)
streams=("${stderr[@]}")
PIPE_FILTER="s#$work/(one|two)/#/srv/depot/#g; s#$SOURCES/#/srv/depot/#g"

# crash CASE "CRASH PLACE" CATEGORY REASON MARK FUNCTION EXCEPTION MESSAGE [EVIDENCE [GROUP]]
crash() {
  # shellcheck disable=SC2086
  run php -d zend.assertions=1 -d memory_limit=64M -d max_execution_time=1 "${streams[@]}" "$folder/depot.php" $2
  label "$1" "$3" "$4" "$5" "$6" "$7" "${8:-}" "${9:-}" "${10:-}" "depot $2, PHP 8.2 ${streams[*]}"
}

all() {
  local s=$1
  crash nil$s nil Code NilDereference nil ownerLength Error 'Call to a member function name() on null' '' made-nil
  crash divide$s divide Code ArithmeticError divide average DivisionByZeroError 'Division by zero' '' made-divide
  crash modulo$s modulo Code ArithmeticError modulo modulo DivisionByZeroError 'Modulo by zero' '' made-modulo
  crash type$s type Code TypeMismatch type weight TypeError 'Return value must be of type int, string returned' '' made-type
  crash sealed$s sealed Code UnhandledError sealed seal 'Depot\Stock\ShelfException' 'shelf is sealed' '' made-sealed
  crash sealed-again$s sealed-again Code UnhandledError sealed-again sealAgain 'Depot\Stock\ShelfException' 'shelf is sealed' '' made-sealed-again
  crash close$s close Code ArithmeticError divide average DivisionByZeroError 'Division by zero' 'DivisionByZeroError: Division by zero' made-close
  crash close-year$s close-year Code ArithmeticError divide average DivisionByZeroError 'Division by zero' 'DivisionByZeroError: Division by zero' made-close-year
  crash multi$s multi Code UnhandledError multi multi 'Depot\Stock\ShelfException' 'first line' '' made-multi
  crash match$s match Code UnhandledError match match UnhandledMatchError 'Unhandled match case 7' '' made-match
  crash undefined$s undefined Code UnhandledError undefined undefined Error 'Call to undefined method' '' made-undefined
  crash function-gone$s function-gone Code UnhandledError function-gone functionGone Error 'Call to undefined function' '' made-function-gone
  crash class-gone$s class-gone Startup MissingModule class-gone classGone Error 'Class "Depot\Stock\Ledger" not found' '' made-class-gone
  crash closure$s closure Code NilDereference closure 'Depot\Stock\Shelf::{closure}' Error 'Call to a member function name() on null' '' made-closure
  crash build$s build Code IndexOutOfBounds bounds at OutOfBoundsException 'no crate at 9' '' made-build
  crash assertion$s assertion Code AssertionFailed assertion check AssertionError 'shelf is empty' '' made-assertion
  crash memory$s memory Resource HeapExhausted memory '' - 'Allowed memory size of 67108864 bytes exhausted' '' made-memory
  crash spin$s spin Code UnhandledError - '' - 'Maximum execution time of 1 second exceeded'
  crash refused$s refused Dependency ConnectionRefused refused open RuntimeException 'Connection refused' '' made-refused
  crash read$s read Startup MissingFile read read RuntimeException /etc/depot/depot.ini '' made-read
  crash setting$s setting Startup MissingConfiguration setting setting RuntimeException 'DEPOT_DATABASE_URL is not set' '' made-setting
  crash pdo$s pdo Startup MissingModule pdo connect PDOException 'could not find driver' '' made-pdo
  crash require$s require Startup MissingFile require '' Error 'Failed opening required' '' made-require
  crash parse$s parse Code UnhandledError - '' - 'syntax error, unexpected token "}"' '' made-parse
  crash abstract$s abstract Code UnhandledError - '' - 'Class Depot\Wrong contains 1 abstract method' '' made-abstract
  crash error$s error Code UnhandledError error '' - 'shelf index is corrupt' '' made-error
}
all ''
streams=("${both[@]}") && all -both
streams=("${stdout[@]}") && all -stdout
streams=("${stamped[@]}") && all -stamped
streams=("${html[@]}") && all -html
streams=("${stderr[@]}")
for s in '' -both -stdout -stamped -html; do
  sed -i "s/^  message:/  culprit:\n    file: Broken.php\n    line: 10\n  message:/" "$corpus/php-made-parse$s/case.yaml"
done
crash close-logged 'close logged' Code UnhandledError - '' 'Depot\Stock\ShelfException' 'cannot close 2026-10'
crash nil-logged 'nil logged' Code NilDereference nil ownerLength Error 'Call to a member function name() on null' '' made-nil
run php /app/none.php
label no-script Startup MissingFile - '' - 'Could not open input file: /app/none.php' '' '' 'a script that is not there'

# Other versions.
wasm() {
  local version=$1
  shift
  run env PHP="$version" node --no-warnings "$PACKAGES/@php-wasm/cli/main.js" -d display_errors=1 -d log_errors=0 "$folder/depot.php" "$2"
  code=255
  label "$1-$version" "$3" "$4" "$5" "$6" "$7" "${8:-}" "${9:-}" "${10:-}" "depot $2, PHP $version"
}
for v in 8.0 8.1 8.3 8.4 8.5; do
  wasm $v nil nil Code NilDereference nil ownerLength Error 'Call to a member function name() on null' '' made-nil
  wasm $v divide divide Code ArithmeticError divide average DivisionByZeroError 'Division by zero' '' made-divide
  wasm $v close-year close-year Code ArithmeticError divide average DivisionByZeroError 'Division by zero' '' made-close-year
  wasm $v closure closure Code NilDereference closure 'Depot\Stock\Shelf::{closure}' Error 'Call to a member function' '' made-closure
  wasm $v parse parse Code UnhandledError - '' - 'syntax error' '' made-parse
done

# php-fpm before it serves anything.
cat > "$work/fpm.conf" <<INI
[global]
error_log = /dev/stderr
daemonize = no
[www]
user = nobody
listen = 127.0.0.1:18461
pm = static
pm.max_children = 1
INI
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 18461)); time.sleep(30)' & server=$!
until (echo > /dev/tcp/127.0.0.1/18461) 2> /dev/null; do :; done
PIPE_FILTER="s#$work/#/etc/php/#g"
run "$FPM" -F -y "$work/fpm.conf"
label fpm-port Startup PortInUse - '' - "unable to bind listening socket for address '127.0.0.1:18461'" '' '' 'php-fpm, a port in use'
kill $server
sed 's/pm = static/pmm = static/' "$work/fpm.conf" > "$work/bad.conf"
run "$FPM" -F -y "$work/bad.conf"
label fpm-bad Startup InvalidConfiguration - '' - "unknown entry 'pmm'" '' '' 'php-fpm, an entry that is unknown'
run "$FPM" -F -y "$work/none.conf"
label fpm-none Startup MissingFile - '' - 'No such file or directory' '' '' 'php-fpm without its configuration'

# A request that php-fpm answers and survives.
chmod 755 "$work"
PIPE_FILTER="s#$work/one/#/srv/depot/#g; s#$work/#/etc/php/#g"
sed -i 's/18461/18462/; s/^pm.max/catch_workers_output = yes\npm.max/' "$work/fpm.conf"
cat > "$work/request.py" <<'PY'
import socket, struct, sys
def record(kind, body): return struct.pack("!BBHHBB", 1, kind, 1, len(body), 0, 0) + body
def pair(key, value): return bytes([len(key), len(value)]) + key + value
params = b"".join(pair(k.encode(), v.encode()) for k, v in {"SCRIPT_FILENAME": sys.argv[1], "REQUEST_METHOD": "GET", "argv": "nil"}.items())
s = socket.create_connection(("127.0.0.1", 18462))
s.sendall(record(1, struct.pack("!HB5x", 1, 0)) + record(4, params) + record(4, b"") + record(5, b""))
while s.recv(4096): pass
PY
echo '<?php require "/srv/none/vendor/autoload.php";' > "$work/one/web.php"
printf '<?php class C { function a() { return $this->b->c(); } public $b; }\n(new C())->a();\n' > "$work/one/nil.php"
for script in web nil; do
  ("$FPM" -R -F -y "$work/fpm.conf" -d log_errors=1 -d display_errors=0 > "$work/raw" 2>&1; echo $? > "$work/code") & job=$!
  until (echo > /dev/tcp/127.0.0.1/18462) 2> /dev/null; do :; done
  python3 "$work/request.py" "$work/one/$script.php"
  kill "$(pgrep -P $job)" && wait $job
  sed -E "$PIPE_FILTER" "$work/raw" > "$work/log"
  code=143
  label fpm-$script-survived Lifecycle Terminated - '' - '' '' '' 'php-fpm, a request that failed, then SIGTERM'
done

# A second build with shifted lines: the marks are in its own sources.
PIPE_FILTER="s#$work/(one|two)/#/srv/depot/#g"
mkdir -p "$work/two" && cp -r "$SOURCES"/* "$work/two"
for source in "$work"/two/src/*.php; do sed -i '2i // Copyright\n// Licence' "$source"; done
folder=$work/two SOURCES=$work/two crash nil-shifted nil Code NilDereference nil ownerLength Error '' '' made-nil
folder=$work/two SOURCES=$work/two crash close-year-shifted close-year Code ArithmeticError divide average DivisionByZeroError '' '' made-close-year
folder=$work/two SOURCES=$work/two crash memory-shifted memory Resource HeapExhausted memory '' - '' '' made-memory

for from in close-year nil nil-both memory multi parse; do
  for filter in kubectl_stamps pod_prefix compose_prefix foreman_prefix docker_json windows_ends coloured; do
    again $from $from-$filter $filter
  done
done
for from in close-year nil closure; do again $from $from-interleaved interleaved; done
survived nil-logged nil-logged-survived
