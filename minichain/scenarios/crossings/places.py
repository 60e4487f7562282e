# mypy: disable-error-code="type-arg,no-any-return"
"""Places that are booked: the seats of a train, the rooms of a hotel."""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, require, view
from minichain.contracts.parts import Participant


class Places(Contract, Participant):
    """So many places: each is free, held for a deal that is not decided, or booked.

    zh: 若干名额：空闲、为未决交易预留，或已预订。
    """

    free_places = Value(int)
    held_places = Value(int)
    booked = Map(str, int)

    def setup(self, places: int) -> None:
        self.free_places = places

    def hold(self, whom: str, wish: dict) -> None:
        require(0 < wish["places"] <= self.free_places, "there are not so many places left")
        self.free_places -= wish["places"]
        self.held_places += wish["places"]

    def keep(self, whom: str, wish: dict) -> None:
        self.held_places -= wish["places"]
        self.booked[whom] = self.booked.get(whom, 0) + wish["places"]

    def free(self, whom: str, wish: dict) -> None:
        self.free_places += wish["places"]
        self.held_places -= wish["places"]

    @view
    def count(self) -> list:
        """Tell how many places are free, held and booked.

        zh: 空闲、预留和已预订的名额数。
        """
        return [self.free_places, self.held_places, sum(self.booked.values())]
