# Our edge, for Varnish 7.1 with the vmods xkey and vsthrottle. docs/edge.md, `make run EDGE=varnish`, tests and benches all run this file.
#
# origin.vcl, which it includes, says where the origin is (a probe and a backend named origin); cdn/varnish/daemon.py puts it in
# and knows the parameters that this file counts on. Purges come to the listener named admin, -a admin=127.0.0.1:6083, with
# the secret that is EDGE_PURGE_SECRET in varnishd's environment.

vcl 4.1;

import std;
import vsthrottle;
import xkey;

include "origin.vcl";

acl purgers {
    "localhost";
    "127.0.0.1";
    "::1";
    "10.0.0.0"/8;
    "172.16.0.0"/12;
    "192.168.0.0"/16;
}

# PURGEKEYS with Surrogate-Key: keys, separated by spaces. X-Purged tells how many objects went; none is no error: nobody
# had asked for them. What is purged is expired, not thrown away: with the origin well nobody gets it again (vcl_recv),
# but should the origin fail just then it is the last good answer.
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
        # Words between the parts of this file; nobody outside may say them.
        unset req.http.X-Kind;
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

    if (req.url ~ "^/api/ws(\?|$)" && req.http.Upgrade ~ "(?i)^websocket$") {
        return (pipe);
    }
    if (req.method !~ "^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$") {
        return (synth(405));
    }
    # What is the same for all readers, by name. Everything else (deliveries, accounts, operations) goes through
    # untouched and is never stored.
    if ((req.method != "GET" && req.method != "HEAD")
        || req.url !~ "^/(\?|$|match/|static/|api/(score|live|matches|search|edge/canary|openapi\.json|docs)(/|\?|$))") {
        return (pass);
    }

    # From here on every answer is the same for all. The service reads nothing of these requests but path, parameters and
    # If-None-Match; what frameworks and proxies are known to build answers from does not even reach it (Cloudflare, "Avoid
    # web cache poisoning").
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
    # A body of a GET would reach the origin with the fetch; nobody here has one.
    if (req.http.Content-Length || req.http.Transfer-Encoding) {
        return (synth(400));
    }
    # One name for all: the origin's answers do not depend on it, and it would split the cache.
    unset req.http.Host;

    if (req.url ~ "^/api/score/[^/?]+/stream(\?|$)") {
        # One per reader, and never stored. Varnish spends two threads on each: crowds belong on /wait.
        return (pass);
    }
    unset req.http.Last-Event-ID;
    call edge_query;
    if (req.url ~ "^/api/(score/[^/?]+|live)/wait/[^/?]+$") {
        # Never a stale "no change": its readers would come back at once, for ever.
        set req.http.X-Kind = "wait";
        set req.grace = 0s;
    } elsif (req.http.X-Stale-Ok || !std.healthy(req.backend_hint)) {
        # Stale-if-error.
        set req.grace = 10m;
    } elsif (req.url ~ "^/api/(score/|live|edge/)") {
        # A score is never stale while the origin is well: who comes next waits milliseconds for the one fetch.
        set req.grace = 0s;
    } else {
        # Stale-while-revalidate: lists and the page are served once more while they are fetched.
        set req.grace = 1s;
    }
    return (hash);
}

# Parameters that no view reads would be ways past the cache; the others in one order.
sub edge_query {
    # No client sends a fragment; the origin would read past it.
    set req.url = regsub(req.url, "#.*$", "");
    if (req.url !~ "^/api/(matches|live|search)(\?|$)") {
        set req.url = regsub(req.url, "\?.*$", "");
        return;
    }
    # A mark, so that each parameter has an & before it.
    set req.url = regsub(req.url, "\?", "?&");
    if (req.url ~ "^/api/live\?") {
        set req.url = regsuball(req.url, "&(?!competition=)[^&]*", "");
    } elsif (req.url ~ "^/api/search\?") {
        set req.url = regsuball(req.url, "&(?!q=)[^&]*", "");
    } else {
        set req.url = regsuball(req.url, "&(?!(date|tz|competition|team|status|from|to|limit|cursor)=)[^&]*", "");
    }
    set req.url = regsub(regsub(req.url, "\?&", "?"), "\?$", "");
    set req.url = std.querysort(req.url);
}

sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_pipe {
    if (req.http.Upgrade) {
        set bereq.http.Upgrade = req.http.Upgrade;
        set bereq.http.Connection = "Upgrade";
    }
    return (pipe);
}

# A path whose fetch has failed is not fetched again for a second: an origin that is up but ill (its Redis is away, say)
# would get one try after the other, each with those who wait behind it, and every stale answer would start one more.
sub edge_failed {
    if (vsthrottle.is_denied("failed:" + bereq.url, 1, 1s)) {
        # Noted already.
    }
}

sub vcl_miss {
    if (req.http.X-Kind != "wait" && vsthrottle.remaining("failed:" + req.url, 1, 1s) == 0) {
        if (req.restarts == 0) {
            set req.http.X-Stale-Ok = "1";
            return (restart);
        }
        # Not even an old answer. What is kept for the second is that it failed, not the failure: an object of it would
        # lie before the good ones.
        return (synth(503));
    }
}

sub vcl_backend_fetch {
    # Between our own parts only.
    unset bereq.http.X-Kind;
    unset bereq.http.X-Stale-Ok;
    if (bereq.is_bgfetch && vsthrottle.remaining("failed:" + bereq.url, 1, 1s) == 0) {
        return (abandon);
    }
    if (bereq.url ~ "^/api/(score/[^/?]+|live)/wait/[^/?]+$") {
        # A hold is 20 s.
        set bereq.first_byte_timeout = 30s;
    } elsif (bereq.uncacheable) {
        # A stream's heartbeat comes every 15 s.
        set bereq.first_byte_timeout = 30s;
        set bereq.between_bytes_timeout = 60s;
        return (fetch);
    }
    unset bereq.http.X-Forwarded-For;
    unset bereq.http.User-Agent;
    unset bereq.http.Referer;
}

sub vcl_backend_response {
    unset beresp.http.Server;
    unset beresp.http.X-Powered-By;
    if (bereq.uncacheable) {
        return (deliver);
    }
    unset beresp.http.Set-Cookie;
    if (beresp.status >= 500 || beresp.status == 429) {
        if (bereq.is_bgfetch || bereq.url !~ "^/api/(score/[^/?]+|live)/wait/[^/?]+$") {
            # Keep the good object. Delivering would put a hit-for-miss of 120 s before it.
            call edge_failed;
            return (abandon);
        }
        # Those who wait together are told together.
        set beresp.ttl = 1s;
        set beresp.grace = 0s;
        set beresp.keep = 0s;
        return (deliver);
    }
    if ((beresp.status != 200 && beresp.status != 301 && beresp.status != 308 && beresp.status != 404 && beresp.status != 410)
        || beresp.http.Cache-Control ~ "(?i)private|no-store" || !(beresp.http.Cache-Control || beresp.http.Surrogate-Control)) {
        # Not to be shared; the next one asks by itself. A second instead of the 120 of the builtin.
        set beresp.ttl = 1s;
        set beresp.uncacheable = true;
        return (deliver);
    }
    # xkey reads it when the object is stored.
    set beresp.http.xkey = beresp.http.Surrogate-Key;
    if (beresp.http.Surrogate-Control ~ "max-age=\d+") {
        set beresp.ttl = std.duration(regsub(beresp.http.Surrogate-Control, "^.*max-age=(\d+).*$", "\1s"), 2s);
    }
    if (bereq.url ~ "^/api/(score/[^/?]+|live)/wait/[^/?]+$" || beresp.status == 404) {
        # Ids that somebody makes up must not push out the last good scores, which an outage is lived through with.
        set beresp.grace = 0s;
        set beresp.keep = 0s;
    } else {
        # Through an outage the last good answer: stale-if-error.
        set beresp.grace = 10m;
        set beresp.keep = 10m;
    }
    if (beresp.ttl < 1s) {
        # Without a life of its own an answer is handed to those who wait for it three at a time (varnish-cache#3461).
        set beresp.ttl = 1s;
    }
    set beresp.do_gzip = beresp.http.Content-Type ~ "(?i)json|text|javascript|xml";
    return (deliver);
}

sub vcl_backend_error {
    if (bereq.uncacheable) {
        call edge_unavailable;
        return (deliver);
    }
    if (bereq.is_bgfetch || bereq.url !~ "^/api/(score/[^/?]+|live)/wait/[^/?]+$") {
        call edge_failed;
        return (abandon);
    }
    # A second, so that one failed fetch answers all who wait for it.
    set beresp.ttl = 1s;
    set beresp.grace = 0s;
    set beresp.keep = 0s;
    call edge_unavailable;
    return (deliver);
}

sub edge_unavailable {
    set beresp.http.Content-Type = "application/json";
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Access-Control-Allow-Origin = "*";
    set beresp.http.Retry-After = "2";
    set beresp.body = """{"error":{"code":"unavailable","message":"The origin does not answer."}}""";
}

sub vcl_deliver {
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
    if (resp.status == 503 && req.restarts == 0 && req.http.X-Kind != "wait" && (req.method == "GET" || req.method == "HEAD")
        && !req.http.X-Stale-Ok) {
        # The fetch was abandoned: look again, and take what is there, however stale.
        set req.http.X-Stale-Ok = "1";
        return (restart);
    }
    set resp.http.Content-Type = "application/json";
    set resp.http.Cache-Control = "no-store";
    set resp.http.Access-Control-Allow-Origin = "*";
    if (req.http.X-Purged) {
        set resp.http.X-Purged = req.http.X-Purged;
    }
    if (resp.status == 503) {
        set resp.http.Retry-After = "2";
        set resp.body = """{"error":{"code":"unavailable","message":"The origin does not answer."}}""";
    } elsif (resp.status == 405) {
        set resp.http.Allow = "GET, HEAD";
        set resp.body = """{"error":{"code":"wrong_method","message":"Only GET and HEAD are answered here."}}""";
    } elsif (resp.status == 403) {
        set resp.body = """{"error":{"code":"forbidden","message":"The secret is missing or wrong, or this is not the admin port."}}""";
    } elsif (resp.status == 400) {
        set resp.body = """{"error":{"code":"bad_request","message":"The request is not understood."}}""";
    } else {
        set resp.body = "{}";
    }
    return (deliver);
}
