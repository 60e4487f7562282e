"""One member's computer in the simulated world."""

from __future__ import annotations

from minichain.codec import Plain
from minichain.consensus.interface import Mine
from minichain.crypto import KeyPair
from minichain.faults.adversaries import Adversary
from minichain.node.core import Node
from minichain.node.interface import Effect, Event
from minichain.node.keeper import Keeper
from minichain.sim.memory import MemoryStore


class Late(Plain):
    """What a node with a slow disk does once its turn is safe."""

    effects: list[Effect]


class SigningKey(KeyPair):
    """A key pair whose signatures the world remembers, so that checking one is a look into a set."""

    __slots__ = ("_made",)

    def __init__(self, seed: bytes, made: set[tuple[bytes, str, bytes, bytes]]) -> None:
        super().__init__(seed)
        self._made = made

    def sign(self, domain: str, data: bytes) -> bytes:
        signature = super().sign(domain, data)
        self._made.add((self.public, domain, data, signature))
        return signature


class Machine:
    """One member's computer: a disk that stays, and a node that may be off. Two with one key are twins."""

    __slots__ = (
        *("adversary", "busy_until_ms", "crash_after_commit", "disk_ms", "executor", "hash_rate", "is_forgetful"),
        *("is_paused", "key", "life", "name", "node", "search", "skew_ms", "stopped_by", "store", "waiting"),
    )

    def __init__(self, name: str, key: KeyPair, store: MemoryStore, hash_rate: float) -> None:
        self.name = name
        self.key = key
        self.store = store
        self.node: Node | None = None
        self.executor: Keeper | None = None
        self.life = 0  # how often it was switched on; events of an earlier life are void
        self.crash_after_commit = False
        self.adversary: Adversary | None = None
        self.is_forgetful = False  # its engine's memory is gone whenever it starts
        self.is_paused = False
        self.waiting: list[Event | Mine | Late] = []  # what came while it was paused
        self.skew_ms = 0  # how far its clock is ahead
        self.disk_ms = 0  # how long its disk takes for a turn
        self.busy_until_ms = 0  # it waits for its disk
        self.stopped_by = ""  # the error that stopped the node
        self.hash_rate = hash_rate  # tries in a millisecond
        self.search: Mine | None = None
