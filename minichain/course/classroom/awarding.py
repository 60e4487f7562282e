"""The class certifies what somebody has reached; its key is derived from the trainer's secret, and is its identity."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from minichain.client import Network
from minichain.client.wallet import Wallet
from minichain.course import certificate
from minichain.course.certificate import Certificate, Marks
from minichain.course.classroom.folder import Settings
from minichain.course.classroom.room import ClassRoom
from minichain.crosschain import proofs
from minichain.crypto import DIGEST_SIZE, KeyPair
from minichain.errors import UsageError
from minichain.ledger.types import Call
from minichain.live.home import Home


def class_key(settings: Settings) -> KeyPair:
    """Return the key that certificates of a class are signed with."""
    return KeyPair.derive(bytes.fromhex(settings.secret), "class identity")


def award(room: ClassRoom, name: str, kind: str, marks: Mapping[str, Marks], home: Home | None) -> Certificate:
    """Certify what a learner has reached; with a `home`, put a digest of it onto the chain of its network.

    Raises `UsageError` for somebody who is not in the class, has no marks, or has not reached what is asked.
    """
    learner = next((one for one in room.learners if one.name == name), None)
    if learner is None:
        raise UsageError(f"nobody in this class is called {name!r}: `minichain class status` lists its names")
    if name not in marks:
        raise UsageError(f"the table of marks has no line for {name!r}")
    reached = certificate.criteria(kind, marks[name], room.grid().get(learner.did, {}))
    key, now = class_key(room.settings), time.time_ns() // 1_000_000
    made = certificate.issue(kind, marks[name], reached, learner.did, key, now)
    found = Certificate(made, secrets.token_bytes(DIGEST_SIZE))
    return anchored(found, key, home) if home else found


def anchored(found: Certificate, key: KeyPair, home: Home) -> Certificate:
    """Put the digest of a certificate onto a chain, and return the certificate with the proof of it."""
    with Network.attach(home.path, home.passphrase) as net:
        wallet = Wallet("class", key)
        net.open([wallet])
        receipt = net.send(wallet, [Call(certificate.BOARD, "anchor", {"digest": found.digest})])
        return msgspec.structs.replace(found, proof=proofs.pack(receipt.proof()))


def write(found: Certificate, name: str, folder: Path, language: str) -> list[Path]:
    """Write a certificate as a file and as a page to print. Raises `UsageError` where there is one already."""
    stem = "".join(sign if sign.isalnum() else "-" for sign in name)
    paths = [folder / f"certificate-{stem}.json", folder / f"certificate-{stem}.html"]
    if there := [path.name for path in paths if path.exists()]:
        raise UsageError(f"{folder} has {', '.join(there)} already: move them away first")
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in zip(paths, (certificate.written(found), certificate.page(found, language)), strict=True):
        path.write_bytes(content)
    return paths
