"""Try a contract without a network: the same checker, meter and runtime, and a state of its own in memory.

Every call is a transaction of its own. Time stands still until `advance`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from minichain.contracts.check import describe
from minichain.contracts.meter import GasMeter
from minichain.contracts.proxy import DeployedContract, default_name, in_units, require_ok
from minichain.contracts.rehearsal import Rehearsal, rehearse, stored_changes
from minichain.contracts.report import Change, Report, Trace, in_words, told_apart, with_names
from minichain.contracts.runtime import Frame, Runtime
from minichain.contracts.stepping import Recorder, SteppedRuntime, WatchedOverlay
from minichain.contracts.storage import state_key
from minichain.contracts.written import Source, source_of
from minichain.crypto import KeyPair, digest
from minichain.errors import ContractFault, ExecutionError, UsageError
from minichain.ledger.genesis import Limits
from minichain.ledger.state import Overlay, State
from minichain.ledger.types import Event
from minichain.merkle import StateProof

START_MS: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_SEED: Final = digest("sandbox", b"")


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What one call did, in the words of a receipt.

    `outcome` is "ok" or the word of the failure, and then `error` says why. `diff` holds each stored value that was
    written, under a name such as `register.notes[office]`. `steps` are kept by `Sandbox(steps=True)`.
    """

    call: str
    outcome: str
    error: str
    result: Any
    events: tuple[Event, ...]
    gas: int
    diff: tuple[Change, ...]
    steps: Trace = field(default_factory=Trace)
    people: Mapping[str, str] = field(default_factory=dict, compare=False)  # did -> name

    @property
    def ok(self) -> bool:
        return self.outcome == "ok"

    @property
    def changes(self) -> dict[str, Any]:
        """Return the new values by name; None is removed."""
        return {change.name: change.after for change in self.diff}

    def with_result(self, result: Any) -> Outcome:
        """Return the same outcome with another form of its result."""
        return replace(self, result=result)

    def __repr__(self) -> str:
        what = ", ".join(event.name for event in self.events) if self.ok else self.error
        return f"<Outcome {self.outcome} of {self.call}, {self.gas} gas: {what or 'no events'}>"

    def __str__(self) -> str:
        people = self.people
        lines = [f"{self.call}: {self.outcome}, {self.gas:,} gas"]
        if not self.ok:
            lines.append(f"  {with_names(self.error, people)}; nothing was changed")
        if self.result is not None:
            lines.append(f"  returned {in_words(self.result, people)}")
        for name, before, after in told_apart(self.diff):
            became = " (written again)" if before == after else f" -> {in_words(after, people)}"
            lines.append(f"  {with_names(name, people)}: {in_words(before, people)}{became}")
        for event in self.events:
            data = ", ".join(f"{name}={in_words(value, people)}" for name, value in event.data.items())
            lines.append(f"  event {event.name}({data})")
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


SandboxContract = DeployedContract[str, Outcome]


class Sandbox:
    """A ledger for one author: accounts by name, contracts, and a clock that moves when told.

    `now_ms`, `height` and `gas_limit` (of each call) may be set at any time. With `steps`, each outcome holds the lines
    that ran, and `report` tells what every line cost so far; calls are the same, and slower.
    """

    def __init__(
        self,
        *,
        now_ms: int = START_MS,
        height: int = 1,
        chain: str = "sandbox",
        gas_limit: int = Limits().transaction_gas,
        steps: bool = False,
    ) -> None:
        self.now_ms = now_ms
        self.height = height
        self.chain = chain
        self.gas_limit = gas_limit
        self.state = State()
        self.people: dict[str, str] = {}  # did -> name
        self._recorder = Recorder() if steps else None
        self._runtime = SteppedRuntime(self._recorder) if self._recorder else Runtime()

    def account(self, name: str) -> str:
        """Return the did of a made-up person; the same name gives the same did in every sandbox."""
        did = KeyPair.derive(_SEED, name).did
        self.people[did] = name
        return did

    def deploy(self, contract: Source, *, sender: str, name: str | None = None, **setup: Any) -> SandboxContract:
        """Deploy a contract class, source text, or file, with the arguments of its setup.

        Raises `LanguageError` where the source leaves the contract language, `CallFailed` where its setup fails.
        """
        source = source_of(contract)
        abi = describe(source)
        if taken := [parameter.name for parameter in abi.setup if parameter.name in ("sender", "name", "contract")]:
            raise UsageError(f"deploy itself has an argument {taken[0]}: rename it in the setup of {abi.name}")
        own = name or default_name(abi)
        setup = in_units(f"{own}.setup", abi.setup, setup)
        outcome = self._perform("ledger.deploy", sender, lambda frame: self._runtime.deploy(frame, own, source, setup))
        require_ok(outcome, "ledger.deploy")
        return DeployedContract(own, abi, sender, self.call, self._ask)

    def upgrade(
        self, name: str, contract: Source, *, sender: str, args: Mapping[str, Any] | None = None
    ) -> SandboxContract:
        """Put a new version in the place of a contract, as its authority, with the arguments of its `migrate`.

        Raises as `deploy` does. The other actions of the ledger are called: `call(sender, "ledger", "freeze", {...})`.
        """
        source = source_of(contract)
        abi = describe(source)
        named = in_units(f"{name}.migrate", abi.migrate, dict(args or {}))
        outcome = self.call(sender, "ledger", "upgrade", {"name": name, "source": source, "args": named})
        require_ok(outcome, "ledger.upgrade")
        return DeployedContract(name, abi, sender, self.call, self._ask, outcome.result)

    def advance(
        self, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0, ms: int = 0, blocks: int = 1
    ) -> None:
        """Let time and blocks pass."""
        passed = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000 + ms
        if passed < 0 or blocks < 0:
            raise UsageError("time runs forward: start another Sandbox(now_ms=...) instead")
        self.now_ms += passed
        self.height += blocks

    def call(self, sender: str, contract: str, action: str, args: Mapping[str, Any], version: int = 0) -> Outcome:
        """Call an action, also of the contract "ledger", as one transaction; a failure is in the outcome."""
        where = f"{contract}.{action}"
        if contract == "ledger":
            return self._perform(where, sender, lambda frame: self._runtime.own_action(frame, action, args))
        return self._perform(where, sender, lambda frame: self._runtime.call(frame, contract, action, args, version))

    def view(self, sender: str, contract: str, name: str, args: Mapping[str, Any], version: int = 0) -> Outcome:
        """Ask a view; a failure is in the outcome."""
        return self._perform(
            f"{contract}.{name}", sender, lambda frame: self._runtime.view(frame, contract, name, args, version)
        )

    def _ask(self, sender: str | None, contract: str, name: str, args: Mapping[str, Any], version: int = 0) -> Any:
        outcome = self.view(sender or "", contract, name, args, version)
        if not outcome.ok:
            raise ContractFault(outcome.error)
        return outcome.result

    def rehearse(self, contract: str, calls: Sequence[Mapping[str, Any]], *, signer: str = "") -> Rehearsal:
        """Tell what calls {contract, action, arguments} would change, made by a contract, without making them."""
        when = {"height": self.height, "now_ms": self.now_ms}
        return rehearse(
            self.state.values.get, contract, calls, signer=signer, chain=self.chain, gas_limit=self.gas_limit, **when
        )

    def prove(self, contract: str, field: str, *key: Any) -> tuple[bytes | None, StateProof]:
        """Return the stored bytes of `contract.field` or `contract.field[key]` and their proof under `state.root`."""
        return self.state.prove(state_key(contract, field, *key))

    def report(self, contract: SandboxContract | str | None = None) -> Report:
        """Return how often each line of a contract ran and what it cost, over all calls so far."""
        if self._recorder is None:
            raise UsageError("nothing was counted: make the sandbox with Sandbox(steps=True)")
        figures = self._recorder.figures
        name = contract.name if isinstance(contract, DeployedContract) else contract
        if name is None and len(figures) == 1:
            name = next(iter(figures))
        if name not in figures:
            raise UsageError(f"name a contract that was called: {', '.join(figures) or 'there is none yet'}")
        return figures[name].report()

    def _perform(self, call: str, sender: str, work: Callable[[Frame], Any]) -> Outcome:
        meter, events = GasMeter(self.gas_limit), list[Event]()
        overlay = self._overlay(meter)
        frame = Frame(
            overlay=overlay,
            meter=meter,
            events=events,
            signer=sender,
            height=self.height,
            now_ms=self.now_ms,
            chain=self.chain,
        )
        try:
            result = work(frame)
        except ExecutionError as error:
            steps = self._steps(failed=True)
            return Outcome(call, error.outcome, str(error), None, (), meter.used, (), steps, self.people)
        diff = tuple(stored_changes(overlay.writes, self.state.values.get))
        self.state.commit(overlay.writes, self.state.tree.update(overlay.writes))
        steps = self._steps(failed=False)
        return Outcome(call, "ok", "", result, tuple(events), meter.used, diff, steps, self.people)

    def _overlay(self, meter: GasMeter) -> Overlay:
        if self._recorder is None:
            return self.state.overlay()
        self._recorder.begin(meter)
        return WatchedOverlay(self.state.values.get, self._recorder)

    def _steps(self, *, failed: bool) -> Trace:
        return Trace() if self._recorder is None else self._recorder.finish(self.people, failed=failed)
