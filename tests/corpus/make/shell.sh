#!/bin/sh
# Makes the cases of shells again: shell.sh [NAME…]. Needs bash, dash and busybox.
set -eu
here=$(dirname "$0")
exec python3 "$here/make.py" "$here/shell.yaml" "$@"
