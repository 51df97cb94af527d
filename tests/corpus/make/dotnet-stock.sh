#!/bin/sh
# Makes the cases of two programs on .NET Core 3.1 and Mono again: dotnet-stock.sh [NAME…]. The runtime is in the package dotnetcore2
# of PyPI.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place=${TMPDIR:-/tmp}/corpus-dotnet
if [ -z "${DOTNET_31:-}" ]; then
    [ -d "$place" ] || python3 -m pip install --quiet --no-deps --target "$place" dotnetcore2==3.1.23
    DOTNET_31=$place/dotnetcore2/bin
    chmod +x "$DOTNET_31/dotnet"
fi
export DOTNET_31
python3 "$here/make.py" "$here/dotnet-yard.yaml" "$@"
exec python3 "$here/make.py" "$here/dotnet-stock.yaml" "$@"
