"""How much a client may say, and how fast it is listened to after that."""

from __future__ import annotations


class Allowance:
    """So much at once, and then so much a second (a leaky bucket as a meter, ITU-T I.371). What comes faster waits in
    the client's own buffers.

    paid_until: when all that was said is worked off (s, of the clock of `now_s`).
    """

    def __init__(self, at_once: int, per_s: int) -> None:
        self.per_s = per_s
        self.at_once_s = at_once / per_s
        self.paid_until = 0.0

    def pause_s(self, size: int, now_s: float) -> float:
        """For how long not to listen after something of this size; 0 for not at all."""
        self.paid_until = max(self.paid_until, now_s) + size / self.per_s
        return max(0.0, self.paid_until - self.at_once_s - now_s)
