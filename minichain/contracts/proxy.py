"""A deployed contract as an object, the same in a sandbox and on a network: its actions and views are methods.

An action returns what became of it (an outcome or a receipt), or raises `CallFailed`, which carries that. A view
returns its value. Amounts of a decimal type are `decimal.Decimal` here, and whole numbers on the ledger. The object
knows the contract as it was when the object was made, and says so with each call: where an action has changed since,
the ledger refuses, so nobody signs for something else than they have read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Protocol, Self, TypeVar

from minichain.contracts.abi import Abi
from minichain.contracts.decimals import into_units, out_of_units
from minichain.contracts.types import Parameter, Type
from minichain.errors import CallFailed, UsageError


class Result(Protocol):
    """What became of a call."""

    @property
    def ok(self) -> bool: ...
    @property
    def outcome(self) -> str: ...
    @property
    def error(self) -> str: ...
    @property
    def result(self) -> Any: ...
    def with_result(self, result: Any) -> Self: ...


S = TypeVar("S")  # who calls
R = TypeVar("R", bound=Result)
Named = dict[str, Any]


class DeployedContract(Generic[S, R]):
    """One contract, with whoever calls it.

    `attempt` (sender, contract, action, arguments, version) and `ask` (sender or None, contract, view, arguments,
    version) reach the place where it is deployed.
    """

    def __init__(
        self,
        name: str,
        abi: Abi,
        sender: S | None,
        attempt: Callable[[S, str, str, Named, int], R],
        ask: Callable[[S | None, str, str, Named, int], Any],
        version: int = 1,
    ) -> None:
        self.name = name
        self.abi = abi
        self._version = version
        self.sender = sender
        self._attempt = attempt
        self._ask = ask
        self._actions = {method.name: method.parameters for method in abi.actions}
        self._views = {method.name: method.parameters for method in abi.views}
        self._results: dict[str, Type] = {
            method.name: method.result
            for method in (*abi.actions, *abi.views)
            if method.result is not None and method.result.holds_decimal
        }

    def with_sender(self, sender: S) -> DeployedContract[S, R]:
        """Return the same contract, called by somebody else."""
        return DeployedContract(self.name, self.abi, sender, self._attempt, self._ask, self._version)

    def attempt(self, action: str, /, *args: Any, **kwargs: Any) -> R:
        """Call an action and return what became of it, also when the contract refuses."""
        where = f"{self.name}.{action}"
        if self.sender is None:
            raise UsageError(f"{where}: say who calls it, with {self.name}.with_sender(...)")
        named = arguments(where, self._actions.get(action, ()), args, kwargs)
        outcome = self._attempt(self.sender, self.name, action, named, self._version)
        if action not in self._results:
            return outcome
        return outcome.with_result(out_of_units(outcome.result, self._results[action]))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):  # Python asks for such names before this object is complete
            raise AttributeError(name)
        if name in self._actions:
            return partial(self._call, name)
        if name in self._views:
            return partial(self._view, name)
        raise AttributeError(f"{self.name} has no action or view {name!r}; it has: {self._offers()}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._actions, *self._views]

    def __repr__(self) -> str:
        return f"<contract {self.name}: {self._offers()}>"

    def _offers(self) -> str:
        return ", ".join([*self._actions, *self._views])

    def _call(self, action: str, /, *args: Any, **kwargs: Any) -> R:
        return require_ok(self.attempt(action, *args, **kwargs), f"{self.name}.{action}")

    def _view(self, view: str, /, *args: Any, **kwargs: Any) -> Any:
        named = arguments(f"{self.name}.{view}", self._views[view], args, kwargs)
        answer = self._ask(self.sender, self.name, view, named, self._version)
        return out_of_units(answer, self._results.get(view))


def require_ok(result: R, what: str) -> R:
    """Return the result of a success; raises `CallFailed` with the contract's own words for any other."""
    if not result.ok:
        raise CallFailed(f"{what} {result.outcome}: {result.error}", result)
    return result


def default_name(abi: Abi) -> str:
    """Return the name a contract gets if none is chosen: that of its class, in small letters with dashes."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", "-", abi.name).lower()


def arguments(
    method: str, parameters: tuple[Parameter, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Give positional arguments the names of a method's parameters, and amounts the form they have on the ledger.

    Raises `UsageError` for one too many or twice, and for what is not exactly an amount.
    """
    names = [parameter.name for parameter in parameters]
    if len(args) > len(names):
        raise UsageError(f"{method} takes {len(names)} arguments ({', '.join(names) or 'none'}), not {len(args)}")
    named = dict(zip(names, args, strict=False))
    if twice := named.keys() & kwargs.keys():
        raise UsageError(f"{method} was given {min(twice)} twice: once by position and once by name")
    return in_units(method, parameters, {**named, **kwargs})


def in_units(method: str, parameters: tuple[Parameter, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Give the amounts among named arguments the form they have on the ledger."""
    types = {parameter.name: parameter.type for parameter in parameters if parameter.type.holds_decimal}
    if not types:
        return named
    return {
        name: into_units(value, types[name], f"{method}: {name}") if name in types else value
        for name, value in named.items()
    }
