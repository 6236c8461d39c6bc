"""What is in a page, as a browser's parser would find it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

# Elements without an end (html.spec.whatwg.org, 13.1.2).
VOID = frozenset({"meta", "link", "img", "input", "br", "hr"})


class Html(HTMLParser):
    """tags: every element with its attributes. texts: what stands in elements, with their tag."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == [], f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.texts.append((self._open[-1], data))

    def text(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]

    def attributes(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [found for name, found in self.tags if name == tag and wanted.items() <= found.items()]

    def meta(self, name: str) -> str:
        """Of a name or a property; it stands there once."""
        (found,) = [*self.attributes("meta", name=name), *self.attributes("meta", property=name)]
        return found["content"]

    @property
    def event(self) -> dict[str, Any]:
        """The JSON-LD. Other scripts have no text of their own."""
        (text,) = self.text("script")
        parsed: dict[str, Any] = json.loads(text)
        return parsed
