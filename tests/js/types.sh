#!/bin/sh
# Checks the types of the page's modules. TypeScript comes from npm, once; where it cannot come, the check is skipped.
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
node_modules/.bin/tsc --version >/dev/null 2>&1 || skip "this TypeScript does not run on this machine"
node_modules/.bin/tsc --project ../../tsconfig.json
