# mypy: disable-error-code="type-arg,no-any-return"
"""A shard: the coordinating chain says who the members are, by messages that the bridge has checked.

Nobody here can change the committee, and the coordinating chain only a little at a time: more than two thirds of the
present one stay. So a shard hands over itself, and a coordinator that is captured takes epochs to take a shard.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Value, action, emit, require, view
from minichain.contracts.parts import check_founders


class Assigned(Contract):
    """Who the members of a shard are, as the coordinating chain assigns them.

    zh: 分片的成员，由协调链指派。
    """

    coordinator = Value(str)  # the id of its chain
    epoch = Value(int)  # of the last assignment
    # The committee in force from height `since` on, and the one from height `first` on: the same if none is planned.
    since = Value(int)
    present = Value(list)
    first = Value(int)
    coming = Value(list)

    def setup(self, founders: list, coordinator: str) -> None:
        check_founders(founders)
        self.coordinator = coordinator
        self.since = self.height
        self.first = self.height
        self.present = sorted(founders)
        self.coming = sorted(founders)

    @action
    def assign(self, origin: str, epoch: int, members: list) -> int:
        """Take the committee of an epoch, which certifies from the next block on; the coordinator's `shards` asks.

        Returns the height of that block.

        zh: 接受某周期的委员会，自下一区块起生效；由协调链的 shards 合约通过桥调用。返回该区块高度。
        """
        wanted, last = f"{self.coordinator}:shards", self.epoch
        require(self.caller == "bridge" and origin == wanted, f"only {wanted} assigns, by a message through the bridge")
        require(epoch > last, f"epoch {epoch} is not later than {last}, whose committee is known")
        check_founders(members)
        now = self.committee_at(self.height)
        weights = {did: weight for name, did, weight in members}
        kept = sum([min(weight, weights.get(did, 0)) for name, did, weight in now])
        total = max(sum([weight for name, did, weight in now]), sum(weights.values()))
        require(
            3 * kept > 2 * total,
            f"of weight {total} only {kept} would be the present committee's: more than two thirds",
        )
        self.since = self.height
        self.present = now
        self.first = self.height + 1
        self.coming = sorted(members)
        self.epoch = epoch
        emit("Committee", first=self.first, members=self.coming)
        return self.first

    # --- views

    @view
    def assigned(self) -> dict:
        """Tell by whom and for which epoch the committee was assigned: {coordinator, epoch}.

        zh: 委员会由哪条链、为哪个周期指派。
        """
        return {"coordinator": self.coordinator, "epoch": self.epoch}

    @view
    def members(self) -> list:
        """List the members as [name, did, weight].

        zh: 列出成员：名称、标识、权重。
        """
        return self.committee_at(self.height)

    @view
    def committee_at(self, height: int) -> list:
        """List those who certify the block of a height, as far as it is known now, as [name, did, weight].

        zh: 列出认证某高度区块的成员。
        """
        since = self.since
        require(height >= since, f"committees before height {since} are in the ledger's history: ask a node")
        return self.coming if height >= self.first else self.present

    @view
    def planned(self) -> list:
        """List the committees to come as [first height, members].

        zh: 列出即将生效的委员会。
        """
        return [[self.first, self.coming]] if self.first > self.height else []
