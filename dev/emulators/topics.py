"""FCM topics: subscriptions, and conditions over them."""

from __future__ import annotations

import re
from collections import defaultdict

# firebase.google.com/docs/cloud-messaging/topic-messaging: topics of one app instance, topics in one condition.
TOPICS, CONDITION_TOPICS = 2000, 5
NAME = re.compile(r"[a-zA-Z0-9_.~%-]{1,900}")
_PIECE = re.compile(r"\s*(?:'([a-zA-Z0-9_.~%-]{1,900})'\s+in\s+topics|(&&|\|\||!|\(|\)))\s*")


class Topics:
    def __init__(self) -> None:
        self.members: dict[str, set[str]] = defaultdict(set)
        self.topics: dict[str, set[str]] = defaultdict(set)

    def add(self, token: str, topic: str) -> bool:
        """False where it was there already."""
        if topic in self.topics[token]:
            return False
        self.members[topic].add(token)
        self.topics[token].add(topic)
        return True

    def remove(self, token: str, topic: str) -> bool:
        if topic not in self.topics[token]:
            return False
        self.members[topic].discard(token)
        self.topics[token].discard(topic)
        return True

    def matching(self, condition: str) -> set[str] | None:
        """The tokens a condition such as `'a' in topics && !('b' in topics)` selects; None where it is malformed."""
        parsed = _parse(condition)
        if parsed is None:
            return None
        code, names = parsed
        everyone = set().union(*self.members.values()) if "not" in code else set()
        concerned = everyone.union(*(self.members.get(name, set()) for name in names))
        return {token for token in concerned if _is_true(code, self.topics[token])}


def _parse(condition: str) -> tuple[list[str], list[str]] | None:
    """The condition as words of a boolean expression, and its topics; None where it is malformed."""
    words: list[str] = []
    at = 0
    while at < len(condition):
        piece = _PIECE.match(condition, at)
        if piece is None:
            return None
        words.append({"&&": "and", "||": "or", "!": "not"}.get(piece[2], piece[2]) if piece[2] else f"'{piece[1]}")
        at = piece.end()
    names = [word[1:] for word in words if word.startswith("'")]
    if not names or len(names) > CONDITION_TOPICS or _value(words, set()) is None:
        return None
    return words, names


def _is_true(words: list[str], topics: set[str]) -> bool:
    return bool(_value(words, topics))


def _value(words: list[str], topics: set[str]) -> bool | None:
    """Evaluates left to right, `and` before `or`; None where the words are no expression."""
    left = list(reversed(words))
    value = _either(left, topics)
    return None if left else value


def _either(left: list[str], topics: set[str]) -> bool | None:
    value = _both(left, topics)
    while left and left[-1] == "or" and value is not None:
        left.pop()
        other = _both(left, topics)
        value = None if other is None else value or other
    return value


def _both(left: list[str], topics: set[str]) -> bool | None:
    value = _term(left, topics)
    while left and left[-1] == "and" and value is not None:
        left.pop()
        other = _term(left, topics)
        value = None if other is None else value and other
    return value


def _term(left: list[str], topics: set[str]) -> bool | None:
    word = left.pop() if left else ""
    if word.startswith("'"):
        return word[1:] in topics
    if word == "not":
        value = _term(left, topics)
        return None if value is None else not value
    if word == "(":
        value = _either(left, topics)
        return value if left and left.pop() == ")" else None
    return None
