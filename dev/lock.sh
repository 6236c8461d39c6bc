#!/bin/sh
# requirements*.lock (docs/decisions/0028): what requirements*.txt pin, with the hash of every file of each version.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check uv==0.13.8
compile() {
    "$folder/bin/uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate "$@"
}
names() { sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' "$1" | sort; }
for name in requirements requirements-cloudfront requirements-kafka requirements-chart requirements-dev; do
    # Each pin is written down already: nothing is to be resolved.
    compile --no-deps --generate-hashes --output-file "$name.lock" "$name.txt"
    # But for what a version of Python from 3.11 on needs and nobody has pinned: pip would refuse it there, for it has no
    # hash. Windows is not supported, and pip is there.
    # CloudFront's are installed beside the others, and need them.
    compile --output-file "$folder/$name" requirements.txt "$name.txt"
    grep -v "sys_platform == 'win32'\|^pip==" "$folder/$name" > "$folder/needed"
    cat requirements.lock "$name.lock" > "$folder/locks"
    names "$folder/locks" > "$folder/pinned"
    missing=$(names "$folder/needed" | comm -23 - "$folder/pinned")
    [ -z "$missing" ] || { echo "$name.txt has to pin $missing as well"; exit 1; }
done
