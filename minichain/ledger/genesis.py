"""What a chain is, fixed before its first block. The genesis hash covers every setting, and every signature
covers the genesis hash: two chains that differ in one setting cannot be confused.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from minichain.codec import Record, encode
from minichain.crypto import KEY_SIZE, digest
from minichain.errors import ConfigError
from minichain.ledger.committee import MAX_NAME, Committee, Member, first_terms
from minichain.ledger.state import COMMITTEE_KEY, Account, account_key

CLOCKS = ("wall", "logical")
ENGINES = ("bft", "raft", "pow")
READERS = ("anyone", "members")
CHAIN_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")


class Quota(Record, tag="quota"):
    """Zero fees: every account may use `gas` in each window of `window` blocks."""

    gas: int = 100_000_000
    window: int = 100


class Fee(Record, tag="fee"):
    """Each unit of gas costs `price` units of balance, paid to the treasury."""

    price: int = 1


class Limits(Record):
    """The largest block and transaction. Bytes, and units of gas."""

    transaction_bytes: int = 128 * 1024
    block_bytes: int = 1024 * 1024
    block_gas: int = 500_000_000
    transaction_gas: int = 50_000_000
    max_expiry: int = 10_000  # how many heights ahead a transaction may stay valid


class Timeouts(Record):
    """Timeouts of the engine in milliseconds: the first round's, and what each further round adds. Raft holds an
    election when it has not heard of a leader for `propose` to twice `propose`.

    A block starts at least `block_interval` after the one before it, so that transactions share a block; an idle
    chain starts one at once.
    """

    propose: int = 1_500
    prevote: int = 500
    precommit: int = 500
    growth: int = 250
    block_interval: int = 50


class Work(Record):
    """What proof of work asks for. A block's `difficulty` is the number of tries that seal it on average.

    Every `window` blocks it is set anew, so that a block takes `block_ms`, and changes at most by the factor
    `most_change`. A transaction counts as final under `confirmations` blocks, its own included.
    """

    difficulty: int = 4_096
    block_ms: int = 2_000
    window: int = 20
    most_change: int = 4
    confirmations: int = 6


class Authority(Record, tag="authority"):
    """The members vote on who is one of them. A vote is open for `voting_blocks`; what it decided takes effect `delay`
    blocks later.
    """

    voting_blocks: int = 1_000
    delay: int = 2


class Stake(Record, tag="stake"):
    """Whoever has bonded most is a member: the `seats` largest stakes of at least `least`, anew every `epoch` blocks.

    A stake is given back `unbonding` blocks after it was asked back; who contradicts itself loses `slash_percent`; who
    proposed a block gets `reward`. A first member's weight is its stake; `holders` have further units, by public key.
    """

    seats: int = 100
    least: int = 1
    epoch: int = 20
    unbonding: int = 100
    slash_percent: int = 50
    reward: int = 0
    holders: tuple[tuple[bytes, int], ...] = ()


class Delegation(Record, tag="delegation"):
    """Holders elect the members: the `seats` candidates with most votes, anew every `epoch` blocks. At most `turnover`
    seats change hands at once. `holders` have the units that vote, by public key.
    """

    seats: int = 21
    epoch: int = 20
    turnover: int = 7
    holders: tuple[tuple[bytes, int], ...] = ()


class Assigned(Record, tag="assigned"):
    """The contract `shards` of the chain `coordinator` says who the members are, a few new ones at a time."""

    coordinator: str = "coordinator"


Membership = Authority | Stake | Delegation | Assigned


class Access(Record):
    """Who may read and who may write: "anyone", or "members" and the accounts that they admit.

    Reading is guarded at the nodes' doors; whoever was let in can pass on what it read.
    """

    reads: str = "anyone"
    writes: str = "anyone"


class ChainSpec(Record, kw_only=True):
    """Every setting of a chain.

    `profile` names the kind of chain these settings make, for people; it decides nothing. Without a `membership` the
    `members` never change.

    `clock` is "wall" (block time is the proposer's clock, within `max_skew_ms` of everybody's) or "logical" (genesis
    time + height x `interval_ms`). `balances` are the first owners of the native unit, by public key. With `identity`
    the system contract of that name is there from the first state on, and the key of an account can change: here, or,
    with an `identity_home`, on the chain of that id, whose changes are brought here (see `crosschain.people`).
    """

    chain_id: str
    members: tuple[Member, ...]
    profile: str = "custom"
    engine: str = "bft"
    membership: Membership | None = None
    access: Access = Access()
    clock: str = "wall"
    genesis_time_ms: int = 1_767_225_600_000  # 2026-01-01T00:00:00Z
    interval_ms: int = 1_000
    max_skew_ms: int = 10_000
    policy: Quota | Fee = Quota()
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    work: Work = Work()
    balances: tuple[tuple[bytes, int], ...] = ()
    identity: bool = False
    identity_home: str = ""

    def __post_init__(self) -> None:
        if not CHAIN_ID.fullmatch(self.chain_id):
            raise ConfigError(f"chain id {self.chain_id!r}: use 1 to 40 of a-z, 0-9, dot and dash")
        for what, chosen, choices in (
            ("clock", self.clock, CLOCKS),
            ("engine", self.engine, ENGINES),
            ("access.reads", self.access.reads, READERS),
            ("access.writes", self.access.writes, READERS),
        ):
            if chosen not in choices:
                raise ConfigError(f"{what} {chosen!r}: choose one of {', '.join(choices)}")
        _require_fitting(self)
        _require_home(self)
        if self.work.difficulty > MAX_DIFFICULTY:
            raise ConfigError(f"work.difficulty is at most {MAX_DIFFICULTY}: no class has such machines")
        if len(self.profile) > MAX_NAME:
            raise ConfigError(f"a profile's name has at most {MAX_NAME} characters")
        if self.limits.transaction_gas > self.limits.block_gas:
            raise ConfigError("limits.transaction_gas is more than limits.block_gas: the largest transaction must fit")
        if self.limits.transaction_bytes > self.limits.block_bytes:
            raise ConfigError("limits.transaction_bytes is more than limits.block_bytes: the largest must fit")
        if self.limits.block_bytes > MAX_BLOCK_BYTES:
            raise ConfigError(f"limits.block_bytes is at most {MAX_BLOCK_BYTES}: a block must fit into one message")
        for path, value in _numbers("", self):
            if value < 0 or (value == 0 and path not in MAY_BE_ZERO):
                raise ConfigError(f"{path} is {value}: it must be {'0 or more' if path in MAY_BE_ZERO else 'positive'}")
            if value > MAX_SETTING:
                raise ConfigError(f"{path} is {value}: it must be at most {MAX_SETTING}")
        _require_sound_units("balances", self.balances)
        if isinstance(self.membership, Stake | Delegation):
            _require_sound_units("membership.holders", self.membership.holders)


MAX_BLOCK_BYTES = 2 * 1024 * 1024  # half of what a message may have (node.messages)
MAX_SETTING = 2**53 - 1  # what every JSON reader keeps exactly
MAX_SUPPLY = 2**63 - 1
MAX_DIFFICULTY = 2**40
MAY_BE_ZERO = frozenset(
    {"genesis_time_ms", "timeouts.growth", "timeouts.block_interval", "policy.price", "membership.reward"}
)


def _require_fitting(spec: ChainSpec) -> None:
    """Refuse what an engine cannot go with."""
    if spec.engine == "pow" and spec.clock != "wall":
        raise ConfigError("engine pow needs the clock wall: its difficulty follows the times of its blocks")
    if spec.engine == "pow" and spec.membership is not None:
        raise ConfigError("engine pow has no membership: whoever does the work makes the blocks, and nobody signs")
    if isinstance(spec.membership, Assigned):
        coordinator = spec.membership.coordinator
        if not CHAIN_ID.fullmatch(coordinator) or coordinator == spec.chain_id:
            raise ConfigError(f"membership.coordinator {coordinator!r}: give the id of another chain")
    if spec.engine == "raft" and isinstance(spec.membership, Stake | Delegation | Assigned):
        raise ConfigError("engine raft changes its members one at a time: its membership is authority, or none")


def _require_home(spec: ChainSpec) -> None:
    """Check where the keys of accounts change."""
    home = spec.identity_home
    if home and not spec.identity:
        raise ConfigError("identity_home names where keys change: it needs identity=True, so that they can change here")
    if home == spec.chain_id or (home and not CHAIN_ID.fullmatch(home)):
        raise ConfigError(f"identity_home {home!r}: use the id of another chain, or nothing where keys change here")


def _require_sound_units(what: str, units: tuple[tuple[bytes, int], ...]) -> None:
    """Check who owns units when the chain begins."""
    if len(dict(units)) < len(units):
        raise ConfigError(f"{what}: the same key occurs twice: add its amounts up")
    for public, amount in units:
        if len(public) != KEY_SIZE or amount <= 0:
            raise ConfigError(f"{what}: a public key of {KEY_SIZE} bytes and a positive amount, not {amount}")
    if sum(amount for _, amount in units) > MAX_SUPPLY:
        raise ConfigError(f"{what}: all units together are at most {MAX_SUPPLY}")


def _numbers(prefix: str, record: Any) -> list[tuple[str, int]]:
    """List the plain settings of a record, with those of its records, by dotted path."""
    found = []
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if type(value) is int:
            found.append((prefix + name, value))
        elif isinstance(value, Record):
            found += _numbers(f"{prefix}{name}.", value)
    return found


class Genesis:
    """A chain specification with what follows from it."""

    def __init__(self, spec: ChainSpec) -> None:
        self.spec = spec
        self.committee = Committee(spec.members)

    @cached_property
    def hash(self) -> bytes:
        """Return the 32 bytes that every signature on this chain covers."""
        return digest("genesis", encode(self.spec))

    @property
    def supply(self) -> int:
        """Return how many units of the native asset exist, for ever."""
        return sum(amount for _, amount in self.spec.balances)

    def state_items(self) -> list[tuple[bytes, bytes]]:
        """Return what these settings put into the state. Members and first owners may write, whoever else may."""
        balances = dict.fromkeys((member.public for member in self.spec.members), 0) | dict(self.spec.balances)
        accounts = [(account_key(key), encode(Account(balance=n, may_write=True))) for key, n in balances.items()]
        return [*accounts, (COMMITTEE_KEY, first_terms(self.spec.members))]
