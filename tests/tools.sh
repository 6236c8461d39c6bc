#!/bin/sh
# What the tests use beside Python. Without root or sudo nothing is installed, and the tests that need it say so.
set -eu
missing=""
command -v redis-server >/dev/null || missing="$missing redis-server"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$missing postgresql"
browser=chromium
if command -v google-chrome >/dev/null; then
    browser=google-chrome
fi
command -v "$browser" >/dev/null || missing="$missing $browser"
if apt-cache show chromium-headless-shell >/dev/null 2>&1; then
    # The same without windows, for all but notifications: it takes half the processor time.
    command -v chromium-headless-shell >/dev/null || missing="$missing chromium-headless-shell"
fi
command -v varnishd >/dev/null || [ -x /usr/sbin/varnishd ] || missing="$missing varnish"
ls /usr/lib/*/varnish/vmods/libvmod_xkey.so >/dev/null 2>&1 || missing="$missing varnish-modules"
command -v stunnel >/dev/null || command -v stunnel4 >/dev/null || missing="$missing stunnel4"
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
command -v hitch >/dev/null || [ -x /usr/sbin/hitch ] || missing="$missing hitch"
ldconfig -p 2>/dev/null | grep -q libfribidi || missing="$missing libfribidi0"
[ -n "$missing" ] || exit 0
as_root=""
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || { echo "Some tests will skip. To run them: apt-get install$missing"; exit 0; }
    as_root="sudo -n"
fi
command -v apt-get >/dev/null || { echo "Some tests will skip: no apt-get to install$missing"; exit 0; }
echo "Installing for the tests:$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq >/dev/null || true
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null || echo "Some tests will skip: could not install$missing"
