"""What the state keeps of a contract, and what of it an upgrade may change.

An upgrade keeps every stored value, so a field keeps its type and its keys for ever, also while versions in between do
without it: otherwise new code would read old bytes as something they are not. What is to be kept in another way gets a
field with a name of its own, which `migrate` can fill.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import msgspec

from minichain.codec import Record, encode
from minichain.contracts.abi import Abi, Field, Method
from minichain.contracts.values import fault

WORDS: Final = frozenset({"sentence", "sentences", "part"})  # of a method; they change nothing for who calls it
MAX_RETIRED: Final = 256  # fields that a contract remembers and does not declare any more
NOBODY: Final = ""  # the authority of a contract that can never be changed


class Restriction(Record):
    """Who may use one action: with "allow" these accounts and nobody else, with "deny" everybody but them."""

    mode: str
    accounts: tuple[str, ...]

    def admits(self, account: str) -> bool:
        return (account in self.accounts) == (self.mode == "allow")


class Version(Record):
    """One version of a contract: its source, and who put it on the ledger at which height."""

    number: int
    source: str
    by: str
    height: int

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.source)


class Deployed(Record):
    """What the ledger keeps of a contract under `contract_key`.

    `by` put the present version there, at height `since`; `deployer` and `height` are those of the first version.
    `authority`, an account or a contract or `NOBODY`, may change it. `changed` tells for each action and view that is
    not as it was in version 1 since which version it is as it is. `retired` are the fields that earlier versions
    declared and this one does not.
    """

    source: str
    deployer: str
    height: int
    version: int
    by: str
    since: int
    authority: str
    is_frozen: bool = False
    access: dict[str, Restriction] = msgspec.field(default_factory=dict)
    changed: dict[str, int] = msgspec.field(default_factory=dict)
    retired: tuple[Field, ...] = ()

    @property
    def present(self) -> Version:
        """Return the present version, as `version_key` keeps the earlier ones."""
        return Version(self.version, self.source, self.by, self.since)


def first_version(source: str, by: str, height: int, authority: str) -> Deployed:
    """Return what is kept of a contract when it is deployed."""
    return Deployed(source, by, height, version=1, by=by, since=height, authority=authority)


def version_key(name: str, number: int) -> bytes:
    """Return the state key of an earlier version of a contract."""
    return encode(["version", name, number])


def fingerprint(source: str) -> str:
    """Return the SHA-256 of a source in hexadecimal, as `sha256sum` prints it for the file."""
    return sha256(source.encode()).hexdigest()


def upgraded(before: Deployed, old: Abi, new: Abi, source: str, by: str, height: int) -> Deployed:
    """Return what is kept of a contract after an upgrade; fails where the new version would misread what is stored."""
    number = before.version + 1
    return msgspec.structs.replace(
        before,
        source=source,
        version=number,
        by=by,
        since=height,
        changed=_changed(before.changed, old, new, number),
        retired=_retired(before, old, new),
    )


def _retired(before: Deployed, old: Abi, new: Abi) -> tuple[Field, ...]:
    kept = {field.name: field for field in (*before.retired, *old.fields)}
    for field in new.fields:
        stored = kept.pop(field.name, field)
        if (stored.type, stored.keys) != (field.type, field.keys):
            fault(
                f"the field {field.name} holds {kind(stored)} and cannot become {_unlike(stored, field)}: "
                "keep it as it is, and give what is new a name of its own"
            )
    if len(kept) > MAX_RETIRED:
        fault(f"more than {MAX_RETIRED} fields of earlier versions are left out: declare some of them again")
    return tuple(msgspec.structs.replace(field, default=None) for field in kept.values())


def _unlike(stored: Field, field: Field) -> str:
    """Write how another field is declared; a record may have the same name and other fields."""
    return f"another {kind(field)}" if kind(stored) == kind(field) else kind(field)


def _changed(known: dict[str, int], old: Abi, new: Abi, number: int) -> dict[str, int]:
    before, now = _methods(old), _methods(new)
    same = {name: known.get(name, 1) if before.get(name) == sign else number for name, sign in now.items()}
    return {name: since for name, since in same.items() if since > 1}


def _methods(abi: Abi) -> dict[str, Any]:
    """Return what a caller relies on of each action and view: everything but the words about it."""
    kinds: tuple[tuple[str, tuple[Method, ...]], ...] = (("action", abi.actions), ("view", abi.views))
    return {one.name: (mark, _without_words(one)) for mark, methods in kinds for one in methods}


def _without_words(method: Method) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(method).items() if name not in WORDS}


def kind(field: Field) -> str:
    """Write how a field is declared."""
    keys = field.keys[0] if len(field.keys) == 1 else f"({', '.join(field.keys)})"
    return f"Map({keys}, {field.type})" if field.keys else f"Value({field.type})"
