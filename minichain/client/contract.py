"""A deployed contract as an object: its actions sign, submit and wait; its views are free."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.contracts.abi import Abi
from minichain.contracts.sandbox import arguments
from minichain.errors import UsageError

if TYPE_CHECKING:
    from minichain.client.network import Network


class DeployedContract:
    """One contract of a network, with the wallet that calls it."""

    def __init__(self, network: Network, name: str, abi: Abi, sender: Wallet | None) -> None:
        self._network = network
        self.name = name
        self.abi = abi
        self.sender = sender
        self._actions = {method.name: method.parameters for method in abi.actions}
        self._views = {method.name: method.parameters for method in abi.views}

    def with_sender(self, sender: Wallet) -> DeployedContract:
        """Return the same contract, called by somebody else."""
        return DeployedContract(self._network, self.name, self.abi, sender)

    def attempt(self, action: str, /, *args: Any, **kwargs: Any) -> Receipt:
        """Call an action and return its receipt, also when the contract refuses."""
        if self.sender is None:
            raise UsageError(f"{self.name}.{action}: say who calls it, with {self.name}.with_sender(wallet)")
        named = arguments(f"{self.name}.{action}", self._actions.get(action, ()), args, kwargs)
        return self._network.attempt(self.sender, self.name, action, named)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):  # Python asks for such names before this object is complete
            raise AttributeError(name)
        if name in self._actions:
            return partial(self._call, name)
        if name in self._views:
            return partial(self._ask, name)
        offers = ", ".join([*self._actions, *self._views])
        raise AttributeError(f"{self.name} has no action or view {name!r}; it has: {offers}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._actions, *self._views]

    def _call(self, action: str, /, *args: Any, **kwargs: Any) -> Receipt:
        return self._network.require_ok(self.attempt(action, *args, **kwargs), f"{self.name}.{action}")

    def _ask(self, view: str, /, *args: Any, **kwargs: Any) -> Any:
        named = arguments(f"{self.name}.{view}", self._views[view], args, kwargs)
        return self._network.view(self.name, view, named)

    def __repr__(self) -> str:
        return f"<Contract {self.name}: {', '.join([*self._actions, *self._views])}>"
