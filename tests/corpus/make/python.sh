#!/bin/sh
# Makes the Python cases again: python.sh [NAME…]. Versions come from PATH or from pyenv; what is not there is left out.
set -eu
here=$(dirname "$0")
CORPUS_VENV=${CORPUS_VENV:-${TMPDIR:-/tmp}/corpus-venv}
export CORPUS_VENV
if [ ! -x "$CORPUS_VENV/bin/python" ]; then
    python3.11 -m venv "$CORPUS_VENV"
    "$CORPUS_VENV/bin/pip" install --quiet celery django fastapi flask gunicorn httpx loguru packaging psycopg2-binary \
        pydantic-settings python-json-logger pyyaml redis requests rich sqlalchemy structlog typer uvicorn
fi
exec python3 "$here/make.py" "$here/python.yaml" "$@"
