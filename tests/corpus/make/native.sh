#!/bin/sh
# Makes the cases of C and C++ again: native.sh [NAME…]. Needs g++, clang++ with libc++, musl-gcc, gdb, valgrind and the headers of
# glog, GLib, Abseil, backward-cpp with libdw, CLI11, yaml-cpp, Boost.Stacktrace and Boost.Program_options.
set -eu
here=$(dirname "$0")
exec python3 "$here/make.py" "$here/native.yaml" "$@"
