#!/bin/sh
# requirements*.lock (docs/decisions/0028): what requirements*.txt pin, with the hash of every file of each version.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check uv==0.13.8
for name in requirements requirements-cloudfront requirements-dev; do
    # Each pin is written down already: nothing is to be resolved.
    "$folder/bin/uv" pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes --no-header \
        --no-annotate --output-file "$name.lock" "$name.txt"
done
