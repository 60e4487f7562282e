"""A waste manifest as data, whatever it was read from. Only what may stand on the chain has a field of its own;
everything else stays in `private`, of which the chain keeps nothing but a salted commitment.
"""

from __future__ import annotations

from typing import Any

from minichain.codec import Plain, encode
from minichain.crypto import digest

CONTINUES = ("rejected", "residue", "accepted")


class Site(Plain):
    """A party's place of work: its registration number and where it belongs, such as US-VA."""

    number: str
    jurisdiction: str


class Origin(Plain):
    """A part of an earlier manifest that a waste line continues: "accepted", "rejected" or "residue"."""

    manifest: str
    line: int
    part: str
    quantity: int


class Line(Plain):
    """One waste line. `quantity` counts whole `unit`s (K M P T L N G Y), `density` is in grams per litre or 0.

    `differs` names what the document says was different on arrival: "quantity", "type"; `residue` is its flag.
    """

    line: int
    description: str
    quantity: int
    unit: str
    containers: int
    container_type: str
    hazardous: bool = False
    dot: str = ""
    codes: tuple[str, ...] = ()
    local_codes: tuple[str, ...] = ()
    waste_class: str = ""
    container_ids: tuple[str, ...] = ()
    density: int = 0
    method: str = ""
    differs: tuple[str, ...] = ()
    residue: bool = False
    origins: tuple[Origin, ...] = ()


class Rejection(Plain):
    """What the document says about a rejected load. `alternate` is None when it goes back to its generator."""

    is_full: bool
    transporter_on_site: bool
    back_to_generator: bool = False
    alternate: Site | None = None
    new_numbers: tuple[str, ...] = ()


class Document(Plain):
    """A manifest. Without a `number` it is a draft: a number is assigned when it becomes pending."""

    profile: str
    generator: Site
    transporters: tuple[Site, ...]
    facility: Site
    lines: tuple[Line, ...]
    number: str = ""
    category: str = "LQG"
    broker: Site | None = None
    rejection: Rejection | None = None
    consent: str = ""
    is_corrected: bool = False
    private: dict[str, Any] = {}


class Private(Plain):
    """The part that is kept off the chain, and the hex commitment to it that stands on the chain."""

    content: bytes
    commitment: str


def split_private(document: Document, salt: bytes) -> tuple[dict[str, Any], Private]:
    """Return what may be published, and the private part under its commitment.

    Whoever holds the private content and the salt can prove it with `is_private_part`; without the salt the
    commitment tells nothing, so give each document a fresh random salt of at least 16 bytes.
    """
    public = {
        "profile": document.profile,
        "number": document.number,
        "lines": [_plain(line) for line in document.lines],
    }
    content = encode(document.private)
    return public, Private(content, commitment(content, salt))


def commitment(content: bytes, salt: bytes) -> str:
    """Commit to private content; 64 hex digits."""
    return digest("waste private part", len(salt).to_bytes(2) + salt + content).hex()


def is_private_part(content: bytes, salt: bytes, committed: str) -> bool:
    """Tell whether this content and salt are what was committed to."""
    return commitment(content, salt) == committed


def _plain(line: Line) -> dict[str, Any]:
    """Return a line as the contract takes it."""
    names = ("line", "description", "hazardous", "dot", "waste_class", "containers", "container_type")
    row: dict[str, Any] = {name: getattr(line, name) for name in (*names, "quantity", "unit", "density", "method")}
    row |= {name: list(getattr(line, name)) for name in ("codes", "local_codes", "container_ids")}
    row["origins"] = [
        {"manifest": o.manifest, "line": o.line, "part": o.part, "quantity": o.quantity} for o in line.origins
    ]
    return row


def public_lines(document: Document) -> list[dict[str, Any]]:
    """Return the waste lines as the contract takes them."""
    return [_plain(line) for line in document.lines]
