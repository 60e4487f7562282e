# mypy: disable-error-code="empty-body"
"""A weighbridge that charges by weight: one contract that uses records, amounts, an interface and both parts.

mypy reads it as an author's editor does, the tests deploy it.
"""

from __future__ import annotations

from minichain.contracts.api import (
    Contract,
    Decimal,
    Interface,
    Map,
    Record,
    Value,
    action,
    emit,
    portion,
    require,
    view,
)
from minichain.contracts.parts import Pausable, Roles

Yuan = Decimal(2)

ROLES = ("weigher", "supervisor")
PAUSED_BY = "supervisor"
TONNE = 1_000  # kilograms


class Axle(Record):
    """What one axle weighs."""

    kilograms: int
    note: str = ""


class Load(Record):
    """One load on its way over the bridge."""

    carrier: str
    axles: list[Axle] = []
    fee: Yuan = 0
    is_paid: bool = False


class Registry(Interface):
    """Who may bring waste."""

    @view
    def is_permitted(self, carrier: str, code: str = "*") -> bool:
        """Tell whether a carrier may bring this kind of waste."""


class Weighbridge(Contract, Roles, Pausable):
    """Weigh loads and charge for them.

    zh: 称量车辆并按重量收费。
    """

    registry = Value(str)
    price = Value(Yuan)  # of a tonne
    loads = Map(str, Load)

    def setup(self, registry: str, price: Yuan) -> None:
        self.registry = registry
        self.price = price

    @action
    def arrive(self, number: str, carrier: str) -> None:
        """Open a load of a permitted carrier.

        zh: 为获准的承运方登记一车货物。
        """
        self.require_running()
        require(number not in self.loads, f"load {number} is on the list already")
        require(Registry(self.registry).is_permitted(carrier), f"{carrier} is not permitted to bring waste")
        self.loads[number] = Load(carrier=carrier)

    @action
    def weigh(self, number: str, axle: Axle) -> Yuan:
        """Add what an axle weighs; return the fee so far.

        zh: 记录一个车轴的重量，返回当前费用。
        """
        self.require_running()
        self.require_role("weigher")
        require(axle.kilograms > 0, "an axle weighs something: weigh it again")
        load = self.loads[number]
        load.axles.append(axle)
        load.fee = portion(self.price, self.weight_of(load), TONNE)
        self.loads[number] = load
        emit("Weighed", number=number, kilograms=axle.kilograms, fee=load.fee)
        return load.fee

    @view
    def load(self, number: str) -> Load:
        """Show a load.

        zh: 查询一车货物。
        """
        return self.loads[number]

    def weight_of(self, load: Load) -> int:
        return sum([axle.kilograms for axle in load.axles])
