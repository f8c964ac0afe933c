#!/bin/bash
# What the npm package consists of, besides bin/criu (docs/library.md):
#
#   dist/lib     the library for Node and Bun: JavaScript and its types
#   dist/engine  the program that the library starts, for the Bun that the package depends on
#
# build-lib.sh [lib]: the library alone.
set -euo pipefail
cd "$(dirname "$(readlink -f -- "$0")")/.."

mkdir -p dist
# Tests of several processes build it at the same time.
exec 9>dist/.lock
flock 9
node_modules/.bin/tsc -p tsconfig.lib.json
[ "${1:-all}" = lib ] && exit
rm -rf dist/engine
node_modules/.bin/bun --no-env-file --config=bin/bunfig.toml build src/cli/criu.ts \
  --target=bun --format=cjs --bytecode --outdir=dist/engine --external koffi \
  --minify-syntax --minify-whitespace --sourcemap=linked
