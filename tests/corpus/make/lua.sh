#!/bin/sh
# Makes the cases of Lua again: lua.sh [NAME…]. Needs Lua 5.1, 5.3 and 5.4 with its socket library, LuaJIT and Tarantool.
set -eu
here=$(dirname "$0")
exec python3 "$here/make.py" "$here/lua.yaml" "$@"
