#!/bin/sh
# Makes the cases of C and C++ again: native.sh [NAME…]. Needs g++, clang++ with libc++, musl-gcc and glog's headers.
set -eu
here=$(dirname "$0")
exec python3 "$here/make.py" "$here/native.yaml" "$@"
