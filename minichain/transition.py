"""What is valid, and what it does. This file is the definition; every node applies it, and read first it explains
the ledger.

A transaction is *refused* when no block may hold it (wrong chain, wrong nonce, expired, over quota...): a refused
transaction costs nobody anything, and a block that holds one is invalid. Every other transaction is *executed*: all
its calls take effect, or none does; either way its nonce is used and its gas is charged, and a receipt says what
happened.

A header commits to the state after its own block, so validators execute before they vote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from minichain.codec import Plain, encode
from minichain.contracts import lifecycle, system
from minichain.contracts.deployed import NOBODY, first_version
from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import Frame, Runtime
from minichain.crosschain import evidence, gate, locks, people
from minichain.crosschain.people import KEY_CHANGED
from minichain.crypto import curve_public, did_of, public_of
from minichain.errors import (
    ConfigError,
    ContractFault,
    Crashed,
    DecodeError,
    ExecutionError,
    InvalidBlock,
    Refused,
    SignatureError,
)
from minichain.ledger.committee import Committee, Member, Term, certifies_from, committee_at, with_term
from minichain.ledger.genesis import Assigned, Authority, Delegation, Fee, Genesis, Membership, Stake
from minichain.ledger.state import (
    COMMITTEE_KEY,
    NO_KEY,
    TREASURY_KEY,
    Account,
    Overlay,
    State,
    Writes,
    contract_key,
    data_key,
)
from minichain.ledger.types import Block, Call, Envelope, Event, Header, Receipt, Transaction, open_envelope
from minichain.merkle import StateTree, root

GAS_TRANSACTION: Final = 2_000  # the signature check and the bookkeeping of any transaction
GAS_BYTE: Final = 2  # carrying and keeping one byte of it
GAS_TRANSFER: Final = 500
GAS_OWN: Final = 500_000_000  # what a call that the ledger itself makes may use

GOVERNING: Final = "members"  # the contract whose event `Committee` changes who certifies blocks
IDENTITY: Final = people.IDENTITY

REFUSALS: Final = {
    "oversize": "larger than a transaction of this chain may be",
    "malformed": "not a canonical transaction",
    "wrong_chain": "signed for another chain",
    "bad_signature": "not signed by its sender",
    "wrong_key": "not signed by its sender's present key",
    "wrong_nonce": "not the sender's next transaction",
    "not_allowed": "its sender may not write on this chain",
    "expired": "its last height has passed",
    "expires_too_late": "valid for longer than this chain allows",
    "gas_limit": "its gas limit is outside what this chain allows",
    "over_quota": "its sender has used up the gas of this window",
    "cannot_pay": "its sender cannot pay the fee",
    "full": "the node has no room for more waiting transactions",
}


class BlockContext(Plain):
    """The block a transaction is executed in."""

    height: int
    time_ms: int


class Execution(Plain):
    """What a block did: receipts (and their encodings), net changes of the state, and the tree after them."""

    receipts: tuple[Receipt, ...]
    encoded_receipts: tuple[bytes, ...]
    writes: Writes
    tree: StateTree
    next_committee: Committee


# --- before the first block --------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def first_state(genesis: Genesis) -> tuple[tuple[bytes, bytes], ...]:
    """Return the state before the first block: what the settings name, and the system contracts they ask for.

    Raises `ConfigError` if the contract that governs the members could not govern these founders by these settings.
    """
    state, membership = State(genesis.state_items()), genesis.spec.membership
    overlay = state.overlay()
    if genesis.spec.identity:  # it has no setup: whoever first calls it compiles it
        overlay.put(contract_key(IDENTITY), encode(first_version(system.IDENTITY, "ledger", 0, NOBODY)))
        if genesis.spec.identity_home:
            overlay.put(data_key(IDENTITY, "home"), encode(genesis.spec.identity_home))
    if membership is not None:
        _found(genesis, overlay, *_governing(genesis, membership))
    return tuple((state.values | {k: v for k, v in overlay.writes.items() if v is not None}).items())


def _found(genesis: Genesis, overlay: Overlay, kind: str, arguments: dict[str, Any]) -> None:
    """Deploy the contract that governs the members."""
    frame = _own_frame(genesis, overlay, BlockContext(0, genesis.spec.genesis_time_ms))
    founders = [[member.name, member.did, member.weight] for member in genesis.spec.members]
    try:
        Runtime().deploy(frame, GOVERNING, system.SOURCES[kind], {"founders": founders, **arguments})
    except ExecutionError as error:
        raise ConfigError(f"this chain cannot begin, its contract {GOVERNING} refuses the settings: {error}") from None


def first_root(genesis: Genesis) -> bytes:
    """Return the root of the state before the first block."""
    return StateTree().update(dict(first_state(genesis))).root


def _governing(genesis: Genesis, membership: Membership) -> tuple[str, dict[str, Any]]:
    """Return which contract governs the members, and the arguments of its setup."""
    match membership:
        case Authority(voting_blocks, delay):
            one_at_a_time = genesis.spec.engine == "raft"  # thesis section 4.1: one server at a time
            return "authority", {"voting_blocks": voting_blocks, "delay": delay, "one_at_a_time": one_at_a_time}
        case Stake(seats, least, epoch, unbonding, percent, pay, holders):
            numbers = {"seats": seats, "least": least, "epoch": epoch, "unbonding": unbonding}
            return "stake", {**numbers, "percent": percent, "pay": pay, "owners": _owners(holders)}
        case Delegation(seats, epoch, turnover, holders):
            numbers = {"seats": seats, "epoch": epoch, "turnover": turnover}
            return "delegation", {**numbers, "holders": _owners(holders)}
        case Assigned(coordinator):
            return "assigned", {"coordinator": coordinator}


def _owners(holders: tuple[tuple[bytes, int], ...]) -> list[list[Any]]:
    return [[did_of(public), amount] for public, amount in holders]


def _own_frame(genesis: Genesis, overlay: Overlay, block: BlockContext) -> Frame:
    """Return the frame of a call that the ledger itself makes."""
    return Frame(
        overlay=overlay,
        meter=GasMeter(GAS_OWN),
        events=[],
        signer="ledger",
        height=block.height,
        now_ms=block.time_ms,
        chain=genesis.spec.chain_id,
    )


# --- one transaction ---------------------------------------------------------------------------------------------


def require_admissible(genesis: Genesis, envelope: Envelope, account: Account, height: int) -> None:
    """Raise `Refused` if a block at `height` may not hold this transaction of `account`.

    The nonce is not judged here: while transactions wait, only their order is known.
    """
    body, limits = envelope.body, genesis.spec.limits
    own_id = genesis.spec.chain_id
    if body.chain_id != own_id:
        raise Refused("wrong_chain", f"signed for chain {body.chain_id[:60]!r}, this is {own_id!r}")
    if body.genesis != genesis.hash:
        raise Refused("wrong_chain", f"signed for another chain that is called {own_id!r} too: its genesis differs")
    if genesis.spec.access.writes == "members" and not account.may_write:
        raise Refused("not_allowed", "only members, and accounts that a member has admitted, may write on this chain")
    if body.key != account.key:
        raise Refused("wrong_key", _why_not(body, account))
    if body.expires < height:
        raise Refused("expired", f"it expired at height {body.expires}, the next block is {height}: sign it again")
    if body.expires > height + limits.max_expiry:
        raise Refused("expires_too_late", f"it may expire at height {height + limits.max_expiry} at the latest")
    least = intrinsic_gas(envelope)
    if not least <= body.gas_limit <= limits.transaction_gas:
        raise Refused("gas_limit", f"gas limit {body.gas_limit} is not from {least} to {limits.transaction_gas}")
    _require_payable(genesis, body.gas_limit, account, height)


def _why_not(body: Transaction, account: Account) -> str:
    who, present = did_of(body.sender), did_of(account.key or body.sender)
    if account.key == NO_KEY:
        return f"the account {who} is deactivated: nobody can sign for it any more"
    return f"the present key of the account {who} is {present}: sign it with that one"


def _require_payable(genesis: Genesis, gas_limit: int, account: Account, height: int) -> None:
    policy = genesis.spec.policy
    if isinstance(policy, Fee):
        if account.balance < gas_limit * policy.price:
            raise Refused("cannot_pay", f"the fee may be {gas_limit * policy.price}, the balance is {account.balance}")
        return
    if gas_limit > policy.gas:
        raise Refused("over_quota", f"its gas limit {gas_limit} is more than the quota of {policy.gas}: lower it")
    used = account.gas_used if account.window == height // policy.window else 0
    if used + gas_limit > policy.gas:
        next_window = (height // policy.window + 1) * policy.window
        raise Refused(
            "over_quota",
            f"{used} of {policy.gas} gas of this window are used and this transaction may use {gas_limit} more: "
            f"send it from height {next_window} on, or with a smaller gas limit",
        )


def intrinsic_gas(envelope: Envelope) -> int:
    """Return the gas any transaction of this size costs before its first call."""
    return GAS_TRANSACTION + GAS_BYTE * len(envelope.raw)


def apply_transaction(
    runtime: Runtime, genesis: Genesis, overlay: Overlay, envelope: Envelope, block: BlockContext, index: int
) -> Receipt:
    """Execute one transaction and return its receipt; raises `Refused` if the block may not hold it."""
    body = envelope.body
    account = overlay.account(body.sender)
    require_admissible(genesis, envelope, account, block.height)
    if body.nonce != account.nonce:
        raise Refused(
            "wrong_nonce", f"nonce {body.nonce}, the sender's next is {account.nonce}: sign it with that nonce"
        )

    # The fee is set aside first: what the calls do with the balance cannot make their gas cost less.
    reserve = _fee(genesis, body.gas_limit)
    account = msgspec.structs.replace(account, nonce=account.nonce + 1, balance=account.balance - reserve)
    overlay.put_account(body.sender, account)
    meter = GasMeter(body.gas_limit)
    meter.charge(intrinsic_gas(envelope))
    events: list[Event] = []
    frame = Frame(
        overlay=overlay,
        meter=meter,
        events=events,
        signer=did_of(body.sender),
        height=block.height,
        now_ms=block.time_ms,
        chain=genesis.spec.chain_id,
    )
    mark = overlay.checkpoint()
    try:
        runtime.begin(envelope.id)
        results = tuple([_perform(runtime, genesis, frame, body.sender, call) for call in body.calls])
        _heed(genesis, frame, events)
        if {event.contract for event in events} & {gate.BRIDGE, IDENTITY}:
            gate.require_carriable(events, results)
        outcome, error = "ok", ""
    except ExecutionError as failure:
        overlay.rollback(mark)
        events.clear()
        results, outcome, error = (), failure.outcome, str(failure)
    gas = body.gas_limit if outcome == Crashed.outcome else meter.used
    _settle(genesis, overlay, body.sender, gas, reserve, block.height)
    return Receipt(envelope.id, block.height, index, outcome, error, gas, tuple(events), results)


def _fee(genesis: Genesis, gas: int) -> int:
    policy = genesis.spec.policy
    return gas * policy.price if isinstance(policy, Fee) else 0


def _heed(genesis: Genesis, frame: Frame, events: list[Event]) -> None:
    """Do what the contracts that the ledger listens to have announced."""
    announcers = {event.contract for event in events}
    if GOVERNING in announcers:
        _plan_committees(genesis, frame.overlay, events, frame.height)
    if IDENTITY in announcers:
        _change_keys(genesis, frame.overlay, events)


def _plan_committees(genesis: Genesis, overlay: Overlay, events: list[Event], height: int) -> None:
    """Do what the contract that governs the members has announced: from a height on, another committee."""
    for event in events:
        if (event.contract, event.name) == (GOVERNING, "Committee"):
            try:
                _plan_committee(genesis, overlay, event.data["first"], event.data["members"], height)
            except (ConfigError, DecodeError) as error:
                raise ContractFault(f"{GOVERNING} has planned a committee that cannot be: {error}") from None


def rekeyed(genesis: Genesis, events: Iterable[Event]) -> dict[bytes, bytes]:
    """Return the accounts whose key these events change, each with `Account.key` as it is then.

    Raises `DecodeError` for a key that nobody can own.
    """
    found: dict[bytes, bytes] = {}
    if genesis.spec.identity:
        for event in events:
            if (event.contract, event.name) == (IDENTITY, KEY_CHANGED):
                account, key = public_of(event.data["did"]), event.data["key"]
                public = _key_of(key) if key else NO_KEY
                found[account] = b"" if public == account else public
    return found


def _change_keys(genesis: Genesis, overlay: Overlay, events: list[Event]) -> None:
    """Do what the contract `identity` has announced: from now on, another key signs for an account."""
    try:
        for account, key in rekeyed(genesis, events).items():
            overlay.put_account(account, msgspec.structs.replace(overlay.account(account), key=key))
    except DecodeError:
        raise ContractFault(f"{IDENTITY}: `key` is not a key that somebody can own: draw another one") from None


def _plan_committee(genesis: Genesis, overlay: Overlay, first: int, entries: list[Any], height: int) -> None:
    terms = overlay.get(COMMITTEE_KEY) or b""
    before = committee_at(terms, first - 1)
    owners = {member.public: member.owner for member in before.members}
    named = [(name, _key_of(did), weight) for name, did, weight in entries]
    members = tuple(Member(name, public, weight, owners.get(public, "")) for name, public, weight in named)
    if genesis.spec.engine == "raft" and before.distance(Committee(members)) > 1:
        # Two leaders could follow two committees that share no voter: thesis section 4.1, one server at a time.
        raise ConfigError("with Raft, one member of weight 1 comes or goes at a time")
    overlay.put(COMMITTEE_KEY, with_term(terms, height, Term(first, members)))
    for member in members:
        overlay.put_account(member.public, msgspec.structs.replace(overlay.account(member.public), may_write=True))


def _key_of(did: str) -> bytes:
    """Read a member's key; raises `DecodeError` also for one that nobody can own, as one wrong sign may make it."""
    public = public_of(did)
    curve_public(public)
    return public


def _settle(genesis: Genesis, overlay: Overlay, sender: bytes, gas: int, reserve: int, height: int) -> None:
    """Charge the gas that was used, success or not, and give back the rest of the reserve."""
    account, policy = overlay.account(sender), genesis.spec.policy
    if isinstance(policy, Fee):
        fee = _fee(genesis, gas)
        treasury = int.from_bytes(overlay.get(TREASURY_KEY) or b"\0")
        overlay.put(TREASURY_KEY, (treasury + fee).to_bytes(16))
        overlay.put_account(sender, msgspec.structs.replace(account, balance=account.balance + reserve - fee))
        return
    window = height // policy.window
    used = account.gas_used if account.window == window else 0
    overlay.put_account(sender, msgspec.structs.replace(account, window=window, gas_used=used + gas))


# --- the ledger's own actions; those on contracts, which contracts may ask for too, are in `contracts.lifecycle` ---


def _perform(runtime: Runtime, genesis: Genesis, frame: Frame, sender: bytes, call: Call) -> Any:
    if call.contract != "ledger":
        return runtime.call(frame, call.contract, call.action, call.args, call.version)
    if call.version:
        raise ContractFault("the ledger's own actions have no versions: leave the version out")
    if call.action in lifecycle.ACTIONS:
        return runtime.own_action(frame, call.action, call.args)
    native = _LEDGER_ACTIONS.get(call.action)
    if native is None:
        known = ", ".join([*_LEDGER_ACTIONS, *lifecycle.ACTIONS])
        raise ContractFault(f"the ledger has no action {call.action}; it has {known}")
    action, arguments = native
    if sorted(call.args) != sorted(arguments):
        raise ContractFault(f"ledger.{call.action} takes the arguments {', '.join(arguments)}, all of them")
    return action(runtime, genesis, frame, sender, **call.args)


def _transfer(runtime: Runtime, genesis: Genesis, frame: Frame, sender: bytes, *, to: str, amount: int) -> None:
    """Move native units to another account."""
    frame.meter.charge(GAS_TRANSFER)
    if not isinstance(to, str) or type(amount) is not int or amount <= 0:
        raise ContractFault("ledger.transfer takes `to`, a did:key, and `amount`, a positive integer")
    try:
        receiver = public_of(to)
    except DecodeError:
        # A receipt never repeats what a sender wrote by repr(): that depends on the Unicode tables of this Python.
        raise ContractFault("ledger.transfer: `to` is not the did:key of an Ed25519 key") from None
    overlay, own = frame.overlay, frame.overlay.account(sender)
    if own.balance < amount:
        raise ContractFault(f"the balance is {own.balance}, less than the {amount} to be sent")
    overlay.add_units(sender, -amount)
    overlay.add_units(receiver, amount)
    frame.events.append(Event("ledger", "Transferred", {"from": did_of(sender), "to": to, "amount": amount}))


def _admit(runtime: Runtime, genesis: Genesis, frame: Frame, sender: bytes, *, account: str, may_write: bool) -> None:
    """Let an account write, or no longer; a member's own account is always allowed."""
    frame.meter.charge(GAS_TRANSFER)
    terms = frame.overlay.get(COMMITTEE_KEY) or b""
    if committee_at(terms, frame.height).weight(sender) == 0:
        raise ContractFault("only a member admits accounts: send it with a validator's key")
    if not isinstance(account, str) or not isinstance(may_write, bool):
        raise ContractFault("ledger.admit takes `account`, a did:key, and `may_write`, true or false")
    try:
        public = public_of(account)
    except DecodeError:
        raise ContractFault("ledger.admit: `account` is not the did:key of an Ed25519 key") from None
    if not may_write and certifies_from(terms, frame.height, public):
        raise ContractFault("a member's own account may always write: remove the member first")
    admitted = msgspec.structs.replace(frame.overlay.account(public), may_write=may_write)
    frame.overlay.put_account(public, admitted)
    frame.events.append(Event("ledger", "Admitted", {"account": account, "by": did_of(sender), "may_write": may_write}))


def _accuse(runtime: Runtime, genesis: Genesis, frame: Frame, sender: bytes, *, first: Any, second: Any) -> Any:
    """Show two encoded messages in which a member contradicts itself; it loses a part of its stake. Anybody may."""
    if not isinstance(genesis.spec.membership, Stake):
        raise ContractFault("ledger.accuse: on this chain nobody has anything at stake: tell its members")
    offence = evidence.offence("ledger.accuse", frame.meter, genesis.hash, first, second)
    return runtime.call(frame.asked_by("ledger"), GOVERNING, "slash", offence)


_LEDGER_ACTIONS: Final[dict[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "transfer": (_transfer, ("to", "amount")),
    "admit": (_admit, ("account", "may_write")),
    "accuse": (_accuse, ("first", "second")),
    **gate.actions(_heed),
    **locks.ACTIONS,
    **evidence.ACTIONS,
    **people.ACTIONS,
}


# --- one block ---------------------------------------------------------------------------------------------------


def block_time(genesis: Genesis, height: int, parent_time_ms: int, now_ms: int) -> int:
    """Return the time a new block carries, by the chain's clock."""
    if genesis.spec.clock == "logical":
        return genesis.spec.genesis_time_ms + height * genesis.spec.interval_ms
    if genesis.spec.engine == "pow":
        return now_ms  # later than the median of the last blocks: the engine sees to that
    return max(now_ms, parent_time_ms + 1)


def build_block(
    runtime: Runtime,
    genesis: Genesis,
    state: State,
    parent: Header | None,
    candidates: Iterable[Envelope],
    proposer: bytes,
    now_ms: int,
) -> tuple[Block, Execution, list[tuple[bytes, Refused]]]:
    """Make the next block out of waiting transactions, in their order, leaving out those it may not hold.

    Returns the block, what it did, and (id, reason) of each transaction left out. Signatures are taken as checked.
    """
    context = _next_context(genesis, parent, now_ms)
    overlay, limits, size, gas = state.overlay(), genesis.spec.limits, 0, 0
    _reward(runtime, genesis, overlay, parent, context)
    chosen: list[Envelope] = []
    receipts: list[Receipt] = []
    refused: list[tuple[bytes, Refused]] = []
    for envelope in candidates:
        fits = size + len(envelope.raw) <= limits.block_bytes and gas + envelope.body.gas_limit <= limits.block_gas
        if chosen and not fits:  # what would not even fit an empty block is refused below
            break
        try:
            receipt = apply_transaction(runtime, genesis, overlay, envelope, context, len(chosen))
        except Refused as refusal:
            refused.append((envelope.id, refusal))
            continue
        chosen.append(envelope)
        receipts.append(receipt)
        size, gas = size + len(envelope.raw), gas + receipt.gas
        if receipt.outcome == Crashed.outcome:
            break  # each one costs every validator a few deaths: one in a block, and the last
    execution = _conclude(state, overlay, receipts, context)
    txs, committee = [envelope.raw for envelope in chosen], state.committee(context.height)
    header = _header(genesis, parent, context, proposer, txs, execution, committee)
    return Block(header, tuple(txs)), execution, refused


def apply_block(
    runtime: Runtime,
    genesis: Genesis,
    state: State,
    parent: Header | None,
    block: Block,
    open_checked: Callable[[bytes], Envelope],
) -> Execution:
    """Execute a block on top of `parent` and check every promise of its header; raises `InvalidBlock`.

    `open_checked` decodes a transaction and checks its signature, raising `DecodeError` or `SignatureError`.
    """
    header = block.header
    context = _next_context(genesis, parent, header.time_ms)
    committee = state.committee(context.height)
    _require_sound_header(genesis, parent, context, header, committee)
    overlay, receipts, limits, gas = state.overlay(), [], genesis.spec.limits, 0
    _reward(runtime, genesis, overlay, parent, context)
    if sum(map(len, block.txs)) > limits.block_bytes:
        raise InvalidBlock(f"block {header.height} has more than {limits.block_bytes} bytes of transactions")
    for index, raw in enumerate(block.txs):
        try:
            envelope = open_checked(raw)
            receipts.append(apply_transaction(runtime, genesis, overlay, envelope, context, index))
        except (DecodeError, SignatureError, Refused) as error:
            raise InvalidBlock(f"transaction {index} of block {header.height}: {error}") from None
        if gas + envelope.body.gas_limit > limits.block_gas:
            raise InvalidBlock(f"block {header.height} may use more than {limits.block_gas} gas")
        if receipts[-1].outcome == Crashed.outcome and index < len(block.txs) - 1:
            raise InvalidBlock(f"transaction {index} of block {header.height} crashed, and is not the last")
        gas += receipts[-1].gas
    execution = _conclude(state, overlay, receipts, context)
    expected = _header(genesis, parent, context, header.proposer, block.txs, execution, committee)
    for field in header.__struct_fields__:
        if getattr(header, field) != getattr(expected, field):
            raise InvalidBlock(f"the {field} of block {header.height} is not what its transactions make it")
    return execution


def open_transaction(genesis: Genesis, raw: bytes) -> Envelope:
    """Decode a transaction and check its signature: the `open_checked` of whoever remembers nothing."""
    envelope = open_envelope(raw, genesis.spec.limits.transaction_bytes)
    if not envelope.has_valid_signature():
        raise SignatureError("the signature does not belong to this sender and content: sign it again")
    return envelope


def _next_context(genesis: Genesis, parent: Header | None, now_ms: int) -> BlockContext:
    height = parent.height + 1 if parent else 1
    parent_time = parent.time_ms if parent else genesis.spec.genesis_time_ms
    return BlockContext(height, block_time(genesis, height, parent_time, now_ms))


def _reward(runtime: Runtime, genesis: Genesis, overlay: Overlay, parent: Header | None, context: BlockContext) -> None:
    """Pay whoever proposed the block before this one, where that is paid for: then it is known that it was decided."""
    membership = genesis.spec.membership
    if parent is not None and isinstance(membership, Stake) and membership.reward:
        frame = _own_frame(genesis, overlay, context)  # its event is in no receipt: no transaction caused it
        runtime.call(frame, GOVERNING, "reward", {"did": did_of(parent.proposer)})


def _require_sound_header(
    genesis: Genesis, parent: Header | None, context: BlockContext, header: Header, committee: Committee
) -> None:
    """Check what must hold before a transaction is executed; the rest is compared afterwards."""
    if header.genesis != genesis.hash or header.height != context.height:
        raise InvalidBlock(f"block {header.height} does not follow height {context.height - 1} of this chain")
    if parent is not None and header.parent != parent.id:
        raise InvalidBlock(f"block {header.height} has another parent than the last final block")
    if header.time_ms != context.time_ms:
        raise InvalidBlock(f"block {header.height} has time {header.time_ms}, which its clock does not allow")
    if genesis.spec.engine != "pow" and committee.weight(header.proposer) == 0:
        raise InvalidBlock(f"block {header.height} was proposed by somebody outside the committee")


def _conclude(state: State, overlay: Overlay, receipts: list[Receipt], block: BlockContext) -> Execution:
    writes = overlay.writes
    encoded, tree = tuple(map(encode, receipts)), state.tree.update(writes)
    next_committee = committee_at(overlay.get(COMMITTEE_KEY) or b"", block.height + 1)
    return Execution(tuple(receipts), encoded, writes, tree, next_committee)


def _header(
    genesis: Genesis,
    parent: Header | None,
    context: BlockContext,
    proposer: bytes,
    txs: Sequence[bytes],
    execution: Execution,
    committee: Committee,
) -> Header:
    return Header(
        genesis=genesis.hash,
        height=context.height,
        time_ms=context.time_ms,
        parent=parent.id if parent else genesis.hash,
        proposer=proposer,
        tx_count=len(txs),
        tx_root=root(txs),
        receipt_root=root(execution.encoded_receipts),
        state_root=execution.tree.root,
        committee=committee.hash,
        next_committee=execution.next_committee.hash,
    )
