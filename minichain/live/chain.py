"""One chain that a supervisor owns: its home, the door of its operator, and its validators, here or elsewhere."""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from typing import Any

import psutil

from minichain.crypto import KeyPair
from minichain.errors import MinichainError
from minichain.faults.timeline import parse
from minichain.ledger.genesis import Genesis
from minichain.ledger.local import node_key
from minichain.live.cluster import HOST, Cluster, settled
from minichain.live.control import ControlDoor
from minichain.live.director import Director
from minichain.live.home import Home, NodePlace, Running

log = logging.getLogger("minichain")


class Chain(ABC):
    """What a supervisor does with a chain."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._key = KeyPair(os.urandom(32))
        self.door = ControlDoor(self._key, home.operator().public, HOST)

    @abstractmethod
    def start(self) -> None:
        """Start the validators; raises `NetworkError` with the reason."""

    @abstractmethod
    def nodes(self) -> tuple[NodePlace, ...]:
        """Return where the validators are."""

    @abstractmethod
    def do(self, command: dict[str, Any]) -> str:
        """Do what the operator says; returns why not, if it makes no sense, and may raise."""

    @abstractmethod
    def leave(self) -> None:
        """Tell the validators to stop, without waiting for them."""

    def now(self) -> Running:
        """Return where everything is."""
        own = psutil.Process()
        return Running(own.pid, own.create_time(), self.door.address, self._key.public.hex(), self.nodes(), None)

    def obey(self, command: dict[str, Any]) -> str:
        """Do what the operator says; returns why not, if it cannot be done."""
        log.info("command %s", command)
        try:
            return "" if command == {"stop": True} else self.do(command)
        except (MinichainError, OSError) as error:  # the network goes on: a file or a disk is the operator's to mend
            return str(error)

    def close(self) -> None:
        """Stop the validators, and listen to the operator no longer."""
        self.door.close()


class OwnChain(Chain):
    """A chain whose validators are processes of this one."""

    def __init__(self, home: Home, genesis: Genesis, keys: dict[str, KeyPair], host: str = HOST) -> None:
        super().__init__(home)
        kept = {name: node_key(home.root(), name) for name in settled(home.chain)}
        self._cluster = Cluster(home.chain, genesis, keys | kept, in_files=home.passphrase is None, host=host)
        self._director = Director(self._cluster, genesis)

    def start(self) -> None:
        self._cluster.start()

    def nodes(self) -> tuple[NodePlace, ...]:
        return tuple(
            NodePlace(name, public.hex(), self._cluster.client_address(name), self._cluster.pid(name))
            for name, public in self._cluster.publics.items()
        )

    def do(self, command: dict[str, Any]) -> str:
        match command:
            case {"fault": str(words)}:
                self._director.do(words)
            case {"begin": str(timeline)}:
                self._director.begin(parse(timeline))
            case {"end": True}:
                self._director.end()
            case {"join": str(name)}:
                self._director.join(name, node_key(self.home.root(), name))
            case {"leave": str(name)}:
                self._director.leave(name)
            case _:
                return f"unknown command {sorted(command)}"
        return ""

    def leave(self) -> None:
        self._cluster.leave()

    def close(self) -> None:
        self._cluster.stop()
        super().close()
