#!/bin/sh
# Makes the cases of web.yaml again: web.sh [NAME…]. Ruby comes from PATH; Node.js, Bun and Deno from npm.
set -eu
here=$(dirname "$0")
CORPUS_VENV=${CORPUS_VENV:-${TMPDIR:-/tmp}/corpus-web-venv}
CORPUS_NODE_MODULES=${CORPUS_NODE_MODULES:-${TMPDIR:-/tmp}/corpus-web-npm/node_modules}
export CORPUS_VENV CORPUS_NODE_MODULES
if [ ! -x "$CORPUS_VENV/bin/python" ]; then
    python3.12 -m venv "$CORPUS_VENV"
    "$CORPUS_VENV/bin/pip" install --quiet click dramatiq environs fastapi hydra-core logbook numpy python-decouple tenacity trio uvicorn
fi
if [ ! -d "$CORPUS_NODE_MODULES" ]; then
    npm install --silent --prefix "$(dirname "$CORPUS_NODE_MODULES")" bun commander consola deno env-var nats node@22 pino tslog tsx \
        typescript@5 verror winston
fi
exec python3 "$here/make.py" "$here/web.yaml" "$@"
