"""Run contracts. A call takes effect as a whole or not at all, and whatever goes wrong inside it becomes one of
`Reverted`, `OutOfGas` and `ContractFault`, in words that are the same on every validator.

Nothing outlives a call but what it wrote to the overlay and the events it announced: contract code cannot write to its
namespace, and one that a call has used is lent to the next only after it succeeded, with nothing of it left inside. A
runtime remembers compiled code and nothing else, so all of its users may share one.

Where code comes from, and who may change it or stop it, is in `lifecycle`; here it is obeyed.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from minichain.codec import Plain, decode_own, encode
from minichain.contracts import lifecycle
from minichain.contracts.check import Program, read_contract
from minichain.contracts.deployed import Deployed
from minichain.contracts.meter import CHARGE, FILENAME, GAS, GasMeter
from minichain.contracts.records import mismatch
from minichain.contracts.source import PARTS_FROM, place_of
from minichain.contracts.storage import Storage, StoredMap
from minichain.contracts.types import Parameter, fits
from minichain.contracts.values import fault, kind_of
from minichain.errors import ContractFault, ExecutionError, Reverted
from minichain.ledger.state import Overlay, contract_key
from minichain.ledger.types import Event

MAX_STACK: Final = 8  # contracts that call each other
MAX_EVENTS: Final = 1_000  # of one transaction
MAX_MESSAGE: Final = 500  # characters of a refusal
MAX_PROGRAMS: Final = 512  # compiled contracts kept
MAX_READY: Final = 128  # methods kept bound: each may hold some 200 kB, the names of its whole module
CALL: Final = frozenset({"contract", "action", "arguments"})  # how a call to be attempted is written
GARBAGE_GAS: Final = 25_000_000  # after so much with knots, what was left in memory is collected: 100 MB at most


T = TypeVar("T")


class TooManyEvents(ContractFault):
    """A transaction has announced all that it may."""


class Loaded(Plain):
    """A contract as the state has it now, ready to run."""

    deployed: Deployed
    program: Program


class Frame:
    """What one transaction (or one question) lends to the contracts it reaches.

    `caller` is who called the contract that is running: the signer, or the name of a contract.
    """

    __slots__ = ("caller", "chain", "events", "failure", "height", "meter", "now_ms", "overlay", "signer", "stack")

    def __init__(
        self,
        *,
        overlay: Overlay,
        meter: GasMeter,
        events: list[Event],
        signer: str,
        height: int,
        now_ms: int,
        chain: str,
    ) -> None:
        self.overlay = overlay
        self.meter = meter
        self.events = events
        self.signer = signer
        self.caller = signer
        self.height = height
        self.now_ms = now_ms
        self.chain = chain
        self.stack: list[str] = []
        self.failure: ExecutionError | None = None  # already told in words, on its way to the outermost caller

    @property
    def asking(self) -> str:
        """Return who asks now: the contract that is running, or the signer while none is."""
        return self.stack[-1] if self.stack else self.signer

    def asked_by(self, signer: str, meter: GasMeter | None = None, events: list[Event] | None = None) -> Frame:
        """Return the frame of a call that somebody else makes inside this transaction, among its events or others."""
        return Frame(
            overlay=self.overlay,
            meter=meter or self.meter,
            events=self.events if events is None else events,
            signer=signer,
            height=self.height,
            now_ms=self.now_ms,
            chain=self.chain,
        )

    def announce(self, event: Event) -> None:
        """Charge for an event, and add it to those of the transaction."""
        if len(self.events) >= MAX_EVENTS:
            raise TooManyEvents(f"a transaction announces at most {MAX_EVENTS} events")
        self.meter.charge(GAS["event"] + len(encode(event.data)) * GAS["receipt_byte"])
        self.events.append(event)


class Runtime:
    """Runs contracts out of the state; keeps a bounded number of them compiled.

    `begin` is told which transaction is next. It raises `Crashed` for one that cannot be executed here.
    """

    def __init__(self, begin: Callable[[bytes], None] = lambda tx_id: None) -> None:
        self.begin = begin
        self._gas = 0  # since the last collection
        self._loaded: dict[bytes, Loaded] = {}  # by what the state keeps
        self._programs: dict[str, Program] = {}  # by source: a contract that is frozen is not compiled again
        self._ready: dict[tuple[str, str], Ready] = {}  # by contract and method

    def deploy(self, frame: Frame, name: str, source: str, args: Mapping[str, Any]) -> None:
        """Put a contract on the ledger under any free name and run its setup, without telling anybody."""
        self._whole(frame, lambda: lifecycle.install(self, frame, name, source, args))

    def own_action(self, frame: Frame, action: str, args: Mapping[str, Any]) -> Any:
        """Do what an account or a contract asks of the ledger itself: one of `lifecycle.ACTIONS`."""
        return self._whole(frame, lambda: lifecycle.perform(self, frame, action, args))

    def call(self, frame: Frame, contract: str, action: str, args: Mapping[str, Any], version: int = 0) -> Any:
        """Call an action; returns what it returns. `version` is the one it was called by, 0 if that does not matter."""
        loaded = self.load(frame, contract)
        _require_known(contract, loaded, action, version)
        program = loaded.program
        if action not in program.actions:
            fault(_no_such("action", contract, action, program.actions, program.views))
        return self._act(frame, contract, loaded, action, args)

    def view(self, frame: Frame, contract: str, name: str, args: Mapping[str, Any], version: int = 0) -> Any:
        """Ask a view; whatever tries to change something fails."""
        loaded = self.load(frame, contract)
        _require_known(contract, loaded, name, version)
        program = loaded.program
        if name not in program.views:
            fault(_no_such("view", contract, name, program.views, program.actions))
        return self.run(frame, contract, program, name, args)

    def call_or_view(self, frame: Frame, contract: str, name: str, args: Mapping[str, Any]) -> Any:
        """Call an action or ask a view, as one contract asks another."""
        loaded = self.load(frame, contract)
        program = loaded.program
        if name in program.actions:
            return self._act(frame, contract, loaded, name, args)
        if name not in program.views:
            fault(_no_such("method", contract, name, {**program.actions, **program.views}, {}))
        return self.run(frame, contract, program, name, args)

    def ask(self, frame: Frame, contract: str, name: str, args: Mapping[str, Any]) -> Any:
        """Call an action, ask a view, or ask the ledger itself, as one contract does."""
        if contract == "ledger":
            return self.own_action(frame, name, args)
        return self.call_or_view(frame, contract, name, args)

    def attempt(self, frame: Frame, work: Callable[[], list[Any]]) -> list[Any]:
        """Do all of some work or nothing of it, and return [why not, results]. What it cost stays charged.

        Running out of gas, or of events, is no reason: it ends the transaction, so that nobody makes a call fail by
        leaving it too little. The refusal stands in a contract's own result, so its words are those of a receipt.
        """
        try:
            return ["", self._whole(frame, work)]
        except TooManyEvents:
            raise
        except (Reverted, ContractFault) as error:
            frame.failure = None
            return [str(error), []]

    def load(self, frame: Frame, contract: Any) -> Loaded:
        """Return a contract that is on the ledger."""
        frame.meter.charge(GAS["contract"])
        stored = frame.overlay.get(contract_key(contract)) if isinstance(contract, str) else None
        if stored is None:
            fault(f"there is no contract {_quoted(contract)}: deploy it first, or correct the name")
        loaded = self._loaded.pop(stored, None)
        if loaded is None:
            deployed = decode_own(stored, Deployed)
            loaded = Loaded(deployed, self.program(deployed.source))
        return _remember(self._loaded, stored, loaded)

    def program(self, source: str) -> Program:
        """Return a source compiled; raises `LanguageError`."""
        program = self._programs.pop(source, None) or read_contract(source)
        return _remember(self._programs, source, program)

    def _act(self, frame: Frame, contract: str, loaded: Loaded, action: str, args: Mapping[str, Any]) -> Any:
        deployed = loaded.deployed
        if deployed.is_frozen:
            fault(f"{contract} is frozen by its authority, {deployed.authority}: no action until it is unfrozen")
        if restriction := deployed.access.get(action):
            frame.meter.charge(GAS["compared_item"] * len(restriction.accounts))
            if not restriction.admits(frame.signer):
                why = "does not name" if restriction.mode == "allow" else "names"
                fault(f"{contract}.{action} is restricted: its {restriction.mode} list {why} the account that signed")
        return self.run(frame, contract, loaded.program, action, args)

    def _whole(self, frame: Frame, work: Callable[[], T]) -> T:
        mark = _Mark(frame)
        try:
            return work()
        except ExecutionError:
            mark.restore()
            raise

    def run(self, frame: Frame, contract: str, program: Program, method: str, args: Mapping[str, Any]) -> Any:
        """Run a method of a contract: all of it, or nothing."""
        mark, failure, ready = _Mark(frame), None, None
        try:
            if contract in frame.stack:
                fault(f"{contract} is already running in this call: a contract cannot be entered again")
            if len(frame.stack) >= MAX_STACK:
                fault(f"more than {MAX_STACK} contracts call each other")
            frame.caller = frame.stack[-1] if frame.stack else frame.signer
            frame.stack.append(contract)
            ready = self._make_ready(contract, program, method)
            session = ready.lend(frame)
            values = session.arguments(ready.parameters, args)
            session.charge(ready.gas)
            result = session.plain(session.call(ready.function, _SELF, *values))
            if len(frame.stack) == 1:
                session.charge(len(encode(result)) * GAS["receipt_byte"])
        except (AssertionError, MemoryError, RecursionError):
            raise  # our own bug, or a machine that is too small: this place ends, and its keeper decides (see `keeper`)
        except Exception as error:
            failure = error if error is frame.failure else _explain(error, f"{contract}.{method}")
        if failure is None:
            assert ready
            self._keep_ready((contract, method), ready)
            frame.stack.pop()
            frame.caller = mark.caller
            self._collect(frame)
            return result
        if ready:
            ready.dissolve()
        mark.restore()
        frame.failure = failure if frame.stack else None
        self._collect(frame)
        try:
            raise failure.with_traceback(None)  # its past holds whatever the contract had
        finally:
            del failure

    def _make_ready(self, contract: str, program: Program, method: str) -> Ready:
        ready = self._ready.pop((contract, method), None)
        if ready and ready.program is program:
            return ready
        if ready:
            ready.dissolve()
        return Ready(self, contract, program, method)

    def _keep_ready(self, name: tuple[str, str], ready: Ready) -> None:
        ready.lend(_NOTHING)
        if len(self._ready) >= MAX_READY:
            self._ready.pop(next(iter(self._ready))).dissolve()  # the one used longest ago
        self._ready[name] = ready

    def _collect(self, frame: Frame) -> None:
        """Let no contract leave more behind, in values that hold each other, than it could have had at once."""
        if not frame.stack and frame.meter.has_knots:
            self._gas += frame.meter.used
            if self._gas > GARBAGE_GAS:
                self._gas = 0
                gc.collect()


K = TypeVar("K")


def _remember(kept: dict[K, T], key: K, value: T) -> T:
    if len(kept) >= MAX_PROGRAMS:
        del kept[next(iter(kept))]  # the one used longest ago
    kept[key] = value
    return value


class _Mark:
    """How a frame was, to return to it."""

    __slots__ = ("_depth", "_events", "_frame", "_overlay", "_stack", "caller")

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._overlay = frame.overlay.checkpoint()
        self._events = len(frame.events)
        self._stack = len(frame.stack)
        self._depth = frame.meter.depth
        self.caller = frame.caller

    def restore(self) -> None:
        frame = self._frame
        frame.overlay.rollback(self._overlay)
        del frame.events[self._events :]
        del frame.stack[self._stack :]
        frame.meter.depth = self._depth
        frame.caller = self.caller


# What a Python error means in words of the contract language; its own words differ between Pythons.
_WORDS: Final[dict[type[Exception], str]] = {
    NameError: "a variable is used before it has a value",
    TypeError: "the types of these values, or the arguments of this call, do not go together",
    OverflowError: "a number is too large for this operation",
    UnicodeError: "these bytes are not UTF-8 text",
    ValueError: "this operation does not work on this value",
}


def _explain(error: Exception, where: str) -> ExecutionError:
    kind = type(error) if isinstance(error, ExecutionError) else ContractFault
    if isinstance(error, ExecutionError):
        words = str(error)
    else:
        words = next((text for type_, text in _WORDS.items() if isinstance(error, type_)), type(error).__name__)
    line, words = _line_of(error), words[:MAX_MESSAGE]
    return kind(f"{where}, {place_of(line)}: {words}" if line else f"{where}: {words}")


def _line_of(error: Exception) -> int:
    """Find the line of the innermost contract code that an error passed through; 0 if there is none.

    A line of the contract itself says more than one of its parts.
    """
    trace, line = error.__traceback__, 0
    while trace is not None:
        here = trace.tb_lineno
        if trace.tb_frame.f_code.co_filename == FILENAME and (here < PARTS_FROM or not 0 < line < PARTS_FROM):
            line = here
        trace = trace.tb_next
    return line


def _require_known(contract: str, loaded: Loaded, method: str, version: int) -> None:
    """Fail where somebody calls by an earlier version, and this method is not any more what it was then."""
    deployed, program = loaded.deployed, loaded.program
    if version in (0, deployed.version):
        return
    if not 1 <= version < deployed.version:
        fault(f"{contract} has no version {version}: it is at version {deployed.version}")
    is_there = method in program.actions or method in program.views
    if not is_there or deployed.changed.get(method, 1) > version:
        fault(
            f"this call of {_quoted(method)} was made for version {version} of {contract}, which is now version "
            f"{deployed.version} and {'has changed it' if is_there else 'has it no more'}: get the contract anew"
        )


def _no_such(kind: str, contract: str, name: str, these: Mapping[str, Any], others: Mapping[str, Any]) -> str:
    if name in others:
        other = "a view: ask for it without a transaction" if kind == "action" else "an action: send a transaction"
        return f"{contract}.{name} is {other}"
    return f"{contract} has no {kind} {_quoted(name)}; it has: {', '.join(these)[:MAX_MESSAGE] or 'none'}"


def _quoted(name: Any) -> str:
    """Quote a name from outside; repr() would depend on the Unicode tables of this Python."""
    return f'"{str(name)[:60]}"'


# --- one running contract ----------------------------------------------------------------------------------------


class _Self:
    """Stands for the contract in its own code; it has nothing to reach for."""

    __slots__ = ()


_SELF: Final = _Self()
_OF_FRAME: Final = {"caller": "caller", "signer": "signer", "now": "now_ms", "height": "height", "chain": "chain"}
_NOTHING: Final = Frame(
    overlay=Overlay(lambda _key: None), meter=GasMeter(0), events=[], signer="", height=0, now_ms=0, chain=""
)  # what a session reaches that serves nobody: no gas, no state


class Ready:
    """A method of a contract, bound to the operations of a session; it serves one call at a time."""

    __slots__ = ("_is_view", "_namespace", "_session", "function", "gas", "parameters", "program")

    def __init__(self, runtime: Runtime, contract: str, program: Program, method: str) -> None:
        self.program = program
        self._is_view = method in program.views
        self._session = Session(runtime, contract, program)
        self._namespace = program.compiled.bind(f"self.{method}", self._session, program.constants)
        self.function = self._namespace[f"self.{method}"]
        self.gas = program.compiled.gas_to_bind(f"self.{method}")
        self.parameters = {parameter.name: parameter for parameter in program.parameters(method)}

    def lend(self, frame: Frame) -> Session:
        """Let the method reach this frame, and no other."""
        self._session.serve(frame, writable=not self._is_view)
        self._namespace[CHARGE] = self._session.charge
        return self._session

    def dissolve(self) -> None:
        """Take apart what holds each other."""
        self._namespace.clear()
        self._session.close()


class Session(Storage):
    """The operations of a contract that reach the ledger, while one of its methods runs."""

    __slots__ = ("_frame", "_keys", "_maps", "_program", "_runtime")

    def __init__(self, runtime: Runtime, contract: str, program: Program) -> None:
        super().__init__(contract, _NOTHING.overlay, _NOTHING.meter, writable=False)
        self._runtime = runtime
        self._frame = _NOTHING
        self._program = program
        self._maps: dict[str, StoredMap] = {}  # those in use so far; a contract may have hundreds
        self._keys: dict[str, bytes] = {}  # likewise, of its values

    def serve(self, frame: Frame, *, writable: bool) -> None:
        """Let the operations reach this frame, and no other."""
        self._frame, self._writable, self._held = frame, writable, None
        self._overlay, self.meter, self.charge = frame.overlay, frame.meter, frame.meter.charge

    def close(self) -> None:
        """Take apart what holds each other."""
        self._maps.clear()

    def arguments(self, parameters: Mapping[str, Parameter], args: Mapping[str, Any]) -> list[Any]:
        """Check and copy the arguments of a method, in the order of its parameters."""
        for name in args:
            if name not in parameters:
                fault(f"there is no argument {_quoted(name)}; it takes {', '.join(parameters) or 'no arguments'}")
        return [self._argument(parameter, args) for parameter in parameters.values()]

    def _argument(self, parameter: Parameter, args: Mapping[str, Any]) -> Any:
        name, type_ = parameter.name, parameter.type
        if name not in args:
            return fault(f"argument {name} is missing") if parameter.required else parameter.default
        return self.shaped(self.plain(args[name]), type_, f"argument {name}")

    # the interface of `api`

    def get_field(self, owner: Any, name: str) -> Any:
        """Read `self.name`: a stored value, a Map, or something about the call. Or read a field of a record."""
        if owner is not _SELF:
            return self.get_attribute(owner, name)
        if name in self._maps:
            return self._maps[name]
        field = self._program.fields.get(name)
        if field is None:
            return self._contract if name == "address" else getattr(self._frame, _OF_FRAME[name])
        if field.keys:
            made = self._maps[name] = StoredMap(self, field)
            return made
        stored = self.read(self._keys.get(name) or self._key_of(name))
        value = self._unset(field.default) if stored is None else self.opened(stored)
        return self.shaped(value, field.type, f"self.{name}") if field.type.holds_record else value

    def _unset(self, default: Any) -> Any:
        """Return what a stored value starts with: a list or a dict is copied, and charged as if it had been stored."""
        if not isinstance(default, list | dict):
            return default
        stored = encode(default)
        self.charge((len(stored) - 1) * GAS["read_byte"])
        return self.opened(stored)

    def set_field(self, name: str, value: Any) -> None:
        self.write(
            self._keys.get(name) or self._key_of(name), self.stored(value, self._program.fields[name].type, name)
        )

    def _key_of(self, name: str) -> bytes:
        key = self._keys[name] = self.key(name)
        return key

    def require(self, condition: Any, message: Any) -> None:
        if not condition:
            raise Reverted(self.text(message)[:MAX_MESSAGE])

    def emit(self, name: str, /, **values: Any) -> None:
        if not self._writable:
            fault("a view cannot announce an event")
        self._frame.announce(Event(self._contract, name, {key: self.plain(value) for key, value in values.items()}))

    def call_view(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call an own view: it cannot change anything, whoever asks."""
        writable, self._writable = self._writable, False
        value = self.call(function, *args, **kwargs)
        self._writable = writable
        return value

    def call_contract(self, contract: Any, name: Any, /, **args: Any) -> Any:
        return self._call_other(contract, name, {key: self.plain(value) for key, value in args.items()})

    def call_with(self, contract: Any, name: Any, arguments: Any, /) -> Any:
        if type(arguments) not in (dict, MappingProxyType):
            fault("self.call_with takes the name of a contract, the name of an action, and a dict of its arguments")
        return self._call_other(contract, name, self.plain(arguments))

    def attempt(self, calls: Any, /) -> list[Any]:
        if not self._writable:
            fault("a view cannot attempt what might change something")
        asked: Any = self.plain(calls) if type(calls) is list else [None]
        if not all(type(one) is dict and one.keys() == CALL for one in asked):
            fault("self.attempt takes a list of {contract, action, arguments}")

        def work() -> list[Any]:
            return [self.call_with(one["contract"], one["action"], one["arguments"]) for one in asked]

        answer = self._runtime.attempt(self._frame, work)
        self.charge(len(answer[0]) * GAS["byte"])
        return answer

    def _call_other(self, contract: Any, name: Any, values: dict[str, Any]) -> Any:
        if type(contract) is not str or type(name) is not str:
            fault("self.call takes the name of a contract and the name of an action")
        if self._writable or (contract == "ledger" and name in lifecycle.QUESTIONS):
            return self._runtime.ask(self._frame, contract, name, values)
        if contract == "ledger":
            fault("a view cannot ask the ledger to change anything")
        return self._runtime.view(self._frame, contract, name, values)

    def make_record(self, record: str, /, **values: Any) -> Any:
        return self.make(self._program.types[record], values)

    def call_declared(self, interface: str, contract: Any, name: str, /, *args: Any, **named: Any) -> Any:
        """Call another contract as an interface of this one declares it."""
        method = self._program.interfaces[interface].method(name)
        assert method is not None
        if type(contract) is not str:
            fault(f"{interface}(...) takes the name of a contract, not {kind_of(contract)}")
        values = {parameter.name: value for parameter, value in zip(method.parameters, args, strict=False)} | named
        for parameter in method.parameters:
            value = values[parameter.name] = self.plain(values.get(parameter.name, parameter.default))
            if not fits(value, parameter.type):
                fault(mismatch(value, parameter.type, f"argument {parameter.name} of {interface}.{name}"))
        is_view = method in self._program.interfaces[interface].views or not self._writable
        answer = self._runtime.view if is_view else self._runtime.call_or_view
        result = answer(self._frame, contract, name, values)
        where = f'what {interface}("{contract}").{name} returns'
        if method.result is None:
            return result if result is None else fault(f"{where} must be None, not {kind_of(result)}")
        return self.shaped(result, method.result, where)
