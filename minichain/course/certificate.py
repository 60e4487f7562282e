"""A certificate of the course: a credential that the class's own key signs, a page to print, no name on any chain.

What somebody has to have reached is counted from checks and marks, and stands in the certificate. A chain keeps a
salted digest only: it shows that a certificate was there at a time, to whoever holds it, and tells nobody else a thing.
Checking needs no network: the certificate, and the class's did from whoever ran the course.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

import msgspec

from minichain.codec import Plain, from_json, to_json
from minichain.course import material, papers, trainer
from minichain.course.brought import read_brought
from minichain.course.classroom.grid import Cell
from minichain.course.material import phrases
from minichain.crosschain import proofs
from minichain.crypto import KeyPair, commitment
from minichain.errors import CredentialError, DecodeError, UsageError
from minichain.identity import credentials
from minichain.identity.clauses import Checklist, Clause, Report
from minichain.identity.jcs import Json, canonical

KIND: Final = "CourseCertificate"
OPERATOR, BUILDER = "operator", "builder"
BOARD: Final = "board"  # the contract that a class has on its chain
ROWS: Final = ("fit", "trust", "rights", "evidence")  # of the rubric, 0 to 4 each
COLUMNS: Final = ("name", "quiz", "tasks", *ROWS)


class Marks(Plain, forbid_unknown_fields=True):
    """What a trainer has marked: the quiz after the course in percent, task cards done, and the brief by the rubric."""

    name: str
    quiz: int
    tasks: int
    fit: int
    trust: int
    rights: int
    evidence: int

    @property
    def brief(self) -> int:
        return self.fit + self.trust + self.rights + self.evidence


class Criterion(Plain):
    """One thing that is asked, how much of it was reached, and how much is needed."""

    id: str
    reached: int
    needed: int

    @property
    def is_met(self) -> bool:
        return self.reached >= self.needed


class Certificate(Plain, forbid_unknown_fields=True):
    """A certificate as a file: the credential, the salt of its digest, and the proof that the digest is on a chain."""

    credential: dict[str, Any]
    salt: bytes
    proof: bytes = b""

    @property
    def digest(self) -> str:
        """Return what a chain keeps of it, 64 hexadecimal digits."""
        return digest(self.credential, self.salt)


def digest(credential: Json, salt: bytes) -> str:
    """Return what stands for a credential on a chain: without the salt nobody can tell whose it is."""
    return commitment(salt, canonical(credential)).hex()


# --- what was reached --------------------------------------------------------------------------------------------


def read_marks(path: Path) -> dict[str, Marks]:
    """Read a trainer's table of marks (CSV), by name. Raises `UsageError` with the line that is wrong."""
    found: dict[str, Marks] = {}
    with StringIO(read_brought(path)) as opened:
        rows = csv.DictReader(opened)
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise UsageError(f"{path}: the columns are {', '.join(COLUMNS)}, not {', '.join(rows.fieldnames or ())}")
        for number, row in enumerate(rows, 2):
            marks = _marks(row, f"{path}, line {number}")
            if marks.name in found:
                raise UsageError(f"{path}, line {number}: {marks.name} is there twice")
            found[marks.name] = marks
    return found


def _marks(row: Mapping[str, str | None], where: str) -> Marks:
    try:
        marks = msgspec.convert(row, Marks, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}") from None
    if not 0 <= marks.quiz <= 100 or marks.tasks < 0 or not all(0 <= getattr(marks, one) <= 4 for one in ROWS):
        raise UsageError(f"{where}: the quiz has 0 to 100 percent, a row of the rubric 0 to 4")
    return marks


def criteria(kind: str, marks: Marks, row: Mapping[str, Cell]) -> tuple[Criterion, ...]:
    """Return what a kind of certificate asks, and what somebody has reached. Raises `UsageError` for another kind."""
    match kind:
        case "operator":
            asked = [("quiz", marks.quiz, 70), ("tasks", marks.tasks, 2), ("brief", marks.brief, 10)]
            asked.append(("rights", marks.rights, 1))
        case "builder":
            every = [task for module in material.syllabus().modules for task in material.tasks(module.id)]
            hidden = [id for id in every if (key := _key(id)) is not None and key.hidden is not None]
            right = [id for id in every if row.get(id, Cell()).is_right]
            passed = [id for id in hidden if row.get(id, Cell()).hidden == "right"]
            asked = [("checks", share(right, every), 80), ("hidden", share(passed, hidden), 70)]
            asked.append(("capstone", marks.brief, 11))
        case _:
            raise UsageError(f"a certificate is for an {OPERATOR} or a {BUILDER}, not {kind!r}")
    return tuple(Criterion(*one) for one in asked)


def _key(id: str) -> trainer.Key | None:
    return trainer.keys(id.partition(".")[0]).get(id)


def share(some: Sequence[Any], every: Sequence[Any]) -> int:
    """Return what part some are of all, in whole percent, rounded down."""
    return 100 * len(some) // len(every) if every else 0


# --- issuing -----------------------------------------------------------------------------------------------------


def issue(kind: str, marks: Marks, reached: Iterable[Criterion], did: str, key: KeyPair, now_ms: int) -> Json:
    """Sign that somebody has reached what is asked. Raises `UsageError` that names what is missing."""
    reached = tuple(reached)
    if missing := [f"{one.id} {one.reached} of {one.needed}" for one in reached if not one.is_met]:
        raise UsageError(f"{marks.name} has not reached what a certificate asks: {', '.join(missing)}")
    subject = {
        "id": did,
        "name": marks.name,
        "certificate": kind,
        "reached": {one.id: {"reached": one.reached, "needed": one.needed} for one in reached},
    }
    return credentials.issue(credentials.unsigned(KIND, key.did, subject, now_ms), key, now_ms)


# --- checking ----------------------------------------------------------------------------------------------------


def is_certificate(data: bytes) -> bool:
    """Tell whether a file means to be a certificate."""
    return data.lstrip().startswith(b'{"credential":')


def read(data: bytes) -> Certificate:
    """Read a certificate. Raises `DecodeError`."""
    return from_json(data.strip(), Certificate)


def check(certificate: Certificate, issuer: str, now_ms: int, *known: bytes) -> Report:
    """Check a certificate of the class with this did; `known` are genesis hashes of chains that may hold its digest.

    With no `issuer` only the signature is checked, and the report says whose it is.
    """
    trusted = issuer or credentials.issuer_of(certificate.credential)
    by = credentials.Verifier(now_ms=now_ms, clock="this computer's", trust=credentials.trust_list({KIND: [trusted]}))
    report = credentials.verify(certificate.credential, by)
    if report.failure or not certificate.proof:
        return report
    checks = Checklist()
    checks.check("anchor", lambda: _require_anchor(certificate, trusted, known))
    clauses: tuple[Clause, ...] = (*report.clauses, *checks.clauses)
    return Report(clauses, {} if checks.has_failed else report.claims, report.issuer, report.types)


def _require_anchor(certificate: Certificate, issuer: str, known: tuple[bytes, ...]) -> str:
    """Refuse a proof that is of another digest, or of somebody else's."""
    proof = proofs.unpack(certificate.proof)
    if not isinstance(proof, proofs.Proof):
        raise CredentialError("anchor", "its proof is not that of a transaction")
    found = proofs.verify(proof, *known)
    put = [event.data.get("digest") for event in found.receipt.events if event.contract == BOARD]
    if found.sender != issuer or certificate.digest not in put:
        raise CredentialError(
            "anchor", "the chain does not hold the digest of this certificate, put there by its class"
        )
    return f"its digest was on chain {found.chain_id} at height {found.height}"


# --- on paper ----------------------------------------------------------------------------------------------------


def page(certificate: Certificate, language: str) -> bytes:
    """Return a certificate as a page to print."""
    say, credential = phrases(), certificate.credential
    subject = credential["credentialSubject"]
    title = say[f"certificate_{subject['certificate']}"](language)
    rows = "\n".join(
        f"| {say[f'criterion_{id}'](language)} | {one['reached']} | {one['needed']} |"
        for id, one in subject["reached"].items()
    )
    head = (
        f"| {say['what'](language)} | {say['reached'](language)} | {say['needed'](language)} |\n| --- | ---: | ---: |"
    )
    parts = [
        f"# {title}",
        say["certificate_of"](language, name=_plain(str(subject["name"])), day=credential["validFrom"][:10]),
        f"{head}\n{rows}",
        say["certificate_check"](language),
        f"`{credential['issuer']}`",
        f"`{certificate.digest}`",
        say["certificate_limits"](language),
    ]
    return papers.page(title, "\n\n".join(parts), language)


def _plain(name: str) -> str:
    """Return a name that Markdown shows as it stands."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~&" else sign for sign in " ".join(name.split()))


def written(certificate: Certificate) -> bytes:
    """Write a certificate as a file."""
    data = to_json(certificate) + b"\n"
    if not is_certificate(data):
        raise DecodeError("a certificate begins with its credential")
    return data
