#!/bin/sh
# Makes the cases of programs with common libraries again: jvm-libraries.sh [NAME…]. Needs mvn, a JDK of version 17, and
# Debian's libclojure-java; the versions are those of the POM.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
JARS=${JARS:-${TMPDIR:-/tmp}/corpus-jars/lib}
export JARS
if [ ! -d "$JARS" ]; then
    mvn -q -B -f "$here/jvm-libraries/pom.xml" dependency:copy-dependencies -DoutputDirectory="$JARS"
    # Of another version than the rest of Netty, which does without.
    rm -f "$JARS"/netty-transport-*epoll*
    cp /usr/share/java/clojure.jar /usr/share/java/spec.alpha.jar /usr/share/java/core.specs.alpha.jar "$JARS"
fi
exec python3 "$here/make.py" "$here/jvm-libraries.yaml" "$@"
