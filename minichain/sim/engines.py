"""A large public network of proof of work reduced to its engines: what agreeing costs, without a ledger under it.

Each engine is the one that a node runs, with its messages, timers, forks and reorganisations. What is missing is what
a node adds: here blocks hold no transactions, none is executed or stored, and no message is encoded. That is the level
of the simulators that research uses for such networks; `GossipWorld` is the one with whole nodes.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Final

from minichain.consensus.interface import (
    Adopt,
    Begin,
    Build,
    Built,
    Effect,
    Event,
    Heard,
    Mine,
    Mined,
    Remember,
    Send,
    Setup,
    StartTimer,
    StopMining,
    Tell,
    TimedOut,
    Work,
)
from minichain.consensus.pow import Pow
from minichain.crypto import KeyPair, is_valid_signature
from minichain.ledger.certificate import FinalBlock, seek_nonce
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Block, Header
from minichain.membership.authority import proposer
from minichain.merkle import root
from minichain.sim.agenda import Agenda
from minichain.sim.gossip import neighbours
from minichain.transition import first_root

LEAST_MS, MOST_MS = 1, 20  # of a message on a link
NEVER_MS: Final = 2**63
TRIES: Final = 4_096


class Peer:
    """One engine, the chain that it prefers, and whom it is linked with."""

    __slots__ = ("chain", "engine", "key", "links", "mines", "search", "was_told_by")

    def __init__(self, key: KeyPair, genesis: Genesis, mines: bool, seed: str) -> None:
        setup = Setup(key, genesis.hash, genesis.spec, is_valid_signature, Random(seed), {}, mines)
        self.key = key
        self.mines = mines
        self.engine = Pow(setup)
        self.chain: list[FinalBlock] = []
        self.links: tuple[Peer, ...] = ()
        self.search: Mine | None = None
        self.was_told_by: Peer | None = None  # what it hears now; it does not tell it back

    @property
    def head(self) -> Header | None:
        return self.chain[-1].block.header if self.chain else None


class EngineWorld:
    """Engines that mine, if members of the genesis, and otherwise pass on. They mine as if transactions never ended."""

    def __init__(self, genesis: Genesis, keys: dict[str, KeyPair], *, seed: int = 0) -> None:
        self.genesis = genesis
        self.now_ms = genesis.spec.genesis_time_ms
        self.delivered = self.mined = 0
        self._random = Random(seed)
        self._agenda = Agenda[tuple[Peer, Peer | None, Event | Mine]]()
        committee, work = genesis.committee, genesis.spec.work
        self._hash_rate = work.difficulty / work.block_ms / len(committee.members)
        self._roots = {"tx_root": root(()), "receipt_root": root(()), "state_root": first_root(genesis)}
        self.peers = {n: Peer(key, genesis, committee.weight(key.public) > 0, f"{seed} {n}") for n, key in keys.items()}
        self._of_key = {peer.key.public: peer for peer in self.peers.values()}
        for name, others in neighbours(tuple(keys), Random(f"links {seed}")).items():
            self.peers[name].links = tuple(self.peers[other] for other in others)
        for peer in self.peers.values():
            self._begin(peer)

    def grow(self, blocks: int) -> None:
        """Go on until everybody has a chain of so many blocks."""
        short = set(self.peers.values())
        while short:
            found = self._agenda.take(NEVER_MS)
            assert found is not None, "nobody mines"
            self.now_ms, (peer, source, event) = found
            self._happen(peer, source, event)
            if peer in short and len(peer.chain) >= blocks:
                short.remove(peer)

    def _happen(self, peer: Peer, source: Peer | None, event: Event | Mine) -> None:
        if type(event) is Heard:
            self.delivered += 1
            peer.was_told_by = source
        elif isinstance(event, Mine):
            if peer.search is not event:
                return  # it was given up
            event = self._found(peer, event)
        assert not isinstance(event, Mine)
        self._handle(peer, event)
        peer.was_told_by = None

    def _handle(self, peer: Peer, event: Event) -> None:
        for effect in peer.engine.handle(event, self.now_ms):
            self._perform(peer, effect)

    def _perform(self, peer: Peer, effect: Effect) -> None:
        if isinstance(effect, Remember):  # the most frequent first: a million a minute
            return  # nobody crashes here
        if isinstance(effect, Tell):
            heard = Heard(peer.key.public, effect.message)
            for other in peer.links:
                if other is not peer.was_told_by:
                    self._put(self._delay_ms(), other, peer, heard)
        elif isinstance(effect, Adopt):
            peer.chain[effect.height - 1 :] = effect.blocks
            self._begin(peer)
        elif isinstance(effect, Send):
            heard = Heard(peer.key.public, effect.message)
            self._put(self._delay_ms(), self._of_key[effect.to], peer, heard)
        elif isinstance(effect, StartTimer):
            self._put(effect.delay_ms, peer, None, TimedOut(effect.timer))
        else:
            self._mine(peer, effect)

    def _mine(self, peer: Peer, effect: Effect) -> None:
        match effect:
            case Build():
                self._handle(peer, Built(effect.height, 0, self._build(peer, effect)))
            case Mine():
                peer.search = effect
                took_ms = round(self._random.expovariate(self._hash_rate / effect.difficulty))
                self._put(took_ms, peer, None, effect)
            case StopMining():
                peer.search = None
            case _:
                raise AssertionError(f"an engine of proof of work wants {type(effect).__name__}")

    def _begin(self, peer: Peer) -> None:
        head, height = peer.head, len(peer.chain) + 1
        turn = partial(proposer, self.genesis.committee, height)
        self._handle(peer, Begin(height, head.id if head else self.genesis.hash, self.genesis.committee, turn))
        if peer.mines:
            self._handle(peer, Work())

    def _build(self, peer: Peer, wish: Build) -> Block:
        head, committee = peer.head, self.genesis.committee.hash
        header = Header(
            genesis=self.genesis.hash,
            height=wish.height,
            time_ms=max(self.now_ms, wish.not_before_ms),
            parent=head.id if head else self.genesis.hash,
            proposer=peer.key.public,
            tx_count=0,
            committee=committee,
            next_committee=committee,
            **self._roots,
        )
        return Block(header, ())

    def _found(self, peer: Peer, search: Mine) -> Mined:
        """Return the nonce that was found; looking for it takes real time, but no virtual time."""
        peer.search, nonce, start = None, None, 0
        while nonce is None:
            nonce, start = seek_nonce(search.block_id, search.difficulty, start, TRIES), start + TRIES
        self.mined += 1
        return Mined(search.block_id, nonce)

    def _delay_ms(self) -> int:
        return LEAST_MS + int(self._random.random() * (MOST_MS - LEAST_MS + 1))

    def _put(self, delay_ms: int, peer: Peer, source: Peer | None, event: Event | Mine) -> None:
        self._agenda.put(self.now_ms + delay_ms, (peer, source, event))
