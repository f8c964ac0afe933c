#!/bin/bash
# Makes src/images/gen from src/images/proto. Needed only when a .proto file changes.
# protoc is Debian's protobuf-compiler; it checks the definitions and resolves their types.
set -euo pipefail
cd "$(dirname "$0")/.."
set="$(mktemp)"
trap 'rm -f "$set"' EXIT
protoc -I src/images/proto --descriptor_set_out="$set" src/images/proto/*.proto
node_modules/.bin/bun --no-env-file scripts/gen-images.ts "$set"
