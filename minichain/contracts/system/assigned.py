# mypy: disable-error-code="type-arg,no-any-return"
"""A shard: the coordinating chain says who the members are, by messages that the bridge has checked.

Nobody here can change the committee, and the coordinating chain only a little at a time: more than two thirds of the
present one stay. So a shard hands over itself, and a coordinator that is captured takes epochs to take a shard.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Value, action, emit, require, view

MAX_MEMBERS = 100

# --- members: the same text in every contract that decides about them --------------------------------------------

MAX_NAME = 64
MAX_WEIGHT = 1_099_511_627_776  # 2**40
# Signs that every Python prints: ASCII, Latin letters with accents, Chinese. Others may be added when they are needed.
PRINTABLE = ((" ", "~"), ("\u00c0", "\u024f"), ("\u4e00", "\u9fa5"))
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PLAIN = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz -."  # most names have no other signs
# The did:key of the Ed25519 keys of 32 bytes 0 and of 32 bytes 255. All others have the same length and lie between.
LOWEST_KEY = "did:key:z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP"
HIGHEST_KEY = "did:key:z6MkwgaR63138bEEgad7uk993KMX54vBA6KTB4sFhCPnSB2e"


def check_name(name: str) -> None:
    """Refuse a name that people could not read or that no committee may have."""
    require(1 <= len(name) <= MAX_NAME, f"a member's name has 1 to {MAX_NAME} characters")
    require(name == name.strip(), "a member's name neither begins nor ends with a space")
    for char in name.strip(PLAIN):
        is_printable = True in [first <= char <= last for first, last in PRINTABLE]
        require(is_printable and char not in "/\\", "a member's name is letters, digits and usual signs, no slashes")


def check_key(did: str) -> None:
    """Refuse what is not the did:key of an Ed25519 key."""
    is_key = len(did) == len(LOWEST_KEY) and LOWEST_KEY <= did <= HIGHEST_KEY
    require(is_key and did[9:].strip(BASE58) == "", "a member is named by its did:key: ask the member for it")


def check_weight(weight: int) -> None:
    """Refuse a weight that no member may have."""
    is_number = isinstance(weight, int) and not isinstance(weight, bool)
    require(is_number and 1 <= weight <= MAX_WEIGHT, f"a weight is a whole number from 1 to {MAX_WEIGHT}")


def check_founders(founders: list) -> None:
    """Refuse founders that could not be a committee; each is [name, did, weight]."""
    require(1 <= len(founders) <= MAX_MEMBERS, f"there are 1 to {MAX_MEMBERS} founders")
    names, dids = {}, {}
    for name, did, weight in founders:
        check_name(name)
        check_key(did)
        check_weight(weight)
        require(name not in names and did not in dids, f"{name}: each founder has a name and a key of its own")
        names[name] = True
        dids[did] = True


# --- assignments -------------------------------------------------------------------------------------------------


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
