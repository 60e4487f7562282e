"""The public face: `Network.local`, `Network.simulated` and `Network.attach` give the same object.

with Network.local(validators=4) as net:
    office = net.wallet("Street Office A")
    notes = net.deploy(Notes, sender=office)
    receipt = notes.write("first")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast, overload

from minichain.client.attached import AttachedWorld
from minichain.client.client import GAS_LIMIT, TIMEOUT_MS, Client
from minichain.client.contracts import ContractVerbs
from minichain.client.evidence import Misbehaviour, read_misbehaviour
from minichain.client.identity import Identity
from minichain.client.local import LocalWorld
from minichain.client.receipt import Receipt
from minichain.client.sharded import ShardedNetwork
from minichain.client.simulated import SimulatedWorld
from minichain.client.wallet import Wallet
from minichain.client.world import World
from minichain.codec import Record, decode_own
from minichain.contracts.proxy import require_ok
from minichain.crosschain import proofs
from minichain.crosschain.proofs import Proof, ProvenValue, ValueProof
from minichain.crosschain.supply import units_present
from minichain.crosschain.work import Link
from minichain.crypto import Passphrase
from minichain.errors import ProofError, UsageError
from minichain.faults.network import Weather
from minichain.faults.timeline import parse_step
from minichain.ledger import types
from minichain.ledger.certificate import WorkCertificate
from minichain.ledger.committee import Member, committee_at
from minichain.ledger.genesis import Fee
from minichain.ledger.local import BANK, node_key
from minichain.ledger.state import COMMITTEE_KEY, Account
from minichain.ledger.types import Call, Header
from minichain.live import keyfile
from minichain.node.messages import (
    AccountState,
    AskAccount,
    AskBlock,
    AskEvidence,
    AskFinal,
    AskHeaders,
    AskReceipt,
    AskSnapshot,
    AskState,
    AskStatus,
    BlockDetail,
    ClientAnswer,
    EvidenceAnswer,
    FinalAnswer,
    Headers,
    NodeStatus,
    ReceiptAnswer,
    SnapshotPart,
    StateAnswer,
    Submit,
    Submitted,
)
from minichain.node.snapshots import fetch
from minichain.transition import first_state

STATUS_TIMEOUT_MS = 500


Item = tuple[Wallet, Sequence[Call]]  # a transaction to be: who signs, and what is to be done


def _told(calls: Sequence[Call]) -> str:
    return " and ".join(f"{call.contract}.{call.action}" for call in calls)


class NodeReport(Record):
    """How one node is doing; `status` is None while it does not answer, `memory` is in bytes where it is known."""

    name: str
    public: bytes
    is_up: bool
    status: NodeStatus | None
    memory: int | None

    @property
    def height(self) -> int:
        return self.status.height if self.status else 0

    @property
    def state_root(self) -> str:
        return self.status.state_root.hex() if self.status else ""


class Network(ContractVerbs):
    """A network of validators and everything people do with it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.genesis = world.genesis
        self._client: Client | None = None

    @overload
    @classmethod
    def local(
        cls,
        validators: int = ...,
        *,
        shards: int,
        seed: int | None = ...,
        directory: Path | None = ...,
        **settings: Any,
    ) -> ShardedNetwork: ...

    @overload
    @classmethod
    def local(
        cls,
        validators: int = ...,
        *,
        seed: int | None = ...,
        directory: Path | None = ...,
        **settings: Any,
    ) -> Network: ...

    @classmethod
    def local(
        cls,
        validators: int = 4,
        *,
        shards: int = 0,
        seed: int | None = None,
        directory: Path | None = None,
        **settings: Any,
    ) -> Network | ShardedNetwork:
        """Make a network of processes on this computer; it starts at `start` or `with`.

        `seed` fixes all keys (None draws new ones), `directory` keeps the chain (None: a temporary one), `settings`
        are those of `ChainSpec`. With `shards`, each of them, and the chain that coordinates them, has so many
        validators.
        """
        if shards:
            return ShardedNetwork.local(cls, shards, validators, seed, directory, settings)
        return cls(LocalWorld.create(validators, seed, directory, settings))

    @overload
    @classmethod
    def simulated(
        cls,
        validators: int = ...,
        *,
        shards: int,
        seed: int = ...,
        weather: Weather | None = ...,
        keep_lines: bool = ...,
        **settings: Any,
    ) -> ShardedNetwork: ...

    @overload
    @classmethod
    def simulated(
        cls,
        validators: int = ...,
        *,
        seed: int = ...,
        weather: Weather | None = ...,
        keep_lines: bool = ...,
        **settings: Any,
    ) -> Network: ...

    @classmethod
    def simulated(
        cls,
        validators: int = 4,
        *,
        shards: int = 0,
        seed: int = 0,
        weather: Weather | None = None,
        keep_lines: bool = False,
        **settings: Any,
    ) -> Network | ShardedNetwork:
        """Make the same network in this process, under virtual time; `weather` says how unkind its wires are."""
        if shards:
            return ShardedNetwork.simulated(cls, shards, validators, seed, weather, keep_lines, settings)
        return cls(SimulatedWorld.create(validators, seed, weather, keep_lines, settings))

    @classmethod
    def attach(cls, home: Path | str | None = None, passphrase: str | Passphrase | None = None) -> Network:
        """Reach the network that `minichain up` started; raises `NetworkError` if there is none.

        Where its keys are encrypted, it has wallets for whoever gives the passphrase.
        """
        passphrase = None if passphrase is None else Passphrase(passphrase)  # no traceback shows it from here on
        where = None if home is None else Path(home)
        network = cls(AttachedWorld.find(where, passphrase and keyfile.require_passphrase(passphrase)))
        network.start()
        return network

    # --- life ---

    def start(self) -> None:
        """Start the network, or connect to it."""
        if self._client is not None:
            raise UsageError("this network is already running")
        self._client = Client(self.genesis, self.world.start())

    def close(self) -> None:
        """Stop what was started here, and leave nothing behind."""
        client, self._client = self._client, None
        if client is not None:
            client.channel.close()
        self.world.close()

    def __enter__(self) -> Self:
        if self._client is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def client(self) -> Client:
        """Return the connection to the nodes."""
        if self._client is None:
            raise UsageError("this network is not running: use it inside `with net:`, or call net.start()")
        return self._client

    @property
    def identity(self) -> Identity:
        """Return what this network offers for keys, guardians, organisations and devices."""
        return Identity(self)

    # --- people; contracts are in `ContractVerbs` ---

    def wallet(self, name: str, units: int = 0) -> Wallet:
        """Return the wallet of a name; the same name gives the same wallet. The bank tops it up to `units`.

        Where transactions cost fees, a wallet gets enough for some hundred of them; where only members write, the
        first member that runs here admits it.
        """
        return self.wallets([name], units)[name]

    def wallets(self, names: Iterable[str], units: int = 0) -> dict[str, Wallet]:
        """Return wallets by their names, as `wallet` does, and with no more waiting for many than for one."""
        wallets = {name: self._present(Wallet.derive(self.world.root, name)) for name in names}
        self.open(wallets.values(), units)
        return wallets

    def open(self, wallets: Iterable[Wallet], units: int = 0) -> None:
        """Do the same for wallets whose keys were made elsewhere."""
        self.send_together(item for wallet in wallets for item in self._to_open(wallet, units))

    def _present(self, first: Wallet) -> Wallet:
        """Return the wallet with the key that its account is known here to have got, if it has."""
        key = self.client.key_of(first.account)
        return first if key is None else Wallet(first.name, key, first.account)

    def _to_open(self, wallet: Wallet, units: int) -> Iterator[Item]:
        """Yield what has to be sent before a wallet can be used."""
        spec = self.genesis.spec
        if spec.access.writes == "members" and not self.account(wallet).may_write:
            admit = Call("ledger", "admit", {"account": wallet.did, "may_write": True})
            yield self._admitting(), [admit]
        price = spec.policy.price if isinstance(spec.policy, Fee) and wallet.name != BANK else 0
        wanted = max(units, 100 * GAS_LIMIT * price)
        missing = wanted - self.account(wallet).balance if wanted else 0
        if missing > 0:
            transfer = Call("ledger", "transfer", {"to": wallet.did, "amount": missing})
            yield self._present(Wallet.derive(self.world.root, BANK)), [transfer]

    def _admitting(self) -> Wallet:
        """Return one who may admit: a member that runs here, with the present key of its account."""
        here = (member.name for member in self.members() if self.world.machines.get(member.name) == member.public)
        name = next(here, self.nodes[0])
        member = Wallet(name, node_key(self.world.root, name))
        return self.identity.present(member) if self.genesis.spec.identity else member

    # --- transactions ---

    def send(
        self, sender: Wallet, calls: Sequence[Call], *, gas_limit: int = GAS_LIMIT, timeout_ms: int | None = None
    ) -> Receipt:
        """Do one or several calls as one transaction: all of them or none. Raises `CallFailed` if they fail."""
        what = _told(calls)
        receipt = self.client.send(sender, calls, what, gas_limit, timeout_ms)
        return require_ok(Receipt(self.client, receipt), what)

    def send_together(self, items: Iterable[Item]) -> list[Receipt]:
        """Send several transactions at once, each (sender, calls); none may depend on another of a different sender.

        Returns their receipts, in order. Raises `CallFailed` for the first that failed; the others stand.
        """
        return self.begin_together(items)()

    def begin_together(self, items: Iterable[Item], *, gas_limit: int = GAS_LIMIT) -> Callable[[], list[Receipt]]:
        """Hand several transactions in at once; return what waits for them as `send_together` does."""
        sent = [(sender, calls, _told(calls)) for sender, calls in items]
        wait = self.client.begin_together(sent, gas_limit)

        def finish() -> list[Receipt]:
            found = [Receipt(self.client, receipt) for receipt in wait()]
            return [require_ok(receipt, what) for receipt, (_, _, what) in zip(found, sent, strict=True)]

        return finish

    def offer(self, raw: bytes) -> tuple[str, str]:
        """Hand a signed transaction to a node as it is, whoever made it; return the node's word on it, and why."""
        verdict = self.client.ask(Submit((raw,)), Submitted, "a node's word on a transaction").verdicts[0]
        return verdict.code, verdict.message

    # --- the chain ---

    def height(self) -> int:
        """Return the height of the last final block."""
        return self._any_status().height

    def head(self) -> Header | None:
        """Return the header of the last final block; None before the first."""
        height = self.height()
        return self.headers(height, 1)[0][0] if height else None

    def headers(self, first: int, count: int = 50) -> tuple[tuple[Header, int], ...]:
        """Return headers from a height on, each with the number of its transactions."""
        return self.client.ask(AskHeaders(first, count), Headers, f"headers from {first}").headers

    def block(self, height: int) -> BlockDetail:
        """Return a block with certificate and receipts."""
        return self.client.ask(AskBlock(height), BlockDetail, f"block {height}")

    def heights_about(self, who: Wallet) -> list[int]:
        """List the heights of the blocks whose events name an account: what anybody can find out who knows its did."""
        heights = range(1, self.height() + 1)
        return [height for height in heights if any(who.did in str(r.events) for r in self.block(height).receipts)]

    def receipt(self, tx_id: str) -> Receipt:
        """Return the receipt of a final transaction, by its id in hexadecimal."""
        try:
            raw = bytes.fromhex(tx_id)
        except ValueError:
            raise UsageError(f"{tx_id[:80]!r} is not a transaction id: it is 64 hexadecimal characters") from None
        found = self.client.ask(AskReceipt(raw), ReceiptAnswer, "a receipt")
        return Receipt(self.client, decode_own(found.receipt, types.Receipt))

    def proof(self, tx_id: str) -> Proof:
        """Return the proof that a transaction is final."""
        return self.receipt(tx_id).proof()

    def account(self, who: Wallet) -> Account:
        """Return nonce, balance and used gas of a wallet."""
        return self.client.ask(AskAccount(who.account), AccountState, "an account").account

    def state(self, key: bytes) -> StateAnswer:
        """Return a state value with its proof."""
        return self.client.ask(AskState(key), StateAnswer, "a state value")

    def value_proof(self, key: bytes) -> ValueProof:
        """Return the proof of a state value, or that there is none, after the newest block that a node tells of."""
        found = self.state(key)
        if found.header is None or found.certificate is None:
            raise ProofError("the chain has no block yet, so nobody has certified anything")
        return ValueProof(
            spec=self.genesis.spec,
            header=found.header,
            certificate=found.certificate,
            handovers=found.handovers,
            links=tuple(self._links()) if self.genesis.spec.engine == "pow" else (),
            key=key,
            value=found.value,
            path=found.proof,
        )

    def proven(self, key: bytes) -> ProvenValue:
        """Return a state value whose proof was checked here; raises `ProofError`."""
        return proofs.verify(self.value_proof(key), self.genesis.hash)

    def supply(self) -> int:
        """Return the units on this chain, counted in a snapshot that was checked; a chain of work has none.

        Where the state is larger than one message, that may be up to 1,000 blocks old.
        """

        def ask(asked: AskSnapshot) -> ClientAnswer:
            return self.client.ask(asked, SnapshotPart, "a snapshot")

        items = fetch(self.genesis, ask).items if self.height() else first_state(self.genesis)
        return sum(units_present(key, value) for key, value in items)

    def _links(self) -> list[Link]:
        """Return the headers of a chain of work, with the work done for each."""
        links: list[Link] = []
        while more := self.client.ask(AskFinal(len(links) + 1), FinalAnswer, "blocks").blocks:
            links += [Link(final.block.header, cast(WorkCertificate, final.certificate)) for final in more]
        return links

    # --- the nodes ---

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the names of the validators who run this chain: the founders, and who has joined."""
        return tuple(self.world.machines)

    def _any_status(self) -> NodeStatus:
        return self.client.ask(AskStatus(), NodeStatus, "the status of any node")

    def status(self) -> tuple[NodeReport, ...]:
        """Return how every node is doing; one that does not answer within half a second is down."""
        return tuple(self._report(name, public) for name, public in self.world.machines.items())

    def _report(self, name: str, public: bytes) -> NodeReport:
        found = None
        if self.world.is_running(name):
            found = self.client.channel.request(name, AskStatus(), STATUS_TIMEOUT_MS)
        status = found if isinstance(found, NodeStatus) else None
        return NodeReport(name, public, status is not None, status, self.world.memory(name))

    def members(self) -> tuple[Member, ...]:
        """Return who certifies the next block; on a chain with a membership, that changes."""
        terms, height = self.state(COMMITTEE_KEY).value, self.height()
        assert terms is not None, "every state has a committee"
        return committee_at(terms, height + 1).members

    def evidence(self) -> tuple[Misbehaviour, ...]:
        """Return every proof that a member contradicted itself which a running node has kept, checked here."""
        found = {}
        for report in self.status():
            for number in range(report.status.evidence if report.status else 0):
                answer = self.client.channel.request(report.name, AskEvidence(number), STATUS_TIMEOUT_MS)
                if isinstance(answer, EvidenceAnswer):
                    shown = read_misbehaviour(answer.evidence, self.genesis)
                    found[shown.did, shown.step, shown.height, shown.round] = shown
        return tuple(found.values())

    def accuse(self, sender: Wallet, shown: Misbehaviour) -> Receipt:
        """Bring evidence before the ledger, which takes a part of the member's stake, where it has one."""
        return self.send(sender, [Call("ledger", "accuse", {"first": shown.first, "second": shown.second})])

    def fault(self, words: str) -> None:
        """Let something happen, in the words of a timeline: `pause node-2`, `cut node-0 -> node-1`, `calm`."""
        self.world.fault(parse_step(words, self.nodes))

    def crash(self, name: str) -> None:
        """Kill a validator at once."""
        self.fault(f"crash {self._known(name)}")

    def restart(self, name: str) -> None:
        """Start a killed validator again; it has what its disk kept."""
        self.fault(f"restart {self._known(name)}")

    def join(self, name: str) -> None:
        """Let one more validator run this chain, on a machine of its own. It begins with a snapshot that it checks, and
        follows; it certifies once the committee has it.
        """
        self.world.join(name)

    def leave(self, name: str) -> None:
        """Let a validator run this chain no longer; what it kept of it goes too."""
        self.world.leave(self._known(name))

    def partition(self, *groups: Iterable[str]) -> None:
        """Let no message pass between groups of validators; those in none of them are one more."""
        named = [[self._known(name) for name in group] for group in groups]
        rest = [name for name in self.nodes if not any(name in group for group in named)]
        self.fault("part " + " | ".join(" ".join(group) for group in [*named, rest] if group))

    def heal(self) -> None:
        """Join the network again."""
        self.fault("heal")

    def pass_time(self, ms: int) -> None:
        """Let time pass: really, or in the simulation at once."""
        self.world.pass_time(ms)

    def wait_for_height(self, height: int, nodes: Iterable[str] | None = None, timeout_ms: int = TIMEOUT_MS) -> None:
        """Return when these nodes (all, if none are named) have a block; raises `TimedOut`."""
        names = [self._known(name) for name in nodes] if nodes is not None else list(self.nodes)
        self.client.wait_for_height(height, names, timeout_ms)

    def _known(self, name: str) -> str:
        if name not in self.nodes:
            raise UsageError(f"there is no validator {name!r}; there are {', '.join(self.nodes)}")
        return name
