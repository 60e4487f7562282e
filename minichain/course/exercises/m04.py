"""M4, the ledger as a state machine: what a block does to accounts, recomputed by whoever has the blocks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from minichain.client.network import Network
from minichain.codec import encode
from minichain.contracts.runtime import Runtime
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.crypto import KeyPair, did_of, digest, public_of
from minichain.errors import CallFailed, DecodeError, SignatureError
from minichain.ledger.committee import Member
from minichain.ledger.genesis import ChainSpec, Fee, Genesis
from minichain.ledger.state import (
    TREASURY_KEY,
    State,
    account_key,
    is_account_key,
    public_in,
    read_account,
)
from minichain.ledger.types import Block, Call, Envelope, Header, Transaction, open_envelope, sign_transaction
from minichain.merkle import StateTree
from minichain.transition import apply_block, build_block, first_state, open_transaction

# --- what a block says, and the root of what it leads to -------------------------------------------------------------


class Order(NamedTuple):
    """A transaction as a page of the book: who pays, under which number, and to whom how much, all of it or nothing."""

    sender: str
    nonce: int
    transfers: tuple[tuple[str, int], ...]


Accounts = dict[str, tuple[int, int]]  # did -> (number of transactions so far, balance)
Apply = Callable[[Accounts, list[Order]], Accounts]

SETTINGS: Final[dict[str, Any]] = {
    "identity": False,
    "policy": Fee(price=0),
}  # a chain whose state is its accounts, and little else


def orders_in(block: Block) -> list[Order]:
    """Return what a block of transfers asks for, in its order."""
    bodies = [open_envelope(raw, len(raw)).body for raw in block.txs]
    return [
        Order(did_of(body.sender), body.nonce, tuple((call.args["to"], call.args["amount"]) for call in body.calls))
        for body in bodies
    ]


def accounts_in(values: Mapping[bytes, bytes]) -> Accounts:
    """Return the accounts in a state."""
    found = {did_of(public_in(key)): read_account(value) for key, value in values.items() if is_account_key(key)}
    return {did: (account.nonce, account.balance) for did, account in found.items()}


def first_accounts(genesis: Genesis) -> Accounts:
    """Return the accounts before the first block."""
    return accounts_in(dict(first_state(genesis)))


def root_of(accounts: Accounts, genesis: Genesis) -> str:
    """Return the state root of a chain with these accounts, in hexadecimal."""
    state = dict(first_state(genesis))
    for name, (nonce, balance) in accounts.items():
        key = account_key(public_of(name))
        state[key] = encode(replace(read_account(state.get(key)), nonce=nonce, balance=balance))
    if any(nonce for nonce, _ in accounts.values()):
        state[TREASURY_KEY] = bytes(16)  # fees collected so far: the price is 0
    return StateTree().update(state).root.hex()


def recomputed(genesis: Genesis, blocks: Iterable[Block]) -> list[str]:
    """Return the root after each block by the ledger's own rules: it takes no key. Raises `InvalidBlock`."""
    state, head, roots = State(first_state(genesis)), None, list[str]()
    for block in blocks:
        done = apply_block(Runtime(), genesis, state, head, block, partial(open_transaction, genesis))
        state.commit(done.writes, done.tree)
        head = block.header
        roots.append(state.root.hex())
    return roots


# --- a chain without a network ---------------------------------------------------------------------------------------

UNITS: Final = 100  # that everybody begins with who has any


def key_of(name: str) -> KeyPair:
    """Return the key pair of somebody in these exercises."""
    return KeyPair.derive(digest("m04", b""), name)


def did(name: str) -> str:
    """Return the account of somebody."""
    return key_of(name).did


def named(accounts: Accounts, *names: str) -> Accounts:
    """Return the accounts of some people, under their names."""
    return {name: accounts.get(did(name), (0, 0)) for name in names}


class Book:
    """The ledger's own rules with one validator and no network: blocks are made and kept at once."""

    def __init__(self, *owners: str) -> None:
        balances = tuple((key_of(name).public, UNITS) for name in owners)
        members = (Member("node-0", key_of("node-0").public),)
        spec = ChainSpec(chain_id="training", clock="logical", members=members, balances=balances, **SETTINGS)
        self.genesis = Genesis(spec)
        self.state = State(first_state(self.genesis))
        self.head: Header | None = None
        self._runtime = Runtime()

    @property
    def accounts(self) -> Accounts:
        return accounts_in(self.state.values)

    def sign(self, sender: str, *transfers: tuple[str, int], **fields: Any) -> Envelope:
        """Sign transfers (name, amount) as the sender's next transaction; `fields` replace its usual ones."""
        calls = tuple(Call("ledger", "transfer", {"to": did(to), "amount": amount}) for to, amount in transfers)
        nonce = self.accounts.get(did(sender), (0, 0))[0]
        usual = {"chain_id": "training", "genesis": self.genesis.hash, "sender": key_of(sender).public, "nonce": nonce}
        rest = {"calls": calls, "gas_limit": 100_000, "expires": 1_000}
        return sign_transaction(Transaction(**{**usual, **rest, **fields}), key_of(sender))

    def grow(self, *candidates: Envelope) -> tuple[Block, list[str]]:
        """Make the next block out of those that a block may hold; returns it, and the outcome of each candidate."""
        proposer = key_of("node-0").public
        sound = [one for one in candidates if self._is_sound(one)]
        block, done, _ = build_block(self._runtime, self.genesis, self.state, self.head, sound, proposer, 0)
        self.state.commit(done.writes, done.tree)
        self.head = block.header
        outcome = {receipt.tx_id: "done" if receipt.ok else "failed" for receipt in done.receipts}
        return block, [outcome.get(one.id, "refused") for one in candidates]

    def _is_sound(self, envelope: Envelope) -> bool:
        try:
            open_transaction(self.genesis, envelope.raw)
        except (DecodeError, SignatureError):
            return False
        return True


# --- m04.p1: what does a block do? -----------------------------------------------------------------------------------

CHECKERS: Final = ("validator", "auditor", "resident")

P1 = Exercise("m04.p1", expects=dict)


def four_orders(book: Book) -> list[Envelope]:
    """Return what office A, which has 100, signs one after the other."""
    signed = (
        [("office B", 30)],
        [("office B", 500)],  # more than it has
        [("office C", 20), ("office B", 60)],  # the second is more than would be left
        [("office A", 10)],  # to itself
    )
    return [book.sign("office A", *transfers, nonce=nonce) for nonce, transfers in enumerate(signed)]


@cache
def traced() -> Mapping[str, Any]:
    """Let the four orders be executed; recompute the root from nothing but what everybody has."""
    book = Book("office A")
    block, outcomes = book.grow(*four_orders(book))
    roots = recomputed(book.genesis, [block])
    everybody = set(CHECKERS) if roots == [block.header.state_root.hex()] else set()  # no key was needed for it
    balances = {name: book.accounts.get(did(f"office {name}"), (0, 0))[1] for name in "ABC"}
    in_block = len(outcomes) - outcomes.count("refused")
    return {**balances, "in_block": in_block, "nonce": book.accounts[did("office A")][0], "checkers": everybody}


@P1.part
def what_fails_is_in_the_block(answer: Mapping[str, Any]) -> Miss | None:
    """Judge by how many transactions the block holds, and the number that comes next."""
    for name in ("in_block", "nonce"):
        if answer.get(name) != traced()[name]:
            return miss("left_out", name=name, said=answer.get(name), truth=traced()[name])
    return None


@P1.part
def all_or_nothing(answer: Mapping[str, Any]) -> Miss | None:
    """Judge by the transaction whose second half could not be done."""
    return miss("half_done", said=answer.get("C")) if answer.get("C") != traced()["C"] else None


@P1.part
def balances_are_right(answer: Mapping[str, Any]) -> Miss | None:
    """Judge by what the offices have afterwards."""
    said, truth = ([one.get(name) for name in "AB"] for one in (answer, traced()))
    return miss("balances", said=said, truth=truth) if said != truth else None


@P1.part
def anybody_can_check(answer: Mapping[str, Any]) -> Miss | None:
    """Judge by who can recompute the root."""
    missing = traced()["checkers"] - set(answer.get("checkers") or ())
    return miss("only_validators", missing=", ".join(sorted(missing))) if missing else None


# --- m04.e1: apply a block -------------------------------------------------------------------------------------------

E1 = Exercise("m04.e1", expects=callable)
CHAINS: Final = 2  # that everybody has; one more is the class's
SEQUENCES: Final = 200


def after(apply: Apply, book: Book, *candidates: Envelope) -> tuple[Accounts, Accounts]:
    """Return what a learner's function and the ledger itself make of a block."""
    before = book.accounts
    block, _ = book.grow(*candidates)
    return apply(before, orders_in(block)), book.accounts


@E1.part
def overspending_moves_nothing(apply: Apply) -> Miss | None:
    """Judge by an order for more than there is, which is in the block all the same; by nothing, and by a newcomer."""
    book = Book("office A")
    impossible = [("office B", UNITS + 1)], [("office B", 0)], [("office B", -5)], [("office B", 1)]
    for nonce, transfers in enumerate(impossible[:3]):
        try:
            found, truth = after(apply, book, book.sign("office A", *transfers, nonce=nonce))
        except ValueError:
            return miss("block_refused", amount=transfers[0][1])
        if found != truth:
            return miss("number_kept" if _balances(found) == _balances(truth) else "overspent", amount=transfers[0][1])
    found, truth = after(apply, book, book.sign("newcomer", *impossible[3]))
    return miss("newcomer") if found != truth else None


def _balances(accounts: Accounts) -> list[int]:
    return sorted(balance for _, balance in accounts.values() if balance)


@E1.part
def an_order_is_done_whole_or_not(apply: Apply) -> Miss | None:
    """Judge by orders of several transfers, one of which cannot be done."""
    book = Book("office A")
    for transfers in ([("office B", 60), ("office C", 60), ("office D", 1)], [("office A", 70), ("office B", UNITS)]):
        found, truth = after(apply, book, book.sign("office A", *transfers))
        if found != truth:
            return miss("half_done", said=sum(_balances(found)))
    return None


@E1.part
def a_used_number_is_refused(apply: Apply) -> Miss | None:
    """Judge by a block that holds an order twice, and by one in which a number is left out."""
    accounts = {did("office A"): (3, UNITS)}
    for nonces in ((3, 3), (2,), (4,)):
        orders = [Order(did("office A"), nonce, ((did("office B"), 10),)) for nonce in nonces]
        try:
            apply(dict(accounts), orders)
        except ValueError:
            continue
        return miss("not_checked", nonce=nonces[-1])
    return None


@E1.part
def the_past_stays(apply: Apply) -> Miss | None:
    """Judge by the accounts that were handed in."""
    before = {did("office A"): (0, UNITS)}
    apply(before, [Order(did("office A"), 0, ((did("office B"), 10),))])
    return miss("past_changed") if before != {did("office A"): (0, UNITS)} else None


@E1.part
def the_order_matters(apply: Apply) -> Miss | None:
    """Judge by the same two orders the other way round."""
    ways = []
    for turn in (1, -1):
        book = Book("office A")
        signed = [book.sign("office A", ("office B", 10)), book.sign("office B", ("office C", 10))]
        found, _ = after(apply, book, *signed[::turn])
        ways.append(root_of(found, book.genesis))
        if ways[-1] != book.state.root.hex():
            return miss("root_differs", height=1)
    return miss("order_ignored") if ways[0] == ways[1] else None


@cache
def simulated(seed: int) -> tuple[Genesis, tuple[Block, ...]]:
    """Return a chain that four validators made, with payments that go well and payments that do not."""
    draw = random.Random(seed)
    with Network.simulated(validators=4, seed=seed, **SETTINGS) as net:
        wallets = list(net.wallets([f"Street office {letter}" for letter in "ABC"], units=50).values())
        for _ in range(8):
            calls = [
                Call("ledger", "transfer", {"to": draw.choice(wallets).did, "amount": draw.randint(0, 40)})
                for _ in range(draw.randint(1, 3))
            ]
            try:
                net.send(draw.choice(wallets), calls)
            except CallFailed:
                continue  # it is in the block, and changed nothing
        return net.genesis, tuple(net.block(height).final.block for height in range(1, net.height() + 1))


@E1.part
def the_roots_are_those_of_the_validators(apply: Apply) -> Miss | None:
    """Judge by whole chains of simulated networks: after each block the same root as in its header."""
    for seed in seeds(CHAINS):
        genesis, blocks = simulated(seed)
        accounts = first_accounts(genesis)
        for block in blocks:
            accounts = apply(accounts, orders_in(block))
            if root_of(accounts, genesis) != block.header.state_root.hex():
                return miss("root_differs", height=block.header.height)
    return None


@E1.part
def nothing_is_made_or_lost(apply: Apply) -> Miss | None:
    """Judge by sequences that are drawn: no unit appears or disappears, and nobody has less than nothing."""
    for seed in seeds(SEQUENCES):
        draw, accounts = random.Random(seed), {f"account {number}": (0, 20) for number in range(4)}
        for _ in range(6):
            accounts = apply(accounts, [_drawn(draw, accounts)])
        if sum(balance for _, balance in accounts.values()) != 80 or min(accounts.values(), key=_held)[1] < 0:
            return miss("not_conserved", seed=seed)
    return None


def _held(account: tuple[int, int]) -> int:
    return account[1]


def _drawn(draw: random.Random, accounts: Accounts) -> Order:
    names = [f"account {number}" for number in range(6)]
    sender = draw.choice(names)
    transfers = tuple((draw.choice(names), draw.randint(-3, 25)) for _ in range(draw.randint(1, 3)))
    return Order(sender, accounts.get(sender, (0, 0))[0], transfers)


# --- m04.e2: invalid, or only unwanted? ------------------------------------------------------------------------------

FATES: Final = ("refused", "failed", "done")

E2 = Exercise("m04.e2", expects=dict)


@cache
def fates() -> Mapping[str, str]:
    """Return what the ledger does with each card, tried on its own rules."""
    return {name: _fate(name) for name in CARDS}


def _fate(name: str) -> str:
    book = Book("office A")
    paid = book.sign("office A", ("office B", 10))
    book.grow(paid)
    return book.grow(CARDS[name](book, paid))[1][0]


def _edited(book: Book, paid: Envelope) -> Envelope:
    raw = book.sign("office A", ("office B", 10)).raw.replace(b"\xa6amount\x0a", b"\xa6amount\x5a")
    return open_envelope(raw, len(raw))


def _nobody(book: Book, paid: Envelope) -> Envelope:
    return book.sign("office A", calls=(Call("nobody", "nothing"),))


CARDS: Final[Mapping[str, Callable[[Book, Envelope], Envelope]]] = {
    "copy": lambda book, paid: paid,
    "gap": lambda book, paid: book.sign("office A", ("office B", 10), nonce=7),
    "edited": _edited,
    "elsewhere": lambda book, paid: book.sign("office A", ("office B", 10), chain_id="another"),
    "expired": lambda book, paid: book.sign("office A", ("office B", 10), expires=1),
    "too_much": lambda book, paid: book.sign("office A", ("office B", 500)),
    "half": lambda book, paid: book.sign("office A", ("office B", 10), ("office C", 500)),
    "no_contract": _nobody,
    "typo": lambda book, paid: book.sign("office A", ("office D", 10)),
    "twice": lambda book, paid: book.sign("office A", ("office B", 10)),
    "thief": lambda book, paid: book.sign("office A", ("thief", 90)),
    "relative": lambda book, paid: book.sign("office A", ("the clerk's cousin", 90)),
}


@E2.each(CARDS)
def a_card(answer: Mapping[str, str], name: str) -> Miss | None:
    """Judge one card by what the ledger does with it."""
    said, truth = answer.get(name), fates()[name]
    if said == truth:
        return None
    if said not in FATES:
        return miss("no_such_word", card=name, said=said)
    cause = {("refused", "done"): "unwanted", ("failed", "done"): "unwanted", ("refused", "failed"): "left_out"}
    other = "agreed_anyway" if truth == "refused" else "took_effect"
    return miss(cause.get((said, truth), other), card=name)


EXERCISES: Final = {one.id: one for one in (P1, E1, E2)}
