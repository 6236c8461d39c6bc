"""Bunny's edge rules: their Lua patterns run by a real Lua, in the order of the rules."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from lupa import LuaRuntime

from cdn.configuration.bunny import ALL, ANY, BLOCK, IGNORE_QUERY, NONE, OVERRIDE_CACHE_TIME, URL
from tests.support.walk import KEEP, PASS, REFUSE, Step, Treatment

LUA = LuaRuntime()
match = LUA.eval("function(text, pattern) return string.match(text, pattern) ~= nil end")


def calls(text: str, suffix: str) -> list[dict[str, Any]]:
    """The bodies of the calls whose path ends so."""
    return [call["body"] for call in json.loads(text)["calls"] if call["path"].endswith(suffix)]


def treat(text: str, steps: list[Step], host: str) -> list[Treatment]:
    rules = sorted(calls(text, "/edgerules/addOrUpdate"), key=lambda rule: int(rule["OrderIndex"]))
    (zone,) = calls(text, "/pullzone/{id}")
    return [_treat(rules, zone, step, f"https://{host}{step.target}") for step in steps]


def _treat(rules: list[dict[str, Any]], zone: dict[str, Any], step: Step, url: str) -> Treatment:
    true = [rule for rule in rules if _is_true(rule, step.method, url)]
    actions = {rule["ActionType"]: rule["ActionParameter1"] for rule in true}
    if BLOCK in actions:
        return Treatment(REFUSE)
    if actions.get(OVERRIDE_CACHE_TIME) == "0":
        return Treatment(PASS, step.target)
    path, _, query = step.target.partition("?")
    pairs = [] if IGNORE_QUERY in actions else parse_qsl(query)
    # Only these are part of the key; the whole query is forwarded.
    forwarded = urlencode([(name, value) for name, value in pairs if name in zone["QueryStringVaryParameters"]])
    return Treatment(KEEP, path + (f"?{forwarded}" if forwarded else ""))


def _is_true(rule: dict[str, Any], method: str, url: str) -> bool:
    assert rule["TriggerMatchingType"] == ALL
    return all(_fires(trigger, method, url) for trigger in rule["Triggers"])


def _fires(trigger: dict[str, Any], method: str, url: str) -> bool:
    value = url if trigger["Type"] == URL else method
    hits = [_matches(value, pattern) for pattern in trigger["PatternMatches"]]
    return {ANY: any(hits), NONE: not any(hits)}[trigger["PatternMatchingType"]]


def _matches(value: str, pattern: str) -> bool:
    if pattern.startswith("pattern:"):
        return bool(match(value, pattern.removeprefix("pattern:")))
    assert "*" not in pattern
    return value == pattern
