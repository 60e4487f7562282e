"""Run contracts. A call takes effect as a whole or not at all, and whatever goes wrong inside it becomes one of
`Reverted`, `OutOfGas` and `ContractFault`, in words that are the same on every validator.

Nothing outlives a call but what it wrote to the overlay and the events it announced: each call gets a namespace of its
own. A runtime remembers compiled code and nothing else, so all of its users may share one.

Where a contract keeps its data (`data_key(contract, field, ...)` of `ledger.state`; every value is `codec.encode`d):

    field                    the value of a Value
    field "=" key            the value of one key of a Map (a tuple key is a list)
    field "*"                [number of keys, next slot] of a Map
    field "@" key            the slot of that key: 0 for the first key ever set, then 1, ...
    field "#" slot           the key in that slot; removed with its key, so a Map has holes
    field "-" level, index   how many holes there are below each of FANOUT parts of the slots, as a list

A Map is in the order of its slots. The last kind of record exists only where keys were deleted; it lets a page start
at any position after a few reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from minichain.codec import Record, decode_own, encode
from minichain.contracts.abi import Field, Parameter, Type, fits
from minichain.contracts.check import Program, read_contract
from minichain.contracts.guards import Guarded, Guards, fault, kind_of
from minichain.contracts.language import METHODS, SELF
from minichain.contracts.meter import FILENAME, GAS, GasMeter
from minichain.errors import ContractFault, ExecutionError, LanguageError, Reverted
from minichain.ledger.state import Overlay, contract_key, data_key
from minichain.ledger.types import Event

CONTRACT_NAME: Final = re.compile(r"[a-z0-9-]{1,40}")
RESERVED_NAMES: Final = frozenset({"ledger"})
MAX_STACK: Final = 8  # contracts that call each other
MAX_STORED_BYTES: Final = 64 * 1024  # one stored value
MAX_KEY_BYTES: Final = 512  # one key of a Map
MAX_EVENTS: Final = 1_000  # of one transaction
MAX_MESSAGE: Final = 500  # characters of a refusal
MAX_PAGE: Final = 1_000  # keys of one page of a Map
MAX_PROGRAMS: Final = 512  # compiled contracts kept
FANOUT: Final = 64


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
        if not isinstance(source, str):
            fault("the source of a contract is text")
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
            namespace = program.compiled.bind(session, program.constants)
            result = session.plain(session.call(namespace[f"self.{method}"], _SELF, *values))
        except AssertionError:
            raise  # our own bug
        except Exception as error:
            mark.restore()
            if error is frame.failure:
                raise
            frame.failure = _explain(error, f"{contract}.{method}")
            raise frame.failure from None
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
    RecursionError: "the call is nested too deeply",
    MemoryError: "there is not enough memory",
}


def _explain(error: Exception, where: str) -> ExecutionError:
    kind = type(error) if isinstance(error, ExecutionError) else ContractFault
    if isinstance(error, ExecutionError):
        words = str(error)
    else:
        words = next((text for type_, text in _WORDS.items() if isinstance(error, type_)), type(error).__name__)
    line = _line_of(error)
    return kind(f"{where}, line {line}: {words}" if line else f"{where}: {words}")


def _line_of(error: Exception) -> int:
    """Find the line of the innermost contract code that an error passed through; 0 if there is none."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
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


class Session(Guards):
    """The operations of a contract that reach the ledger, while one of its methods runs."""

    __slots__ = ("_contract", "_frame", "_program", "_runtime", "_writable")

    def __init__(self, runtime: Runtime, frame: Frame, contract: str, program: Program, *, writable: bool) -> None:
        super().__init__(frame.meter)
        self._runtime = runtime
        self._frame = frame
        self._contract = contract
        self._program = program
        self._writable = writable

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
            fault(f"argument {parameter.name} must be {parameter.type}, not {kind_of(value)}")
        return value

    # the interface of `api`

    def get_field(self, owner: Any, name: str) -> Any:
        """Read `self.name`: a stored value, a Map, or something about the call."""
        field = self._program.fields.get(name)
        if owner is not _SELF or (field is None and name not in SELF):
            fault(f"{kind_of(owner)} has no attribute {name}")
        if field is None:
            return self._contract if name == "address" else getattr(self._frame, _OF_FRAME[name])
        if field.keys:
            return StoredMap(self, field)
        stored = self.read(self.key(name))
        return decode_own(encode(field.default), Any) if stored is None else decode_own(stored, Any)

    def set_field(self, name: str, value: Any) -> None:
        self.write(self.key(name), self.stored(value, self._program.fields[name].type, name))

    def require(self, condition: Any, message: Any) -> None:
        if not condition:
            raise Reverted(self.text(message)[:MAX_MESSAGE])

    def emit(self, name: str, /, **values: Any) -> None:
        self._require_writable("announce an event")
        if len(self._frame.events) >= MAX_EVENTS:
            fault(f"a transaction announces at most {MAX_EVENTS} events")
        data = {key: self.plain(value) for key, value in values.items()}
        self.charge(GAS["event"] + len(encode(data)) * GAS["event_byte"])
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

    # the state

    def key(self, field: str, *path: Any) -> bytes:
        return data_key(self._contract, field, *path)

    def read(self, key: bytes) -> bytes | None:
        self.charge(GAS["read"])
        stored = self._frame.overlay.get(key)
        if stored is not None:
            self.charge(len(stored) * GAS["read_byte"])
        return stored

    def read_plain(self, key: bytes, absent: Any) -> Any:
        stored = self.read(key)
        return absent if stored is None else decode_own(stored, Any)

    def write(self, key: bytes, stored: bytes | None) -> None:
        self._require_writable("change a stored value")
        self.charge(GAS["write"] + (0 if stored is None else (len(key) + len(stored)) * GAS["write_byte"]))
        self._frame.overlay.put(key, stored)

    def stored(self, value: Any, type_: Type, name: str) -> bytes:
        """Encode a value to be stored."""
        value = self.plain(value)
        if not fits(value, type_):
            fault(f"self.{name} holds {type_}, not {kind_of(value)}")
        encoded = encode(value)
        if len(encoded) > MAX_STORED_BYTES:
            fault(f"self.{name}: a stored value has at most {MAX_STORED_BYTES} bytes, not {len(encoded)}")
        return encoded

    def _require_writable(self, what: str) -> None:
        if not self._writable:
            fault(f"a view cannot {what}")


class StoredMap(Guarded):
    """A Map of a running contract. See the head of this file for its layout."""

    METHODS = frozenset(METHODS["Map"])
    KIND = "Map"
    __slots__ = ("_field", "_session")

    def __init__(self, session: Session, field: Field) -> None:
        self._session = session
        self._field = field

    def __getitem__(self, key: Any) -> Any:
        stored = self._session.read(self._key("=", self._encodable(key)))
        if stored is None:
            fault(f"self.{self._field.name} has no key {_shown(key)}: test it with `in`, or use .get(key, default)")
        return decode_own(stored, Any)

    def __setitem__(self, key: Any, value: Any) -> None:
        session, name, plain = self._session, self._field.name, self._encodable(key)
        where = self._key("=", plain)
        is_new = session.read(where) is None
        session.write(where, session.stored(value, self._field.type, name))
        if is_new:
            live, slot = self._head()
            session.write(self._key("@", plain), encode(slot))
            session.write(self._key("#", slot), encode(plain))
            session.write(self._key("*"), encode([live + 1, slot + 1]))
            self._grow(live, slot)

    def __delitem__(self, key: Any) -> None:
        session, plain = self._session, self._encodable(key)
        slot = session.read_plain(self._key("@", plain), None)
        if slot is None:
            fault(f"self.{self._field.name} has no key {_shown(key)}")
        live, end = self._head()
        for path in (("=", plain), ("@", plain), ("#", slot)):
            session.write(self._key(*path), None)
        session.write(self._key("*"), encode([live - 1, end]))
        for level in range(_height(end)):
            index, part = divmod(slot // FANOUT**level, FANOUT)
            holes = self._holes(level, index)
            holes[part] += 1
            session.write(self._key("-", level, index), encode(holes))

    def __contains__(self, key: Any) -> bool:
        return self._session.read(self._key("=", self._encodable(key))) is not None

    def __len__(self) -> int:
        return self._head()[0]

    def get(self, key: Any, default: Any = None) -> Any:
        return self._session.read_plain(self._key("=", self._encodable(key)), default)

    def keys(self, start: int = 0, limit: int = 100) -> list[Any]:
        return [self._readable(plain) for plain in self._page(start, limit)]

    def values(self, start: int = 0, limit: int = 100) -> list[Any]:
        return [self._value(plain) for plain in self._page(start, limit)]

    def items(self, start: int = 0, limit: int = 100) -> list[tuple[Any, Any]]:
        return [(self._readable(plain), self._value(plain)) for plain in self._page(start, limit)]

    def _value(self, plain: Any) -> Any:
        return self._session.read_plain(self._key("=", plain), None)

    # keys

    def _key(self, *path: Any) -> bytes:
        return self._session.key(self._field.name, *path)

    def _encodable(self, key: Any) -> Any:
        """Check a key and return it as it is encoded: a tuple as a list."""
        plain, kinds = self._session.plain(key), self._field.keys
        parts = plain if type(key) is tuple and len(kinds) > 1 else [plain]
        if tuple(map(kind_of, parts)) != kinds:
            wanted = kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"
            fault(f"a key of self.{self._field.name} is {wanted}, not {kind_of(key)}")
        if len(encode(plain)) > MAX_KEY_BYTES:
            fault(f"a key of self.{self._field.name} has at most {MAX_KEY_BYTES} bytes")
        return plain

    def _readable(self, plain: Any) -> Any:
        return tuple(plain) if len(self._field.keys) > 1 else plain

    # order

    def _head(self) -> tuple[int, int]:
        live, end = self._session.read_plain(self._key("*"), (0, 0))
        return live, end

    def _holes(self, level: int, index: int) -> list[int]:
        return list(self._session.read_plain(self._key("-", level, index), [0] * FANOUT))

    def _grow(self, live: int, slot: int) -> None:
        """Start a higher level of holes when the slots outgrow the levels there are."""
        top = _height(slot)
        if live < slot and slot == FANOUT**top:
            self._session.write(self._key("-", top, 0), encode([slot - live] + [0] * (FANOUT - 1)))

    def _page(self, start: Any, limit: Any) -> list[Any]:
        """Return the encoded keys of the positions from `start` on, at most `limit`."""
        if type(start) is not int or type(limit) is not int or start < 0 or not 0 <= limit <= MAX_PAGE:
            fault(f"a page starts at 0 or later and has at most {MAX_PAGE} keys")
        live, end = self._head()
        stop = min(start + limit, live)
        keys: list[Any] = []
        while start + len(keys) < stop:
            slot = self._slot_at(start + len(keys), live, end)
            chunk = slot // FANOUT
            holes = self._holes(0, chunk) if live < end else [0] * FANOUT
            for candidate in range(slot, min((chunk + 1) * FANOUT, end)):
                if not holes[candidate % FANOUT] and start + len(keys) < stop:
                    keys.append(self._session.read_plain(self._key("#", candidate), None))
        return keys

    def _slot_at(self, position: int, live: int, end: int) -> int:
        """Find the slot of the key at a position, going down the levels of holes."""
        if live == end:
            return position
        index = 0
        for level in reversed(range(_height(end))):
            part, width = 0, FANOUT**level
            holes = self._holes(level, index)
            while position >= width - holes[part]:
                position -= width - holes[part]
                part += 1
            index = index * FANOUT + part
        return index


def _height(slots: int) -> int:
    """Return how many levels of holes this many slots need."""
    height = 1
    while FANOUT**height < slots:
        height += 1
    return height


def _shown(key: Any) -> str:
    return f'"{key[:60]}"' if type(key) is str else str(key) if type(key) is int else f"of this {kind_of(key)}"


# --- for whoever proves or explains the state --------------------------------------------------------------------


def state_key(contract: str, field: str, *key: Any) -> bytes:
    """Return the state key of `contract.field`, or of `contract.field[key]`; a tuple key is given as one argument."""
    if not key:
        return data_key(contract, field)
    (one,) = key
    return data_key(contract, field, "=", list(one) if isinstance(one, tuple) else one)


def explain_key(key: bytes) -> tuple[str, str, tuple[Any, ...]] | None:
    """Tell (contract, field, (key,) or ()) of the state key of a stored value; None for every other key."""
    match decode_own(key, Any):
        case ["data", contract, field]:
            return contract, field, ()
        case ["data", contract, field, "=", one]:
            return contract, field, (tuple(one) if isinstance(one, list) else one,)
    return None
