#!/usr/bin/env bash
# Resolves the hashed pins anew. No address of an index may get into them: every site has its own mirror.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
command -v "$uv" >/dev/null || uv=uv

pin() { # FILE OPTIONS...
  local file=$1
  shift
  "$uv" pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
    --upgrade --output-file "$file" "$@"
}

pin requirements-dev.lock --extra server --group dev
# The smaller sets take the versions that the tests ran with.
pin requirements.lock --extra server --group build --constraint requirements-dev.lock
pin requirements-collector.lock --extra collector --group build --constraint requirements-dev.lock

if grep -nE '://|^--(index|extra-index|find-links)' requirements*.lock; then
  echo "an address got into the pins" >&2
  exit 1
fi
npm install --package-lock-only --omit-lockfile-registry-resolved --no-fund --no-audit --loglevel=error
if grep -n '"resolved"' package-lock.json; then
  echo "an address got into package-lock.json" >&2
  exit 1
fi
