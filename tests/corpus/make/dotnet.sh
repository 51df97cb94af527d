#!/usr/bin/env bash
# Makes the .NET cases of the corpus again: programs built with Mono's compiler, run on Mono and on two versions of .NET,
# with symbols and without, and labelled.
#
# usage: tests/corpus/make/dotnet.sh   needs mcs and mono, Mono.Cecil and Mono.CompilerServices.SymbolWriter in CECIL, and
# the folders of the `dotnet` hosts of .NET Core 3.1 and .NET 8 in DOTNET_31 and DOTNET_80 (both are in packages of PyPI)
set -uo pipefail
cd "$(dirname "$0")"
RUNTIME=dotnet
SOURCES=$PWD/dotnet/src
. ./exceptions.sh
: "${CECIL:?}" "${DOTNET_31:?}" "${DOTNET_80:?}"
cp "$CECIL"/Mono.*.dll "$work"
mcs -nowarn:0649 -r:"$work/Mono.Cecil.dll" -r:"$work/Mono.CompilerServices.SymbolWriter.dll" dotnet/ToPdb.cs -out:"$work/ToPdb.exe"

# build NAME LINES: the program with that many lines of comment put above each source, with symbols and without.
build() {
  local out=$work/$1
  mkdir -p "$out/src" "$out/mono" "$out/pdb" "$out/bare"
  cp "$SOURCES"/*.cs "$out/src"
  for source in "$out"/src/*.cs; do
    for _ in $(seq 1 "$2"); do sed -i '1i // Copyright' "$source"; done
  done
  mcs -target:library -debug "$out/src/Plugin.cs" -out:"$out/mono/Plugin.dll"
  mcs -nowarn:0649 -debug -d:DEBUG -r:"$out/mono/Plugin.dll" "$out"/src/{Shelf,Client,Program}.cs -out:"$out/mono/Depot.exe"
  mono "$work/ToPdb.exe" "$out/mono/Depot.exe" "$out/pdb/Depot.exe" "$out/src/" /src/depot/
  cp "$out/mono/Depot.exe" "$out/bare"
  cp "$out/mono/Plugin.dll" "$out/pdb"
  cp "$out/mono/Plugin.dll" "$out/bare"
}
build one 0
build two 5
for v in 3.1.23 8.0.4 6.0.0; do
  echo "{\"runtimeOptions\":{\"framework\":{\"name\":\"Microsoft.NETCore.App\",\"version\":\"$v\"},\"configProperties\":{\"System.Globalization.Invariant\":true}}}" > "$work/$v.json"
done
classes=one

# on WHERE CRASH...: runs it; WHERE is mono, 31, 80, or with bare- before it, without symbols.
on() {
  local where=$1 symbols=pdb
  shift
  PIPE_FILTER="s#$work/$classes/src/#/src/depot/#g; s#$work/#/app/#g"
  # A just-in-time compiler maps an address to a line as it sees fit.
  LINE_FROM_LOG=1
  case $where in bare-*) symbols=bare ;; esac
  case ${where#bare-} in
    mono) if [ $symbols = bare ]; then run mono "$work/$classes/bare/Depot.exe" "$@"; else run mono --debug "$work/$classes/mono/Depot.exe" "$@"; fi ;;
    31) run "$DOTNET_31/dotnet" exec --runtimeconfig "$work/3.1.23.json" "$work/$classes/$symbols/Depot.exe" "$@" ;;
    80) run "$DOTNET_80/dotnet" exec --runtimeconfig "$work/8.0.4.json" "$work/$classes/$symbols/Depot.exe" "$@" ;;
  esac
}

# crash CASE WHERE "CRASH PLACE" CATEGORY REASON MARK FUNCTION EXCEPTION MESSAGE [EVIDENCE [GROUP]]
crash() {
  local NO_PLACES=
  case $2 in bare-*) NO_PLACES=1 ;; esac
  # shellcheck disable=SC2086
  on "$2" $3
  label "$1-$2" "$4" "$5" "$6" "$7" "$8" "$9" "${10:-}" "${11:-}" "depot $3, on $2"
}

shelf=Acme.Depot.Stock.Shelf
client=Acme.Depot.Net.Client
for w in mono 31 80 bare-mono bare-31 bare-80; do
  crash nil $w nil Code NilDereference nil $shelf.OwnerLength System.NullReferenceException 'Object reference not set' '' made-nil
  crash index $w index Code IndexOutOfBounds index $shelf.At System.ArgumentOutOfRangeException 'Index was out of range' '' made-index
  crash array $w array Code IndexOutOfBounds array $shelf.Cell System.IndexOutOfRangeException 'Index was outside the bounds' '' made-array
  crash missing $w missing Code MissingKey missing $shelf.Find System.Collections.Generic.KeyNotFoundException 'key' '' made-missing
  crash first $w first Code MissingKey first $shelf.First System.InvalidOperationException 'Sequence contains no elements' '' made-first
  crash cast $w cast Code TypeMismatch cast $shelf.Weight System.InvalidCastException '' '' made-cast
  crash divide $w divide Code ArithmeticError divide $shelf.Average System.DivideByZeroException 'Attempted to divide by zero' '' made-divide
  crash sealed $w sealed Code UnhandledError sealed $shelf.Seal System.InvalidOperationException 'shelf is sealed' '' made-sealed
  crash sealed-again $w sealed-again Code UnhandledError sealed-again $shelf.SealAgain System.InvalidOperationException 'shelf is sealed' '' made-sealed-again
  crash close $w close Code ArithmeticError divide $shelf.Average System.DivideByZeroException 'Attempted to divide by zero' 'System.DivideByZeroException: Attempted to divide by zero' made-close
  crash close-year $w close-year Code ArithmeticError divide $shelf.Average System.DivideByZeroException 'Attempted to divide by zero' 'System.DivideByZeroException: Attempted to divide by zero' made-close
  crash multi $w multi Code UnhandledError multi $shelf.Multi System.InvalidOperationException 'first line' '' made-multi
  crash refused $w refused Dependency ConnectionRefused refused $client.Connect System.Net.Sockets.SocketException 'Connection refused' '' made-refused
  crash opened $w opened Dependency ConnectionRefused refused $client.Connect System.Net.Sockets.SocketException 'Connection refused' '' made-opened
  crash read $w read Startup MissingFile read $client.Read System.IO.FileNotFoundException /etc/depot.json '' made-read
  crash listen $w listen Startup PortInUse listen $client.Listen System.Net.Sockets.SocketException 'Address already in use' '' made-listen
  # Without symbols the stub of the native function is as good a frame as any.
  case $w in bare-[0-9]*) mark=- ;; *) mark=library ;; esac
  crash library $w library Startup MissingLibrary $mark $client.Library System.DllNotFoundException depotcrypt
  crash setting $w setting Startup MissingConfiguration setting $client.Setting System.InvalidOperationException 'DEPOT_DATABASE_URL is not set' '' made-setting
  crash wait $w wait Dependency DependencyTimeout wait $client.Wait System.TimeoutException 'did not answer' '' made-wait
  crash load $w load Code IndexOutOfBounds index $shelf.At System.ArgumentOutOfRangeException 'Index was out of range' '' made-load
  crash load-wait $w load-wait Code IndexOutOfBounds index $shelf.At System.ArgumentOutOfRangeException 'Index was out of range' '' made-load-wait
  for where in thread task awaited parallel reflect; do
    crash divide-$where $w "divide $where" Code ArithmeticError divide $shelf.Average System.DivideByZeroException 'Attempted to divide by zero'
    crash opened-$where $w "opened $where" Dependency ConnectionRefused refused $client.Connect System.Net.Sockets.SocketException 'Connection refused'
  done
  crash initializer $w initializer Code UnhandledError - "" System.FormatException 'correct format'
  crash logged-close $w 'close logged' Code ArithmeticError divide $shelf.Average System.DivideByZeroException 'Attempted to divide by zero' 'System.DivideByZeroException' made-close
  crash logged-opened $w 'opened logged' Dependency ConnectionRefused refused $client.Connect System.Net.Sockets.SocketException 'Connection refused' '' made-opened
done
for w in 31 80; do
  crash full $w full Resource DiskFull full $client.Full System.IO.IOException 'No space left on device' '' made-full
  crash resolve $w resolve Dependency DnsFailure resolve $client.Resolve '' '' '' made-resolve
  NO_PLACES=1 crash failfast $w failfast Code UnhandledError - '' - 'shelf index is corrupt' 'Process terminated.' made-failfast
  crash assert $w assert Code AssertionFailed - '' - 'Assertion failed' 'Process terminated. Assertion failed.' made-assert
  crash poke $w poke Native Segfault poke $shelf.Poke System.AccessViolationException 'read or write protected memory' '' made-poke
done
crash recursion 80 recursion Code StackOverflow - '' - 'Stack overflow' 'Stack overflow.' made-recursion
crash recursion 31 recursion Code StackOverflow - '' - 'Stack overflow' 'Stack overflow.'
crash recursion mono recursion Code StackOverflow recursion $shelf.Depth System.StackOverflowException '' '' made-recursion
export DOTNET_GCHeapHardLimit=0x4000000 COMPlus_GCHeapHardLimit=0x4000000
crash heap 31 heap Resource HeapExhausted - '' System.OutOfMemoryException '' '' made-heap
crash heap 80 heap Resource HeapExhausted - '' System.OutOfMemoryException '' '' made-heap
unset DOTNET_GCHeapHardLimit COMPlus_GCHeapHardLimit

# The plug-in is gone, or of another version.
for w in mono 31 80; do
  cp -r "$work/one" "$work/gone"
  rm "$work"/gone/{mono,pdb}/Plugin.dll
  classes=gone crash plugin $w plugin Startup MissingModule - '' System.IO.FileNotFoundException "Could not load file or assembly 'Plugin" '' made-plugin-gone
  sed 's/Size()/Size(int rows)/; s/return 3/return rows/' "$SOURCES/Plugin.cs" > "$work/Plugin.cs"
  mcs -target:library "$work/Plugin.cs" -out:"$work/gone/mono/Plugin.dll" && cp "$work/gone/mono/Plugin.dll" "$work/gone/pdb"
  classes=gone crash other-plugin $w plugin Startup MissingModule - '' System.MissingMethodException 'Plugin.Size' '' made-plugin-other
  rm -r "$work/gone"
done

# The host's own words.
PIPE_FILTER="s#$work/#/app/#g"
for v in 31 80; do
  host=DOTNET_$v
  run "${!host}/dotnet" exec --runtimeconfig "$work/6.0.0.json" "$work/one/pdb/Depot.exe"
  label framework-$v Startup MissingModule - '' - "'Microsoft.NETCore.App', version '6.0.0'" '' '' "a framework that is not there, on $v"
  run "${!host}/dotnet" "$work/one/pdb/Depot.exe"
  label no-config-$v Startup MissingLibrary - '' - libhostpolicy.so '' '' "no runtimeconfig.json, on $v"
done
run "$DOTNET_80/dotnet" /app/Depot.dll
label no-application Startup MissingFile - '' - /app/Depot.dll '' '' 'an application that is not there'
run mono /app/Depot.exe
label no-assembly Startup MissingFile - '' - "Cannot open assembly '/app/Depot.exe'" '' '' 'an assembly that is not there'

# A second build with shifted lines: the marks are in its own sources.
SOURCES=$work/two/src
for w in mono 31 80; do
  classes=two crash nil-shifted $w nil Code NilDereference nil $shelf.OwnerLength System.NullReferenceException '' '' made-nil
  classes=two crash close-year-shifted $w close-year Code ArithmeticError divide $shelf.Average '' '' '' made-close
done
SOURCES=$PWD/dotnet/src

# One line of JSON for each record, as console loggers and Serilog write them.
json() {
  python3 -c '
import json, sys
style, lines = sys.argv[1], sys.stdin.read().split("fail: Acme.Depot.Packing[7]\n")
for line in lines[0].splitlines():
    print(json.dumps({"Timestamp": "2026-11-24T04:31:10Z", "LogLevel": "Information", "Category": "Acme.Depot", "Message": line} if style != "serilog" else {"@t": "2026-11-24T04:31:10Z", "@m": line}))
trace = "\n".join(line[6:] for line in lines[1].splitlines()[1:])
if style == "serilog":
    print(json.dumps({"@t": "2026-11-24T04:31:10Z", "@m": "depot stops", "@l": "Fatal", "@x": trace}))
else:
    print(json.dumps({"Timestamp": "2026-11-24T04:31:10Z", "EventId": 7, "LogLevel": "Critical", "Category": "Acme.Depot", "Message": "depot stops", "Exception": trace.replace("\n", " ") if style == "flat" else trace}))' "$1"
}
json_console() { json nested; }
json_flat() { json flat; }
serilog() { json serilog; }
for w in mono 31 80; do
  for style in json_console json_flat serilog; do
    again logged-close-$w logged-close-$w-$style $style
    again logged-opened-$w logged-opened-$w-$style $style
  done
done
for from in close-80 nil-31 load-wait-80 close-year-mono recursion-80 logged-close-80 assert-80; do
  for filter in kubectl_stamps pod_prefix compose_prefix foreman_prefix docker_json windows_ends coloured; do
    again $from $from-$filter $filter
  done
done
for from in close-80 nil-31 opened-mono; do
  again $from $from-interleaved interleaved
  again $from $from-levels level_prefix
done
survived logged-close-80 logged-close-80-survived
survived logged-close-80-serilog logged-close-80-serilog-survived
