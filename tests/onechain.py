"""A chain without a network: the real rules, store, proofs and answers in one process, sealed by four keys at once.

It has the face of a client, so models and panels can be driven in milliseconds. What a network adds (delay, loss,
votes) is not here: the browser tests run on a real one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from minichain.client.network import NodeReport
from minichain.codec import decode_own, encode
from minichain.contracts import GasMeter, Runtime, describe, source_of
from minichain.contracts.runtime import Frame
from minichain.crosschain.proofs import VERSION, Proof
from minichain.crypto import KeyPair
from minichain.errors import CallFailed, NetworkError, UsageError
from minichain.ledger.certificate import PRECOMMIT, FinalBlock, certify, sign_vote, vote_statement
from minichain.ledger.committee import Member
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.state import State, account_key, read_account
from minichain.ledger.types import Call, Header, Transaction, sign_transaction
from minichain.node import queries
from minichain.node.messages import AskBlock, AskHeaders, AskReceipt, NodeStatus
from minichain.store import SqliteStore
from minichain.transition import build_block

NAMES = ("Street office A", "Transfer station", "Treatment plant", "District bureau")
SEED = b"one chain for tests".ljust(32, b".")


@dataclass(frozen=True)
class Wallet:
    name: str
    key: KeyPair

    @property
    def did(self) -> str:
        return self.key.did


class OneChain:
    """The chain itself; `down` are the nodes that are stopped, `is_dead` cuts off every client."""

    def __init__(self, folder: Path, name: str = "waste-demo") -> None:
        self.keys = [KeyPair.derive(SEED, name) for name in NAMES]
        members = tuple(Member(name, key.public) for name, key in zip(NAMES, self.keys, strict=True))
        self.genesis = Genesis(ChainSpec(chain_id=name, members=members))
        self.store = SqliteStore(folder / "chain.db", self.genesis.hash, self.genesis.state_items())
        self.state, self.runtime = State(self.genesis.state_items()), Runtime()
        self.contracts: dict[str, tuple[str, str, int]] = {}
        self.abis: dict[str, Any] = {}
        self.down: set[str] = set()
        self.is_dead = False

    def head(self) -> Header | None:
        final = self.store.block(self.store.height())
        return final.block.header if final else None

    def submit(self, *envelopes: Any) -> list[Any]:
        """Put transactions into the next block; returns their receipts."""
        proposer, parent = self.keys[(self.store.height() + 1) % 4].public, self.head()
        now = int(time.time() * 1000)
        block, done, refused = build_block(self.runtime, self.genesis, self.state, parent, envelopes, proposer, now)
        if refused:
            raise refused[0][1]
        statement = vote_statement(self.genesis.hash, PRECOMMIT, block.header.height, 0, block.header.id)
        sealing = [key for key, name in zip(self.keys, NAMES, strict=True) if name not in self.down]
        seal = certify(
            self.genesis.committee,
            block.header.height,
            0,
            block.header.id,
            {key.public: sign_vote(key, statement) for key in sealing},
        )
        self.state.commit(done.writes, done.tree)
        with self.store.turn():
            ids = [envelope.id for envelope in envelopes]
            self.store.add_block(FinalBlock(block, seal), done.encoded_receipts, ids, done.writes)
        return list(done.receipts)

    def sign(self, key: KeyPair, *calls: Call) -> Any:
        """Sign one transaction of an account."""
        nonce = read_account(self.state.overlay().get(account_key(key.public))).nonce
        body = Transaction(
            self.genesis.spec.chain_id,
            self.genesis.hash,
            key.public,
            nonce,
            calls,
            20_000_000,
            self.store.height() + 100,
        )
        return sign_transaction(body, key)


class OneClient:
    """A client of a `OneChain`."""

    def __init__(self, chain: OneChain) -> None:
        self.chain = chain
        self._require_alive()
        self.genesis, self.nodes = chain.genesis, NAMES

    def _require_alive(self) -> None:
        if self.chain.is_dead:
            raise NetworkError("no network is running: start one with `minichain up`")

    def status(self) -> list[NodeReport]:
        self._require_alive()
        return [self._report(name, key.public) for name, key in zip(NAMES, self.chain.keys, strict=True)]

    def _report(self, name: str, public: bytes) -> NodeReport:
        if name in self.chain.down:
            return NodeReport(name, public, False, None, None)
        head = self.chain.head()
        height, id_, time_ms = (head.height, head.id, head.time_ms) if head else (0, bytes(32), 0)
        status = NodeStatus(name, public, height, id_, self.chain.state.root, time_ms, 0, NAMES, {}, 0, {})
        return NodeReport(name, public, True, status, 31_000_000)

    def height(self) -> int:
        self._require_alive()
        return self.chain.store.height()

    def headers(self, first: int, count: int) -> Any:
        return queries.answer(self.chain.store, AskHeaders(first, count)).headers

    def block(self, height: int) -> Any:
        self._require_alive()
        return queries.answer(self.chain.store, AskBlock(height))

    def receipt(self, tx_id: str) -> Any:
        answer = queries.answer(self.chain.store, AskReceipt(bytes.fromhex(tx_id)))
        names = ("header", "certificate", "tx", "receipt", "index", "count", "tx_path", "receipt_path")
        proof = Proof(VERSION, self.genesis.spec, *[getattr(answer, name) for name in names])
        return SimpleNamespace(height=answer.header.height, proof=lambda: proof)

    def proof(self, tx_id: str) -> Proof:
        return self.receipt(tx_id).proof()

    def contracts(self) -> list[tuple[str, str, int]]:
        self._require_alive()
        return list(self.chain.contracts.values())

    def wallet(self, name: str) -> Wallet:
        return Wallet(name, KeyPair.derive(SEED, name))

    def deploy(self, contract: type, *, name: str, sender: Wallet, **args: Any) -> OneContract:
        source = source_of(contract)
        call = Call("ledger", "deploy", {"name": name, "source": source, "args": args})
        receipt = self.chain.submit(self.chain.sign(sender.key, call))[0]
        _require_ok(receipt)
        self.chain.contracts[name] = (name, sender.did, receipt.height)
        self.chain.abis[name] = describe(source)
        return self.contract(name)

    def contract(self, name: str) -> OneContract:
        if name not in self.chain.abis:
            raise UsageError(f"there is no contract {name!r}")
        return OneContract(self.chain, name)

    def crash(self, name: str) -> None:
        self.chain.down.add(name)

    def restart(self, name: str) -> None:
        self.chain.down.discard(name)


@dataclass(frozen=True)
class OneContract:
    chain: OneChain
    name: str
    sender: Wallet | None = None

    def with_sender(self, wallet: Wallet) -> OneContract:
        return OneContract(self.chain, self.name, wallet)

    @cached_property
    def abi(self) -> Any:
        return self.chain.abis[self.name]

    def __getattr__(self, name: str) -> Any:
        is_view = any(method.name == name for method in self.chain.abis[self.name].views)
        return partial(self._ask if is_view else self._call, name)

    def _ask(self, view: str, /, **args: Any) -> Any:
        if self.chain.is_dead:
            raise NetworkError("no network is running: start one with `minichain up`")
        head = self.chain.head()
        frame = Frame(
            overlay=self.chain.state.overlay(),
            meter=GasMeter(50_000_000),
            events=[],
            signer="",
            height=head.height,
            now_ms=head.time_ms,
            chain=self.chain.genesis.spec.chain_id,
        )
        return self.chain.runtime.view(frame, self.name, view, args)

    def _call(self, action: str, /, **args: Any) -> Any:
        if self.chain.is_dead:
            raise NetworkError("no network is running: start one with `minichain up`")
        assert self.sender is not None
        receipt = self.chain.submit(self.chain.sign(self.sender.key, Call(self.name, action, args)))[0]
        _require_ok(receipt)
        return receipt


def _require_ok(receipt: Any) -> None:
    if not receipt.ok:
        raise CallFailed(receipt.error, receipt)


__all__ = ["OneChain", "OneClient", "Wallet", "decode_own", "encode"]
