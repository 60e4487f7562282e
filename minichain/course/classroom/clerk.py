"""What the desk of a class does on its network: it lets accounts in, has nodes voted in and out, passes requests on.

All of it follows from the register and can be done twice without harm; what a network that is down keeps from being
done is done when it is back. On the chain an institution has a number and no name.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from minichain.client.attached import AttachedWorld
from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import decode, encode
from minichain.course.certificate import BOARD
from minichain.course.classroom.board import Board
from minichain.course.classroom.gateway import found
from minichain.course.classroom.letters import VALIDATOR, Ask
from minichain.course.classroom.register import IN, Declined, Learner, Register
from minichain.crypto import KeyPair, Passphrase, public_of
from minichain.errors import CallFailed, MinichainError
from minichain.ledger.local import node_key
from minichain.ledger.types import Call
from minichain.live.home import Home
from minichain.node.messages import MAX_MESSAGE_BYTES, ClientRequest

DESK: Final = "class desk"  # the wallet
ACCOUNT, SEAT, REMOVAL = "account", "validator", "removal"
VOTES, COMES, FULL, SILENT = "votes", "comes", "full", "silent"  # of a learner's node
OWN: Final = "node-"  # what the names of the trainer's nodes begin with
WAIT_S: Final = 2.0  # between looks at what is to be done
PATIENCE_MS: Final = 3_000  # for one answer of a node

log = logging.getLogger("minichain")


def due(register: Register, own: int, now: int) -> list[tuple[Learner, str]]:
    """Return what the network has to do for whom, if `own` of its nodes are the trainer's."""
    found, voting = list[tuple[Learner, str]](), seats(register, own, now)
    for learner in register.learners.values():
        if learner.state == IN and ACCOUNT not in learner.done:
            found.append((learner, ACCOUNT))
        if voting.get(learner.did) == COMES:
            found.append((learner, SEAT))
        if SEAT in learner.done and not _wants_seat(learner):
            found.append((learner, REMOVAL))
    return found


def seats(register: Register, own: int, now: int) -> dict[str, str]:
    """Return for everybody who came with a node whether it votes: it does, it will, there is no seat, it is not heard.

    A seat goes only to a node that is heard of just now: with one that is off, the chain would need all others.
    """
    taken = sum(SEAT in one.done for one in register.learners.values())
    found = dict[str, str]()
    for one in sorted(filter(_wants_seat, register.learners.values()), key=lambda one: one.number):
        if SEAT in one.done:
            found[one.did] = VOTES
        elif not one.has_node(now):
            found[one.did] = SILENT
        elif has_seat_left(own, taken):
            found[one.did] = COMES
            taken += 1
        else:
            found[one.did] = FULL
    return found


def _wants_seat(learner: Learner) -> bool:
    return learner.state == IN and learner.role == VALIDATOR


def has_seat_left(own: int, seats: int) -> bool:
    """Tell whether the chain goes on if all nodes of learners are switched off, with one more of them than `seats`."""
    return 3 * own > 2 * (own + seats + 1)


def institution(learner: Learner, class_id: str) -> str:
    """Return what the chain calls a learner."""
    return f"Institution {learner.number} of class {class_id}"


class Clerk:
    """The desk's line to its network."""

    def __init__(self, home: Path, passphrase: Passphrase | None, tell: Callable[[Learner, str], None]) -> None:
        self._home = home
        self._passphrase = passphrase
        self._tell = tell
        self._local = threading.local()
        self._net: Network | None = None
        self._told = threading.Event()
        self._is_closed = False
        self._thread: threading.Thread | None = None
        self._complaint = ""
        self.genesis = ""

    def start(self, todo: Callable[[], list[tuple[Learner, str]]]) -> None:
        """Do in a thread whatever there is to do, from now on."""
        self._thread = threading.Thread(target=self._run, args=(todo,), daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._told.set()

    def close(self) -> None:
        """Stop."""
        self._is_closed = True
        self.wake()
        if self._thread:
            self._thread.join()
        if self._net:
            self._net.close()

    def _run(self, todo: Callable[[], list[tuple[Learner, str]]]) -> None:
        while not self._is_closed:
            self._told.clear()
            try:
                self._open()
                jobs = todo()
                self._admit([learner for learner, what in jobs if what == ACCOUNT])
                for learner, what in jobs:
                    self._do(learner, what)
                    self._tell(learner, what)
            except MinichainError as error:
                self._complain(str(error))
            self._told.wait(WAIT_S)

    def _complain(self, why: str) -> None:
        """Say once what keeps the network from being reached."""
        if why != self._complaint:
            log.warning("the network of the class: %s", why)
            self._complaint = why

    def _open(self) -> None:
        """Reach the network, and put the board of the class on it if it is not there."""
        if self._net is None:
            net = Network.attach(self._home, self._passphrase)
            try:
                net.open([net.wallet(DESK)])
                if BOARD not in {name for name, _, _ in net.contracts()}:
                    net.deploy(Board, sender=net.wallet(DESK), name=BOARD, keeper=net.wallet(DESK).did)
            except BaseException:
                net.close()
                raise
            self._net, self.genesis = net, net.genesis.hash.hex()

    # --- accounts and seats ---

    def _admit(self, learners: Sequence[Learner]) -> None:
        """Let learners have an account and sign notes; a whole class that comes at once waits for two blocks."""
        assert self._net is not None
        desk = self._net.wallet(DESK)
        self._net.open(Wallet(one.did, KeyPair(bytes(32)), public_of(one.did)) for one in learners)
        self._net.send_together(
            (desk, [Call(BOARD, "admit", {"did": one.did, "number": one.number})]) for one in learners
        )

    def _do(self, learner: Learner, what: str) -> None:
        """Let the trainer's own nodes vote, where that is what is to be done."""
        match what:
            case "validator":
                self._decide("propose_admission", name=f"learner-{learner.number}", did=learner.did, weight=1)
            case "removal":
                self._decide("propose_removal", did=learner.did)

    def _decide(self, action: str, **what: object) -> None:
        """Let the trainer's own nodes propose something and vote for it."""
        assert self._net is not None
        is_member = public_of(str(what["did"])) in {member.public for member in self._net.members()}
        if is_member == (action == "propose_admission"):
            return  # it is so already
        own = [Wallet(name, node_key(self._net.world.root, name)) for name in self._own_nodes()]
        reason = "the trainer of the class decided so"
        number = self._net.send(own[0], [Call("members", action, {**what, "reason": reason})]).result
        for member in own:
            with suppress(CallFailed):  # enough have voted
                self._net.send(member, [Call("members", "vote", {"proposal": number, "yes": True})])

    def _own_nodes(self) -> list[str]:
        assert self._net is not None
        return [name for name in self._net.nodes if name.startswith(OWN)]

    # --- for learners ---

    @property
    def node(self) -> str:
        """Return where a node can join the chain, as `minichain node --join` takes it; "" while none runs."""
        running = Home(self._home).find()
        node = next((node for node in running.nodes if node.pid), None) if running else None
        return f"{node.public}@{node.address.removeprefix('tcp://')}" if node else ""

    def nodes(self) -> list[dict[str, Any]]:
        """Return the nodes of the network, and which of them are on; none while it does not run."""
        running = Home(self._home).find()
        return [{"name": node.name, "is_on": node.pid is not None} for node in running.nodes] if running else []

    @property
    def own(self) -> int:
        """Return how many nodes of the network are the trainer's."""
        return sum(node["name"].startswith(OWN) for node in self.nodes())

    def recover(self) -> None:
        """End every fault of the network."""
        AttachedWorld.find(self._home, self._passphrase).end()

    def ask(self, asked: Ask) -> bytes:
        """Pass a request on to a node; returns its encoded answer, empty if none came. Raises `DecodeError`."""
        body: ClientRequest = decode(asked.request, ClientRequest, MAX_MESSAGE_BYTES)  # type: ignore[arg-type]
        channel = self.net.client.channel
        for name in channel.names:
            found = channel.request(name, body, min(asked.timeout_ms, PATIENCE_MS))
            if found is not None:
                return encode(found)
        return b""

    def found(self, learner: Learner, key: KeyPair, class_id: str) -> None:
        """Let somebody whose key is at the desk be an institution of the network, if that is not so."""
        found(self.net, Wallet(learner.did, key), institution(learner, class_id))

    def sign(self, key: KeyPair, text: str) -> Receipt:
        """Sign a note with a key that is at the desk."""
        return self.net.send(Wallet("", key), [Call(BOARD, "sign", {"text": text})])

    def notes(self, count: int) -> list[dict[str, Any]]:
        """Return the newest notes."""
        listed: list[dict[str, Any]] = self.net.view(BOARD, "latest", {"count": count})
        return listed

    @property
    def net(self) -> Network:
        """Return this thread's line to the network. Raises `Declined` while it is not reached."""
        if not self.genesis:
            raise Declined("no_network")
        if not hasattr(self._local, "net"):
            self._local.net = Network.attach(self._home, self._passphrase)
        net: Network = self._local.net
        return net
