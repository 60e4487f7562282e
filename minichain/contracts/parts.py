# mypy: disable-error-code="attr-defined,type-arg,no-any-return"
"""Parts that contracts are made of, written in the contract language:

    from minichain.contracts.parts import Pausable, Roles

    ROLES = ("weigher", "auditor")

    class Custody(Contract, Roles, Pausable):

What a part holds becomes the contract's own, by its name; so does a function that is imported. A contract may give an
annotated constant another value, and writes methods without a body. Who changes this changes contracts on a chain.
"""

from __future__ import annotations

from minichain.contracts.api import Map, Part, Record, Value, action, emit, require, view

ROLES: tuple = ()  # the roles of this contract, besides admin
PAUSED_BY: str = "admin"  # the role that pauses and resumes

MAX_REASON_TEXT = 500
MAX_HOLDER_TEXT = 100


class RoleGrant(Record):
    """Who holds a role, who granted it, when (block time) and why."""

    role: str
    account: str
    by: str
    since: int
    reason: str


class PauseNote(Record):
    """Who paused a contract, when (block time) and why."""

    by: str
    since: int
    reason: str


def check_reason(reason: str) -> None:
    """Refuse a reason that is none, or longer than anybody reads."""
    require(reason.strip() != "", "say why: an auditor will read the reason")
    require(len(reason) <= MAX_REASON_TEXT, f"a reason has at most {MAX_REASON_TEXT} characters")


class Roles(Part):
    """Who may do what. A role is held by accounts or contracts. Admins grant and revoke; the first is the deployer."""

    role_grants = Map((str, str), RoleGrant)
    admin_count = Value(int)

    def setup_roles(self) -> None:
        self.give_role("admin", self.caller, "deployed the contract")

    @action
    def grant_role(self, role: str, account: str, reason: str = "") -> None:
        """Let an account, or a contract, hold a role; only an admin may.

        zh: 授予某账户（或合约）一个角色；仅管理员可操作。
        """
        self.require_role("admin")
        self.give_role(role, account, reason)

    @action
    def revoke_role(self, role: str, account: str, reason: str = "") -> None:
        """Take a role from an account; an admin may, and whoever gives up its own. The last admin stays.

        zh: 收回某账户的角色；管理员可操作，本人也可放弃。最后一名管理员不可移除。
        """
        self.require_known_role(role)
        if account != self.caller:
            self.require_role("admin")
        require((role, account) in self.role_grants, f"{account} does not hold the role {role}")
        require(len(reason) <= MAX_REASON_TEXT, f"a reason has at most {MAX_REASON_TEXT} characters")
        if role == "admin":
            require(self.admin_count > 1, "the last admin stays: grant the role to somebody else first")
            self.admin_count -= 1
        del self.role_grants[role, account]
        emit("RoleRevoked", role=role, account=account, by=self.caller, reason=reason)

    @view
    def has_role(self, role: str, account: str) -> bool:
        """Tell whether an account holds a role.

        zh: 查询某账户是否持有某角色。
        """
        self.require_known_role(role)
        return (role, account) in self.role_grants

    @view
    def role_holders(self, start: int = 0, limit: int = 100) -> list[RoleGrant]:
        """List who holds which role, since when and why, one page, the oldest first.

        zh: 分页列出各角色的持有者、授予时间与理由。
        """
        return self.role_grants.values(start, limit)

    @view
    def role_names(self) -> list[str]:
        """List the roles of this contract.

        zh: 列出本合约的全部角色。
        """
        names = ["admin"]
        names.extend(ROLES)
        return names

    def require_role(self, role: str) -> None:
        """Refuse a caller that does not hold a role."""
        require(self.has_role(role, self.caller), f"only the role {role} may do this: an admin grants it")

    def require_known_role(self, role: str) -> None:
        if role != "admin" and role not in ROLES:
            known = ", ".join(self.role_names())
            require(False, f"there is no role {role}; this contract has: {known}")

    def give_role(self, role: str, account: str, reason: str) -> None:
        """Let an account hold a role, whoever calls."""
        self.require_known_role(role)
        require(1 <= len(account) <= MAX_HOLDER_TEXT, "a role is held by a did or by the name of a contract")
        require((role, account) not in self.role_grants, f"{account} holds the role {role} already")
        require(len(reason) <= MAX_REASON_TEXT, f"a reason has at most {MAX_REASON_TEXT} characters")
        self.role_grants[role, account] = RoleGrant(
            role=role, account=account, by=self.caller, since=self.now, reason=reason
        )
        if role == "admin":
            self.admin_count += 1
        emit("RoleGranted", role=role, account=account, by=self.caller, reason=reason)


class Pausable(Part):
    """A contract that one role can pause and resume. An action that must not go on begins with `require_running`."""

    pause_note = Value(PauseNote | None)

    def setup_pausable(self) -> None:
        self.require_known_role(PAUSED_BY)

    @action
    def pause(self, reason: str) -> None:
        """Stop what this contract does until it is resumed, and say why.

        zh: 暂停本合约的业务操作，并说明理由。
        """
        self.require_role(PAUSED_BY)
        self.require_running()
        check_reason(reason)
        self.pause_note = PauseNote(by=self.caller, since=self.now, reason=reason)
        emit("Paused", by=self.caller, reason=reason)

    @action
    def resume(self, reason: str) -> None:
        """Let a paused contract go on, and say why.

        zh: 恢复被暂停的合约，并说明理由。
        """
        self.require_role(PAUSED_BY)
        require(self.pause_note is not None, "this contract is not paused")
        check_reason(reason)
        self.pause_note = None
        emit("Resumed", by=self.caller, reason=reason)

    @view
    def pause_state(self) -> PauseNote | None:
        """Tell who paused this contract, since when and why; nothing while it runs.

        zh: 查询合约是否被暂停、由谁、自何时及理由。
        """
        return self.pause_note

    def require_running(self) -> None:
        """Refuse while the contract is paused."""
        note = self.pause_note
        if note is not None:
            require(False, f"this contract is paused by {note.by}: {note.reason}")


# The rest is of `Participant`; it stands below, so that no line above has moved: errors name lines.

COORDINATORS: tuple = ("atomic",)  # contracts whose word counts, of this chain and of those it follows; or "chain:name"


class HeldDeal(Record):
    """What was prepared for whom, since when (block time), and in whose deal; it waits for that one's decision."""

    origin: str
    number: int
    whom: str
    wish: dict
    since: int


class Participant(Part):
    """A contract that takes part in deals which happen in all contracts or in none (two-phase commit, J. Gray 1978).

    Asked to prepare, it holds what the deal needs, or refuses. Once it holds, it does not decide any more, however long
    the coordinator is silent: another participant may have been told to commit already.
    """

    held_deals = Map((str, int), HeldDeal)  # (coordinator, number) of those that are not decided
    decided_deals = Map((str, int), bool)  # whether they were committed

    @action
    def prepare(self, number: int, whom: str, until: int, wish: dict, origin: str = "") -> None:
        """Hold for a deal what it needs; a coordinator asks, for the account `whom`.

        zh: 为一笔交易预留所需；由协调者代账户 `whom` 请求。
        """
        deal = (self.coordinator(origin), number)
        require(self.now <= until, f"it is too late to prepare: that was until {until}, block time in ms")
        require(deal not in self.held_deals and deal not in self.decided_deals, "this deal was here before")
        self.held_deals[deal] = HeldDeal(origin=deal[0], number=number, whom=whom, wish=wish, since=self.now)
        self.hold(whom, wish)
        emit("Prepared", origin=deal[0], number=number, whom=whom)

    @action
    def commit(self, number: int, origin: str = "") -> None:
        """Do what was prepared; its coordinator says so, and may say it twice.

        zh: 执行已预留的事项；由协调者通知，可重复通知。
        """
        self.conclude((self.coordinator(origin), number), True)

    @action
    def abort(self, number: int, origin: str = "") -> None:
        """Let go what was prepared, and what may still be asked for this deal; its coordinator says so.

        zh: 释放已预留的事项，并拒绝该交易此后的请求；由协调者通知。
        """
        self.conclude((self.coordinator(origin), number), False)

    @view
    def held(self, start: int = 0, limit: int = 100) -> list[HeldDeal]:
        """List what is held, for whom, since when and in whose deal, one page, the oldest first.

        zh: 分页列出已预留的事项：为谁、自何时、属于哪笔交易。
        """
        return self.held_deals.values(start, limit)

    @view
    def deal_state(self, origin: str, number: int) -> str:
        """Tell whether a deal is "held", "committed", "aborted" or "unknown" here.

        zh: 查询一笔交易在此处的状态：held、committed、aborted 或 unknown。
        """
        if (origin, number) in self.held_deals:
            return "held"
        if (origin, number) not in self.decided_deals:
            return "unknown"
        return "committed" if self.decided_deals[origin, number] else "aborted"

    def coordinator(self, origin: str) -> str:
        """Return who asks, "chain:name"; the bridge says it of other chains. Refuse whoever is no coordinator."""
        if self.caller != "bridge":
            require(origin == "", "who asks is said by the bridge: leave `origin` out")
            origin = f"{self.chain}:{self.caller}"
        name = origin[origin.find(":") + 1 :]
        known = ", ".join(COORDINATORS)
        require(origin in COORDINATORS or name in COORDINATORS, f"{origin} is no coordinator here: only {known}")
        return origin

    def conclude(self, deal: tuple, is_on: bool) -> None:
        known = self.decided_deals.get(deal)
        require(known is None or known == is_on, "this deal was decided otherwise, and nothing is decided twice")
        require(known is not None or not is_on or deal in self.held_deals, "nothing is prepared for this deal")
        self.decided_deals[deal] = is_on
        if deal not in self.held_deals:
            return
        found = self.held_deals[deal]
        del self.held_deals[deal]
        if is_on:
            self.keep(found.whom, found.wish)
        else:
            self.free(found.whom, found.wish)
        emit("Concluded", origin=found.origin, number=found.number, whom=found.whom, is_committed=is_on)

    def hold(self, whom: str, wish: dict) -> None:
        """Set aside what `whom` wishes, so that `keep` cannot fail any more; or refuse."""

    def keep(self, whom: str, wish: dict) -> None:
        """Give `whom` what was set aside."""

    def free(self, whom: str, wish: dict) -> None:
        """Put back what was set aside."""


# The rest is functions that a contract imports which decides about the members of a committee.

MAX_MEMBERS: int = 100  # of a committee
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
