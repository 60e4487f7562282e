"""What a chain does about other chains: it follows their headers, and believes what a followed header commits to.

Five actions of the ledger. `connect`: more than two thirds of the members agree to follow another chain. `follow`:
anybody brings a header with what made it final, and with the next committee where that changes; of a chain of work, all
headers in a row, and those deep enough count. `trace`: anybody brings the ancestors of what is followed. `deliver`:
anybody brings a receipt of a followed block; each message in it for this chain is carried out once and in order, and
each answer settles a message that was sent. `cross`: an account sends units.

Whoever brings these things is not trusted, and cannot choose what happens: a message names the gas of its call, and a
call that fails undoes itself and is answered as failed. The books are kept by the contract `bridge`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, Final, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from minichain import merkle
from minichain.codec import MAX_VALUE_DEPTH, Plain, check_value, decode, decode_own, encode
from minichain.contracts import system
from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import MAX_EVENTS, Frame, Runtime
from minichain.contracts.storage import state_key
from minichain.contracts.values import fault
from minichain.crosschain.remotes import Followed, Remote, first_trust, followed_key, remote_key
from minichain.crosschain.work import Link
from minichain.crypto import did_of, digest, public_of
from minichain.errors import ConfigError, DecodeError, ExecutionError, OutOfGas, ProofError
from minichain.ledger.certificate import Handover
from minichain.ledger.committee import committee_at
from minichain.ledger.genesis import MAX_SUPPLY, ChainSpec, Genesis
from minichain.ledger.state import COMMITTEE_KEY, contract_key
from minichain.ledger.types import Event, Header, Receipt

BRIDGE: Final = "bridge"
MAX_RECEIPT_BYTES: Final = 64 * 1024  # of a transaction that sends or answers messages: others must be able to carry it
LEAST_BYTES: Final = 2 * MAX_RECEIPT_BYTES  # of a transaction on a chain that takes part
LEAST_GAS: Final = 30_000_000  # likewise: the dearest message or answer can be brought
TOO_LARGE: Final = "where other chains must hear of it at most"
MAX_TOLD_BYTES: Final = 16 * 1024  # what one message may return and announce
MAX_TOLD_EVENTS: Final = MAX_EVENTS // 2  # or nobody could bring it
MAX_TOLD_DEPTH: Final = 12  # levels of what a call returns: on its way back it lies in other values
GAS_SIGNATURE: Final = 150_000
GAS_HEADER: Final = 50_000  # of a chain of work, with its hash
GAS_BYTE: Final = 2
GAS_RECEIPT_BYTE: Final = 20  # which can be a list of its own, to be made before it is known what for
GAS_UNITS: Final = 1_000
ANSWER_GAS: Final = 2_000_000  # what a contract may use that is told what became of its message
MAX_REASON: Final = 200  # characters

T = TypeVar("T")


class Message(Plain, forbid_unknown_fields=True):
    """A message as the other chain's bridge announced it."""

    kind: Literal["units", "call"]
    sender: str
    to: str
    until: int
    amount: int
    action: str
    arguments: dict[str, Any]
    gas: int
    answer: str


class Sent(Plain, forbid_unknown_fields=True):
    """An event: this message, for the chain with this genesis."""

    chain: str
    to: bytes
    number: int
    message: Message


class Received(Plain, forbid_unknown_fields=True):
    """An event: the answer to a message, for the chain with this genesis."""

    chain: str
    to: bytes
    number: int
    outcome: str
    reason: str
    result: list[Any]


_CHANNELS: Final = state_key(BRIDGE, "channels", "")[:-1]


def units_abroad(key: bytes, value: bytes) -> int:
    """Return the units that are on other chains (below zero: made here for units there), in this value of the state."""
    return int(decode_own(value, dict[str, Any])["abroad"]) if key.startswith(_CHANNELS) else 0


class Gate:
    """One transaction's way to other chains."""

    def __init__(self, runtime: Runtime, genesis: Genesis, frame: Frame, sender: bytes, heed: Heed) -> None:
        self._runtime, self._genesis, self._frame, self._sender = runtime, genesis, frame, sender
        self._heed = heed

    def _books(self, action: str, **args: Any) -> Any:
        """Let the bridge do something that only the ledger may ask of it."""
        return self._runtime.call(self._frame.asked_by("ledger"), BRIDGE, action, args)

    def _attempt(self, gas: int, work: Callable[[Frame], Any]) -> tuple[Any, str]:
        """Do something that may fail, with gas of its own; return its result, or why it failed and left nothing."""
        frame = self._frame
        if frame.meter.limit - frame.meter.used < gas:
            raise OutOfGas(f"a message may use {gas} gas, and less is left: bring it with more")
        inner, mark = frame.asked_by(BRIDGE, GasMeter(gas), []), frame.overlay.checkpoint()
        try:
            result, reason = work(inner), ""
            self._heed(self._genesis, inner, inner.events)  # what the ledger refuses fails here, not the rest
            _require_tellable(result, inner.events)
        except ExecutionError as error:
            frame.overlay.rollback(mark)
            inner.events.clear()
            result, reason = None, str(error)[:MAX_REASON]
        frame.meter.charge(inner.meter.used)
        frame.events += inner.events
        if len(frame.events) >= MAX_EVENTS:  # its answer is announced too
            fault(f"a transaction announces at most {MAX_EVENTS} events: bring fewer messages at once")
        return result, reason

    # --- following ---

    def connect(self, *, spec: Any, mints: Any, trusting_ms: Any, checkpoint: Any) -> bool:
        """Agree, as a member, to follow a chain; returns whether it is followed now.

        It is trusted from its genesis on, or from a `checkpoint`: an encoded handover that the members vouch for.
        """
        frame = self._frame
        committee = committee_at(frame.overlay.get(COMMITTEE_KEY) or b"", frame.height)
        if committee.weight(self._sender) == 0:
            fault("only a member connects this chain to another one: send it with a validator's key")
        if type(mints) is not bool or type(trusting_ms) is not int or trusting_ms <= 0:
            fault("ledger.connect takes `mints`, true or false, and `trusting_ms`, how long it is trusted unheard")
        other = _chain(spec)
        self._require_able(other)
        known = None if checkpoint == b"" else _read("checkpoint", checkpoint, Handover)
        remote = _proven(other.spec.chain_id, lambda: first_trust(other, trusting_ms, known))
        what = digest("connection", encode([other.hash, mints, trusting_ms, checkpoint]))
        agreed = [public_of(member) for member in self._agree(what)]
        if not committee.is_quorum(committee.weigh(agreed)):
            return False
        self._books("connect", what=what, chain=remote.chain, genesis=remote.genesis, mints=mints)
        frame.overlay.put(remote_key(remote.chain), encode(remote))
        if known is not None:  # its ancestors can be traced
            frame.overlay.put(followed_key(remote.chain, known.header.height), encode(Followed.of(known.header)))
        return True

    def _agree(self, what: bytes) -> list[str]:
        if self._frame.overlay.get(contract_key(BRIDGE)) is None:  # whoever is the first to ask pays for it
            self._runtime.deploy(self._frame.asked_by("ledger"), BRIDGE, system.BRIDGE, {})
        agreed: list[str] = self._books("agree", what=what, member=did_of(self._sender))
        return agreed

    def _require_able(self, other: Genesis) -> None:
        if other.spec.chain_id == self._genesis.spec.chain_id:
            fault(f"this chain is called {other.spec.chain_id} itself")
        for spec in (other.spec, self._genesis.spec):
            for setting, least in (("transaction_bytes", LEAST_BYTES), ("transaction_gas", LEAST_GAS)):
                if getattr(spec.limits, setting) < least:
                    fault(f"{spec.chain_id}: limits.{setting} is less than the {least} that crossing needs")

    def follow(self, *, chain: Any, block: Any) -> str:
        """Take a header of another chain: `block` is an encoded handover.

        Of a chain of work, `block` are encoded links.
        """
        meter, remote = self._frame.meter, believed(self._frame, chain)
        if remote.branch:
            links = _read("block", block, tuple[Link, ...])
            meter.charge(GAS_HEADER * len(links) + GAS_BYTE * len(block))
            return self._keep(*_proven(remote.chain, lambda: remote.mined(links, self._latest_ms())))
        brought = _read("block", block, Handover)
        meter.charge(GAS_SIGNATURE * len(brought.certificate.signers) + GAS_BYTE * len(block))
        return self._keep(*_proven(remote.chain, lambda: remote.grown(brought, self._frame.now_ms)))

    def _latest_ms(self) -> int | None:
        """Return the time that nothing which has happened can be later than; None on a chain that knows no time."""
        spec = self._genesis.spec
        return self._frame.now_ms + spec.max_skew_ms if spec.clock == "wall" else None

    def trace(self, *, chain: Any, headers: Any) -> str:
        """Take the ancestors of a header that is followed: encoded headers, that one first, then always the parent.

        No signature is needed, nor would one be found any more of a committee that is long gone: what is final has
        final ancestors, and a header names its parent by its hash.
        """
        remote, frame = believed(self._frame, chain), self._frame
        line = _read("headers", headers, tuple[Header, ...])
        frame.meter.charge(GAS_HEADER * len(line) + GAS_BYTE * len(headers))
        if len(line) < 2:
            fault("ledger.trace takes a header that is followed, and its ancestors after it")
        stored = frame.overlay.get(followed_key(remote.chain, line[0].height))
        if stored is None or decode_own(stored, Followed).id != line[0].id:
            fault(f"the first header, of height {line[0].height}, is not a block of {remote.chain} that is followed")
        for child, parent in pairwise(line):
            if child.parent != parent.id:
                fault(f"the header after that of height {child.height} is not its parent's")
        return self._keep(remote, {header.height: Followed.of(header) for header in line[1:]})

    def _keep(self, remote: Remote, final: dict[int, Followed]) -> str:
        """Keep what is final there, unless it contradicts what is kept: then that chain is believed no more."""
        overlay = self._frame.overlay
        for height, header in final.items():
            key = followed_key(remote.chain, height)
            known = overlay.get(key)
            if known is None:
                overlay.put(key, encode(header))
                self._announce("Followed", chain=remote.chain, height=height)
            elif decode_own(known, Followed).id != header.id and not remote.forked:
                remote = replace(remote, forked=height)
                self._announce("Forked", chain=remote.chain, height=height)
        overlay.put(remote_key(remote.chain), encode(remote))
        return "forked" if remote.forked else "followed"

    def _announce(self, name: str, **data: Any) -> None:
        self._frame.announce(Event("ledger", name, data))

    # --- messages ---

    def cross(self, *, chain: Any, to: Any, amount: Any, within_ms: Any) -> int:
        """Send units to an account of another chain; returns the number of the message."""
        remote = believed(self._frame, chain)
        if type(amount) is not int or amount <= 0 or type(within_ms) is not int or within_ms <= 0:
            fault("ledger.cross takes `amount` and `within_ms`, positive integers")
        if _account(to) is None:
            fault("ledger.cross: `to` is not the did:key of an Ed25519 key")
        self._frame.meter.charge(GAS_UNITS)
        balance = self._frame.overlay.account(self._sender).balance
        if balance < amount:
            fault(f"the balance is {balance}, less than the {amount} to be sent")
        self._frame.overlay.add_units(self._sender, -amount)
        sender = did_of(self._sender)
        number: int = self._books(
            "send_units", chain=remote.chain, sender=sender, to=to, amount=amount, within_ms=within_ms
        )
        return number

    def deliver(self, *, chain: Any, height: Any, receipt: Any, index: Any, path: Any, most: Any) -> int:
        """Take what a receipt of a followed block has for this chain, at most so many; returns how many were taken."""
        remote = believed(self._frame, chain)
        if type(most) is not int or most < 1:
            fault("ledger.deliver takes `most`, how many messages of the receipt: 1 or more")
        return self._take_all(remote, shown(self._frame, remote, height, receipt, index, path).events, most)

    def _take_all(self, remote: Remote, events: tuple[Event, ...], most: int) -> int:
        channel, taken = self._runtime.view(self._frame, BRIDGE, "channel", {"chain": remote.chain}), 0
        for event in events:
            if event.contract != BRIDGE or event.data.get("to") != self._genesis.hash or taken == most:
                continue
            if event.name == "Sent":
                sent = _shaped(event.data, Sent)
                if sent.number > channel["received"]:
                    self._take(remote, sent)
                    taken += 1
            elif event.name == "Received":
                answer = _shaped(event.data, Received)
                if answer.number > channel["settled"]:
                    self._settle(remote, answer)
                    taken += 1
        if not taken:
            fault("there is nothing in it for this chain that it has not had already")
        return taken

    def _take(self, remote: Remote, sent: Sent) -> None:
        """Carry a message out, or not; the answer says which."""
        message, chain, number = sent.message, remote.chain, sent.number
        amount = message.amount if message.kind == "units" else 0  # whatever a captured chain says of a call
        why = self._books("accept", chain=chain, number=number, until=message.until, amount=amount)
        outcome, result = "refused", None
        if not why:
            result, why = self._carry_out(remote, message)
            outcome = "failed" if why else "done"
        answer = {"outcome": outcome, "reason": why, "result": [] if result is None else [result]}
        self._books("reply", chain=chain, number=number, amount=amount, **answer)

    def _carry_out(self, remote: Remote, message: Message) -> tuple[Any, str]:
        if message.kind == "units":
            return self._attempt(GAS_UNITS, lambda inner: self._credit(message.to, message.amount))
        most = self._genesis.spec.limits.transaction_gas // 2
        if not 0 <= message.gas <= most:
            return None, f"a call here may use {most} gas at most, and not less than none"
        args = {**message.arguments, "origin": f"{remote.chain}:{message.sender}"}
        return self._attempt(message.gas, lambda inner: self._runtime.call(inner, message.to, message.action, args))

    def _settle(self, remote: Remote, answer: Received) -> None:
        told = {"chain": remote.chain, "number": answer.number, "outcome": answer.outcome}
        message = self._books("settle", **told, reason=answer.reason, result=answer.result)
        if answer.outcome != "done" and message["amount"]:
            self._frame.overlay.add_units(public_of(message["sender"]), message["amount"])
        if message["answer"]:
            args = {**told, "result": answer.result}
            who, action = message["sender"], message["answer"]
            _, why = self._attempt(ANSWER_GAS, lambda inner: self._runtime.call(inner, who, action, args))
            if why:
                self._announce("Unheard", contract=who, chain=remote.chain, number=answer.number, reason=why)

    def _credit(self, to: str, amount: int) -> None:
        public = _account(to)
        if public is None:
            fault("units go to an account: `to` is not the did:key of an Ed25519 key")
        if amount <= 0 or self._frame.overlay.account(public).balance + amount > MAX_SUPPLY:
            fault(f"an account holds at most {MAX_SUPPLY} units")
        self._frame.overlay.add_units(public, amount)


def kept_remote(frame: Frame, chain: Any) -> Remote:
    """Return what is kept of a chain that this one is connected to."""
    stored = frame.overlay.get(remote_key(chain)) if isinstance(chain, str) else None
    if stored is None:
        fault("this chain is not connected to that one: its members connect it")
    frame.meter.charge(GAS_BYTE * len(stored))  # a committee may have a thousand members
    return decode_own(stored, Remote)


def believed(frame: Frame, chain: Any) -> Remote:
    """Return what is kept of a chain that has not contradicted itself."""
    remote = kept_remote(frame, chain)
    if remote.forked:
        fault(f"{remote.chain} has made two blocks of height {remote.forked} final: it is not believed any more")
    return remote


def shown(frame: Frame, remote: Remote, height: Any, receipt: Any, index: Any, path: Any) -> Receipt:
    """Return a receipt, once it is found to be in a followed block."""
    if type(height) is not int or type(index) is not int:
        fault("`height` and `index` say where the receipt is: integers")
    if not isinstance(receipt, bytes) or not isinstance(path, list):
        fault("`receipt` is bytes, and `path` a list of hashes")
    frame.meter.charge(GAS_RECEIPT_BYTE * len(receipt) + GAS_UNITS * (1 + len(path)))
    stored = frame.overlay.get(followed_key(remote.chain, height))
    if stored is None:
        fault(f"block {height} of {remote.chain} is not followed: bring its header first")
    block = decode_own(stored, Followed)
    if not all(isinstance(node, bytes) for node in path) or not merkle.verify_inclusion(
        receipt, index, block.count, path, block.receipts
    ):
        fault(f"this receipt is not in block {height} of {remote.chain}: its path does not lead to the root")
    found: Receipt = _read("receipt", receipt, Receipt)
    return found


def _require_tellable(result: Any, events: list[Event]) -> None:
    """Refuse what a call did if its answer could not be carried: nothing could come after it on its channel."""
    if len(encode((result, events))) > MAX_TOLD_BYTES:
        fault(f"what it returned and announced has more than {MAX_TOLD_BYTES} bytes")
    if len(events) > MAX_TOLD_EVENTS:
        fault(f"it announced more than {MAX_TOLD_EVENTS} events")
    try:
        check_value(result, MAX_VALUE_DEPTH - MAX_TOLD_DEPTH)
    except DecodeError:
        fault(f"what it returned is nested deeper than {MAX_TOLD_DEPTH} levels")


def _account(to: Any) -> bytes | None:
    try:
        return public_of(to) if isinstance(to, str) else None
    except DecodeError:
        return None


def _chain(spec: Any) -> Genesis:
    try:
        return Genesis(_read("spec", spec, ChainSpec))
    except ConfigError:
        return fault("the members in `spec` are no committee")


def _proven(chain: str, work: Callable[[], T]) -> T:
    """Do what may find that something is not proven, which is the fault of whoever brought it."""
    try:
        return work()
    except ProofError as error:
        return fault(f"{chain}: {error}")


def _read(what: str, data: Any, type_: Any) -> Any:
    try:
        found = decode(data if isinstance(data, bytes) else b"", type_)
        if isinstance(found, Receipt):  # how deep this Python can read is no rule
            for value in (*found.results, *(value for event in found.events for value in event.data.values())):
                check_value(value)
        return found
    except (DecodeError, ConfigError):  # its words may repeat what a sender wrote
        return fault(f"`{what}` is not the encoding of {_NAMES.get(type_, 'headers with their work')}, in bytes")


_NAMES: Final = {
    ChainSpec: "a ChainSpec",
    Handover: "a Handover",
    Receipt: "a Receipt",
    tuple[Header, ...]: "headers",
}


def _shaped(data: dict[str, Any], type_: type[T]) -> T:
    try:
        return msgspec.convert(data, type_)
    except msgspec.ValidationError:
        return fault(f"a bridge announced a {type_.__name__} that is none")


Heed = Callable[[Genesis, Frame, list[Event]], None]  # does what contracts have announced, or raises
_ARGUMENTS: Final = {
    "connect": ("spec", "mints", "trusting_ms", "checkpoint"),
    "follow": ("chain", "block"),
    "trace": ("chain", "headers"),
    "cross": ("chain", "to", "amount", "within_ms"),
    "deliver": ("chain", "height", "receipt", "index", "path", "most"),
}


def actions(heed: Heed) -> dict[str, tuple[Callable[..., Any], tuple[str, ...]]]:
    """Return the ledger's actions on other chains, with their arguments."""

    def act(name: str, runtime: Runtime, genesis: Genesis, frame: Frame, sender: bytes, **args: Any) -> Any:
        return getattr(Gate(runtime, genesis, frame, sender, heed), name)(**args)

    return {name: (partial(act, name), arguments) for name, arguments in _ARGUMENTS.items()}


def require_carriable(events: list[Event], results: tuple[Any, ...]) -> None:
    """Refuse a transaction that other chains must hear of, if its receipt would be too large for them to take."""
    size = len(encode((tuple(events), results)))
    if size > MAX_RECEIPT_BYTES:
        fault(f"what it announced has {size} bytes, and {TOO_LARGE} {MAX_RECEIPT_BYTES}")
