#!/usr/bin/env bash
# Prepares one environment: environment.sh FOLDER PYTHON LOCK [LOCK...]
#
# The Makefile calls it for .venv and for the environments of other Pythons. pip installs no more than
# requirements/setup.txt (uv and the build backend); uv installs the rest. Both check every hash. No
# index is named here: uv is handed the index and the certificates that pip is configured with.
set -euo pipefail
folder=$1 python=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usable='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
if ! "$folder/bin/python" -c "$usable" 2>/dev/null; then
    "$python" -m venv --clear "$folder"
fi

pinned=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/setup.txt)
if [ "$("$folder/bin/uv" self version --short 2>/dev/null | cut -d' ' -f1)" != "$pinned" ]; then
    "$folder/bin/python" -m pip install -qq --require-hashes --requirement requirements/setup.txt
fi

configured() { "$folder/bin/python" -m pip config get "$1" 2>/dev/null || true; }
index=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(configured global.index-url)}}
if [ -n "$index" ]; then export UV_DEFAULT_INDEX=$index; fi
certificates=${SSL_CERT_FILE:-${PIP_CERT:-$(configured global.cert)}}
if [ -n "$certificates" ]; then export SSL_CERT_FILE=$certificates; fi

locks=()
for lock in "$@"; do locks+=(--requirement "$lock"); done
"$folder/bin/uv" pip install --quiet --python "$folder/bin/python" --require-hashes \
    --compile-bytecode "${locks[@]}"
