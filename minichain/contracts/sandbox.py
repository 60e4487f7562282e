"""Try a contract without a network: the same checker, meter and runtime, and a state of its own in memory.

Every call is a transaction of its own. Time stands still until `advance`.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from types import FunctionType
from typing import Any, Final

from minichain.codec import decode_own
from minichain.contracts.api import Contract
from minichain.contracts.check import describe
from minichain.contracts.language import API, API_MODULE, PARTS, PARTS_MODULE
from minichain.contracts.meter import GasMeter
from minichain.contracts.mixing import part
from minichain.contracts.proxy import DeployedContract, default_name, in_units, require_ok
from minichain.contracts.runtime import Frame, Runtime
from minichain.contracts.storage import explain_key, state_key
from minichain.crypto import KeyPair, digest
from minichain.errors import ContractFault, ExecutionError, UsageError
from minichain.ledger.genesis import Limits
from minichain.ledger.state import Overlay, State
from minichain.ledger.types import Event
from minichain.merkle import StateProof

START_MS: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_SEED: Final = digest("sandbox", b"")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call did, in the words of a receipt.

    `outcome` is "ok" or the word of the failure, and then `error` says why. `changes` are stored values by name, such
    as `register.notes[alice]`; None is removed.
    """

    outcome: str
    error: str
    result: Any
    events: tuple[Event, ...]
    gas: int
    changes: dict[str, Any]

    @property
    def ok(self) -> bool:
        return self.outcome == "ok"

    def with_result(self, result: Any) -> Outcome:
        """Return the same outcome with another form of its result."""
        return replace(self, result=result)


SandboxContract = DeployedContract[str, Outcome]


class Sandbox:
    """A ledger for one author: accounts by name, contracts, and a clock that moves when told.

    `now_ms`, `height` and `gas_limit` (of each call) may be set at any time.
    """

    def __init__(
        self,
        *,
        now_ms: int = START_MS,
        height: int = 1,
        chain: str = "sandbox",
        gas_limit: int = Limits().transaction_gas,
    ) -> None:
        self.now_ms = now_ms
        self.height = height
        self.chain = chain
        self.gas_limit = gas_limit
        self.state = State()
        self._runtime = Runtime()

    def account(self, name: str) -> str:
        """Return the did of a made-up person; the same name gives the same did in every sandbox."""
        return KeyPair.derive(_SEED, name).did

    def deploy(
        self, contract: type | str | PurePath, *, sender: str, name: str | None = None, **setup: Any
    ) -> SandboxContract:
        """Deploy a contract class, source text, or file, with the arguments of its setup.

        Raises `LanguageError` where the source leaves the contract language, `CallFailed` where its setup fails.
        """
        source = source_of(contract)
        abi = describe(source)
        if taken := [parameter.name for parameter in abi.setup if parameter.name in ("sender", "name", "contract")]:
            raise UsageError(f"deploy itself has an argument {taken[0]}: rename it in the setup of {abi.name}")
        own = name or default_name(abi)
        setup = in_units(f"{own}.setup", abi.setup, setup)
        outcome = self._perform(sender, lambda frame: self._runtime.deploy(frame, own, source, setup))
        require_ok(outcome, "ledger.deploy")
        return DeployedContract(own, abi, sender, self.call, self._ask)

    def upgrade(
        self, name: str, contract: type | str | PurePath, *, sender: str, args: Mapping[str, Any] | None = None
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
        if contract == "ledger":
            return self._perform(sender, lambda frame: self._runtime.own_action(frame, action, args))
        return self._perform(sender, lambda frame: self._runtime.call(frame, contract, action, args, version))

    def view(self, sender: str, contract: str, name: str, args: Mapping[str, Any], version: int = 0) -> Outcome:
        """Ask a view; a failure is in the outcome."""
        return self._perform(sender, lambda frame: self._runtime.view(frame, contract, name, args, version))

    def _ask(self, sender: str | None, contract: str, name: str, args: Mapping[str, Any], version: int = 0) -> Any:
        outcome = self.view(sender or "", contract, name, args, version)
        if not outcome.ok:
            raise ContractFault(outcome.error)
        return outcome.result

    def prove(self, contract: str, field: str, *key: Any) -> tuple[bytes | None, StateProof]:
        """Return the stored bytes of `contract.field` or `contract.field[key]` and their proof under `state.root`."""
        return self.state.prove(state_key(contract, field, *key))

    def _perform(self, sender: str, work: Callable[[Frame], Any]) -> Outcome:
        overlay, meter, events = self.state.overlay(), GasMeter(self.gas_limit), list[Event]()
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
            return Outcome(error.outcome, str(error), None, (), meter.used, {})
        self.state.commit(overlay.writes, self.state.tree.update(overlay.writes))
        return Outcome("ok", "", result, tuple(events), meter.used, _changes(overlay))


def _changes(overlay: Overlay) -> dict[str, Any]:
    """Tell the stored values that a call changed, under the names people know."""
    changes = {}
    for key, stored in overlay.writes.items():
        if place := explain_key(key):
            contract, field, one = place
            name = f"{contract}.{field}" + "".join(f"[{part}]" for part in one)
            changes[name] = None if stored is None else decode_own(stored, Any)
    return changes


# --- source ------------------------------------------------------------------------------------------------------


def source_of(contract: type | str | PurePath) -> str:
    """Return the source that goes on chain for a contract class, a file, or source text.

    A class of a module: the text of the whole module. A class of a notebook cell or a script: the class, with the
    constants, types, interfaces and helper functions of the same cell that it uses, below the imports.
    """
    if isinstance(contract, PurePath) or (isinstance(contract, str) and contract.endswith(".py")):
        return _read(Path(contract))
    if isinstance(contract, str):
        return contract
    if not (isinstance(contract, type) and issubclass(contract, Contract)) or contract is Contract:
        raise UsageError("deploy takes a class derived from minichain's Contract, or its source text, or its file")
    text = _text_of(contract)
    return _cell_part(text, contract.__name__) if contract.__module__ == "__main__" else text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text: {error}") from None


def _text_of(contract: type) -> str:
    """Return the file or cell of a class. Its methods know it; the class alone does not, in a notebook."""
    methods = [value for value in vars(contract).values() if isinstance(value, FunctionType)]
    filename = methods[0].__code__.co_filename if methods else ""
    text = "".join(linecache.getlines(filename))
    if not text:
        raise UsageError(
            f"the source of {contract.__name__} cannot be found: define it in a file or a notebook cell, with at "
            "least one method, or pass its source text"
        )
    return text


def _cell_part(cell: str, name: str) -> str:
    tree = ast.parse(cell)
    definitions: dict[str, ast.stmt] = {}
    for statement in tree.body:
        match statement:
            case ast.ClassDef(name=own) | ast.FunctionDef(name=own):
                definitions[own] = statement
            case ast.Assign(targets=[ast.Name(id=own)]) | ast.AnnAssign(target=ast.Name(id=own)):
                definitions[own] = statement
    if name not in definitions:
        raise UsageError(f"{name} is not defined at the top of its cell: define it there, or pass its source text")
    used = _uses(name, definitions)
    texts = [ast.get_source_segment(cell, node) or "" for own, node in definitions.items() if own in used]
    parts = [own for own in PARTS if own in used]
    imports = [f"from {API_MODULE} import {', '.join(API)}"]
    imports += [f"from {PARTS_MODULE} import {', '.join(parts)}"] if parts else []
    return "\n\n\n".join(["\n".join(imports), *texts]) + "\n"


def _uses(name: str, definitions: dict[str, ast.stmt]) -> set[str]:
    used, waiting = set(), [name]
    while waiting:
        own = waiting.pop()
        if own in definitions and own not in used:
            used.add(own)
            waiting += [node.id for node in ast.walk(definitions[own]) if isinstance(node, ast.Name)]
        elif own in PARTS and own not in used:
            used.add(own)
            waiting += part(own).settings
    return used
