#!/bin/sh
# Makes the Rust cases again: rust.sh [NAME…]. The builds share a target directory below TMPDIR.
set -eu
here=$(dirname "$0")
exec python3 "$here/make.py" "$here/rust.yaml" "$@"
