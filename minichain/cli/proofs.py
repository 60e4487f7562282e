"""Proofs in files, checked with no network."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from msgspec import to_builtins

from minichain.cli.terminal import EXISTING, NEW, NO, plain, screen, show, with_json
from minichain.errors import ConfigError, CredentialError, DecodeError, ProofError, UsageError


@click.command()
@click.argument("proof", type=EXISTING)
@click.option(
    "--genesis",
    multiple=True,
    metavar="FILE|HASH",
    help="A chain it may speak of: its genesis.json, or its genesis hash in hexadecimal. Two for a crossing. [any]",
)
@click.option("--issuer", default="", metavar="DID", help="Who has to have signed a certificate. [anybody]")
@click.option("--passport", type=NEW, help="Also write a page to this file that checks the proof in any browser.")
@with_json
def verify(proof: Path, genesis: tuple[str, ...], issuer: str, passport: Path | None, as_json: bool) -> None:
    """Check a file with no network: the proof of a transaction, a value of the state or a crossing, a proof passport,
    the record of an election or the minutes of a decision, which are counted again, a certificate of the course.
    """
    from minichain.course import certificate
    from minichain.scenarios.voting import minutes
    from minichain.scenarios.voting.elections import record

    known, data = [_read_genesis(text) for text in genesis], _read(proof)
    is_vote, is_certificate = record.is_record(data) or minutes.is_minutes(data), certificate.is_certificate(data)
    if passport is not None and (is_vote or is_certificate):
        what = "the record of a vote" if is_vote else "a certificate"
        raise click.UsageError(f"--passport is for proofs: {what} has no page of its own")
    try:
        if issuer and not is_certificate:
            raise ProofError("this is no certificate, and has no --issuer: a proof is of a chain, named by --genesis")
        if is_certificate:
            content = _certified(data, known, issuer)
        else:
            content = _counted_again(data, known) if is_vote else _verified(data, known, passport)
    except (ProofError, CredentialError) as error:
        text = str(error)
        told = f"[bold red]Refused[/]: {plain(text)}"
        show(as_json, {"valid": False, "reason": text}, lambda: screen.print(told, soft_wrap=True))
        sys.exit(NO)
    show(as_json, content, lambda: _print_verified(content))


def _read(path: Path) -> bytes:
    """Read no more than any kind of proof may have: a file may have no end."""
    from minichain.scenarios.voting.elections import record

    with path.open("rb") as opened:
        return opened.read(record.MAX_FILE_BYTES + 1)


def _verified(data: bytes, known: list[bytes], passport: Path | None) -> dict[str, Any]:
    from minichain.crosschain import proofs
    from minichain.views import passport as passports

    held = passports.carried(data)
    found = proofs.verify(held, *known)
    if passport is not None:
        passport.write_text(passports.page(held), encoding="utf-8", newline="\n")
    return {"valid": True, **_content(found), "passport": str(passport) if passport else None}


def _certified(data: bytes, known: list[bytes], issuer: str) -> dict[str, Any]:
    from minichain.course import certificate

    read = certificate.read(data)
    report = certificate.check(read, issuer, time.time_ns() // 1_000_000, *known).require()
    checks = [f"{clause.name}: {clause.said}" for clause in report.clauses]
    content = {"kind": "certificate", "issuer": report.issuer, "claims": report.claims, "digest": read.digest}
    return {"valid": True, **content, "checks": checks, "is_expected": bool(issuer), "passport": None}


def _counted_again(data: bytes, known: list[bytes]) -> dict[str, Any]:
    from minichain.scenarios.voting import minutes
    from minichain.scenarios.voting.elections import record

    if minutes.is_minutes(data):
        counted = minutes.audit(minutes.read(data), *known)
        content = {"kind": "minutes", **_standing(counted.standing), "decision": counted.told()}
        return {"valid": True, **content, "checks": counted.checks, "passport": None}
    audited = record.audit(record.read(data), *known)
    return {
        "valid": True,
        "kind": "election",
        **_standing(audited.standing),
        "code": audited.code,
        "authority": audited.authority,
        "election": audited.recount.told(),
        "checks": audited.checks,
        "passport": None,
    }


def _content(found: Any) -> dict[str, Any]:
    """Say what a proof proves."""
    from minichain.crosschain.proofs import ProvenValue, Verified

    match found:
        case Verified():
            return {
                "kind": "transaction",
                **_standing(found),
                "sender": found.sender,
                "calls": [{"contract": call.contract, "action": call.action} for call in found.transaction.calls],
                "outcome": found.receipt.outcome,
                "events": [{"contract": e.contract, "name": e.name, "data": e.data} for e in found.receipt.events],
            }
        case ProvenValue():
            value, is_there = found.value, found.value is not None
            return {"kind": "value", **_standing(found), "key": found.key, "present": is_there, "value": value}
    return {
        "kind": "crossing",
        "number": found.number,
        "sent": _standing(found.sent),
        "decided": _standing(found.decided),
        "message": to_builtins(found.message),
        "outcome": found.answer.outcome,
        "reason": found.answer.reason,
        "result": found.answer.result,
    }


def _standing(block: Any) -> dict[str, Any]:
    return {
        "chain": block.chain_id,
        "genesis": block.genesis.hex(),
        "height": block.height,
        "time_ms": block.time_ms,
        "signers": list(block.signers),
        "confirmations": block.depth.confirmations if block.depth else None,
        "work": block.depth.work if block.depth else None,
    }


def _read_genesis(text: str) -> bytes:
    """Return the genesis hash that an option gives, or that of the chain in the file it names."""
    from minichain.codec import from_json
    from minichain.ledger.genesis import ChainSpec, Genesis

    if not Path(text).is_file():
        return read_hash(text)
    try:
        return Genesis(from_json(_read(Path(text)), ChainSpec)).hash
    except (DecodeError, ConfigError) as error:
        raise UsageError(f"--genesis {text} is not the genesis file of a chain: {error}") from None


def read_hash(text: str) -> bytes:
    """Return the genesis hash that an option gives in hexadecimal; raises `UsageError`."""
    # An empty one, such as that of a script's unset variable, must not mean "any chain".
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        told = f"--genesis {text!r} is not 64 hexadecimal digits"
        raise UsageError(f"{told}: copy it from `minichain verify` of a proof you trust")
    return bytes.fromhex(text)


_PROVED = {
    "transaction": "It is proved who signed what, and that the chain made it final",
    "value": "It is proved what the chain's state held after a block",
    "crossing": "It is proved that one chain sent a message, and what the other one decided",
    "minutes": "The votes were counted again from the minutes, and every check holds",
    "election": "The election was counted again from its record, and every check holds",
    "certificate": "It is signed by the class, and was not changed",
}


def _print_verified(content: dict[str, Any]) -> None:
    def line(text: str) -> None:
        screen.print(f"  {text}", soft_wrap=True, highlight=False)

    screen.print(f"[bold green]Valid.[/] {_PROVED[content['kind']]}:")
    if content["kind"] == "certificate":
        _print_certificate(content, line)
        return
    match content["kind"]:
        case "transaction":
            calls = ", ".join(f"{call['contract']}.{call['action']}" for call in content["calls"])
            line(plain(f"{calls} by {content['sender']}: {content['outcome']}"))
        case "value":
            value = f"the value {content['value'].hex()}" if content["present"] else "no value"
            line(f"key {content['key'].hex()}: {value}")
        case "crossing":
            message = content["message"]
            what = f"{message['amount']} units" if message["kind"] == "units" else f"the call {message['action']}"
            line(plain(f"message {content['number']}: {what} from {message['sender']} to {message['to']}"))
            line(plain(f"decided: {content['outcome']} {content['reason']}".rstrip()))
        case "election":
            _print_election(content, line)
        case "minutes":
            _print_minutes(content, line)
    for block in (content["sent"], content["decided"]) if content["kind"] == "crossing" else (content,):
        behind = f"signed by {plain(', '.join(block['signers']))}"
        if block["work"]:
            behind = f"under {block['confirmations']} blocks that took about {block['work']} tries"
        line(f"block {block['height']} of {block['chain']}, {behind}")
        line(f"genesis {block['genesis']}")
    if content["passport"]:
        line(f"Passport: {plain(content['passport'])} (it checks itself in any browser, with no network)")


def _print_certificate(content: dict[str, Any], line: Callable[[str], None]) -> None:
    claims = content["claims"]
    line(plain(f"{claims['name']}, {claims['certificate']}, account {claims['id']}"))
    for name, one in claims["reached"].items():
        line(plain(f"{name}: {one['reached']} of {one['needed']} needed"))
    for check in content["checks"]:
        line(plain(check))
    if not content["is_expected"]:
        line(f"Is {plain(content['issuer'])} your class? Ask whoever ran it, or check with --issuer.")


def _print_election(content: dict[str, Any], line: Callable[[str], None]) -> None:
    from minichain.scenarios.voting.elections.record import MEANINGS

    election = content["election"]
    counts = ", ".join(f"{choice} {count}" for choice, count in election["result"].items()) or "no count"
    line(plain(f"{election['title']}: {election['state']}; {counts}"))
    line(f"weight of the votes that count: {election['turnout']} of {election['weight']}")
    if election["exposed"]:
        line(plain(f"the count tells who voted for: {', '.join(election['exposed'])}"))
    _print_checks(content, MEANINGS, line)


def _print_minutes(content: dict[str, Any], line: Callable[[str], None]) -> None:
    from minichain.scenarios.voting.minutes import CHECKS

    decision = content["decision"]
    counts = ", ".join(f"{choice} {count}" for choice, count in decision["result"].items())
    because = f" by clause {decision['clause']}" if decision["clause"] else ""
    line(plain(f"{decision['title']}: {decision['state']}{because}; {counts} of {decision['weight']}"))
    for name, weight, choice in decision["votes"]:
        line(plain(f"{name} (weight {weight}): {choice or 'no vote'}"))
    _print_checks(content, CHECKS, line)


def _print_checks(content: dict[str, Any], meanings: Mapping[str, str], line: Callable[[str], None]) -> None:
    for name, times in content["checks"].items():
        if times:
            line(f"checked {times} x {name}: {meanings[name]}")
