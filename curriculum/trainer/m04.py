"""M4: what stays with the trainer."""

from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m04 import Book, first_accounts, orders_in, root_of, simulated
from minichain.course.trainer import Bot, Key


def apply_block(accounts, orders):
    after = dict(accounts)
    for order in orders:
        nonce, balance = after.get(order.sender, (0, 0))
        if order.nonce != nonce:
            raise ValueError(order)
        after[order.sender] = (nonce + 1, balance)
        tried = dict(after)
        for to, amount in order.transfers:
            nonce, balance = tried[order.sender]
            if not 0 < amount <= balance:
                break
            tried[order.sender] = (nonce, balance - amount)
            nonce, balance = tried.get(to, (0, 0))
            tried[to] = (nonce, balance + amount)
        else:
            after = tried
    return after


def in_two_books(accounts, orders):
    numbers = {who: nonce for who, (nonce, _) in accounts.items()}
    held = {who: balance for who, (_, balance) in accounts.items()}
    for sender, nonce, transfers in orders:
        if nonce != numbers.get(sender, 0):
            raise ValueError(nonce)
        numbers[sender] = nonce + 1
        copy = held.copy()
        for to, amount in transfers:
            if amount < 1 or amount > copy.get(sender, 0):
                copy = held
                break
            copy[sender] -= amount
            copy[to] = copy.get(to, 0) + amount
        held = copy
    return {who: (numbers.get(who, 0), held.get(who, 0)) for who in {**numbers, **held}}


def one_by_one(accounts, orders, *, checks=True, counts=True, whole=True, covers=True):
    """Apply a block as somebody does who leaves one rule out."""
    after = dict(accounts)
    for order in orders:
        nonce, balance = after.get(order.sender, (0, 0))
        if checks and order.nonce != nonce:
            raise ValueError(order)
        tried, is_done = dict(after), True
        for to, amount in order.transfers:
            number, balance = tried.get(order.sender, (0, 0))
            if covers and not 0 < amount <= balance:
                is_done = False
                break
            tried[order.sender] = (number, balance - amount)
            number, balance = tried.get(to, (0, 0))
            tried[to] = (number, balance + amount)
        after = tried if is_done or not whole else after
        if counts or is_done:
            after[order.sender] = (nonce + 1, after.get(order.sender, (0, 0))[1])
    return after


def the_validators_check_that(accounts, orders):
    return one_by_one(accounts, orders, checks=False)


def failed_is_no_transaction(accounts, orders):
    return one_by_one(accounts, orders, counts=False)


def as_far_as_it_goes(accounts, orders):
    return one_by_one(accounts, orders, whole=False)


def on_credit(accounts, orders):
    return one_by_one(accounts, orders, covers=False)


def a_bad_order_spoils_the_block(accounts, orders):
    for order in orders:
        if sum(amount for _, amount in order.transfers) > accounts.get(order.sender, (0, 0))[1]:
            raise ValueError(order)
    return one_by_one(accounts, orders)


def known_people_only(accounts, orders):
    return one_by_one(accounts, [order for order in orders if order.sender in accounts])


def in_place(accounts, orders):
    accounts.update(one_by_one(accounts, orders))
    return accounts


E1_HIDDEN = Exercise("m04.e1", expects=callable)


@E1_HIDDEN.part
def other_chains(apply):
    for seed in range(40, 43):
        genesis, blocks = simulated(seed)
        accounts = first_accounts(genesis)
        for block in blocks:
            accounts = apply(accounts, orders_in(block))
        if root_of(accounts, genesis) != blocks[-1].header.state_root.hex():
            return miss("root_differs", height=len(blocks))
    return None


@E1_HIDDEN.part
def two_failures_in_one_block(apply):
    book = Book("office A")
    before = book.accounts
    signed = [
        book.sign("office A", ("office B", amount), nonce=nonce) for nonce, amount in enumerate((101, 60, 60, 40))
    ]
    block, _ = book.grow(*signed)
    return None if apply(before, orders_in(block)) == book.accounts else miss("root_differs", height=1)


TRACE = {"A": 70, "B": 30, "C": 0, "in_block": 4, "nonce": 4, "checkers": {"validator", "auditor", "resident"}}

FATES = {
    "copy": "refused",
    "gap": "refused",
    "edited": "refused",
    "elsewhere": "refused",
    "expired": "refused",
    "too_much": "failed",
    "half": "failed",
    "no_contract": "failed",
    "typo": "done",
    "twice": "done",
    "thief": "done",
    "relative": "done",
}

KEYS = {
    "m04.p1": Key(
        solutions=(TRACE, TRACE | {"checkers": ["resident", "auditor", "validator"]}),
        bots=(
            Bot(TRACE | {"in_block": 2}, "left_out"),
            Bot(TRACE | {"nonce": 2}, "left_out"),
            Bot(TRACE | {"A": 50, "C": 20}, "half_done"),
            Bot(TRACE | {"A": 60}, "balances"),
            Bot(TRACE | {"checkers": {"validator"}}, "only_validators"),
        ),
    ),
    "m04.e1": Key(
        solutions=(apply_block, in_two_books),
        bots=(
            Bot(the_validators_check_that, "not_checked"),
            Bot(failed_is_no_transaction, "number_kept"),
            Bot(as_far_as_it_goes, "half_done"),
            Bot(on_credit, "overspent"),
            Bot(a_bad_order_spoils_the_block, "block_refused"),
            Bot(known_people_only, "newcomer"),
            Bot(in_place, "past_changed"),
        ),
        hidden=E1_HIDDEN,
    ),
    "m04.e2": Key(
        solutions=(FATES, {name: FATES[name] for name in reversed(FATES)}),
        bots=(
            Bot(FATES | dict.fromkeys(("typo", "twice", "thief", "relative"), "refused"), "unwanted"),
            Bot(FATES | dict.fromkeys(("copy", "edited", "expired"), "done"), "agreed_anyway"),
            Bot(FATES | dict.fromkeys(("copy", "gap", "elsewhere"), "failed"), "agreed_anyway"),
            Bot(FATES | dict.fromkeys(("too_much", "half", "no_contract"), "refused"), "left_out"),
            Bot(FATES | dict.fromkeys(("too_much", "half", "no_contract"), "done"), "took_effect"),
            Bot(FATES | dict.fromkeys(("typo", "thief", "copy"), "illegal"), "no_such_word"),
        ),
    ),
}
