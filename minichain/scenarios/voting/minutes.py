"""The minutes of a decision: one file from which anybody counts its votes again with no network, years later.

It holds the proposal, its rules, who could vote and how it stands, each proven from the chain's state, and every
transaction about it with the proof that it is final. The tally is made anew from the votes; one that is left out is
missed, because the proven tally has it. Where the rules take the weights of the moment, the chain keeps those of the
last count, by which the proposal is decided: these are proven here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from minichain.client.network import Network
from minichain.codec import Plain, Record, decode, from_json, to_json
from minichain.contracts.deployed import Deployed
from minichain.contracts.rulebook import at_time, count, outcome, row_of
from minichain.contracts.storage import state_key
from minichain.contracts.system import GOVERNANCE
from minichain.crosschain import proofs
from minichain.crosschain.proofs import Proof, ProvenValue, Standing, ValueProof, Verified
from minichain.errors import ConfigError, DecodeError, ProofError
from minichain.ledger.state import contract_key

KIND: Final = "minichain minutes"
VERSION: Final = 1
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
PASSED: Final = ("Succeeded", "Queued", "Executed", "ExecutionFailed")

# What is checked, and what it means to an official.
CHECKS: Final = {
    "chain": "all of it is of one chain, and of one that is known",
    "code": "the contract that decides is the one this program knows",
    "state": "the proposal, its rules, its voters and its standing are what the chain holds",
    "final": "each transaction was signed by its sender, and the chain made it final",
    "order": "the transactions come in the order of the chain, each once, and none after the standing that is shown",
    "voter": "whoever voted signed it; and could vote with the weight that is told, where weights do not change",
    "time": "it was voted while votes were taken",
    "choice": "a vote says what the rules let it say, and is changed only where they allow it",
    "tally": "the votes, counted anew, are the tally on the chain",
    "outcome": "by the clauses of the rules this tally has the outcome that is told",
}


class Minutes(Record):
    """What a file holds: values of the state by the names of `KEYS`, and the transactions about one proposal."""

    contract: str
    number: int
    values: dict[str, ValueProof]
    proofs: tuple[Proof, ...]

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        return to_json((KIND, VERSION, self))


class Vote(Plain):
    """What one who could vote has said; `choice` is "recused", or "" for no vote."""

    name: str
    did: str
    weight: int
    choice: str


class Counted(Plain):
    """What minutes prove. `checks` says how often each check was made."""

    standing: Standing
    text: dict[str, Any]
    pack: dict[str, Any]
    case: dict[str, Any]
    votes: tuple[Vote, ...]
    checks: dict[str, int]

    def told(self) -> dict[str, Any]:
        """Return it as plain values, for JSON."""
        weight = self.case["tally"]["weight:"]
        return {
            "number": self.case["number"],
            "title": self.text["title"],
            "rules": self.pack["name"],
            "state": self.case["status"],
            "why": self.case["why"],
            "clause": self.case["clause"],
            "weight": weight["eligible"],
            "result": {choice: weight[choice] for choice in self.pack["choices"]},
            "votes": [[vote.name, vote.weight, vote.choice] for vote in self.votes],
        }


def is_minutes(data: bytes) -> bool:
    """Tell whether bytes mean to be minutes."""
    return data.startswith(b'["' + KIND.encode() + b'",')


def read(data: bytes) -> Minutes:
    """Read a file; raises `ProofError` unless it is exactly what `to_bytes` writes."""
    if len(data) > MAX_FILE_BYTES:
        raise ProofError(f"minutes have at most {MAX_FILE_BYTES} bytes, not {len(data)}")
    try:
        kind, version, minutes = from_json(data, tuple[str, int, Minutes])
    except (DecodeError, ConfigError) as error:
        raise ProofError(f"these are no minutes: {error}") from None
    if (kind, version) != (KIND, VERSION):
        raise ProofError(f"{kind} version {version}: this program reads version {VERSION} of {KIND}")
    return minutes


def _keys(contract: str, number: int, case: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the state keys of all that minutes show."""
    return {
        "code": contract_key(contract),
        "text": state_key(contract, "texts", number),
        "case": state_key(contract, "cases", number),
        "pack": state_key(contract, "packs", case["pack"]),
        "electorate": state_key(contract, "electorates", case["electorate"]),
    }


def take(network: Network, number: int, contract: str = "governance") -> Minutes:
    """Collect the minutes of a proposal; what they prove is told by `audit`. Raises `UsageError` if there is none."""
    case = network.view(contract, "proposal", {"number": number})
    values = {name: network.value_proof(key) for name, key in _keys(contract, number, case).items()}
    taken = [
        network.proof(receipt.tx_id.hex())
        for height in range(1, values["case"].header.height + 1)
        for receipt in network.block(height).receipts
        if any(event.contract == contract and event.data.get("proposal") == number for event in receipt.events)
    ]
    return Minutes(contract, number, values, tuple(taken))


def audit(minutes: Minutes, *known: bytes) -> Counted:
    """Check minutes and count again; raises `ProofError` with the check that fails.

    `known` are the genesis hashes of chains that may be believed; without any, they speak for the chain they name.
    """
    checks = dict.fromkeys(CHECKS, 0)

    def check(name: str, holds: bool, words: str) -> None:
        if not holds:
            raise ProofError(f"check '{name}' fails: {words}")
        checks[name] += 1

    found, held = _values(minutes, known, check)
    standing, case, pack, rows = found["case"], held["case"], held["pack"], held["electorate"]
    told = _transactions(minutes, standing, check)
    ballots, recused = _ballots(minutes, told, held, check)
    cast = {row[1]: ballots.get(row[1], "") for row in rows}  # of who has left since, where that matters, none is left
    check("tally", count(pack, rows, cast, case["recused"]) == case["tally"], "the votes add up to something else")
    check("tally", recused == case["recused"], "others stepped aside than the chain says")
    case = at_time(case, pack, standing.height if pack["clock"] == "blocks" else standing.time_ms)
    _check_outcome(case, pack, check)
    votes = tuple(Vote(row[0], row[1], row[2], "recused" if row[1] in recused else cast[row[1]]) for row in rows)
    return Counted(standing, held["text"], pack, case, votes, checks)


def _values(minutes: Minutes, known: tuple[bytes, ...], check: Any) -> tuple[dict[str, ProvenValue], dict[str, Any]]:
    """Return the proven values by name, and what they hold."""
    try:
        found = {name: proofs.verify(value, *known) for name, value in minutes.values.items()}
        held: dict[str, Any] = {
            name: decode(one.value or b"", Deployed if name == "code" else Any) for name, one in found.items()
        }
        keys = _keys(minutes.contract, minutes.number, held["case"])
    except (ProofError, DecodeError, LookupError, TypeError) as error:
        raise ProofError(f"check 'state' fails: {error}") from None
    check("state", {name: one.key for name, one in found.items()} == keys, "it shows values of something else")
    check("chain", len({one.genesis for one in found.values()}) == 1, "the values are of several chains")
    check("code", held["code"].source == GOVERNANCE, "the contract is another one than this program knows")
    return found, held


def _transactions(minutes: Minutes, standing: ProvenValue, check: Any) -> list[Verified]:
    told = []
    for place, proof in enumerate(minutes.proofs, 1):
        try:
            told.append(proofs.verify(proof, standing.genesis))
        except ProofError as error:
            raise ProofError(f"check 'final' fails for transaction {place}: {error}") from None
        check("final", True, "")
    order = [(one.height, one.receipt.index) for one in told]
    is_ordered = order == sorted(set(order)) and all(height <= standing.height for height, _ in order)
    check("order", is_ordered, "the transactions are not in the order of the chain, each once")
    return told


def _ballots(
    minutes: Minutes, told: list[Verified], held: dict[str, Any], check: Any
) -> tuple[dict[str, str], list[str]]:
    """Return the last vote of each, and who stepped aside, from what the contract announced."""
    ballots: dict[str, str] = {}
    recused: list[str] = []
    case, pack, rows = held["case"], held["pack"], held["electorate"]
    for one in told:
        now = one.height if pack["clock"] == "blocks" else one.time_ms
        for event in one.receipt.events:
            if event.contract != minutes.contract or event.data.get("proposal") != minutes.number:
                continue
            match event.name, event.data:
                case "Voted", {"voter": voter, "choice": choice, "weight": weight}:
                    could = pack["electorate"] == "live" or row_of(rows, voter)[2:3] == [weight]
                    check("voter", one.sender == voter and could, f"{voter} could not vote like this")
                    is_late = pack["deadline"] and now > case["ends"]
                    check("time", case["begins"] <= now and not is_late, f"{voter} voted at {now}")
                    is_allowed = choice in pack["choices"] and (voter not in ballots or pack["revote"])
                    check("choice", is_allowed, f"{voter} voted {choice}")
                    ballots[voter] = choice
                case "Recused", {"member": member}:
                    recused.append(member)
    return ballots, recused


def _check_outcome(case: dict[str, Any], pack: dict[str, Any], check: Any) -> None:
    """Decide by the clauses, and compare with what the chain says of a vote that is over."""
    found = outcome(pack["tracks"][case["track"]], case["tally"])
    if case["status"] in PASSED:
        check("outcome", found["status"] == "Succeeded", "by its rules it was not passed")
    if case["status"] == "Defeated":
        same = [found[name] == case[name] for name in ("status", "why", "clause")]
        check("outcome", all(same), "by its rules it was not defeated like this")
