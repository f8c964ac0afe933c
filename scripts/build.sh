#!/bin/bash
# Compiles dist/criu: one executable that needs neither Node nor Bun nor node_modules, and that
# reads no configuration of the directory it is started in. Compiling hot functions to machine code is
# put off: most of a small job is code that runs a few times (docs/performance.md has the figures). The one
# import whose name is not known here is that of plugins.
set -euo pipefail
cd "$(dirname "$(readlink -f -- "$0")")/.."

mkdir -p dist
node_modules/.bin/bun --no-env-file --config=bin/bunfig.toml build src/cli/criu.ts \
  --compile --outfile=dist/criu --target=bun-linux-x64 \
  --no-compile-autoload-dotenv --no-compile-autoload-bunfig \
  --no-compile-autoload-tsconfig --no-compile-autoload-package-json \
  --bytecode --minify-syntax --minify-whitespace --sourcemap=linked '--allow-unresolved=<empty>' \
  --compile-jit-policy=32
rm -f dist/*.map
echo "dist/criu: $(stat -c %s dist/criu) bytes"
