"""JSON values out of a stream, wherever it is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.domain.errors import Refused
from feeds.json_stream import MESSAGE_BYTES_MAX, JsonStream, Unreadable

OBJECTS = st.dictionaries(
    st.text(max_size=5), st.none() | st.text(max_size=5) | st.integers() | st.lists(st.text()), max_size=4
)


def read(chunks: list[bytes]) -> list[Any]:
    stream = JsonStream()
    return [value for chunk in chunks for value in stream.values(chunk)]


@given(st.lists(OBJECTS, max_size=5), st.sampled_from(["", "\n", "\r\n  "]), st.booleans(), st.data())
def test_whatever_the_cuts_the_values_are_the_same(
    values: list[Any], between: str, escaped: bool, data: st.DataObject
) -> None:
    text = between.join(json.dumps(value, ensure_ascii=escaped, indent=2) for value in values)
    # Lone surrogates have no bytes.
    body = text.encode(errors="replace")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert read(chunks) == read([body])
    assert len(read(chunks)) == len(values)


def test_each_value_comes_with_its_last_byte() -> None:
    stream = JsonStream()
    assert list(stream.values(b'{"a": "}{", "b": [1')) == []
    assert list(stream.values(b"]}{")) == [{"a": "}{", "b": [1]}]
    assert list(stream.values(b"}")) == [{}]


def test_a_value_that_never_ends_is_refused() -> None:
    chunks = [b"x" * 1000] * (MESSAGE_BYTES_MAX // 1000 + 1)
    with pytest.raises(Refused):
        read([b'"', *chunks])


@pytest.mark.parametrize(
    ("broken", "unreadable"),
    [
        ('xx{"a":1}', ["xx"]),
        ('{"b":?}{"a":1}', ['{"b":?}']),
        ('{"b":1,,"c":[{"d":2}]}\n{"a":1}', ['{"b":1,,"c":[{"d":2}]}\n']),
        ('{"b":"\x00"}{"a":1}', ['{"b":"\x00"}']),
        ('}}{"a":1}', ["}}"]),
        ('<html>{"a":1}', ["<html>"]),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_is_broken_is_told_and_the_next_message_is_read(broken: str, unreadable: list[str], size: int) -> None:
    """Within seconds, not when a megabyte has come: the next message may be a goal."""
    text = (broken + '{"heartbeat":{}}' * 3).encode()
    stream, values = JsonStream(), []
    for at in range(0, len(text), size):
        values += stream.values(text[at : at + size])
    assert [value.text for value in values if isinstance(value, Unreadable)] == unreadable
    assert {"a": 1} in values
    assert values[-1] == {"heartbeat": {}}


@given(st.lists(st.sampled_from(['{"a":1}', '{"b":"}{"}', "[1,2]", '{"c":{"d":[{}]}}', '{"e":"\\u00e9\\n"}', "true "])))
def test_whole_messages_are_never_unreadable_wherever_they_are_cut(messages: list[str]) -> None:
    """Values that end without a bracket wait for the next message."""
    text, stream, values = "".join([*messages, "{}"]).encode(), JsonStream(), []
    for at in range(len(text)):
        values += stream.values(text[at : at + 1])
    assert values == [*map(json.loads, messages), {}]


def test_a_byte_order_mark_is_no_message() -> None:
    assert list(JsonStream().values(b'\xef\xbb\xbf{"a": 1}')) == [{"a": 1}]


def test_a_number_of_thousands_of_digits_ends_no_stream() -> None:
    """Python reads no integer of more than 4,300 digits."""
    [first, second] = JsonStream().values(b'{"a": ' + b"9" * 5_000 + b'}{"b": 1}')
    assert json.loads(json.dumps(first)) == first
    assert second == {"b": 1}
