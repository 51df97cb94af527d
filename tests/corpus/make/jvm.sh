#!/usr/bin/env bash
# Makes the JVM cases of the corpus again: builds programs that really crash, runs them on two JVMs, and labels what
# they wrote.
#
# usage: tests/corpus/make/jvm.sh    needs mvn, openssl, python3, and the JDKs in JAVA_17 and JAVA_25
set -uo pipefail
cd "$(dirname "$0")"
RUNTIME=jvm
SOURCES=$PWD/jvm
. ./exceptions.sh
JAVA_17=${JAVA_17:-/usr/lib/jvm/java-17-openjdk-amd64}
JAVA_25=${JAVA_25:-/usr/lib/jvm/temurin-25-jdk-amd64}
libraries=${LIBRARIES:-$work/libraries}
for part in boot log4j2 lang; do
  [ -d "$libraries/$part" ] || mvn -q -B -f "$SOURCES/$part-pom.xml" dependency:copy-dependencies -DoutputDirectory="$libraries/$part"
done

# build NAME LINES: the classes, with that many lines of comment put above each source.
build() {
  local out=$work/$1
  mkdir -p "$out"
  cp -r "$SOURCES" "$out.src"
  find "$out.src" -name '*.java' | while read -r source; do
    for _ in $(seq 1 "$2"); do sed -i '1i // Copyright' "$source"; done
  done
  "$JAVA_17/bin/javac" -nowarn -g -d "$out" $(find "$out.src/src" -name '*.java') 2> /dev/null
  "$JAVA_17/bin/javac" -nowarn -g -cp "$out:$libraries/boot/*" -d "$out" "$out.src/log/com/acme/depot/Logged.java"
  "$JAVA_17/bin/javac" -nowarn -g -parameters -cp "$out:$libraries/boot/*" -d "$out" "$out.src"/boot/com/acme/depot/boot/*.java
}
build one 0
build two 7
classes=one
flags=()

# java VERSION ARGUMENTS...
java() {
  local home=JAVA_$1
  shift
  cd "$work" && run "${!home}/bin/java" "${flags[@]}" "$@"
  cd - > /dev/null
}

# crash CASE VERSION "CRASH PLACE" CATEGORY REASON MARK FUNCTION EXCEPTION MESSAGE [EVIDENCE [GROUP]]
crash() {
  # shellcheck disable=SC2086
  java "$2" -cp "$work/$classes" com.acme.depot.Depot $3
  label "$1" "$4" "$5" "$6" "$7" "$8" "$9" "${10:-}" "${11:-}" "depot $3, JDK $2 ${flags[*]}"
}

shelf=com.acme.depot.stock.Shelf
client=com.acme.depot.net.Client
for v in 17 25; do
  crash nil-$v $v nil Code NilDereference nil $shelf.ownerLength java.lang.NullPointerException 'Cannot read field "name" because "this.owner" is null' '' made-nil
  crash index-$v $v index Code IndexOutOfBounds index $shelf.at java.lang.IndexOutOfBoundsException 'Index 5 out of bounds for length 0' '' made-index
  crash array-$v $v array Code IndexOutOfBounds array $shelf.cell java.lang.ArrayIndexOutOfBoundsException 'Index 5 out of bounds for length 3' '' made-array
  crash cut-$v $v cut Code IndexOutOfBounds cut $shelf.cut java.lang.StringIndexOutOfBoundsException 'length 5' '' made-cut
  crash cast-$v $v cast Code TypeMismatch cast $shelf.weight java.lang.ClassCastException 'class java.lang.String cannot be cast' '' made-cast
  crash divide-$v $v divide Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' '' made-divide
  crash missing-$v $v missing Code MissingKey missing $shelf.find java.util.NoSuchElementException 'No value present' '' made-missing
  crash recursion-$v $v recursion Code StackOverflow recursion $shelf.depth java.lang.StackOverflowError '' '' made-recursion
  crash assertion-$v $v assertion Code AssertionFailed assertion $shelf.check java.lang.AssertionError 'shelf is not sorted' '' made-assertion
  crash sealed-$v $v sealed Code UnhandledError sealed $shelf.seal java.lang.IllegalStateException 'shelf is sealed' '' made-sealed
  crash sealed-again-$v $v sealed-again Code UnhandledError sealed-again $shelf.sealAgain java.lang.IllegalStateException 'shelf is sealed' '' made-sealed-again
  crash close-$v $v close Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' 'Caused by: java.lang.ArithmeticException: / by zero' made-close
  crash close-suppressed-$v $v close-suppressed Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' 'Caused by: java.lang.ArithmeticException: / by zero' made-close-suppressed
  crash modified-$v $v modified Code UnhandledError modified $shelf.modify java.util.ConcurrentModificationException '' '' made-modified
  crash required-$v $v required Code NilDereference required $shelf.require java.lang.NullPointerException value '' made-required
  crash multi-$v $v multi Code UnhandledError multi $shelf.multi java.lang.IllegalStateException 'first line' '' made-multi
  crash lambda-$v $v lambda Code NilDereference lambda '' java.lang.NullPointerException 'is null' '' made-lambda
  crash anonymous-$v $v anonymous Code IndexOutOfBounds index $shelf.at java.lang.IndexOutOfBoundsException 'Index 7' '' made-anonymous
  crash initializer-$v $v initializer Code UnhandledError initializer com.acme.depot.stock.Rates.load java.lang.NumberFormatException 'For input string: "ten"' '' made-initializer
  crash refused-$v $v refused Dependency ConnectionRefused refused $client.connect java.net.ConnectException 'Connection refused' '' made-refused
  crash opened-$v $v opened Dependency ConnectionRefused refused $client.connect java.net.ConnectException 'Connection refused' 'Caused by: java.net.ConnectException' made-opened
  crash http-$v $v http Dependency ConnectionRefused http $client.get java.net.ConnectException '' '' made-http
  crash resolve-$v $v resolve Dependency DnsFailure resolve $client.resolve java.net.UnknownHostException 'ledger.shop.invalid' '' made-resolve
  crash listen-$v $v listen Startup PortInUse listen-twice $client.listen java.net.BindException 'Address already in use' '' made-listen
  crash read-$v $v read Startup MissingFile read $client.read java.io.FileNotFoundException '/etc/depot/depot.yaml (No such file or directory)' '' made-read
  crash read-path-$v $v read-path Startup MissingFile read-path $client.readPath java.nio.file.NoSuchFileException /etc/depot/depot.yaml '' made-read-path
  crash full-$v $v full Resource DiskFull full $client.full java.io.IOException 'No space left on device' '' made-full
  crash program-$v $v program Startup CommandNotFound program $client.program java.io.IOException 'Cannot run program "convert-crate"' '' made-program
  crash setting-$v $v setting Startup MissingConfiguration setting $client.setting java.lang.IllegalStateException 'DEPOT_DATABASE_URL is not set' '' made-setting
  crash setting-null-$v $v setting-null Startup MissingConfiguration setting-null $client.settingLength java.lang.NullPointerException 'System.getenv' '' made-setting-null
  crash library-$v $v library Startup MissingLibrary library $client.library java.lang.UnsatisfiedLinkError 'no depotcrypt in java.library.path' '' made-library
  for where in pool future reflect stream thread; do
    crash nil-$where-$v $v "nil $where" Code NilDereference nil $shelf.ownerLength java.lang.NullPointerException 'Cannot read field "name"' '' made-nil-$where
    crash refused-$where-$v $v "refused $where" Dependency ConnectionRefused refused $client.connect java.net.ConnectException 'Connection refused' '' made-refused-$where
  done

  flags=(-Xmx24m)
  crash heap-$v $v heap Resource HeapExhausted heap $shelf.fill java.lang.OutOfMemoryError 'Java heap space' '' made-heap
  crash huge-$v $v huge Resource HeapExhausted huge $shelf.huge java.lang.OutOfMemoryError '' '' made-huge
  flags=(-Xmx24m -XX:+ExitOnOutOfMemoryError)
  crash heap-exit-$v $v heap Resource HeapExhausted - '' java.lang.OutOfMemoryError 'Java heap space' 'Terminating due to java.lang.OutOfMemoryError: Java heap space'
  flags=(-Xmx24m -XX:+CrashOnOutOfMemoryError -XX:ErrorFile=/dev/null)
  crash heap-crash-$v $v heap Resource HeapExhausted - '' '' 'Java heap space' 'OutOfMemory encountered'
  flags=(-XX:MaxMetaspaceSize=12m)
  crash metaspace-$v $v metaspace Resource HeapExhausted - '' java.lang.OutOfMemoryError '' 'Metaspace'
  flags=(-XX:ErrorFile=/dev/null)
  crash segv-$v $v segv Native Segfault - '' '' SIGSEGV 'Problematic frame:' made-segv
  flags=(-XX:+ErrorFileToStdout)
  NO_PLACES=1 crash segv-whole-$v $v segv Native Segfault segv com.acme.depot.Depot.segv '' SIGSEGV 'Problematic frame:'
  flags=()

  # Limits of the system.
  (ulimit -n 64; echo) > /dev/null
  cd "$work" && run bash -c "ulimit -n 48; exec \$0 \"\$@\"" "$([ $v = 17 ] && echo "$JAVA_17" || echo "$JAVA_25")/bin/java" -cp "$work/$classes" com.acme.depot.Depot files
  cd - > /dev/null
  label files-$v Resource TooManyOpenFiles files $client.files java.io.FileNotFoundException 'Too many open files' '' made-files "depot files, JDK $v, ulimit -n 48"

  # The launcher's own words.
  java $v -cp "$work/one" com.acme.depot.Missing
  label no-main-class-$v Startup MissingModule - '' '' 'com.acme.depot.Missing' 'Could not find or load main class' '' "a class that is not there, JDK $v"
  java $v -jar /app/depot.jar
  label no-jar-$v Startup MissingFile - '' '' 'Unable to access jarfile /app/depot.jar' '' '' "a jar that is not there, JDK $v"
  java $v -XX:+UseConcurrentMarkSweep -cp "$work/one" com.acme.depot.Depot nil
  label bad-option-$v Startup InvalidConfiguration - '' '' "Unrecognized VM option 'UseConcurrentMarkSweep'" '' '' "an option that is gone, JDK $v"
  java $v -Xmx12x -cp "$work/one" com.acme.depot.Depot nil
  label bad-heap-$v Startup InvalidConfiguration - '' '' 'Invalid maximum heap size: -Xmx12x' '' '' "a size that does not parse, JDK $v"
  java $v -Xms64g -Xmx1g -cp "$work/one" com.acme.depot.Depot nil
  label heap-order-$v Startup InvalidConfiguration - '' '' 'larger value than the maximum heap size' '' '' "-Xms above -Xmx, JDK $v"
  java $v -Xms900g -Xmx900g -XX:ErrorFile=/dev/null -cp "$work/one" com.acme.depot.Depot nil
  label heap-reserve-$v Resource HeapExhausted - '' '' 'memory' 'insufficient memory for the Java Runtime' '' "a heap larger than the machine, JDK $v"
  java $v -javaagent:/opt/agent.jar -cp "$work/one" com.acme.depot.Depot nil
  label no-agent-$v Startup MissingFile - '' '' '/opt/agent.jar' '' '' "an agent that is not there, JDK $v"

  # Classes that are gone or of another version.
  cp -r "$work/one" "$work/gone-$v"
  rm "$work/gone-$v/com/acme/depot/Plugin.class"
  classes=gone-$v crash plugin-$v $v plugin Startup MissingModule '' '' java.lang.ClassNotFoundException com.acme.depot.Plugin 'java.lang.NoClassDefFoundError: com/acme/depot/Plugin' made-plugin
done

mkdir -p "$work/new" && "$JAVA_25/bin/javac" -nowarn -d "$work/new" $(find "$SOURCES/src" -name '*.java') 2> /dev/null
classes=new crash newer-class 17 nil Startup ExecFormatError - '' java.lang.UnsupportedClassVersionError 'compiled by a more recent version' '' ''
sed 's/int size()/int size(int rows)/; s/return 3/return rows/' "$SOURCES/src/com/acme/depot/Plugin.java" > "$work/Plugin.java"
cp -r "$work/one" "$work/other" && "$JAVA_17/bin/javac" -d "$work/other" "$work/Plugin.java"
classes=other crash other-plugin 17 plugin Startup MissingModule '' '' java.lang.NoSuchMethodError 'com.acme.depot.Plugin.size()' '' made-other-plugin
flags=(-XX:-OmitStackTraceInFastThrow -Djava.net.preferIPv4Stack=true)
crash mutual 17 mutual Code StackOverflow - '' java.lang.StackOverflowError '' '' made-mutual
flags=()

# Two builds, the second with shifted lines: the marks are those of the first.
SOURCES=$work/two.src
classes=two
for c in "nil NilDereference nil $shelf.ownerLength" "close ArithmeticError divide $shelf.average" "recursion StackOverflow recursion $shelf.depth" "lambda NilDereference lambda" "sealed UnhandledError sealed $shelf.seal"; do
  read -r name reason mark function <<< "$c"
  crash "$name-shifted" 17 "$name" Code "$reason" "$mark" "${function:-}" '' '' '' "made-$name"
done
SOURCES=$PWD/jvm
classes=one

# Servers on the other side.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -out "$work/cert" -days 2 -subj /CN=ledger 2> /dev/null
openssl s_server -quiet -accept 18443 -key "$work/key" -cert "$work/cert" > /dev/null 2>&1 & servers=$!
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 18432))
while True: c = s.accept(); keep = [c]; time.sleep(3)' & servers="$servers $!"
until (echo > /dev/tcp/127.0.0.1/18443 && echo > /dev/tcp/127.0.0.1/18432) 2> /dev/null; do :; done
for v in 17 25; do
  flags=(-Dport=18443)
  crash tls-$v $v tls Dependency TlsFailure tls $client.tls '' 'unable to find valid certification path' '' made-tls
  flags=(-Dport=18432)
  crash slow-$v $v slow Dependency DependencyTimeout slow $client.slow java.net.SocketTimeoutException 'Read timed out' '' made-slow
done
flags=()
# shellcheck disable=SC2086
kill $servers

# logged CASE CRASH CONFIGURATION LIBRARIES REASON MARK FUNCTION EXCEPTION MESSAGE GROUP
logged() {
  local property=logback.configurationFile
  [ "$4" = log4j2 ] && property=log4j2.configurationFile
  flags=("-D$property=$SOURCES/log/$3.xml")
  java 17 -cp "$work/one:$libraries/$4/*" com.acme.depot.Logged $2
  label "$1" "$5" "$6" "$7" "$8" "$9" "${10}" "${11:-}" "${12:-}" "depot with a logger, $3, fatal error logged and exit(1)"
  flags=()
}
for c in plain root logstash ecs ecs-array console; do
  logged close-logback-$c close logback-$c boot Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' 'java.lang.ArithmeticException: / by zero' made-logged-close
  logged nil-logback-$c nil logback-$c boot Code NilDereference nil $shelf.ownerLength java.lang.NullPointerException 'Cannot read field' '' made-logged-nil
  logged suppressed-logback-$c suppressed logback-$c boot Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' '' made-logged-suppressed
  logged opened-logback-$c opened logback-$c boot Dependency ConnectionRefused refused $client.connect java.net.ConnectException 'Connection refused' '' made-logged-opened
  logged multi-logback-$c multi logback-$c boot Code UnhandledError multi $shelf.multi java.lang.IllegalStateException 'first line' '' made-logged-multi
  logged late-logback-$c 'close late' logback-$c boot Code UnhandledError sealed $shelf.seal java.lang.IllegalStateException 'shelf is sealed: late' '' made-logged-late
done
# A trace in one line, whatever stands for its line ends, and traces of which much is left out.
for c in bar escaped u2028 blank separator hash fields filtered highlight inline; do
  logged close-logback-$c close logback-$c boot Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' 'java.lang.ArithmeticException: / by zero' made-logged-close
  logged nil-logback-$c nil logback-$c boot Code NilDereference nil $shelf.ownerLength java.lang.NullPointerException 'Cannot read field' '' made-logged-nil
  logged opened-logback-$c opened logback-$c boot Dependency ConnectionRefused refused $client.connect java.net.ConnectException 'Connection refused' '' made-logged-opened
done
for c in short; do
  logged close-logback-$c close logback-$c boot Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' '' made-logged-close
  logged nil-logback-$c nil logback-$c boot Code NilDereference nil $shelf.ownerLength java.lang.NullPointerException 'Cannot read field' '' made-logged-nil
done
logged close-logback-abbreviated close logback-abbreviated boot Code ArithmeticError divide $shelf.average j.l.ArithmeticException '/ by zero'
logged nil-logback-abbreviated nil logback-abbreviated boot Code NilDereference nil $shelf.ownerLength j.l.NullPointerException 'Cannot read field'
for c in plain root EcsLayout LogstashJsonEventLayoutV1 GcpLayout; do
  logged close-log4j2-$c close log4j2-$c log4j2 Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' '' made-logged-close
  logged nil-log4j2-$c nil log4j2-$c log4j2 Code NilDereference nil $shelf.ownerLength java.lang.NullPointerException 'Cannot read field' '' made-logged-nil
  logged multi-log4j2-$c multi log4j2-$c log4j2 Code UnhandledError multi $shelf.multi java.lang.IllegalStateException 'first line' '' made-logged-multi
done
for c in bar separator replaced enc strings gelf; do
  logged close-log4j2-$c close log4j2-$c log4j2 Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' '' made-logged-close
  logged nil-log4j2-$c nil log4j2-$c log4j2 Code NilDereference nil $shelf.ownerLength java.lang.NullPointerException 'Cannot read field' '' made-logged-nil
  logged opened-log4j2-$c opened log4j2-$c log4j2 Dependency ConnectionRefused refused $client.connect java.net.ConnectException 'Connection refused' '' made-logged-opened
done
logged nil-log4j2-JsonLayout nil log4j2-JsonLayout log4j2 Code NilDereference nil $shelf.ownerLength java.lang.NullPointerException 'Cannot read field' '' made-logged-nil

# boot CASE PROFILE CATEGORY REASON MARK FUNCTION EXCEPTION MESSAGE EVIDENCE GROUP [ARGUMENTS]
boot() {
  local case=$1 profile=$2
  shift 2
  # shellcheck disable=SC2086
  java 17 -cp "$work/$classes:$libraries/boot/*" com.acme.depot.boot.Application --spring.profiles.active=$profile --server.port=0 --spring.main.banner-mode=off ${9:-}
  label "boot-$case" "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "Spring Boot 3.5, profile $profile ${9:-}"
}
ds=--spring.autoconfigure.exclude=org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration
boot bean bean Startup MissingConfiguration - '' - "required a bean of type 'com.acme.depot.boot.Application\$Carrier' that could not be found" 'APPLICATION FAILED TO START' boot-bean "$ds"
boot two-beans two-beans Startup InvalidConfiguration - '' - 'required a single bean, but 2 were found' 'APPLICATION FAILED TO START' boot-two "$ds"
boot placeholder placeholder Startup MissingConfiguration - '' - "Could not resolve placeholder 'depot.ledger.url'" '' boot-placeholder "$ds"
boot bind bind Startup InvalidConfiguration - '' - "Failed to bind properties under 'depot.timeout'" 'APPLICATION FAILED TO START' boot-bind "$ds --depot.timeout=soon"
boot datasource none Startup MissingConfiguration - '' - "'url' attribute is not specified" 'APPLICATION FAILED TO START' boot-datasource
boot construct construct Code NilDereference nil $shelf.ownerLength java.lang.NullPointerException 'Cannot read field "name"' 'Caused by: java.lang.NullPointerException' boot-construct "$ds"
boot needs-construct needs-construct Code IndexOutOfBounds boot-index '' java.lang.IndexOutOfBoundsException 'Index 3 out of bounds' 'Caused by: java.lang.IndexOutOfBoundsException' boot-needs "$ds"
boot refused refused Dependency ConnectionRefused boot-refused '' java.net.ConnectException 'Connection refused' 'Caused by: java.net.ConnectException: Connection refused' boot-refused "$ds"
boot runner runner Code ArithmeticError divide $shelf.average java.lang.ArithmeticException '/ by zero' 'Caused by: java.lang.ArithmeticException: / by zero' boot-runner "$ds"
boot config none Startup MissingFile - '' - 'does not exist' '' boot-config "$ds --spring.config.location=file:/etc/depot/depot.yaml"
boot circle circle Code UnhandledError - '' - 'form a cycle' '' boot-circle "$ds"
boot refused-json refused Dependency ConnectionRefused boot-refused '' java.net.ConnectException 'Connection refused' '' boot-refused "$ds --logging.structured.format.console=ecs"
boot bean-json bean Startup MissingConfiguration - '' - 'that could not be found' '' boot-bean "$ds --logging.structured.format.console=logstash"
boot refused-ecs-late refused Dependency ConnectionRefused boot-refused '' java.net.ConnectException 'Connection refused' '' boot-refused "$ds --logging.structured.format.console=logstash"
python3 -c 'import socket, time
s = socket.create_server(("0.0.0.0", 18433)); time.sleep(60)' & server=$!
until (echo > /dev/tcp/127.0.0.1/18433) 2> /dev/null; do :; done
java 17 -cp "$work/one:$libraries/boot/*" com.acme.depot.boot.Application --server.port=18433 $ds
kill $server
label boot-port Startup PortInUse - '' - 'Port 18433 was already in use' 'APPLICATION FAILED TO START' boot-port 'Spring Boot 3.5, a port in use'

# Kotlin and Scala.
mkdir -p "$work/kotlin" "$work/scala"
"$JAVA_17/bin/java" -cp "$libraries/lang/*" org.jetbrains.kotlin.cli.jvm.K2JVMCompiler -no-stdlib -no-reflect -cp "$(echo "$libraries"/lang/kotlin*stdlib*.jar "$libraries"/lang/kotlinx*.jar | tr ' ' :)" -d "$work/kotlin" "$SOURCES/kotlin" 2> /dev/null
"$JAVA_17/bin/java" -cp "$libraries/lang/*" scala.tools.nsc.Main -usejavacp -d "$work/scala" "$SOURCES"/scala/*.scala 2> /dev/null
kotlin() {
  java 17 -cp "$work/kotlin:$libraries/lang/*" com.acme.depot.DepotKt "$2"
  label "kotlin-$1" "$3" "$4" "$5" "$6" "$7" "$8" '' "kotlin-$2" 'Kotlin 2.2'
}
scala() {
  java 17 -cp "$work/scala:$libraries/lang/*" com.acme.depot.Depot "$2"
  label "scala-$1" "$3" "$4" "$5" "$6" "$7" "$8" '' "scala-$2" 'Scala 2.13'
}
kotlin nil nil Code NilDereference kotlin-nil com.acme.depot.Shelf.owner java.lang.NullPointerException ''
kotlin coroutine coroutine Code UnhandledError kotlin-coroutine '' java.lang.IllegalStateException 'shelf is sealed'
kotlin cast cast Code TypeMismatch kotlin-cast com.acme.depot.Shelf.weight java.lang.ClassCastException ''
kotlin missing missing Code MissingKey kotlin-missing com.acme.depot.Shelf.find java.util.NoSuchElementException 'Key A-7 is missing in the map.'
scala missing missing Code MissingKey scala-missing '' java.util.NoSuchElementException 'key not found: A-7'
scala none none Code MissingKey scala-none '' java.util.NoSuchElementException 'None.get'
scala match match Code UnhandledError scala-match '' scala.MatchError '7 (of class java.lang.Integer)'
scala future future Code ArithmeticError scala-future '' java.lang.ArithmeticException '/ by zero'

# What collectors and terminals do to lines, what is missing of them, and what was survived.
for from in close-17 nil-25 refused-pool-17 recursion-17 heap-17 boot-needs-construct boot-bean heap-exit-17 segv-17 close-logback-root; do
  for filter in kubectl_stamps pod_prefix compose_prefix foreman_prefix docker_json windows_ends coloured; do
    again $from $from-$filter $filter
  done
done
for from in close-17 nil-25 opened-25 close-logback-plain; do
  again $from $from-interleaved interleaved
  again $from $from-spaces spaces_for_tabs
  again $from $from-levels level_prefix
  survived $from $from-survived
done
for from in close-logback-logstash refused-thread-17 nil-logback-ecs-array heap-17 ; do survived $from $from-survived; done
# Head cut: inside of the frames of the outermost exception, above those that its cause shares.
cut_head() { sed -n "/\tat com.acme.depot.Depot.lambda/,\$p"; }
again close-17 close-headless cut_head
again opened-17 opened-headless cut_head
