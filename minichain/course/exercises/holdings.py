"""The contract of the casebook: items that are entered once, handed over by who holds them, and used once."""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, action, emit, require


class Holdings(Contract):
    """Keep who holds which item, who confirmed it, and what it was used for.

    zh: 登记各项目由谁持有、谁已确认、作过何用。
    """

    holders = Map(str, str)
    confirmed = Map((str, str), int)
    used = Map((str, str), int)

    @action
    def enter(self, item: str, note: str) -> None:
        """Enter an item with a note; whoever enters it holds it.

        zh: 登记一个项目并附说明；登记者即持有者。
        """
        require(item not in self.holders, f"{item} is entered already: it is one item, and stays one")
        require(1 <= len(note) <= 120, "a note has 1 to 120 characters")
        self.holders[item] = self.caller
        emit("Entered", item=item, note=note, by=self.caller)

    @action
    def confirm(self, item: str, note: str) -> None:
        """Confirm an item with a note, once; whoever holds it does not confirm it.

        zh: 附说明确认一个项目，只能一次；持有者不能自己确认。
        """
        require(item in self.holders, f"{item} is not entered")
        require(self.holders[item] != self.caller, f"who holds {item} does not confirm it")
        require((item, self.caller) not in self.confirmed, f"you have confirmed {item} already")
        self.confirmed[item, self.caller] = self.now
        emit("Confirmed", item=item, note=note, by=self.caller)

    @action
    def hand_over(self, item: str, to: str) -> None:
        """Hand an item over to somebody else; only who holds it may.

        zh: 把项目交给他人；只有持有者可以。
        """
        require(item in self.holders, f"{item} is not entered")
        require(self.holders[item] == self.caller, f"only who holds {item} hands it over")
        self.holders[item] = to
        emit("HandedOver", item=item, to=to, by=self.caller)

    @action
    def use(self, item: str, purpose: str) -> None:
        """Use an item for a purpose, such as a pledge or a payment; only who holds it may, and once.

        zh: 把项目用于一个目的，如质押或付款；只有持有者可以，只能一次。
        """
        require(item in self.holders, f"{item} is not entered")
        require(self.holders[item] == self.caller, f"only who holds {item} uses it")
        require((item, purpose) not in self.used, f"{item} was used for {purpose} already")
        self.used[item, purpose] = self.now
        emit("Used", item=item, purpose=purpose, by=self.caller)
