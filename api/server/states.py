"""What a connection is doing, and what it may do next.

| From | Event | To |
|---|---|---|
| IDLE, HEAD | part of a head | HEAD |
| IDLE, HEAD | a head, answered from here | IDLE |
| IDLE, HEAD | a head, answered from here, taken slowly | FLUSHING |
| IDLE, HEAD | a head, answered from here, the last | LINGERING |
| IDLE, HEAD | a head, held | WAITING |
| IDLE, HEAD | a head for the app, or too long | HANDLED |
| HEAD | end of the client | HANDLED |
| HEAD | deadline | HANDLED |
| IDLE | end of the client | CLOSED |
| IDLE | deadline | CLOSED |
| HANDLED | handler ends | IDLE |
| HANDLED | handler ends, taken slowly | FLUSHING |
| HANDLED | handler ends, held | WAITING |
| HANDLED | handler ends, a stream | STREAMING |
| HANDLED | handler ends, the last or failed | LINGERING |
| WAITING | released | IDLE |
| WAITING | released, taken slowly | FLUSHING |
| WAITING | released, the last | LINGERING |
| WAITING | handed over | HANDLED |
| WAITING, STREAMING | end of the client | CLOSED |
| STREAMING | end of the stream | LINGERING |
| STREAMING | end of the stream, taken slowly | FLUSHING |
| FLUSHING | all is taken | IDLE |
| FLUSHING | all is taken, the last | LINGERING |
| FLUSHING, STREAMING | deadline | CLOSED |
| LINGERING | end of the client | CLOSED |
| LINGERING | deadline | CLOSED |
"""

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
