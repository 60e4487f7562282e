"""Run contracts. A call takes effect as a whole or not at all, and whatever goes wrong inside it becomes one of
`Reverted`, `OutOfGas` and `ContractFault`, in words that are the same on every validator.

Nothing outlives a call but what it wrote to the overlay and the events it announced: each call gets a namespace of its
own. A runtime remembers compiled code and nothing else, so all of its users may share one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from minichain.codec import Record, decode_own, encode
from minichain.contracts.check import Program, read_contract
from minichain.contracts.meter import FILENAME, GAS, GasMeter
from minichain.contracts.records import mismatch
from minichain.contracts.source import PARTS_FROM, place_of
from minichain.contracts.storage import Storage, StoredMap
from minichain.contracts.types import Parameter, fits
from minichain.contracts.values import fault, kind_of
from minichain.errors import ContractFault, ExecutionError, LanguageError, Reverted
from minichain.ledger.state import Overlay, contract_key
from minichain.ledger.types import Event

CONTRACT_NAME: Final = re.compile(r"[a-z0-9-]{1,40}")
RESERVED_NAMES: Final = frozenset({"ledger"})
MAX_STACK: Final = 8  # contracts that call each other
MAX_EVENTS: Final = 1_000  # of one transaction
MAX_MESSAGE: Final = 500  # characters of a refusal
MAX_PROGRAMS: Final = 512  # compiled contracts kept


class Deployed(Record):
    """What the ledger keeps of a contract."""

    source: str
    deployer: str
    height: int


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


class Runtime:
    """Runs contracts out of the state; keeps a bounded number of them compiled."""

    def __init__(self) -> None:
        self._programs: dict[bytes, Program] = {}

    def deploy(self, frame: Frame, name: str, source: str, args: Mapping[str, Any]) -> None:
        """Put a contract on the ledger under a free name and run its setup."""
        mark = _Mark(frame)
        try:
            self._deploy(frame, name, source, args)
        except ExecutionError:
            mark.restore()
            raise

    def call(self, frame: Frame, contract: str, action: str, args: Mapping[str, Any]) -> Any:
        """Call an action; returns what it returns."""
        program = self._load(frame, contract)
        if action not in program.actions:
            fault(_no_such("action", contract, action, program.actions, program.views))
        return self._run(frame, contract, program, action, args)

    def view(self, frame: Frame, contract: str, name: str, args: Mapping[str, Any]) -> Any:
        """Ask a view; whatever tries to change something fails."""
        program = self._load(frame, contract)
        if name not in program.views:
            fault(_no_such("view", contract, name, program.views, program.actions))
        return self._run(frame, contract, program, name, args)

    def call_or_view(self, frame: Frame, contract: str, name: str, args: Mapping[str, Any]) -> Any:
        """Call an action or ask a view, as one contract asks another."""
        program = self._load(frame, contract)
        if name not in program.actions and name not in program.views:
            fault(_no_such("method", contract, name, {**program.actions, **program.views}, {}))
        return self._run(frame, contract, program, name, args)

    def _deploy(self, frame: Frame, name: str, source: str, args: Mapping[str, Any]) -> None:
        if not isinstance(name, str) or not CONTRACT_NAME.fullmatch(name) or name in RESERVED_NAMES:
            fault("a contract's name is 1 to 40 of a-z, 0-9 and dash, and not `ledger`")
        if frame.overlay.get(contract_key(name)) is not None:
            fault(f"the name {name} is taken: choose another name")
        if not isinstance(source, str) or not isinstance(args, Mapping):
            fault("the source of a contract is text, and the arguments of its setup are named values")
        frame.meter.charge(GAS["source_byte"] * len(source))
        try:
            stored = encode(Deployed(source, frame.signer, frame.height))
            program = self._program(stored)
        except (LanguageError, UnicodeError):
            # Two Pythons may explain a broken source differently, so the receipt does not explain it.
            fault(f"the source of {name} is not in the contract language: check it with `minichain contract check`")
        frame.meter.charge(GAS["write"] + len(stored) * GAS["write_byte"])
        frame.overlay.put(contract_key(name), stored)
        if "self.setup" in program.compiled.functions or args:
            self._run(frame, name, program, "setup", args)

    def _load(self, frame: Frame, contract: str) -> Program:
        frame.meter.charge(GAS["contract"])
        stored = frame.overlay.get(contract_key(contract)) if isinstance(contract, str) else None
        if stored is None:
            fault(f"there is no contract {_quoted(contract)}: deploy it first, or correct the name")
        return self._program(stored)

    def _program(self, stored: bytes) -> Program:
        program = self._programs.pop(stored, None)
        if program is None:
            program = read_contract(decode_own(stored, Deployed).source)
            if len(self._programs) >= MAX_PROGRAMS:
                del self._programs[next(iter(self._programs))]  # the one used longest ago
        self._programs[stored] = program
        return program

    def _run(self, frame: Frame, contract: str, program: Program, method: str, args: Mapping[str, Any]) -> Any:
        mark = _Mark(frame)
        try:
            if contract in frame.stack:
                fault(f"{contract} is already running in this call: a contract cannot be entered again")
            if len(frame.stack) >= MAX_STACK:
                fault(f"more than {MAX_STACK} contracts call each other")
            frame.caller = frame.stack[-1] if frame.stack else frame.signer
            frame.stack.append(contract)
            session = Session(self, frame, contract, program, writable=method not in program.views)
            values = session.arguments(program.parameters(method), args)
            namespace = program.compiled.bind(f"self.{method}", session, program.constants)
            result = session.plain(session.call(namespace[f"self.{method}"], _SELF, *values))
            if len(frame.stack) == 1:
                session.charge(len(encode(result)) * GAS["receipt_byte"])
        except (AssertionError, MemoryError, RecursionError):
            raise  # our own bug, or a machine that is too small: never an outcome that others would have to share
        except Exception as error:
            mark.restore()
            if error is frame.failure:
                raise
            frame.failure = _explain(error, f"{contract}.{method}")
            raise frame.failure from None
        namespace.clear()  # functions and their namespace hold each other
        frame.stack.pop()
        frame.caller = mark.caller
        return result


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
    line = _line_of(error)
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


def _no_such(kind: str, contract: str, name: str, these: Mapping[str, Any], others: Mapping[str, Any]) -> str:
    if name in others:
        other = "a view: ask for it without a transaction" if kind == "action" else "an action: send a transaction"
        return f"{contract}.{name} is {other}"
    return f"{contract} has no {kind} {_quoted(name)}; it has: {', '.join(these) or 'none'}"


def _quoted(name: Any) -> str:
    """Quote a name from outside; repr() would depend on the Unicode tables of this Python."""
    return f'"{str(name)[:60]}"'


# --- one running contract ----------------------------------------------------------------------------------------


class _Self:
    """Stands for the contract in its own code; it has nothing to reach for."""

    __slots__ = ()


_SELF: Final = _Self()
_OF_FRAME: Final = {"caller": "caller", "signer": "signer", "now": "now_ms", "height": "height", "chain": "chain"}


class Session(Storage):
    """The operations of a contract that reach the ledger, while one of its methods runs."""

    __slots__ = ("_frame", "_program", "_runtime")

    def __init__(self, runtime: Runtime, frame: Frame, contract: str, program: Program, *, writable: bool) -> None:
        super().__init__(contract, frame.overlay, frame.meter, writable=writable)
        self._runtime = runtime
        self._frame = frame
        self._program = program

    def arguments(self, parameters: tuple[Parameter, ...], args: Mapping[str, Any]) -> list[Any]:
        """Check and copy the arguments of a method, in the order of its parameters."""
        unknown = [name for name in args if all(name != parameter.name for parameter in parameters)]
        if unknown:
            known = ", ".join(parameter.name for parameter in parameters) or "no arguments"
            fault(f"there is no argument {_quoted(unknown[0])}; it takes {known}")
        return [self._argument(parameter, args) for parameter in parameters]

    def _argument(self, parameter: Parameter, args: Mapping[str, Any]) -> Any:
        if parameter.name not in args:
            return fault(f"argument {parameter.name} is missing") if parameter.required else parameter.default
        value = self.plain(args[parameter.name])
        if not fits(value, parameter.type):
            fault(mismatch(value, parameter.type, f"argument {parameter.name}"))
        return self.shaped(value, parameter.type, parameter.name) if parameter.type.holds_record else value

    # the interface of `api`

    def get_field(self, owner: Any, name: str) -> Any:
        """Read `self.name`: a stored value, a Map, or something about the call. Or read a field of a record."""
        if owner is not _SELF:
            return self.get_attribute(owner, name)
        field = self._program.fields.get(name)
        if field is None:
            return self._contract if name == "address" else getattr(self._frame, _OF_FRAME[name])
        if field.keys:
            return StoredMap(self, field)
        stored = self.read(self.key(name))
        value = decode_own(encode(field.default) if stored is None else stored, Any)
        return self.shaped(value, field.type, f"self.{name}") if field.type.holds_record else value

    def set_field(self, name: str, value: Any) -> None:
        self.write(self.key(name), self.stored(value, self._program.fields[name].type, name))

    def require(self, condition: Any, message: Any) -> None:
        if not condition:
            raise Reverted(self.text(message)[:MAX_MESSAGE])

    def emit(self, name: str, /, **values: Any) -> None:
        self.require_writable("announce an event")
        if len(self._frame.events) >= MAX_EVENTS:
            fault(f"a transaction announces at most {MAX_EVENTS} events")
        data = {key: self.plain(value) for key, value in values.items()}
        self.charge(GAS["event"] + len(encode(data)) * GAS["receipt_byte"])
        self._frame.events.append(Event(self._contract, name, data))

    def call_view(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call an own view: it cannot change anything, whoever asks."""
        writable, self._writable = self._writable, False
        value = self.call(function, *args, **kwargs)
        self._writable = writable
        return value

    def call_contract(self, contract: Any, name: Any, /, **args: Any) -> Any:
        values = {key: self.plain(value) for key, value in args.items()}
        if type(contract) is not str or type(name) is not str:
            fault("self.call takes the name of a contract and the name of an action")
        if not self._writable:
            return self._runtime.view(self._frame, contract, name, values)
        return self._runtime.call_or_view(self._frame, contract, name, values)

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
