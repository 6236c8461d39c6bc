"""Cloudflare's rules (developers.cloudflare.com/ruleset-engine/rules-language): expressions and the order of phases."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.support.walk import KEEP, PASS, REFUSE, Step, Treatment

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|\{[^}]*\}|[a-z_.]+(?:\[\*\])?|[(),])')


class Expression:
    """By recursive descent: not, and, or; comparisons; lower() and all()."""

    def __init__(self, text: str, fields: dict[str, Any]) -> None:
        self.tokens, self.fields = TOKEN.findall(text), fields
        assert TOKEN.sub("", text).strip() == "", f"not understood: {text}"

    def is_true(self) -> bool:
        value = self.either()
        assert not self.tokens, self.tokens
        return value

    def either(self) -> bool:
        value = self.both()
        while self.take("or"):
            value = self.both() or value
        return value

    def both(self) -> bool:
        value = self.negated()
        while self.take("and"):
            value = self.negated() and value
        return value

    def negated(self) -> bool:
        return not self.negated() if self.take("not") else self.single()

    def single(self) -> bool:
        if self.take("("):
            value = self.either()
            assert self.take(")")
            return value
        if self.take("all"):
            assert self.take("(")
            values = self.fields[self.next().removesuffix("[*]")]
            assert self.take("in")
            words = re.findall(r'"([^"]*)"', self.next())
            assert self.take(")")
            return all(value in words for value in values)
        return self.comparison(self.operand())

    def comparison(self, value: str) -> bool:
        operator = self.next()
        if operator == "strict":
            operator += " " + self.next()
        word = self.next()
        literal = word[1:-1]
        wildcard = ".*".join(re.escape(part) for part in literal.split("*"))
        return {
            "eq": lambda: value == literal,
            "contains": lambda: literal in value,
            "in": lambda: value in re.findall(r'"([^"]*)"', word),
            "wildcard": lambda: bool(re.fullmatch(wildcard, value, re.IGNORECASE)),
            "strict wildcard": lambda: bool(re.fullmatch(wildcard, value)),
        }[operator]()

    def operand(self) -> str:
        name = self.next()
        if name != "lower":
            return str(self.fields[name])
        assert self.take("(")
        value = str(self.fields[self.next()]).lower()
        assert self.take(")")
        return value

    def next(self) -> str:
        return str(self.tokens.pop(0))

    def take(self, token: str) -> bool:
        taken = bool(self.tokens) and self.tokens[0] == token
        if taken:
            self.tokens.pop(0)
        return taken


def _normal(path: str) -> str:
    """As rules see it: unreserved characters are decoded, slashes are merged, dots resolved ("URL normalization")."""
    decoded = re.sub(r"%[0-9A-Fa-f]{2}", lambda code: _unreserved(code[0]), path)
    merged = re.sub("/+", "/", decoded)
    return posixpath.normpath(merged) + ("/" if merged.endswith("/") and merged != "/" else "")


def _unreserved(code: str) -> str:
    character = unquote(code)
    return character if re.fullmatch(r"[A-Za-z0-9._~-]", character) else code


def rules(text: str, phase: str) -> list[dict[str, Any]]:
    """Of one phase, in order."""
    calls = json.loads(text)["calls"]
    return next(call["body"]["rules"] for call in calls if f"/phases/{phase}/" in call["path"])


def matching(text: str, phase: str, fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for rule in rules(text, phase) if Expression(rule["expression"], fields).is_true()]


def treat(text: str, steps: list[Step], host: str) -> list[Treatment]:
    return [_treat(text, step, host) for step in steps]


def _treat(text: str, step: Step, host: str) -> Treatment:
    raw, _, query = step.target.partition("?")
    fields: dict[str, Any] = {
        "http.host": host,
        "http.request.method": step.method,
        "http.request.uri.path": _normal(raw),
        "raw.http.request.uri.path": raw,
        "http.request.uri.args.names": [name for name, _ in parse_qsl(query, keep_blank_values=True)],
    }
    path = raw
    for rule in matching(text, "http_request_transform", fields):
        changed = rule["action_parameters"]["uri"]
        query = changed["query"]["value"]
        path = changed.get("path", {}).get("value", path)
    fields["http.request.uri.path"] = _normal(path)
    if any(rule["action"] == "block" for rule in matching(text, "http_request_firewall_custom", fields)):
        return Treatment(REFUSE)
    kept = matching(text, "http_request_cache_settings", fields)[-1]["action_parameters"]["cache"]
    return Treatment(KEEP if kept else PASS, f"{path}?{query}" if query else path)
