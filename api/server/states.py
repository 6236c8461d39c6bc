"""What a connection is doing, and what it may do next."""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    """IDLE: nothing is owed, nothing was read.
    HEAD: part of a request's head was read.
    HANDLED: a handler of gunicorn's has it; a WebSocket for its whole life.
    WAITING: its request is held, or waits for a read that many share.
    STREAMING: a stream's events are written to it.
    FLUSHING: the rest of an answer is in the backlog.
    LINGERING: the last answer was sent and our half is shut; what still comes is dropped.
    CLOSED: the socket is closed.
    """

    IDLE = auto()
    HEAD = auto()
    HANDLED = auto()
    WAITING = auto()
    STREAMING = auto()
    FLUSHING = auto()
    LINGERING = auto()
    CLOSED = auto()


_FOLLOWING = {
    State.IDLE: (State.IDLE, State.HEAD, State.HANDLED, State.WAITING, State.FLUSHING, State.LINGERING),
    State.HEAD: (State.IDLE, State.HANDLED, State.WAITING, State.FLUSHING, State.LINGERING),
    State.HANDLED: (State.IDLE, State.WAITING, State.STREAMING, State.FLUSHING, State.LINGERING),
    State.WAITING: (State.IDLE, State.HANDLED, State.FLUSHING, State.LINGERING),
    State.STREAMING: (State.FLUSHING, State.LINGERING),
    State.FLUSHING: (State.IDLE, State.LINGERING),
    State.LINGERING: (),
    State.CLOSED: (),
}
# Any of them may be closed, once.
TRANSITIONS = frozenset((before, after) for before, afters in _FOLLOWING.items() for after in afters) | frozenset(
    (before, State.CLOSED) for before in State if before is not State.CLOSED
)
