#!/bin/sh
# Makes the cases of compiled languages again: languages.sh [NAME…]. Needs gnat, gdc, nim, crystal, fpc and gfortran.
set -eu
here=$(dirname "$0")
exec python3 "$here/make.py" "$here/languages.yaml" "$@"
