#!/bin/bash
# What the npm package consists of, besides bin/criu (docs/library.md):
#
#   dist/lib     the library for Node and Bun: JavaScript and its types
#   dist/engine  the program that the library starts, for the Bun that the package depends on
#
# build-lib.sh [lib]: the library alone. Others may be reading what is there: a file is replaced only where
# it has changed, and at once.
set -euo pipefail
cd "$(dirname "$(readlink -f -- "$0")")/.."

mkdir -p dist
exec 9>dist/.lock
flock 9
new=$(mktemp -d dist/.new.XXXXXX)
trap 'rm -rf "$new"' EXIT

# replace DIRECTORY: dist/DIRECTORY becomes what $new/DIRECTORY is.
replace() {
  local file
  mkdir -p "dist/$1"
  while read -r file; do
    cmp -s "$new/$1/$file" "dist/$1/$file" && continue
    mkdir -p "$(dirname "dist/$1/$file")"
    mv "$new/$1/$file" "dist/$1/$file"
    : >"$new/$1/$file"
  done < <(cd "$new/$1" && find . -type f)
  while read -r file; do
    [ -e "$new/$1/$file" ] || rm "dist/$1/$file"
  done < <(cd "dist/$1" && find . -type f)
}

node_modules/.bin/tsc -p tsconfig.lib.json --outDir "$new/lib"
replace lib
[ "${1:-all}" = lib ] && exit
node_modules/.bin/bun --no-env-file --config=bin/bunfig.toml build src/cli/criu.ts \
  --target=bun --format=cjs --bytecode --outdir="$new/engine" --external koffi \
  --minify-syntax --minify-whitespace --sourcemap=linked '--allow-unresolved=<empty>'
replace engine
