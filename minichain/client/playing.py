"""A timeline played on processes, in real time, by the same player as the simulated one.

Clients send transactions through their doors, as anybody would. One witness for each node reads its final blocks all
the while, and once more at the end: what it ever called final must be final still, and everywhere the same.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import partial
from queue import Empty, SimpleQueue
from random import Random
from threading import Event, Thread
from typing import Any, Final, Protocol, cast

from minichain.client.network import Network
from minichain.client.wallet import Wallet
from minichain.client.world import World
from minichain.codec import Plain
from minichain.errors import UsageError
from minichain.faults import player
from minichain.faults.adversaries import CORRECT
from minichain.faults.timeline import Step, Timeline, parse_step
from minichain.ledger.local import node_key
from minichain.ledger.profiles import PROFILES
from minichain.ledger.types import Call, Envelope, Header, Transaction, sign_transaction, transaction_id
from minichain.live.channel import LiveChannel
from minichain.live.faults import require_playable
from minichain.node.messages import (
    AccountState,
    AskAccount,
    AskFinal,
    AskHeaders,
    Failure,
    FinalAnswer,
    Headers,
    Submit,
    Submitted,
)
from minichain.node.queries import ELSEWHERE, MAX_HEADERS

SENDERS: Final = tuple(f"clerk-{number}" for number in range(1, 5))
UNITS: Final = 10_000  # each of them has at least
GAS_LIMIT: Final = 100_000
LOOK_S: Final = 0.05  # a witness looks for new blocks this often
ANSWER_MS: Final = 1_000  # a node that is silent for longer is asked again later
RESEND_S: Final = 1.5  # what is not final anywhere after so long is sent again, to another node
BATCH: Final = 100  # transactions in one message
CALM_S: Final = 30.0  # within so long after the last line everything must be final

Places = Callable[[], dict[str, tuple[bytes, str]]]


class LiveWorld(World, Protocol):
    """A network of processes, seen by its owner."""

    def places(self) -> dict[str, tuple[bytes, str]]: ...
    def begin(self, timeline: Timeline) -> None: ...
    def end(self) -> None: ...


# --- one client to each node -----------------------------------------------------------------------------------------


class Witness:
    """Reads the final blocks of one node, one after the other, and hands in transactions there."""

    def __init__(self, name: str, net: Network, places: Places) -> None:
        genesis = net.genesis
        self.name = name
        self.height = 0  # of the last final block
        self.began = 0  # blocks up to this height are not known at this node: it began with a snapshot
        self.ids: dict[int, bytes] = {}  # of the final blocks, by height
        self.final: dict[bytes, int] = {}  # transaction -> its height
        self.refused: Counter[str] = Counter()
        self.outbox: SimpleQueue[tuple[bytes, ...]] = SimpleQueue()
        self._open = genesis.spec.work.confirmations - 1 if genesis.spec.engine == "pow" else 0  # not final yet
        self.line = partial(LiveChannel, places, node_key(net.world.root, net.nodes[0]))
        self._is_over = Event()
        self._thread = Thread(target=self._run, name=f"witness of {name}", daemon=True)

    def start(self) -> Witness:
        """Begin to look, in a thread of its own."""
        self._thread.start()
        return self

    def close(self) -> None:
        """End the thread."""
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        with closing(self.line()) as channel:
            while not self._is_over.wait(LOOK_S):
                self._hand_in(channel)
                while self.read(channel):
                    pass

    def _hand_in(self, channel: LiveChannel) -> None:
        try:
            while not self._is_over.is_set():
                answer = channel.request(self.name, Submit(self.outbox.get_nowait()), ANSWER_MS)
                if isinstance(answer, Submitted):
                    self.refused.update(verdict.code for verdict in answer.verdicts if verdict.code != "accepted")
        except Empty:
            return

    def read(self, channel: LiveChannel) -> bool:
        """Ask once for what follows; False if there was nothing new."""
        answer = channel.request(self.name, AskFinal(self.height + 1), ANSWER_MS)
        if isinstance(answer, Failure) and answer.code == ELSEWHERE:
            return self._skip(channel)
        blocks = answer.blocks if isinstance(answer, FinalAnswer) else ()
        final = blocks[: max(0, len(blocks) - self._open)]
        for block in (kept.block for kept in final):
            self._take(block.header)
            self.final |= {transaction_id(raw): block.header.height for raw in block.txs}
        return bool(final)

    def _skip(self, channel: LiveChannel) -> bool:
        """Go on with the snapshot that the node began with."""
        answer = channel.request(self.name, AskHeaders(self.height + 1, MAX_HEADERS), ANSWER_MS)
        if not isinstance(answer, Headers):
            return False
        if answer.headers:
            self._take(answer.headers[0][0])
        else:  # it began far above
            self.height += MAX_HEADERS
        self.began = self.height
        return True

    def _take(self, header: Header) -> None:
        self.height = header.height
        self.ids[header.height] = header.id


def reread(net: Network, places: Places, names: Iterable[str]) -> list[Witness]:
    """Read the whole chain of these nodes anew."""
    witnesses = [Witness(name, net, places) for name in names]
    for witness in witnesses:
        with closing(witness.line()) as channel:
            while witness.read(channel):
                pass
    return witnesses


def contradictions(witnesses: Iterable[Witness]) -> tuple[str, ...]:
    """Name each height at which two of these chains, or one at two times, have different blocks."""
    found, first = [], dict[int, tuple[str, bytes]]()
    for witness in witnesses:
        for height, block_id in list(witness.ids.items()):
            name, before = first.setdefault(height, (witness.name, block_id))
            if before != block_id:
                found.append(f"block {height} of {witness.name} is {block_id.hex()}, of {name} {before.hex()}")
    return tuple(found)


def unfinished(tx_ids: Iterable[bytes], witnesses: Sequence[Witness]) -> int:
    """Return how many of these transactions are not final at all of these nodes, as far as was read.

    What others have in a block below a node's snapshot is final there too: the snapshot is the state after it.
    """
    heights: dict[bytes, int] = {}
    for witness in witnesses:
        heights |= witness.final.copy()
    return sum(
        not all(tx_id in one.final or 0 < heights.get(tx_id, 0) <= one.began for one in witnesses) for tx_id in tx_ids
    )


class Crowd:
    """Clients who sign transactions and send them until they are final."""

    def __init__(self, net: Network, witnesses: list[Witness], seed: int) -> None:
        self._net = net
        self._witnesses = {witness.name: witness for witness in witnesses}
        self._random = Random(f"crowd {seed}")
        self._wallets = [net.wallet(name, UNITS) for name in SENDERS]
        self._nonces = {wallet.did: self._next_nonce(wallet) for wallet in self._wallets}
        spec = net.genesis.spec
        self._expires = net.height() + spec.limits.max_expiry
        self._open: dict[bytes, tuple[float, Envelope]] = {}  # not known to be final anywhere; when it was sent last
        self.submitted: list[bytes] = []

    def _next_nonce(self, wallet: Wallet) -> int:
        return self._net.client.ask(AskAccount(wallet.account), AccountState, "an account").next_nonce

    def submit(self, count: int, name: str = "") -> None:
        """Sign transactions, and send them to a node, or to any that runs."""
        envelopes = [self._sign(self._wallets[(len(self.submitted) + i) % len(SENDERS)]) for i in range(count)]
        self.submitted += [envelope.id for envelope in envelopes]
        self._send(envelopes, name)

    def _sign(self, wallet: Wallet) -> Envelope:
        genesis, nonce = self._net.genesis, self._nonces[wallet.did]
        self._nonces[wallet.did] += 1
        call = Call("ledger", "transfer", {"to": self._wallets[0].did, "amount": 1})
        head = genesis.spec.chain_id, genesis.hash, wallet.account, nonce, (call,)
        return sign_transaction(Transaction(*head, GAS_LIMIT, self._expires, wallet.signing_key), wallet.key)

    def _send(self, envelopes: list[Envelope], name: str = "") -> None:
        self._open |= {envelope.id: (time.monotonic(), envelope) for envelope in envelopes}
        running = [name] if name else [one for one in self._witnesses if self._net.world.is_running(one)]
        if running:
            chosen = self._witnesses[self._random.choice(running)]
            for first in range(0, len(envelopes), BATCH):
                chosen.outbox.put(tuple(envelope.raw for envelope in envelopes[first : first + BATCH]))

    def wait(self, ms: int) -> None:
        """Let time pass, and send again what is not final anywhere."""
        end = time.monotonic() + ms / 1000
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_S))
            self._resend()

    def _resend(self) -> None:
        for tx_id in [known for known in self._open if any(known in w.final for w in self._witnesses.values())]:
            del self._open[tx_id]
        late = time.monotonic() - RESEND_S
        if any(sent < late for sent, _ in self._open.values()):
            # All of them: a later one of the same sender is refused where an earlier one is missing.
            self._send([envelope for _, envelope in self._open.values()])

    def missing(self, names: Iterable[str]) -> int:
        """Return how many transactions are not final yet at all of these nodes."""
        return unfinished(self.submitted, [self._witnesses[name] for name in names])


# --- a timeline ------------------------------------------------------------------------------------------------------


class Line(Plain):
    """What happened, and from when to when, in milliseconds since the beginning: a start of a process takes time."""

    begun_ms: int
    done_ms: int
    words: str


class Outcome(Plain):
    """What came of it. `faulty` were no correct members at some time, and are not asked; `contradictions` are forks."""

    is_safe: bool
    is_live: bool
    submitted: int
    missing: int
    refused: dict[str, int]
    heights: dict[str, int]
    faulty: tuple[str, ...]
    contradictions: tuple[str, ...]
    calm_ms: int  # from the end of all faults until everything was final
    lines: tuple[Line, ...]


class _Stage:
    """The network and its clients, as the player sees them; it takes down what happened."""

    def __init__(self, world: LiveWorld, crowd: Crowd, tell: Callable[[Line], None]) -> None:
        self._world = world
        self._crowd = crowd
        self._tell = tell
        self._start = time.monotonic()
        self.lines: list[Line] = []

    @property
    def elapsed_ms(self) -> int:
        return int((time.monotonic() - self._start) * 1000)

    def is_running(self, name: str) -> bool:
        return self._world.is_running(name)

    def fault(self, step: Step) -> None:
        begun_ms = self.elapsed_ms
        try:
            self._world.fault(step)
        except UsageError as error:  # a node that has stopped by itself in this moment
            self.note(f"passed over: {error}")
        else:
            self._take_down(begun_ms, step.words)

    def note(self, text: str) -> None:
        self._take_down(self.elapsed_ms, text)

    def submit(self, count: int, name: str = "") -> None:
        begun_ms = self.elapsed_ms
        self._crowd.submit(count, name)
        self._take_down(begun_ms, f"submit {count} {name}".strip())

    def move(self, verb: str, name: str) -> None:
        raise AssertionError("refused before anything began: see `require_playable`")

    def wait(self, ms: int) -> None:
        self._crowd.wait(ms)

    def _take_down(self, begun_ms: int, text: str) -> None:
        self.lines.append(Line(begun_ms, self.elapsed_ms, text))
        self._tell(self.lines[-1])


def network_of(timeline: Timeline) -> Network:
    """Make the network of processes that a timeline's options stand for; it starts at `with`."""
    pace = {"work": PROFILES["public"]["work"]} if timeline.engine == "pow" else {}
    options: dict[str, Any] = {"seed": timeline.seed, "engine": timeline.engine, "clock": timeline.clock}
    made: Network = Network.local(timeline.validators, **options, **pace)
    return made


def play(
    net: Network, timeline: Timeline, tell: Callable[[Line], None] = lambda line: None, calm_s: float = CALM_S
) -> Outcome:
    """Play a timeline on a running network of processes that is yours, and say whether it stayed safe and live.

    Every fault ends with it, also after an error. Raises `UsageError` before anything happens if the timeline is for
    another chain, or has a line that processes cannot follow.
    """
    if not hasattr(net.world, "begin"):
        raise UsageError("this network is simulated: play the timeline by `minichain sim --timeline FILE`")
    world = cast(LiveWorld, net.world)
    require_playable(timeline, net.genesis.spec)
    made_faulty = [step.args[0] for step in timeline.steps if step.verb == "behave" and step.args[1] != CORRECT]
    correct = [name for name in timeline.names if name not in made_faulty]
    witnesses = [Witness(name, net, world.places).start() for name in timeline.names]
    try:
        crowd = Crowd(net, witnesses, timeline.seed)
        world.begin(timeline)
        stage = _Stage(world, crowd, tell)
        player.play(stage, stage, timeline)
        if not timeline.steps or timeline.steps[-1].verb != "calm":
            stage.fault(parse_step("calm", timeline.names))
        begun = time.monotonic()
        while crowd.missing(correct) and time.monotonic() < begun + calm_s:
            crowd.wait(round(LOOK_S * 1000))
        calm_ms = round((time.monotonic() - begun) * 1000)
    finally:
        for witness in witnesses:
            witness.close()
        world.end()
    again = reread(net, world.places, correct)
    return _outcome(crowd, [w for w in witnesses if w.name in correct], again, made_faulty, calm_ms, stage.lines)


def _outcome(
    crowd: Crowd, witnesses: list[Witness], again: list[Witness], faulty: list[str], calm_ms: int, lines: list[Line]
) -> Outcome:
    forks = contradictions([*witnesses, *again])
    missing = unfinished(crowd.submitted, again)
    return Outcome(
        is_safe=not forks,
        is_live=not missing,
        submitted=len(crowd.submitted),
        missing=missing,
        refused=dict(sum((w.refused for w in witnesses), Counter())),
        heights={w.name: w.height for w in again},
        faulty=tuple(dict.fromkeys(faulty)),
        contradictions=forks,
        calm_ms=calm_ms,
        lines=tuple(lines),
    )
