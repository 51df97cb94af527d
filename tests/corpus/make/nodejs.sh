#!/bin/sh
# Makes the cases of Node.js, Deno and Bun again: nodejs.sh [NAME…]. All three come from npm, but for Node.js itself.
set -eu
here=$(dirname "$0")
place=${TMPDIR:-/tmp}/corpus-npm
[ -d "$place/node_modules" ] || npm install --silent --prefix "$place" bun deno pino winston
CORPUS_NODE_MODULES=$place/node_modules
PATH=$PATH:$place/node_modules/.bin
export CORPUS_NODE_MODULES PATH
exec python3 "$here/make.py" "$here/nodejs.yaml" "$@"
