#!/bin/sh
# Checks the types of the page's modules, and that api/static/types has those of the client; `--write` writes them.
# TypeScript comes from npm, once; where it cannot come, the check is skipped.
set -eu
cd "$(dirname "$0")"

skip() {
    echo "skipped: the types of the page's modules were not checked: $1"
    exit 0
}

command -v npm >/dev/null || skip "no npm (apt-get install npm)"
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    # No retries: without a network this ends at once instead of after minutes.
    npm ci --silent --no-audit --no-fund --fetch-retries=0 --fetch-timeout=20000 ||
        skip "npm could not install TypeScript"
fi
tsc=node_modules/.bin/tsc
$tsc --version >/dev/null 2>&1 || skip "this TypeScript does not run on this machine"
$tsc --project ../../tsconfig.json
$tsc --project ../../tsconfig.worker.json

static=../../api/static
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
$tsc --project ../../tsconfig.json --noEmit false --declaration --emitDeclarationOnly --rootDir "$static" --outDir "$made"
if [ "${1:-}" = --write ]; then
    mkdir -p "$static/types"
    cp "$made/scores.d.ts" "$made/bodies.d.ts" "$static/types/"
fi
for file in scores.d.ts bodies.d.ts; do
    diff -u "$static/types/$file" "$made/$file" || {
        echo "api/static/types/$file is not of today's client: sh tests/js/types.sh --write"
        exit 1
    }
done
# As a page in TypeScript uses them, without the sources.
$tsc --ignoreConfig --noEmit --strict --target es2023 --module esnext --moduleResolution bundler --lib es2023,dom --types "" consumer.ts
