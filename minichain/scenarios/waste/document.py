"""A waste manifest as data, whatever it was read from. Only what may stand on the chain has a field of its own;
everything else stays in `private`, of which the chain keeps nothing but a salted commitment.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from msgspec.structs import asdict

from minichain.codec import Plain, encode
from minichain.crypto import digest


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
    private: Mapping[str, Any] = MappingProxyType({})  # dotted path -> value


class Split(Plain):
    """What may stand on the chain, what is kept outside, and the hex commitment to it that stands on the chain."""

    public: dict[str, Any]
    private: bytes
    commitment: str


def split_private(document: Document, salt: bytes) -> Split:
    """Part a document in two.

    Whoever holds the private bytes and the salt proves them with `is_private_part`. Without the salt the commitment
    tells nothing, so give each document a fresh random one of at least 16 bytes.
    """
    sites = (document.generator, *document.transporters, document.facility)
    public = {
        "profile": document.profile,
        "number": document.number,
        "sites": [site.number for site in sites],
        "lines": public_lines(document),
    }
    private = encode(dict(document.private))
    return Split(public, private, commitment(private, salt))


def commitment(private: bytes, salt: bytes) -> str:
    """Commit to private content; 64 hex digits."""
    return digest("waste private part", len(salt).to_bytes(2) + salt + private).hex()


def is_private_part(private: bytes, salt: bytes, committed: str) -> bool:
    """Tell whether this content and salt are what was committed to."""
    return commitment(private, salt) == committed


def public_lines(document: Document) -> list[dict[str, Any]]:
    """Return the waste lines as the contract takes them."""
    return [_plain(line) for line in document.lines]


def _plain(line: Line) -> dict[str, Any]:
    names = ("line", "description", "hazardous", "dot", "waste_class", "containers", "container_type")
    row: dict[str, Any] = {name: getattr(line, name) for name in (*names, "quantity", "unit", "density", "method")}
    row |= {name: list(getattr(line, name)) for name in ("codes", "local_codes", "container_ids")}
    row["origins"] = [asdict(origin) for origin in line.origins]
    return row
