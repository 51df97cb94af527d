#!/bin/sh
# Compiles the programs against the jars in $JARS, once for all cases.
set -eu
classes=$JARS/../classes
if [ ! -d "$classes" ]; then
    mkdir -p "$classes.part"
    list=$(echo "$JARS"/*.jar | tr ' ' ':')
    kotlin=$(echo "$JARS"/kotlin*.jar | tr ' ' ':')
    javac -nowarn -g -cp "$list" -d "$classes.part" src/*.java
    java -Xss8m -cp "$list" scala.tools.nsc.Main -nowarn -cp "$list" -d "$classes.part" src/Shop.scala
    java -cp "$list" org.jetbrains.kotlin.cli.jvm.K2JVMCompiler -no-stdlib -no-reflect -nowarn -cp "$kotlin" -d "$classes.part" src/Orders.kt
    mv "$classes.part" "$classes"
fi
ln -s "$classes" out
