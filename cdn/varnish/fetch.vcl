# The half of our edge that fetches: what the origin is asked, and how long its answers are kept. Part of score.vcl.

# A path whose fetch has failed is not fetched again for a second: an origin that is up but ill (its Redis is away, say)
# would get one try after the other, each with those who wait behind it, and every stale answer would start one more.
sub edge_failed {
    if (vsthrottle.is_denied("failed:" + bereq.url, 1, 1s)) {
        # Noted already.
    }
}

sub vcl_backend_fetch {
    var.set_string("route", bereq.http.X-Route);
    # Internal to this file.
    unset bereq.http.X-Route;
    unset bereq.http.X-Allow;
    unset bereq.http.X-Body;
    unset bereq.http.X-Path;
    unset bereq.http.X-Query;
    unset bereq.http.X-Stale-Ok;
    if (bereq.is_bgfetch && vsthrottle.remaining("failed:" + bereq.url, 1, 1s) == 0) {
        return (abandon);
    }
    if (bereq.uncacheable) {
        # A stream's heartbeat comes every 15 s.
        set bereq.first_byte_timeout = 30s;
        set bereq.between_bytes_timeout = 60s;
        return (fetch);
    }
    if (var.get_string("route") == "held") {
        # A hold is 20 s.
        set bereq.first_byte_timeout = 30s;
    }
    var.set_real("asked_at", std.real(time=now));
    # Never a 304 for an object of ours: an ETag names the version of a match, while `next` in the body moves on by itself.
    unset bereq.http.If-None-Match;
    unset bereq.http.If-Modified-Since;
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
        if (bereq.is_bgfetch || var.get_string("route") != "held") {
            # Keep the good object. Delivering would put a hit-for-miss of 120 s before it.
            call edge_failed;
            return (abandon);
        }
        # All who wait together get this one answer.
        set beresp.ttl = 1s;
        set beresp.grace = 0s;
        set beresp.keep = 0s;
        return (deliver);
    }
    if ((beresp.status != 200 && beresp.status != 301 && beresp.status != 302 && beresp.status != 308
            && beresp.status != 404 && beresp.status != 410)
        || beresp.http.Cache-Control ~ "(?i)private|no-store" || !(beresp.http.Cache-Control || beresp.http.Surrogate-Control)) {
        # Not to be shared. A second of hit-for-miss instead of the 120 of the builtin.
        set beresp.ttl = 1s;
        set beresp.uncacheable = true;
        return (deliver);
    }
    # xkey reads it when the object is stored.
    set beresp.http.xkey = beresp.http.Surrogate-Key;
    call edge_lifetime;
    set beresp.do_gzip = beresp.http.Content-Type ~ "(?i)json|text|javascript|xml";
    # All who wait get it whole: a body that breaks off is then a failed fetch, and not half an answer for a crowd.
    set beresp.do_stream = false;
    return (deliver);
}

sub edge_lifetime {
    var.set_string("policy", beresp.http.Cache-Control);
    if (beresp.http.Surrogate-Control) {
        var.set_string("policy", beresp.http.Surrogate-Control);
    }
    if (beresp.http.Surrogate-Control ~ "max-age=\d+") {
        set beresp.ttl = std.duration(regsub(beresp.http.Surrogate-Control, "^.*max-age=(\d+).*$", "\1s"), 2s);
    }
    if (beresp.ttl < 1s) {
        # Without a lifetime an answer is handed to those who wait for it three at a time (varnish-cache#3461).
        set beresp.ttl = 1s;
    }
    if (var.get_string("route") == "stored" && beresp.ttl > 2s && std.real(time=now) - var.get_real("asked_at") > 1.5) {
        # It may have been asked for before a change and be here after both of its purges, the second of them two
        # seconds after the first. So it lives no longer than a live score; half a second is for its body.
        set beresp.ttl = 2s;
    }
    # Nothing is kept to be revalidated (vcl_backend_fetch).
    set beresp.keep = 0s;
    set beresp.grace = 0s;
    if (var.get_string("policy") ~ "stale-if-error=\d+") {
        set beresp.grace = std.duration(regsub(var.get_string("policy"), "^.*stale-if-error=(\d+).*$", "\1s"), 0s);
    }
    if (var.get_string("route") == "held" || beresp.status == 404) {
        # A made-up id or cursor must not outlive its lifetime.
        set beresp.grace = 0s;
    }
    # Anybody can make up as many of these URLs as he likes. In a storage of their own they can only push each other out,
    # never a score. `s0` is the first one (daemon.py); what is given none would go to all in turn.
    set beresp.storage = storage.s0;
    if (bereq.url ~ "\?|^/day/" || beresp.status != 200
        || (bereq.url ~ "^/static/" && beresp.http.Cache-Control !~ "immutable")) {
        set beresp.storage = storage.guesses;
    }
}

sub vcl_backend_error {
    if (bereq.uncacheable) {
        call edge_unavailable;
        return (deliver);
    }
    if (bereq.is_bgfetch || var.get_string("route") != "held") {
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
    set beresp.http.Cache-Control = "private, no-store";
    set beresp.http.Access-Control-Allow-Origin = "*";
    set beresp.http.Retry-After = "2";
    set beresp.body = """{"error":{"code":"unavailable","message":"The origin does not answer."}}""";
}
