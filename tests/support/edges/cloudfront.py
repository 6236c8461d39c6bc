"""CloudFront's template: the first behaviour whose pattern matches, then its function, run by node."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from cdn.configuration.cloudfront import CACHING_DISABLED
from tests.support.walk import KEEP, PASS, REFUSE, Step, Treatment

RUN = """
const steps = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(steps.map(([method, uri]) => handler({ request: { method, uri } }))));
"""


def template(text: str) -> dict[str, Any]:
    """JSON below the comment."""
    return json.loads("".join(line for line in text.splitlines(True) if not line.startswith("#")))  # type: ignore[no-any-return]


def behaviour(distribution: dict[str, Any], path: str) -> dict[str, Any]:
    """Patterns are case-sensitive, and an asterisk matches anything (DeveloperGuide, "Path pattern")."""
    for row in distribution["CacheBehaviors"]:
        if re.fullmatch(".*".join(re.escape(part) for part in row["PathPattern"].split("*")), path):
            return dict(row)
    return dict(distribution["DefaultCacheBehavior"])


def treat(text: str, steps: list[Step], _host: str) -> list[Treatment]:
    resources = template(text)["Resources"]
    distribution = resources["Distribution"]["Properties"]["DistributionConfig"]
    answers = _run(resources["Routes"]["Properties"]["FunctionCode"], steps)
    return [_treat(resources, distribution, step, answer) for step, answer in zip(steps, answers, strict=True)]


def _run(code: str, steps: list[Step]) -> list[dict[str, Any]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs")
    given = json.dumps([(step.method, step.target.partition("?")[0]) for step in steps])
    output = subprocess.run([node, "-e", code + RUN], input=given, capture_output=True, text=True, check=True).stdout
    return list(json.loads(output))


def _treat(resources: Any, distribution: Any, step: Step, answer: dict[str, Any]) -> Treatment:
    raw, _, query = step.target.partition("?")
    row = behaviour(distribution, raw)
    if step.method not in row["AllowedMethods"] or "statusCode" in answer:
        return Treatment(REFUSE)
    if row["CachePolicyId"] == CACHING_DISABLED:
        return Treatment(PASS, step.target)
    policy = resources[row["CachePolicyId"]["Ref"]]["Properties"]["CachePolicyConfig"]
    query_strings = policy["ParametersInCacheKeyAndForwardedToOrigin"]["QueryStringsConfig"]
    names = {"none": [], "whitelist": query_strings.get("QueryStrings")}[query_strings["QueryStringBehavior"]]
    forwarded = urlencode([(name, value) for name, value in parse_qsl(query) if name in names])
    return Treatment(KEEP, answer["uri"] + (f"?{forwarded}" if forwarded else ""))
