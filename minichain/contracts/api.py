"""What the author of a contract may use. These names describe a contract; they do not run it.

A contract is source text: a ledger (or a `Sandbox`) reads the text, checks it and runs it with gas. Importing a
contract as ordinary Python is safe and useful in an editor, but an object of its class cannot be made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar, dataclass_transform, overload

from minichain.contracts.decimals import portion
from minichain.crypto import public_of
from minichain.elgamal import ballots, group, proofs
from minichain.errors import DecodeError, Reverted, UsageError

__all__ = [
    "Contract",
    "Decimal",
    "Interface",
    "Map",
    "Part",
    "Record",
    "Value",
    "action",
    "ballot_fault",
    "combine_points",
    "emit",
    "is_did_key",
    "knows_secret",
    "portion",
    "require",
    "sha256",
    "view",
]

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")
F = TypeVar("F", bound=Callable[..., Any])


def _only_on_a_ledger(what: str) -> NoReturn:
    raise UsageError(f"{what} exists only while a ledger runs the contract: deploy it in a Sandbox or a Network first")


class OnLedger:
    """What contracts and their parts know of a call."""

    caller: str
    signer: str
    now: int
    height: int
    chain: str
    address: str

    def __init__(self) -> None:
        _only_on_a_ledger(f"an object of {type(self).__name__}")

    def call(self, contract: str, action: str, /, **arguments: Any) -> Any:
        """Call an action or a view of another contract; its failure is this contract's failure.

        The contract "ledger" is the ledger itself: `self.call("ledger", "freeze", name="shop")`.
        """
        _only_on_a_ledger("self.call")

    def call_with(self, contract: str, action: str, arguments: dict[str, Any], /) -> Any:
        """Call as `call` does, with the arguments in a dict."""
        _only_on_a_ledger("self.call_with")

    def attempt(self, calls: list[dict[str, Any]], /) -> list[Any]:
        """Make calls {contract, action, arguments} that may fail: all of them are done, or nothing of them is.

        Returns [why not, results]; the first is "" where all was done. The gas is used in any case.
        """
        _only_on_a_ledger("self.attempt")


class Contract(OnLedger):
    """Base of a contract. The docstring of the class says what the contract is for.

    The ledger runs its method `setup`, if it has one, when it is deployed, and `migrate` when it is upgraded to this
    source: each once, and nobody else can call them.
    """


class Part(OnLedger):
    """Base of the parts in `minichain.contracts.parts`. A contract cannot declare parts of its own."""


@dataclass_transform(kw_only_default=True)
class Record:
    """Base of a record: a value with named and typed fields, made as `Note(text="x")` and read as `note.text`.

    It is stored, and handed in and out, as a dict of all its fields. A field may have a default.
    """

    def __init__(self, **fields: Any) -> None:
        _only_on_a_ledger(f"a record {type(self).__name__}")


class Interface:
    """Base of an interface: what a contract expects of another one, as methods with types and without code.

    `Registry("registry").is_permitted(site="A")` calls the contract of that name; a method marked @view only reads.
    """

    def __init__(self, contract: str, /) -> None:
        _only_on_a_ledger(f"the contract {contract}")


def Decimal(digits: int, /) -> type[int]:  # noqa: N802
    """Name a type of amounts with so many digits after the point: `Yuan = Decimal(2)`.

    In the contract and on the ledger such an amount is a whole number of its smallest unit; whoever calls the contract
    writes "12.50" or a `decimal.Decimal`.
    """
    return int


class Value(Generic[V]):
    """One stored value, read and assigned as an attribute of self.

    Without a default it starts as the zero of its type: 0, "", False, b"", [], {}, or None for `T | None`.
    """

    @overload
    def __init__(self, type: type[V], default: V | None = None) -> None: ...
    @overload
    def __init__(self: Value[Any], type: Any, default: Any = None) -> None: ...
    def __init__(self, type: Any, default: Any = None) -> None:
        self.type = type
        self.default = default

    @overload
    def __get__(self, instance: None, owner: type) -> Value[V]: ...
    @overload
    def __get__(self, instance: OnLedger, owner: type) -> V: ...
    def __get__(self, instance: OnLedger | None, owner: type) -> Value[V] | V:
        return self if instance is None else _only_on_a_ledger("a stored value")

    def __set__(self, instance: OnLedger, value: V) -> None:
        _only_on_a_ledger("a stored value")


class Map(Generic[K, V]):
    """Stored values by key, in the order in which the keys were first set.

    A key is str, int, bytes or bool, or a tuple of these: `Map((str, int), dict)`. What is read is a copy: write it
    back to change it. Reading a missing key with [] is a fault; use `.get(key, default)` or `in`.
    """

    @overload
    def __init__(self, key: type[K], value: type[V]) -> None: ...
    @overload
    def __init__(self: Map[Any, V], key: Any, value: type[V]) -> None: ...
    @overload
    def __init__(self: Map[Any, Any], key: Any, value: Any) -> None: ...
    def __init__(self, key: Any, value: Any) -> None:
        self.key = key
        self.value = value

    def __getitem__(self, key: K) -> V:
        _only_on_a_ledger("a stored map")

    def __setitem__(self, key: K, value: V) -> None:
        _only_on_a_ledger("a stored map")

    def __delitem__(self, key: K) -> None:
        _only_on_a_ledger("a stored map")

    def __contains__(self, key: K) -> bool:
        _only_on_a_ledger("a stored map")

    def __len__(self) -> int:  # noqa: PLE0303
        _only_on_a_ledger("a stored map")

    @overload
    def get(self, key: K) -> V | None: ...
    @overload
    def get(self, key: K, default: V) -> V: ...
    @overload
    def get(self, key: K, default: D) -> V | D: ...
    def get(self, key: K, default: Any = None) -> Any:
        """Read the value of a key, or the default."""
        _only_on_a_ledger("a stored map")

    def keys(self, start: int = 0, limit: int = 100) -> list[K]:
        """Read one page of keys, in the order of insertion."""
        _only_on_a_ledger("a stored map")

    def values(self, start: int = 0, limit: int = 100) -> list[V]:
        """Read one page of values, in the order of insertion."""
        _only_on_a_ledger("a stored map")

    def items(self, start: int = 0, limit: int = 100) -> list[tuple[K, V]]:
        """Read one page of (key, value), in the order of insertion."""
        _only_on_a_ledger("a stored map")


def action(method: F) -> F:
    """Mark a method that transactions may call. The first line of its docstring is shown to people."""
    return method


def view(method: F) -> F:
    """Mark a method that anybody may ask, free and without a transaction; it cannot change anything."""
    return method


def require(condition: Any, message: str) -> None:
    """Refuse the call with `message`, undoing all of it, unless the condition holds."""
    if not condition:
        raise Reverted(message)


def emit(name: str, /, **values: Any) -> None:
    """Announce an event, which the receipt carries."""
    _only_on_a_ledger("an event")


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of bytes, to compare what is revealed with what somebody committed to."""
    return hashlib.sha256(data).digest()


def ballot_fault(choices: int, least: int, most: int, key: bytes, context: bytes, ballot: bytes) -> str:
    """Say why an encrypted ballot may not be counted: see `minichain.elgamal.ballots`. Empty: it may.

    A ballot says 0 or 1 for each choice, and 1 for `least` to `most` of them; `context` is the election and the voter.
    """
    return ballots.fault_of(ballots.Form(choices, least, most), key, context, ballot)


def combine_points(factors: list[int], points: list[bytes]) -> bytes:
    """Add up multiples of points of Ed25519's group of prime order; a point that is none is a fault."""
    return group.combine(factors, points)


def is_did_key(did: str) -> bool:
    """Tell whether a did:key names an Ed25519 key that somebody can own: a point of the group of prime order."""
    try:
        return group.is_point(public_of(did))
    except DecodeError:
        return False


def knows_secret(context: bytes, bases: list[bytes], images: list[bytes], proof: bytes) -> bool:
    """Tell whether a proof shows that its maker knows the one secret that takes each base to its image."""
    return proofs.knows(context, bases, images, proof)
