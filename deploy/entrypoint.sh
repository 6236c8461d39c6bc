#!/bin/sh
# Start varnishd as cdn/varnish/daemon.py says, in the place of this shell: signals reach it.
set -eu
command=$(python3 -m cdn.varnish.daemon "$@")
eval "exec $command"
