"""Bytes from outside are accepted only if they are exactly the bytes we would have written."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.codec import (
    INT_MAX,
    INT_MIN,
    MAX_VALUE_DEPTH,
    Record,
    check_value,
    decode,
    decode_own,
    encode,
    from_json,
    to_json,
)
from minichain.errors import ConfigError, DecodeError
from minichain.ledger.genesis import ChainSpec
from tests.builders import committee


class Note(Record):
    author: str
    number: int
    data: bytes = b""
    args: dict[str, Any] = msgspec.field(default_factory=dict)


scalars = st.none() | st.booleans() | st.integers(INT_MIN, INT_MAX) | st.text(max_size=5) | st.binary(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=15,
)


@given(st.builds(Note, st.text(), st.integers(INT_MIN, INT_MAX), st.binary(), st.dictionaries(st.text(), values)))
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(note: Note) -> None:
    assert decode(encode(note), Note) == decode_own(encode(note), Note) == note


@given(values)
@settings(max_examples=60, deadline=None)
def test_equal_values_have_equal_bytes_whatever_the_order_of_their_keys(value: Any) -> None:
    def reverse(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: reverse(item[key]) for key in reversed(item)}
        return [reverse(inner) for inner in item] if isinstance(item, list) else item

    assert encode(reverse(value)) == encode(value)
    check_value(value)


@given(st.binary(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_refused_or_are_the_canonical_ones(data: bytes) -> None:
    for type_ in (Note, Any, dict[str, Any], int, str):
        try:
            value = decode(data, type_)
        except DecodeError:
            continue
        assert encode(value) == data


@given(st.builds(Note, st.text(max_size=3), st.integers(0, 300), st.binary(max_size=3)), st.data())
@settings(max_examples=100, deadline=None)
def test_two_spellings_never_mean_the_same(note: Note, data: st.DataObject) -> None:
    raw = bytearray(encode(note))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with suppress(DecodeError):
        assert decode(bytes(raw), Note) != note


NOT_CANONICAL = {
    "trailing byte": b"\x94\xa1a\x01\xc4\x00\x80\x00",
    "a byte is missing": b"\x94\xa1a\x01\xc4\x00",
    "nothing": b"",
    "unknown field": b"\x95\xa1a\x01\xc4\x00\x80\x01",
    "field missing": b"\x91\xa1a",
    "default left out": b"\x92\xa1a\x01",
    "number in two bytes": b"\x94\xa1a\xcc\x01\xc4\x00\x80",
    "number in nine bytes": b"\x94\xa1a\xcf\0\0\0\0\0\0\0\x01\xc4\x00\x80",
    "signed spelling": b"\x94\xa1a\xd0\x01\xc4\x00\x80",
    "float for a number": b"\x94\xa1a\xcb\x3f\xf0\0\0\0\0\0\0\xc4\x00\x80",
    "true for a number": b"\x94\xa1a\xc3\xc4\x00\x80",
    "long string header": b"\x94\xd9\x01a\x01\xc4\x00\x80",
    "string is not UTF-8": b"\x94\xa1\xff\x01\xc4\x00\x80",
    "half a surrogate pair": b"\x94\xa3\xed\xa0\x80\x01\xc4\x00\x80",
    "text for bytes": b"\x94\xa1a\x01\xa0\x80",
    "unsorted keys": b"\x94\xa1a\x01\xc4\x00\x82\xa1b\x01\xa1a\x01",
    "duplicate key": b"\x94\xa1a\x01\xc4\x00\x82\xa1a\x01\xa1a\x01",
    "key is a number": b"\x94\xa1a\x01\xc4\x00\x81\x01\x01",
    "key is a number, deeper": b"\x94\xa1a\x01\xc4\x00\x81\xa1a\x81\x01\x01",
    "keys of two types, deeper": b"\x94\xa1a\x01\xc4\x00\x81\xa1a\x82\x01\x01\xa1a\x01",
    "key is a list": b"\x94\xa1a\x01\xc4\x00\x81\xa1a\x81\x91\x01\x01",
    "a map where an array is": b"\x81\xa6author\xa1a",
    "array of 4 thousand million": b"\xdd\xff\xff\xff\xff",
    "map of 4 thousand million": b"\xdf\xff\xff\xff\xff",
    "4 GB of bytes announced": b"\xc6\xff\xff\xff\xff",
    "bomb of lists": b"\x91" * 200_000,
    "bomb of maps": b"\x94\xa1a\x01\xc4\x00" + b"\x81\xa1a" * 200_000,
}


@pytest.mark.parametrize("data", NOT_CANONICAL.values(), ids=NOT_CANONICAL.keys())
def test_every_other_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(data, Note)


def test_a_free_value_with_strange_keys_is_refused_and_not_an_accident() -> None:
    # Writing it again to compare fails in msgspec itself, not in reading it.
    for data in (b"\x82\x01\x01\xa1a\x02", b"\x81\x91\x01\x02", b"\x81\xc0\x01"):
        with pytest.raises(DecodeError):
            decode(data, Any)  # type: ignore[arg-type]


def test_oversize_is_refused_before_it_is_read() -> None:
    with pytest.raises(DecodeError, match="1001 bytes where at most 1000 are accepted"):
        decode(bytes(1_001), Note, limit=1_000)


def test_a_message_says_what_was_expected() -> None:
    with pytest.raises(DecodeError, match=r"not a valid Note: .*`\$\[1\]`"):
        decode(encode(["a", "b"]), Note)


NOT_A_VALUE = {
    "float": 1.5,
    "not a number": float("nan"),
    "infinity": float("inf"),
    "tuple": (1, 2),
    "set": {1},
    "extension type": msgspec.msgpack.decode(b"\xd4\x05\0"),
    "timestamp": msgspec.msgpack.decode(b"\xd6\xff\0\0\0\0"),
    "too large": 2**64,
    "too small": -(2**63) - 1,
    "key is a number": {1: 2},
    "float deep inside": {"a": [{"b": [0.0]}]},
}


@pytest.mark.parametrize("value", NOT_A_VALUE.values(), ids=NOT_A_VALUE.keys())
def test_a_value_that_contracts_may_not_see_is_refused(value: Any) -> None:
    with pytest.raises(DecodeError):
        check_value(value)


def test_depth_is_bounded() -> None:
    def nest(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return value

    check_value(nest(MAX_VALUE_DEPTH))
    for levels in (MAX_VALUE_DEPTH + 1, 900):
        with pytest.raises(DecodeError, match="nested deeper than 16 levels"):
            check_value(nest(levels))


# --- the JSON twin -------------------------------------------------------------------------------------------------


@given(st.builds(Note, st.text(), st.integers(INT_MIN, INT_MAX), st.binary()))
@settings(max_examples=40, deadline=None)
def test_the_json_form_is_read_back_and_every_json_reader_understands_it(note: Note) -> None:
    assert from_json(to_json(note), Note) == note
    assert json.loads(to_json(note))[0] == note.author


def test_every_other_json_spelling_is_refused() -> None:
    good = to_json(Note("a", 1, b"\1", {"b": 1, "a": 2}))
    assert good == b'["a",1,"AQ==",{"a":2,"b":1}]'
    for bad in (
        good + b"\n",
        b" " + good,
        good.replace(b'"a":2,"b":1', b'"b":1,"a":2'),
        good.replace(b'"a":2', b'"a":3,"a":2'),
        good.replace(b"1,", b"1.0,", 1),
        good.replace(b'"a",', b'"\\u0061",', 1),
        good.replace(b"AQ==", b"AQ"),
        b'["a",123456789012345678901234567890]',
        b'["a",' + b"9" * 5_000 + b"]",
        b"[" * 100_000,
        b'["\\ud800",1,"",{}]',
        b"\xff",
        b"",
    ):
        with pytest.raises(DecodeError):
            from_json(bad, Note)
    with pytest.raises(DecodeError):
        from_json(b"123456789012345678901234567890", int)


def test_a_chain_specification_travels_both_ways_and_a_bad_one_is_the_readers_own_error() -> None:
    spec = ChainSpec(chain_id="test", members=committee(1, 1).members)
    assert from_json(to_json(spec), ChainSpec) == decode(encode(spec), ChainSpec) == spec
    with pytest.raises(ConfigError, match="chain id 'TEST'"):
        from_json(to_json(spec).replace(b'"test"', b'"TEST"', 1), ChainSpec)


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    program = "from minichain.codec import encode; print(encode({c: {c: 1} for c in 'qwertyuiop'}).hex())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    }
    assert len(outputs) == 1
