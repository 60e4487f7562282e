# mypy: disable-error-code="type-arg,no-any-return,empty-body"
"""Points that residents give away, so that somebody in need has what is on the list. Who is helped is on no chain.

A cause is one thing on the list, so many times. It is bought when enough was given, and until then whoever gave may
take it back. A cause that is not reached, or not delivered in time, gives everything back. A cause names no giver.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Interface, Map, Record, Value, action, emit, require, view

MAX_CODE = 40
MAX_COUNT = 10_000
LEAST_SHOWN = 10  # a number of givers below it could be somebody
SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789-"


class Catalogue(Interface):
    """The rules."""

    @view
    def has_role(self, role: str, account: str) -> bool:
        """Tell whether an account has a task."""

    @view
    def scheme(self) -> dict:
        """Tell the clocks and limits of the scheme."""


class Accounts(Interface):
    """The accounts."""

    @view
    def acts_for(self, account: str, who: str) -> bool:
        """Tell whether somebody may act for an account."""

    @view
    def require_taking_part(self, account: str) -> None:
        """Refuse an account that has been closed, or is not confirmed."""


class Ledger(Interface):
    """The entries."""

    @view
    def balance(self, account: str) -> int:
        """Tell what an account has to spend."""

    @action
    def spend(self, account: str, points: int, order: str) -> int:
        """Take points."""

    @action
    def refund(self, account: str, points: int, order: str) -> int:
        """Give points back."""


class Redemption(Interface):
    """What can be had, and the pool of money."""

    @view
    def item(self, code: str) -> dict:
        """Show what can be had."""

    @action
    def cover(self, reserved: int, paid: int) -> None:
        """Reserve, free or pay money."""


def check_digest(text: str, what: str) -> None:
    is_digest = len(text) == 64 and text.strip("0123456789abcdef") == ""
    require(is_digest, f"{what} is named by its SHA-256, in 64 small hex digits: the text itself stays outside")


class Cause(Record):
    """What points are given for; `state` is Open, Reserved, Delivered, Disputed or Returned."""

    item: str
    count: int
    goal: int  # points
    price: int  # fen, of the pool
    due: int  # to be reached, delivered, disputed or decided, as the state is
    state: str = "Open"
    given: int = 0
    givers: int = 0
    reserved_by: str = ""
    delivered_by: str = ""
    proof: str = ""
    decided_by: str = ""  # on a dispute
    reasons: str = ""


class Gift(Record):
    """What one resident gave; `state` is Given or Returned."""

    cause: str
    account: str
    points: int
    state: str = "Given"


class Giving(Contract):
    """Give contribution points away, so that somebody in need has what they buy.

    zh: 捐赠贡献积分，供有需要的人兑换。
    """

    catalogue = Value(str)
    accounts = Value(str)
    ledger = Value(str)
    redemption = Value(str)
    causes = Map(str, Cause)
    gifts = Map(int, Gift)
    gift_count = Value(int)
    has_given = Map((str, str), bool)  # cause, account

    def setup(self, catalogue: str, accounts: str, ledger: str, redemption: str) -> None:
        self.catalogue = catalogue
        self.accounts = accounts
        self.ledger = ledger
        self.redemption = redemption

    def require_role(self, role: str) -> None:
        has_role = Catalogue(self.catalogue).has_role(role, self.caller)
        require(has_role, f"only the role {role} may do this: the owner of the scheme grants it")

    def acts_for(self, account: str) -> bool:
        return Accounts(self.accounts).acts_for(account, self.caller)

    def later(self, clock: str) -> int:
        return self.now + Catalogue(self.catalogue).scheme()[clock]

    def found(self, code: str, states: tuple) -> Cause:
        require(code in self.causes, f"there is no cause {code}")
        cause = self.causes[code]
        wanted = ", ".join(states)
        require(cause.state in states, f"cause {code} is {cause.state}: this is done with one that is {wanted}")
        return cause

    def known_gift(self, number: int) -> Gift:
        require(number in self.gifts, f"there is no gift {number}")
        return self.gifts[number]

    def keep(self, code: str, cause: Cause, state: str) -> str:
        cause.state = state
        self.causes[code] = cause
        emit("Cause", code=code, given=cause.given, goal=cause.goal, state=state)
        return state

    # --- the safeguards

    def guard_own_will(self, account: str) -> None:
        """Only the resident gives the resident's points away: nobody is made to."""
        require(self.acts_for(account), "only the resident, a guardian or the desk gives points away")

    def guard_reached(self, cause: Cause) -> None:
        """Points of a cause buy something only when they are enough: until then they are their givers'."""
        missing = cause.goal - cause.given
        require(missing <= 0, f"{missing} points are missing: until then whoever gave may take it back")

    def guard_unnamed(self, givers: int) -> None:
        """A number of givers is shown from ten on: fewer could be one of them."""
        require(givers >= LEAST_SHOWN, f"fewer than {LEAST_SHOWN} residents: a total over so few is not shown")

    # --- the cause

    @action
    def open_cause(self, code: str, item: str, count: int, until: int) -> None:
        """Let points be given for so many of one thing on the list, until a time; who needs it is named nowhere.

        zh: 发起捐赠：列明项目、数量和截止时间；受助者不在链上列名。
        """
        self.require_role("treasurer")
        require(Catalogue(self.catalogue).scheme()["gifts"], "this scheme has no gifts: points stay whose they are")
        is_word = 1 <= len(code) <= MAX_CODE and code.strip(SIGNS) == ""
        require(is_word, f"a cause is named by 1 to {MAX_CODE} of a-z, 0-9 and dash")
        require(code not in self.causes, f"there was a cause {code}: each has a code of its own")
        require(1 <= count <= MAX_COUNT, f"a cause is for 1 to {MAX_COUNT} of something")
        require(until > self.now, "a cause ends in the future")
        known = Redemption(self.redemption).item(item)
        require(known["is_listed"], f"there is no {item} on the list")
        goal, price = count * known["points"], count * known["price"]
        self.keep(code, Cause(item=item, count=count, goal=goal, price=price, due=until), "Open")

    @action
    def give(self, account: str, cause: str, points: int) -> int:
        """Give points for a cause, no more than are missing; returns the number of the gift.

        zh: 为某项捐赠捐出积分，不超过尚缺的数量；返回捐赠编号。
        """
        self.guard_own_will(account)
        Accounts(self.accounts).require_taking_part(account)
        known, code = self.found(cause, ("Open",)), cause
        require(self.now <= known.due, "this cause has ended: what was given comes back")
        points = min(points, known.goal - known.given)
        require(points > 0, "a gift is more than nothing, and a cause that has enough takes no more")
        balance = Ledger(self.ledger).balance(account)
        require(balance >= points, f"{points} points are to be given and {balance} are in effect")
        number = self.gift_count + 1
        self.gift_count = number
        self.gifts[number] = Gift(cause=code, account=account, points=points)
        if (code, account) not in self.has_given:
            self.has_given[(code, account)] = True
            known.givers += 1
        known.given += points
        Ledger(self.ledger).spend(account, points, f"gift-{number}")
        self.keep(code, known, "Open")
        return number

    @action
    def take_back(self, number: int) -> None:
        """Take a gift back: whoever gave it while its cause is open; anybody, for who gave, when it came to nothing.

        zh: 收回捐赠：募集期内本人可随时收回；未达成的，任何人均可代为退还。
        """
        gift = self.known_gift(number)
        require(gift.state == "Given", f"gift {number} was given back")
        cause = self.found(gift.cause, ("Open", "Returned"))
        is_nothing = cause.state == "Returned"
        require(is_nothing or self.acts_for(gift.account), "only who gave takes a gift back while its cause is open")
        Accounts(self.accounts).require_taking_part(gift.account)
        gift.state = "Returned"
        self.gifts[number] = gift
        cause.given -= gift.points
        Ledger(self.ledger).refund(gift.account, gift.points, f"gift-{number}")
        self.keep(gift.cause, cause, cause.state)

    # --- what it buys

    @action
    def reserve(self, cause: str) -> str:
        """Reserve the money for a cause for which enough was given; from now on nothing is taken back.

        zh: 捐赠达标后预留资金；此后不可收回。
        """
        self.require_role("treasurer")
        known = self.found(cause, ("Open",))
        require(self.now <= known.due, "this cause has ended: what was given comes back")
        self.guard_reached(known)
        Redemption(self.redemption).cover(known.price, 0)
        known.reserved_by = self.caller
        known.due = self.later("order_ms")
        return self.keep(cause, known, "Reserved")

    @action
    def deliver(self, cause: str, proof: str) -> str:
        """Say that those in need have what was given for, with the digest of the proof; the pool pays.

        zh: 登记已交付给有需要的人及凭证摘要；由资金池付款。
        """
        self.require_role("provider")
        known = self.found(cause, ("Reserved",))
        require(known.reserved_by != self.caller, "who reserved an order does not fulfil it: another person has to")
        check_digest(proof, "the proof of delivery")
        Redemption(self.redemption).cover(-known.price, known.price)
        known.delivered_by = self.caller
        known.proof = proof
        known.due = self.later("order_ms")
        return self.keep(cause, known, "Delivered")

    @action
    def dispute(self, gift: int) -> str:
        """Say, in time and once, as one who gave, that nobody was helped.

        zh: 捐赠人在期限内提出未实际交付的争议，以一次为限。
        """
        known = self.known_gift(gift)
        cause = self.found(known.cause, ("Delivered",))
        until = cause.due
        require(self.acts_for(known.account), "only who gave disputes what became of it")
        require(cause.decided_by == "", "the dispute about this cause was decided")
        require(self.now <= until, f"a cause is disputed until {until}, while somebody remembers it")
        cause.due = self.later("review_ms")
        return self.keep(known.cause, cause, "Disputed")

    @action
    def decide(self, cause: str, is_returned: bool, reasons: str) -> str:
        """Decide on a disputed cause, with reasons; where it is returned, money and points go back.

        zh: 说明理由，对有争议的捐赠作出裁决；裁定退还的，资金和积分均退回。
        """
        self.require_role("reviewer")
        known = self.found(cause, ("Disputed",))
        require(self.caller == self.signer, "a person decides and signs: a contract cannot do it instead")
        has_part = self.caller in (known.reserved_by, known.delivered_by) or (cause, self.caller) in self.has_given
        require(not has_part, "who handled a cause, or gave for it, does not decide on it")
        until = known.due
        require(self.now <= until, f"this had to be decided until {until}: anybody may now have it returned")
        check_digest(reasons, "the reasons of a decision")
        known.decided_by = self.caller
        known.reasons = reasons
        return self.close(cause, known) if is_returned else self.keep(cause, known, "Delivered")

    @action
    def end(self, cause: str) -> str:
        """Say that a cause was not reached, delivered or decided on in time: everything goes back. Anybody may do this.

        zh: 逾期未达成、未交付或争议未裁决的，全部退还；任何人均可操作。
        """
        known = self.found(cause, ("Open", "Reserved", "Disputed"))
        until = known.due
        require(self.now > until, f"there is time until {until}")
        return self.close(cause, known)

    def close(self, code: str, cause: Cause) -> str:
        if cause.state == "Reserved":
            Redemption(self.redemption).cover(-cause.price, 0)
        elif cause.state == "Disputed":
            Redemption(self.redemption).cover(0, -cause.price)
        return self.keep(code, cause, "Returned")

    # --- what can be read

    @view
    def cause(self, code: str) -> dict:
        """Show a cause: what it is for, what was given and what is missing; who gave is not in it.

        zh: 查询捐赠项目：用途、已捐与尚缺；不显示捐赠人。
        """
        require(code in self.causes, f"there is no cause {code}")
        cause = self.causes[code]
        return {
            "item": cause.item,
            "count": cause.count,
            "goal": cause.goal,
            "given": cause.given,
            "state": cause.state,
            "due": cause.due,
            "proof": cause.proof,
            "reasons": cause.reasons,
        }

    @view
    def causes_listed(self, start: int = 0, limit: int = 100) -> list[str]:
        """List the codes of the causes.

        zh: 分页列出捐赠项目代码。
        """
        return self.causes.keys(start, limit)

    @view
    def givers(self, code: str) -> int:
        """Tell how many have given for a cause, unless they are too few.

        zh: 查询捐赠人数；人数过少时不显示。
        """
        require(code in self.causes, f"there is no cause {code}")
        self.guard_unnamed(self.causes[code].givers)
        return self.causes[code].givers

    @view
    def gift(self, number: int) -> Gift:
        """Show a gift.

        zh: 查询一笔捐赠。
        """
        return self.known_gift(number)
