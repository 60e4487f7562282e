"""Faulty members, for tests and lessons: each turns what a correct node would send into what this one sends.

A committee bears them while their weight is less than a third of it. Inside, the node stays a correct one; what it
signs falsely it signs with its own key, so nothing here does what a dishonest organisation could not do.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from functools import partial
from random import Random
from typing import Any, Final

import msgspec

from minichain.codec import Plain, encode
from minichain.consensus.bft import Proposal, Vote
from minichain.consensus.bft.messages import author, cast_vote, sign_proposal
from minichain.consensus.interface import Build
from minichain.crypto import DIGEST_SIZE, KeyPair, digest
from minichain.errors import DecodeError
from minichain.faults.network import damaged
from minichain.ledger.certificate import PRECOMMIT, QuorumCertificate, sign_vote, vote_statement
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Block, Header, SignedTransaction, open_envelope
from minichain.merkle import root
from minichain.node.execution import BlockMade, Does, MakeBlock
from minichain.node.messages import FinalBlocks, PeerMessage, Position, Transactions, read_peer_message

FLOOD: Final = 20
FAR: Final = 10**9
CORRECT: Final = "correct"

Adversary = Callable[[str, bytes, Random], Iterable[bytes]]
"""What a faulty member sends to `receiver` in place of a message: (receiver, message, random) -> messages."""


class Ring:
    """What colluding members share: who they are, and which block stands for which before the deceived."""

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.other: dict[bytes, Block] = {}  # id of a member's block -> what the deceived get


class Insider(Plain):
    """What a faulty member knows and can do. `remake` gives another valid block in the place of its own.

    `names` are all members; whoever deceives some of them deceives the first half. `ring` is shared by those who
    collude.
    """

    name: str
    key: KeyPair
    genesis: bytes
    names: tuple[str, ...]
    remake: Callable[[Block, Iterable[bytes]], Block]
    ring: Ring = msgspec.field(default_factory=Ring)

    @property
    def half(self) -> frozenset[str]:
        """Return half of the other members."""
        others = [name for name in self.names if name != self.name]
        return frozenset(others[: (len(others) + 1) // 2])


def remade(executor: Does, genesis: Genesis, own: bytes, block: Block, txs: Iterable[bytes]) -> Block:
    """Make another valid block in the place of one's `own`, of these transactions; the same one if it is too late."""
    limit, header = genesis.spec.limits.transaction_bytes, block.header
    wish = Build(header.height, 0, may_be_empty=True)
    envelopes = tuple(open_envelope(raw, limit) for raw in txs)
    made = executor.run(MakeBlock(wish, envelopes, own, header.time_ms))
    assert isinstance(made, BlockMade)
    return made.block if made.block.header.parent == header.parent else block


def _read(data: bytes) -> PeerMessage | None:
    try:
        return read_peer_message(data)
    except DecodeError:
        return None


# --- what is sent, and how often ---------------------------------------------------------------------------------


def truthful(receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
    """Send what a correct node sends."""
    return (data,)


def silent(receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
    """Say nothing to anybody."""
    return ()


def garbage(receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
    """Send the message, a damaged one, and noise."""
    return data, damaged(data, random), data + b"\0", data[:-1], random.randbytes(random.randrange(200))


def flood(receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
    """Send everything many times."""
    return [data] * FLOOD


def lie_about_height(receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
    """Claim to be far ahead, and to lack everything."""
    return data, encode(Position(FAR, 0)), encode(Position(1, FAR)), encode(Position(-1, -1))


class Replayer:
    """Sends old messages again, at random."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def __call__(self, receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
        self._kept = [*self._kept[-200:], data]
        return [data, *random.sample(self._kept, min(3, len(self._kept)))]


# --- votes -------------------------------------------------------------------------------------------------------


class Equivocator:
    """Tells half of the members that it votes for nil whenever it votes for a block."""

    def __init__(self, key: KeyPair, genesis: bytes, deceived: Iterable[str]) -> None:
        self._key = key
        self._genesis = genesis
        self._deceived = frozenset(deceived)

    def __call__(self, receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
        message = _read(data)
        if not isinstance(message, Vote) or message.voter != self._key.public or message.block_id is None:
            return (data,)
        if receiver not in self._deceived:
            return (data,)
        return (encode(cast_vote(self._key, self._genesis, message.kind, message.height, message.round, None)),)


class DoubleTalker(Equivocator):
    """Sends both of its contradicting precommits to everybody: the plainest evidence there is."""

    def __call__(self, receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
        other = tuple(super().__call__(receiver, data, random))
        message = _read(data)
        is_precommit = isinstance(message, Vote) and message.kind == PRECOMMIT
        return (data, *other) if is_precommit else (data,)


# --- blocks ------------------------------------------------------------------------------------------------------

Forge = Callable[[Insider, Block], Block]  # another block in the place of a member's own


class Proposer:
    """Proposes another block to the deceived, and votes for it before them."""

    def __init__(self, forge: Forge, me: Insider, deceived: Container[str]) -> None:
        self._forge = forge
        self._me = me
        self._deceived = deceived
        self._other: dict[bytes, Block] = {}  # id of its own block -> what the deceived get

    def __call__(self, receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
        message, me = _read(data), self._me
        if receiver not in self._deceived:
            return (data,)
        if isinstance(message, Proposal) and message.proposer == me.key.public:
            block = self._other_than(message.block)
            said = sign_proposal(me.key, me.genesis, message.height, message.round, block, message.valid_round)
            return (encode(said),)
        if isinstance(message, Vote) and message.voter == me.key.public and message.block_id in self._other:
            block_id = self._other[message.block_id].header.id
            return (encode(cast_vote(me.key, me.genesis, message.kind, message.height, message.round, block_id)),)
        return (data,)

    def _other_than(self, block: Block) -> Block:
        """Make the other block once; a block of somebody else, proposed again, stays as it is."""
        if block.header.proposer == self._me.key.public and block.header.id not in self._other:
            self._other[block.header.id] = self._forge(self._me, block)
        return self._other.get(block.header.id, block)


class Colluder:
    """One of a ring: when one of them proposes, half of the honest get another block, and all the ring votes for both.

    Each half sees a quorum for its own block once the ring is as large as what two quorums always share.
    """

    def __init__(self, me: Insider) -> None:
        self._me = me
        me.ring.members.add(me.name)

    def __call__(self, receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
        if receiver not in self._deceived():
            return (data,)
        message, me = _read(data), self._me
        if isinstance(message, Proposal) and message.proposer == me.key.public:
            block = self._other_than(message.block)
            said = sign_proposal(me.key, me.genesis, message.height, message.round, block, message.valid_round)
            return (encode(said),)
        if isinstance(message, Vote) and message.voter == me.key.public and message.block_id in me.ring.other:
            block_id = me.ring.other[message.block_id].header.id
            return (encode(cast_vote(me.key, me.genesis, message.kind, message.height, message.round, block_id)),)
        return (data,)

    def _deceived(self) -> Sequence[str]:
        honest = [name for name in self._me.names if name not in self._me.ring.members]
        return honest[(len(honest) + 1) // 2 :]

    def _other_than(self, block: Block) -> Block:
        other, block_id = self._me.ring.other, block.header.id
        if block.header.proposer == self._me.key.public and block_id not in other:
            other[block_id] = without_last(self._me, block)
        return other.get(block_id, block)


def _with_header(block: Block, **changes: Any) -> Block:
    return Block(msgspec.structs.replace(block.header, **changes), block.txs)


def _with_txs(block: Block, txs: Sequence[bytes]) -> Block:
    changed = msgspec.structs.replace(block.header, tx_count=len(txs), tx_root=root(txs))
    return Block(changed, tuple(txs))


def without_last(me: Insider, block: Block) -> Block:
    """Leave the last transaction out: a valid block, where there is one to leave out."""
    return me.remake(block, block.txs[:-1]) if block.txs else with_wrong_state(me, block)


def without_one_sender(me: Insider, block: Block) -> Block:
    """Leave out whatever the sender of the first transaction sent."""
    senders = [msgspec.msgpack.decode(raw, type=SignedTransaction).body.sender for raw in block.txs]
    return me.remake(block, [raw for raw, sender in zip(block.txs, senders, strict=True) if sender != senders[0]])


def with_wrong_state(me: Insider, block: Block) -> Block:
    """Claim another state than the transactions lead to."""
    return _with_header(block, state_root=digest("wrong", block.header.state_root))


def with_wrong_tx_root(me: Insider, block: Block) -> Block:
    """Name other transactions than the block holds."""
    return _with_header(block, tx_root=digest("wrong", block.header.tx_root))


def with_double_spend(me: Insider, block: Block) -> Block:
    """Hold a transaction twice."""
    return _with_txs(block, [*block.txs, *block.txs[:1]])


def with_forged_transaction(me: Insider, block: Block) -> Block:
    """Hold a transaction that its sender has not signed."""
    forged = [raw[:-1] + bytes([raw[-1] ^ 1]) for raw in block.txs[-1:]]
    return _with_txs(block, [*block.txs[:-1], *forged])


# --- one field of a message --------------------------------------------------------------------------------------

_HEADER: Final = tuple(f"block.header.{field}" for field in Header.__struct_fields__)
_OWN_FIELDS: Final = ("height", "round", "valid_round", "proposer", "signature", "block.txs")
_CERTIFICATE: Final = tuple(f"blocks.certificate.{field}" for field in QuorumCertificate.__struct_fields__)
FIELDS: Final[dict[str, tuple[type[Any], str]]] = {  # name -> (message, path)
    f"{type_.__name__.lower()}.{path.removeprefix('blocks.').removeprefix('block.')}": (type_, path)
    for type_, paths in (
        (Proposal, (*_OWN_FIELDS, *_HEADER)),
        (Vote, Vote.__struct_fields__),
        (Transactions, ("txs",)),
        (Position, ("height", "round")),
        (FinalBlocks, ("blocks", "blocks.block.txs", *_CERTIFICATE)),
    )
    for path in paths
}


class Mutator:
    """Changes one field of every other message of one kind, and signs what it has changed if it is its own."""

    def __init__(self, field: str, me: Insider) -> None:
        self._type, path = FIELDS[field]
        self._path = path.split(".")
        self._me = me

    def __call__(self, receiver: str, data: bytes, random: Random) -> Iterable[bytes]:
        message = _read(data)
        if not isinstance(message, self._type) or random.random() * 2 < 1:
            return (data,)
        changed = _with_changed(message, self._path, random)
        is_own = isinstance(message, Proposal | Vote) and author(message) == self._me.key.public
        return (encode(self._signed(changed) if is_own and self._path != ["signature"] else changed),)

    def _signed(self, message: Proposal | Vote) -> Proposal | Vote:
        key, genesis = self._me.key, self._me.genesis
        if isinstance(message, Proposal):
            signature = key.sign("proposal", message.statement(genesis))
        else:
            statement = vote_statement(genesis, message.kind, message.height, message.round, message.block_id)
            signature = sign_vote(key, statement)
        return msgspec.structs.replace(message, signature=signature)


def _with_changed(record: Any, path: Sequence[str], random: Random) -> Any:
    """Change what a path leads to; in a tuple it leads through the last one."""
    if isinstance(record, tuple):
        return (*record[:-1], _with_changed(record[-1], path, random)) if record else record
    field, *rest = path
    value = getattr(record, field)
    changed = _with_changed(value, rest, random) if rest else _changed(value, random)
    return msgspec.structs.replace(record, **{field: changed})


def _changed(value: Any, random: Random) -> Any:
    """Return another value of the same type."""
    match value:
        case int():
            return random.choice([value + 1, value - 1, 0, -1, 2**31, 2**63 - 1])
        case bytes():
            return random.choice([damaged(value or b"\0", random), bytes(len(value)), b"", value + b"\0"])
        case tuple():
            return random.choice([(), value[:-1], value + value[-1:], value[::-1]])
    return random.randbytes(DIGEST_SIZE)  # of a vote for nil


# --- by name -----------------------------------------------------------------------------------------------------

Make = Callable[[Insider], Adversary]


def _forger(forge: Forge) -> Make:
    return lambda me: Proposer(forge, me, me.names)


FOR_ANY_ENGINE: Final[dict[str, Make]] = {
    "silent": lambda me: silent,
    "garbage": lambda me: garbage,
    "flooder": lambda me: flood,
    "height-liar": lambda me: lie_about_height,
    "replayer": lambda me: Replayer(),
}

ADVERSARIES: Final[dict[str, Make]] = {
    **FOR_ANY_ENGINE,
    "amnesiac": lambda me: truthful,  # whenever it starts, the world lets it forget what it has said
    "equivocator": lambda me: Proposer(without_last, me, me.half),
    "split-voter": lambda me: Equivocator(me.key, me.genesis, me.half),
    "double-voter": lambda me: DoubleTalker(me.key, me.genesis, me.names),
    "colluder": Colluder,
    "censor": _forger(without_one_sender),
    "wrong-state": _forger(with_wrong_state),
    "wrong-tx-root": _forger(with_wrong_tx_root),
    "double-spender": _forger(with_double_spend),
    "forger": _forger(with_forged_transaction),
    **{f"mutate:{field}": partial(Mutator, field) for field in FIELDS},
}
"""Each faulty member by its name; those that are not for any engine speak the words of `bft`."""
