#!/bin/sh
# Write the VCL anew and load it into the varnishd that runs: its cache and its readers stay.
# Arguments: those of cdn.varnish.daemon.
set -eu
folder=$(printf '%s\n' "$@" | sed -n '/^--folder$/{n;p;}')
python3 -m cdn.varnish.daemon "$@" >/dev/null
admin() { varnishadm -n "$folder/work" "$@"; }
name="vcl_$(date +%s%N)"
admin vcl.load "$name" "$folder/edge.vcl"
admin vcl.use "$name"
# The ones before: those that are in use go when their last request has ended.
admin vcl.list | awk '$1 == "available" { print $NF }' | while read -r old; do admin vcl.discard "$old"; done
