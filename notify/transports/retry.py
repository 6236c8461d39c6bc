"""When a request is repeated within one call, how, and after which pause."""

from __future__ import annotations

import random
from dataclasses import dataclass

from notify.transports.exchange import NO_CONNECTION, UNKNOWN_FATE, Reply, Request

# Tries of one request within one call. A request that breaks its connection each time must not do so for ever.
TRIES_MAX = 5
# A request is not repeated within the call once it has been tried for so long: a job ends after a minute, and a chunk
# hands over for 20 s (workers.push.sender.BUDGET_S). So a last try, of one answer at most, ends in time.
TRIED_MAX_S = 15.0
# A refused stream costs no try, for it was not processed; a service that refuses everything is asked so often.
REFUSALS_MAX = 20
# Before the first repeat, doubled each time and jittered (a lost connection sends hundreds at once).
PAUSE_S = 0.2
# Longer waits are not spent here, where they would hold up the call, but left to the caller.
PAUSE_MAX_S = 4.0


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Worth repeating.

    after_s: the pause the service asks for; 0 where it names none.
    soon: at once.
    leave: on another connection, for this one answers nothing good any more.
    fault: the host, not this request, is in trouble; it counts towards the breaker.
    unknown_fate: the service may have processed it.
    """

    reason: str
    after_s: float = 0.0
    soon: bool = False
    leave: bool = False
    fault: bool = False
    unknown_fate: bool = False


def unanswered(request: Request, reply: Reply) -> RetryLater:
    """What follows where no answer came. Where there was a connection, a new one may do at once."""
    if reply.error == "refused_stream":
        request.refusals += 1
        request.tries -= request.refusals < REFUSALS_MAX
        return RetryLater(reply.error, soon=request.refusals < REFUSALS_MAX)
    soon = reply.error not in NO_CONNECTION
    return RetryLater(reply.error, soon=soon, fault=True, unknown_fate=reply.error in UNKNOWN_FATE)


def pause_s(request: Request, retry: RetryLater, *, now: float) -> float | None:
    """Seconds until the next try; None where that is left to the caller."""
    if request.tries >= TRIES_MAX or now - request.begun_at > TRIED_MAX_S or retry.after_s > PAUSE_MAX_S:
        return None
    if retry.soon:
        return 0.0
    return (retry.after_s or PAUSE_S * 2 ** (request.tries - 1)) * random.uniform(0.5, 1.5)
