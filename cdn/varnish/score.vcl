# Our edge, for Varnish 7.1 with the vmods directors, header, std, var, vsthrottle and xkey. `make run EDGE=varnish`, the
# tests and the benches all run this file.
#
# cdn/varnish/vcl.py writes out its includes: origin.vcl says where the service is and how many connections each use of
# it may have; routes.vcl says what becomes of each path, from the table in cdn/routes.py; fetch.vcl is beside this file.
# A path that is not in the table is refused. cdn/varnish/daemon.py has the parameters that this file counts on.
#
# Purges come to the listener named admin, -a admin=127.0.0.1:6083, with the secret that is EDGE_PURGE_SECRET in
# varnishd's environment.

vcl 4.1;

import directors;
import header;
import std;
import var;
import vsthrottle;
import xkey;

include "origin.vcl";

include "routes.vcl";

include "fetch.vcl";

acl purgers {
    "localhost";
    "127.0.0.1";
    "::1";
    "10.0.0.0"/8;
    "172.16.0.0"/12;
    "192.168.0.0"/16;
}

# PURGEKEYS with Surrogate-Key: keys, separated by spaces. X-Purged is the number of objects; 0 is no error, they were
# not cached. A purged object is expired, not dropped: while the origin is well nobody gets it (edge_route sets
# req.grace), but should the origin fail just then it is the last good answer.
sub edge_purge {
    if (local.socket != "admin" || client.ip !~ purgers || std.getenv("EDGE_PURGE_SECRET") == ""
        || req.http.X-Purge-Secret != std.getenv("EDGE_PURGE_SECRET")) {
        return (synth(403));
    }
    if (req.http.Surrogate-Key !~ "[a-z0-9]") {
        return (synth(400));
    }
    set req.http.X-Purged = xkey.softpurge(req.http.Surrogate-Key);
    return (synth(200));
}

sub vcl_recv {
    if (req.restarts == 0) {
        # Internal to this file; clients may not set them.
        unset req.http.X-Allow;
        unset req.http.X-Body;
        unset req.http.X-Stale-Ok;
        unset req.http.X-Purged;
    }
    if (req.method == "PURGEKEYS") {
        call edge_purge;
    }
    if (local.socket == "admin") {
        return (synth(403));
    }
    unset req.http.X-Purge-Secret;
    if (req.restarts == 0 && !req.http.Host && req.proto == "HTTP/1.1") {
        # RFC 9112, 3.2.
        return (synth(400));
    }
    if (req.http.Content-Length == "0" && !req.http.Transfer-Encoding && req.method ~ "^(?:GET|HEAD|OPTIONS)$") {
        # Some libraries send it; it says what its absence says.
        unset req.http.Content-Length;
    }

    if (req.url ~ "^.{4096}") {
        # Its parts are copied several times, and workspace_client is 32k: from 6,000 on there is no room for an answer.
        return (synth(414));
    }
    call edge_split;
    call edge_route;
    if (!req.http.X-Route) {
        return (synth(404));
    }
    if (req.http.X-Route == "socket" && req.method != "OPTIONS") {
        call edge_socket;
    }
    if (req.http.X-Route == "passed" || req.method == "OPTIONS") {
        call edge_pass;
    }

    # From here on every answer is the same for all.
    if (req.http.Content-Length || req.http.Transfer-Encoding) {
        # A body of a GET would reach the origin with the fetch.
        return (synth(400));
    }
    call edge_strip;
    if (req.http.X-Route == "stream") {
        # One per reader. Varnish spends two threads on each: crowds belong on /wait.
        set req.url = req.http.X-Path;
        set req.backend_hint = streams.backend();
        return (pass);
    }
    unset req.http.Last-Event-ID;
    call edge_query;
    if (req.http.X-Query ~ "^.{2048}") {
        # Longer than the service takes a request line (gunicorn.conf.py).
        return (synth(414));
    }
    set req.url = std.querysort(req.http.X-Path + regsub(req.http.X-Query, "^&", "?"));
    if (req.http.X-Route == "held") {
        # Never a stale "no change": its readers would come back at once, for ever.
        set req.backend_hint = held.backend();
    } else {
        set req.backend_hint = stored.backend();
        if (req.http.X-Stale-Ok || !std.healthy(req.backend_hint)) {
            # Stale-if-error: as long as the object allows (vcl_backend_response).
            set req.grace = 7d;
        }
    }
    return (hash);
}

# Path and query, each in one spelling. No client sends a fragment; the origin would read past it. Scripts write a colon
# as %3A (encodeURIComponent); no other encoding is in a path of the table.
sub edge_split {
    set req.http.X-Path = regsuball(regsub(req.url, "[?#].*$", ""), "%3[Aa]", ":");
    set req.http.X-Query = "";
    if (req.url ~ "^[^#?]*\?") {
        # Before each parameter an &, so that all look alike.
        set req.http.X-Query = regsub(req.url, "^[^?]*\?([^#]*).*$", "&\1");
    }
}

# A pipe is blind: after an answer that is no 101 it would carry any request past this file. So only what is a handshake
# (RFC 6455, 4.1) is piped, and the origin is told to close behind any other answer.
sub edge_socket {
    if (req.method != "GET" || req.http.Upgrade !~ "(?i)^websocket$" || req.proto != "HTTP/1.1" || req.http.Connection !~ "(?i)\bupgrade\b"
        || req.http.Sec-WebSocket-Version != "13" || req.http.Sec-WebSocket-Key !~ "^[A-Za-z0-9+/]{22}==$"
        || req.http.Content-Length || req.http.Transfer-Encoding) {
        return (synth(426));
    }
    set req.url = req.http.X-Path;
    call edge_forget;
    set req.backend_hint = streams.backend();
    return (pipe);
}

sub edge_pass {
    if (req.http.Content-Length || req.http.Transfer-Encoding) {
        if (req.http.X-Route != "passed") {
            return (synth(400));
        }
        # A body that stops for this long is given up; the origin bounds the whole of it.
        set sess.timeout_idle = 5s;
        call edge_body_begin;
    }
    call edge_forget;
    set req.backend_hint = passed.backend();
    return (pass);
}

# The names that the origin answers to are its own (host_header), whichever name a reader used.
sub edge_forget {
    unset req.http.Host;
    unset req.http.X-Path;
    unset req.http.X-Query;
}

# The service reads nothing of a public request but path, parameters and If-None-Match. What frameworks and proxies are
# known to build answers from does not reach it (Cloudflare, "Avoid web cache poisoning").
sub edge_strip {
    unset req.http.Cookie;
    unset req.http.Authorization;
    unset req.http.Range;
    unset req.http.If-Range;
    unset req.http.Origin;
    unset req.http.Accept;
    unset req.http.Accept-Language;
    unset req.http.Cache-Control;
    unset req.http.Pragma;
    unset req.http.Forwarded;
    unset req.http.X-Forwarded-Host;
    unset req.http.X-Forwarded-Proto;
    unset req.http.X-Forwarded-Port;
    unset req.http.X-Forwarded-Prefix;
    unset req.http.X-Original-URL;
    unset req.http.X-Rewrite-URL;
    unset req.http.X-HTTP-Method-Override;
    unset req.http.X-HTTP-Method;
    unset req.http.X-Method-Override;
    unset req.http.Host;
}

sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_pipe {
    call edge_pipe_host;
    set bereq.http.Upgrade = "websocket";
    set bereq.http.Connection = "Upgrade";
    header.append(bereq.http.Connection, "close");
    unset bereq.http.X-Route;
    unset bereq.http.X-Allow;
    return (pipe);
}

sub vcl_miss {
    if (req.http.X-Route != "held" && vsthrottle.remaining("failed:" + req.url, 1, 1s) == 0) {
        if (req.restarts == 0) {
            set req.http.X-Stale-Ok = "1";
            return (restart);
        }
        # Not even an old answer. What is kept for the second is that it failed, not the failure: an object of it would
        # hide the good ones.
        return (synth(503));
    }
}

sub vcl_deliver {
    call edge_body_end;
    unset resp.http.xkey;
    unset resp.http.Surrogate-Key;
    unset resp.http.Surrogate-Control;
    unset resp.http.X-Varnish;
    unset resp.http.Via;
    if (obj.uncacheable) {
        set resp.http.X-Cache = "PASS";
    } elsif (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}

sub vcl_synth {
    if (resp.status == 503 && req.restarts == 0 && req.http.X-Route == "stored" && !req.http.X-Stale-Ok
        && (req.method == "GET" || req.method == "HEAD")) {
        # The fetch was abandoned: look again, and take what is there, however stale.
        set req.http.X-Stale-Ok = "1";
        return (restart);
    }
    call edge_body_end;
    set resp.http.Content-Type = "application/json";
    set resp.http.Cache-Control = "private, no-store";
    set resp.http.Access-Control-Allow-Origin = "*";
    unset resp.http.Server;
    unset resp.http.X-Varnish;
    if (req.http.X-Purged) {
        set resp.http.X-Purged = req.http.X-Purged;
    }
    if (resp.status == 503) {
        set resp.http.Retry-After = "2";
        set resp.body = """{"error":{"code":"unavailable","message":"The origin does not answer."}}""";
    } elsif (resp.status == 404) {
        set resp.body = """{"error":{"code":"unknown_route","message":"There is no such route."}}""";
    } elsif (resp.status == 405) {
        set resp.http.Allow = req.http.X-Allow;
        set resp.body = """{"error":{"code":"wrong_method","message":"This route has other methods: see Allow."}}""";
    } elsif (resp.status == 403) {
        set resp.body = """{"error":{"code":"forbidden","message":"The secret is missing or wrong, or this is not the admin port."}}""";
    } elsif (resp.status == 426) {
        set resp.http.Upgrade = "websocket";
        set resp.http.Connection = "Upgrade";
        set resp.body = """{"error":{"code":"bad_request","message":"This is the address of a WebSocket (RFC 6455)."}}""";
    } elsif (resp.status == 400 || resp.status == 414) {
        set resp.body = """{"error":{"code":"bad_request","message":"The request is not understood."}}""";
    } else {
        set resp.body = "{}";
    }
    if (req.http.Content-Length || req.http.Transfer-Encoding) {
        # A refused body is not read to its end, which might never come.
        set resp.http.Connection = "close";
    }
    return (deliver);
}
