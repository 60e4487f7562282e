"""What a learner's computer says to the desk: a letter, signed with the learner's key and the token of the class.

The token is part of what is signed and is never sent. A letter names its class and its time, so none fits another
class, and none that changes anything works twice. A letter is also the file that is
handed in where there is no network.
"""

from __future__ import annotations

from typing import Final

import msgspec

from minichain.codec import Plain, from_json, to_json
from minichain.course.attempts import Attempt
from minichain.crypto import KeyPair, is_valid_signature, public_of
from minichain.errors import DecodeError

PURPOSE: Final = "class letter"
LARGEST: Final = 8 * 1024 * 1024  # bytes of one letter
MOST_ATTEMPTS: Final = 100  # in one letter over the network; a file has all of them
LIGHT, VALIDATOR, BROWSER = "light", "validator", "browser"


class Join(Plain, tag="join", forbid_unknown_fields=True):
    """Let me in under this name. `bundle` is the digest of the learner's lessons, if they are a bundle."""

    name: str
    role: str = LIGHT
    bundle: str = ""


class HandIn(Plain, tag="hand-in", forbid_unknown_fields=True):
    """These are answers of mine. `name` is for the file of somebody who has not joined."""

    attempts: tuple[Attempt, ...]
    name: str = ""


class Following(Plain, tag="following", forbid_unknown_fields=True):
    """My node runs and has what the chain has: vote it in. Said again and again, as long as that is so."""


class Look(Plain, tag="look", forbid_unknown_fields=True):
    """What is my place?"""


class Leave(Plain, tag="leave", forbid_unknown_fields=True):
    """I am going; what I handed in stays."""


class Ask(Plain, tag="ask", forbid_unknown_fields=True):
    """Pass this request on to a node that answers: an encoded `ClientRequest`."""

    request: bytes
    timeout_ms: int = 3_000


Body = Join | HandIn | Following | Look | Leave | Ask


class Letter(Plain, forbid_unknown_fields=True):
    """One letter. `of` is the class's id, `learner` a did:key, `at` the learner's clock in ms since 1970."""

    of: str
    learner: str
    at: int
    body: Body
    signature: bytes = b""


class Again(Plain, forbid_unknown_fields=True):
    """Begin again with the exercises within `prefix`: so it was `said`, on the desk's clock, this many ms `ago`."""

    prefix: str
    said: int
    ago: int


class Place(Plain, forbid_unknown_fields=True):
    """Somebody's place in the class. `genesis` is the chain's hash, in hexadecimal; `node` is where to join it."""

    name: str
    state: str
    number: int = 0
    colour: str = ""
    institution: str = ""  # what the chain calls it
    seed: int = 0
    genesis: str = ""
    node: str = ""
    seat: str = ""  # of somebody with a node: votes, comes, full or silent; `validating` says it
    again: tuple[Again, ...] = ()


class Answer(Plain, forbid_unknown_fields=True):
    """What the desk says. `code` is empty, or says why not; `said` is for people."""

    code: str = ""
    said: str = ""
    place: Place | None = None
    have: tuple[str, ...] = ()  # digests of the attempts in the letter that are kept here now, or were before
    refused: dict[str, str] = msgspec.field(default_factory=dict)  # digest -> why, of the others
    found: bytes = b""  # a node's answer, encoded; empty if no node has one


def sealed(letter: Letter, key: KeyPair, token: str) -> bytes:
    """Sign a letter and write it."""
    return to_json(msgspec.structs.replace(letter, signature=key.sign(PURPOSE, _content(letter, token))))


def _content(letter: Letter, token: str) -> bytes:
    return token.encode() + b"\0" + to_json(msgspec.structs.replace(letter, signature=b""))


def read_letter(data: bytes) -> Letter:
    """Read a letter, whoever wrote it. Raises `DecodeError`."""
    if len(data) > LARGEST:
        raise DecodeError(f"a letter of {len(data)} bytes: at most {LARGEST} are taken")
    letter = from_json(data, Letter)
    public_of(letter.learner)
    return letter


def is_sealed(letter: Letter, token: str) -> bool:
    """Tell whether a letter was signed by the learner that it names, who knew this token."""
    return is_valid_signature(public_of(letter.learner), PURPOSE, _content(letter, token), letter.signature)
