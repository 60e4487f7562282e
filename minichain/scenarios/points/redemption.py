# mypy: disable-error-code="type-arg,no-any-return,empty-body"
"""What points are good for: a pool of money that is never promised twice, and orders that end in goods or a refund.

Points of an order are taken when it is reserved, and given back when it is not fulfilled. Each state of an order has a
clock, and after it anybody may cancel what nobody answered. What everybody has a right to is never on the list.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Interface, Map, Record, Value, action, emit, require, view

MAX_CODE = 40
MAX_FIGURE = 1_000_000_000_000
SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789-"


class Catalogue(Interface):
    """The rules."""

    @view
    def has_role(self, role: str, account: str) -> bool:
        """Tell whether an account has a task."""

    @view
    def scheme(self) -> dict:
        """Tell the clocks and limits of the scheme."""

    @view
    def is_use(self, use: str) -> bool:
        """Tell whether points are for this."""

    @view
    def period(self, kind: str, at: int) -> int:
        """Number the day, month or quarter of a time."""


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

    @view
    def earned(self, account: str) -> int:
        """Tell what an account has ever earned."""

    @action
    def spend(self, account: str, points: int, order: str) -> int:
        """Take points."""

    @action
    def refund(self, account: str, points: int, order: str) -> int:
        """Give points back."""


def check_digest(text: str, what: str) -> None:
    is_digest = len(text) == 64 and text.strip("0123456789abcdef") == ""
    require(is_digest, f"{what} is named by its SHA-256, in 64 small hex digits: the text itself stays outside")


class Item(Record):
    """What can be had: for how many points, what it costs the pool in fen, and for which use of points."""

    points: int
    price: int
    use: str
    is_listed: bool = True


class Pool(Record):
    """Money for rewards, in fen: what came in, what is promised, what was paid out."""

    funded: int = 0
    reserved: int = 0
    paid: int = 0


class Order(Record):
    """An order; `state` is Requested, Reserved, Fulfilled, Cancelled or Disputed."""

    account: str
    item: str
    points: int
    price: int
    quarter: int
    requested_at: int
    state: str = "Requested"
    reserved_by: str = ""
    due: int = 0  # to be reserved, fulfilled, disputed or decided, as the state is
    fulfilled_by: str = ""
    proof: str = ""
    decided_by: str = ""  # on a dispute
    reasons: str = ""


class Redemption(Contract):
    """Redeem contribution points from a pool of money.

    zh: 用资金池兑换贡献积分。
    """

    catalogue = Value(str)
    accounts = Value(str)
    ledger = Value(str)
    giving = Value(str)
    pool_now = Value(Pool)
    items = Map(str, Item)
    orders = Map(int, Order)
    order_count = Value(int)
    in_quarter = Map((str, int), int)  # account, quarter -> orders

    def setup(self, catalogue: str, accounts: str, ledger: str, giving: str) -> None:
        self.catalogue = catalogue
        self.accounts = accounts
        self.ledger = ledger
        self.giving = giving

    def require_role(self, role: str) -> None:
        has_role = Catalogue(self.catalogue).has_role(role, self.caller)
        require(has_role, f"only the role {role} may do this: the owner of the scheme grants it")

    def found(self, number: int, states: tuple) -> Order:
        require(number in self.orders, f"there is no order {number}")
        order = self.orders[number]
        wanted = ", ".join(states)
        require(order.state in states, f"order {number} is {order.state}: this is done with one that is {wanted}")
        return order

    def keep(self, number: int, order: Order, state: str) -> str:
        order.state = state
        self.orders[number] = order
        emit("Order", number=number, account=order.account, item=order.item, state=state)
        return state

    # --- the safeguards

    def guard_no_basic_right(self, use: str) -> None:
        """What everybody has a right to is not a reward: nobody is refused it for lack of points."""
        require(Catalogue(self.catalogue).is_use(use), f"{use} is outside the purpose of the scheme, or a basic right")

    def guard_pool(self, pool: Pool) -> None:
        """No more is promised than there is."""
        left = pool.funded - pool.paid - pool.reserved
        require(left >= 0, "the pool does not cover this: fund it first, nothing is promised twice")

    def guard_covered(self, order: Order) -> None:
        """Only points that have taken effect are spent: those that are waiting or objected to are not."""
        balance, needed = Ledger(self.ledger).balance(order.account), order.points
        require(
            balance >= needed, f"{needed} points are needed and {balance} are in effect; suspended ones do not count"
        )

    def guard_two_hands(self, order: Order) -> None:
        """Who promises the money does not hand out the goods."""
        require(order.reserved_by != self.caller, "who reserved an order does not fulfil it: another person has to")

    def guard_fresh(self, order: Order) -> None:
        """What was asked for too long ago is not taken points for: the resident has given it up, and asks anew."""
        until = order.due
        require(self.now <= until, f"this had to be answered until {until}: anybody may cancel it, to be asked anew")

    # --- the office

    @action
    def fund(self, amount: int, reference: str) -> int:
        """Put money into the pool, in fen, with the digest of the document; returns what was funded in all.

        zh: 向资金池注资（分），附凭证摘要；返回注资总额。
        """
        self.require_role("treasurer")
        require(1 <= amount <= MAX_FIGURE, "an amount is more than nothing")
        check_digest(reference, "the document of a funding")
        pool = self.pool_now
        pool.funded += amount
        self.pool_now = pool
        emit("Funded", amount=amount, funded=pool.funded)
        return pool.funded

    @action
    def list_item(self, code: str, points: int, price: int, use: str, is_listed: bool = True) -> None:
        """Put something on the list of what can be had, change it, or take it off; orders keep their terms.

        zh: 将兑换项目上架、修改或下架；已有订单不变。
        """
        self.require_role("treasurer")
        is_word = 1 <= len(code) <= MAX_CODE and code.strip(SIGNS) == ""
        require(is_word, f"an item is named by 1 to {MAX_CODE} of a-z, 0-9 and dash")
        require(1 <= points <= MAX_FIGURE and 0 <= price <= MAX_FIGURE, "an item has a price in points, and one in fen")
        self.guard_no_basic_right(use)
        self.items[code] = Item(points=points, price=price, use=use, is_listed=is_listed)
        emit("ItemListed", code=code, points=points, price=price, is_listed=is_listed)

    # --- orders

    @action
    def request(self, account: str, item: str) -> int:
        """Ask for something on the list; returns the number of the order.

        zh: 申请兑换某一项目；返回订单编号。
        """
        require(
            Accounts(self.accounts).acts_for(account, self.caller), "only the resident, a guardian or the desk orders"
        )
        Accounts(self.accounts).require_taking_part(account)
        require(item in self.items and self.items[item].is_listed, f"there is no {item} on the list")
        known, scheme = self.items[item], Catalogue(self.catalogue).scheme()
        least, most = scheme["redeem_from"], scheme["redeem_per_quarter"]
        quarter = Catalogue(self.catalogue).period(kind="quarter", at=self.now)
        earned, count = Ledger(self.ledger).earned(account), self.in_quarter.get((account, quarter), 0)
        require(earned >= least, f"this scheme redeems for who has earned {least} points, and {earned} are in effect")
        require(most == 0 or count < most, f"this scheme redeems {most} times in a quarter: the next one begins soon")
        order = Order(
            account=account, item=item, points=known.points, price=known.price, quarter=quarter, requested_at=self.now
        )
        order.due = self.now + scheme["order_ms"]
        self.guard_covered(order)
        number = self.order_count + 1
        self.order_count = number
        self.in_quarter[(account, quarter)] = count + 1
        self.keep(number, order, "Requested")
        return number

    @action
    def reserve(self, number: int) -> str:
        """Reserve money for an order, and take its points.

        zh: 为订单预留资金并扣取积分。
        """
        self.require_role("treasurer")
        order, pool = self.found(number, ("Requested",)), self.pool_now
        Accounts(self.accounts).require_taking_part(order.account)
        self.guard_fresh(order)
        pool.reserved += order.price
        self.guard_pool(pool)
        self.guard_covered(order)
        self.pool_now = pool
        Ledger(self.ledger).spend(order.account, order.points, f"order-{number}")
        order.reserved_by = self.caller
        order.due = self.now + Catalogue(self.catalogue).scheme()["order_ms"]
        return self.keep(number, order, "Reserved")

    @action
    def fulfil(self, number: int, proof: str) -> str:
        """Say that an order was handed over, with the digest of the proof; the pool pays, and it may be disputed.

        zh: 登记订单已交付及凭证摘要；由资金池付款，此后居民可提出争议。
        """
        self.require_role("provider")
        order = self.found(number, ("Reserved",))
        self.guard_two_hands(order)
        check_digest(proof, "the proof of delivery")
        self.move(-order.price, order.price)
        order.fulfilled_by = self.caller
        order.due = self.now + Catalogue(self.catalogue).scheme()["order_ms"]
        order.proof = proof
        return self.keep(number, order, "Fulfilled")

    @action
    def cancel(self, number: int) -> str:
        """Cancel an order that is not fulfilled, as the resident at any time, as anybody when it is overdue.

        Overdue is what nobody has answered, delivered, or decided in a dispute, in time.

        zh: 取消未完成的订单：本人随时可取消；逾期未答复、未交付或争议逾期未裁决的，任何人均可取消。
        """
        order = self.found(number, ("Requested", "Reserved", "Disputed"))
        is_own = order.state != "Disputed" and Accounts(self.accounts).acts_for(order.account, self.caller)
        is_overdue = self.now > order.due
        require(is_own or is_overdue, "the resident cancels an order; anybody else only when it is overdue")
        if order.state == "Reserved":
            self.move(-order.price, 0)
        if order.state == "Disputed":
            self.move(0, -order.price)
        return self.give_back(number, order)

    @action
    def dispute(self, number: int) -> str:
        """Say, in time and once, as the resident, that what is called fulfilled was not received.

        zh: 居民在期限内声明未收到已登记交付的项目，以一次为限。
        """
        order = self.found(number, ("Fulfilled",))
        require(Accounts(self.accounts).acts_for(order.account, self.caller), "only the resident disputes an order")
        until = order.due
        require(order.decided_by == "", f"the dispute about order {number} was decided")
        require(self.now <= until, f"an order is disputed until {until}, while somebody remembers it")
        order.due = self.now + Catalogue(self.catalogue).scheme()["review_ms"]
        return self.keep(number, order, "Disputed")

    @action
    def decide(self, number: int, is_refunded: bool, reasons: str) -> str:
        """Decide on a disputed order, with reasons; a refund gives the points back, and the money to the pool.

        zh: 说明理由，对有争议的订单作出裁决；退款时积分退还、资金回到资金池。
        """
        self.require_role("reviewer")
        order = self.found(number, ("Disputed",))
        require(self.caller == self.signer, "a person decides and signs: a contract cannot do it instead")
        is_party = Accounts(self.accounts).acts_for(order.account, self.caller)
        has_part = is_party or self.caller in (order.reserved_by, order.fulfilled_by)
        require(not has_part, "who handled an order does not decide on it, nor who ordered it")
        until = order.due
        require(self.now <= until, f"this had to be decided until {until}: anybody may now have it refunded")
        check_digest(reasons, "the reasons of a decision")
        order.decided_by = self.caller
        order.reasons = reasons
        if not is_refunded:
            return self.keep(number, order, "Fulfilled")
        self.move(0, -order.price)
        return self.give_back(number, order)

    # --- for the contract of giving

    @action
    def cover(self, reserved: int, paid: int) -> None:
        """Reserve, free or pay money for what gifts have bought; only the contract of giving does this.

        zh: 为捐赠所换取的项目预留、释放或支付资金；仅捐赠合约可操作。
        """
        require(self.caller == self.giving, "only the contract of giving does this")
        self.move(reserved, paid)
        self.guard_pool(self.pool_now)

    def move(self, reserved: int, paid: int) -> None:
        pool = self.pool_now
        pool.reserved += reserved
        pool.paid += paid
        self.pool_now = pool

    def give_back(self, number: int, order: Order) -> str:
        """Give the points of an order back, and its place in the quarter."""
        if order.state != "Requested":
            Ledger(self.ledger).refund(order.account, order.points, f"order-{number}")
        place = (order.account, order.quarter)
        self.in_quarter[place] = self.in_quarter[place] - 1
        return self.keep(number, order, "Cancelled")

    # --- what can be read

    @view
    def pool(self) -> Pool:
        """Show the pool: funded, reserved, paid, in fen.

        zh: 查询资金池：注资、预留、已付（分）。
        """
        return self.pool_now

    @view
    def item(self, code: str) -> Item:
        """Show what can be had.

        zh: 查询兑换项目。
        """
        require(code in self.items, f"there is no {code} on the list")
        return self.items[code]

    @view
    def listed(self, start: int = 0, limit: int = 100) -> list[dict]:
        """List what can be had, with its code.

        zh: 分页列出可兑换的项目及代码。
        """
        page = self.items.items(start, limit)
        return [
            {"code": code, "points": item.points, "price": item.price, "use": item.use}
            for code, item in page
            if item.is_listed
        ]

    @view
    def all_orders(self, start: int = 0, limit: int = 50) -> list[dict]:
        """List one page of all orders, each with its number, the oldest first.

        zh: 分页列出全部订单及编号，最早的在前。
        """
        page = self.orders.items(start, limit)
        return [{"number": number, "order": order} for number, order in page]

    @view
    def order(self, number: int) -> Order:
        """Show an order.

        zh: 查询订单。
        """
        require(number in self.orders, f"there is no order {number}")
        return self.orders[number]
