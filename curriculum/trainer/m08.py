"""M8: what stays with the trainer."""

from minichain.contracts.testing import reverts
from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m08 import (
    DEPOSITS,
    FEES,
    LOCKERS,
    LOWERS,
    VOUCHERS,
    attacked,
    contract_exercise,
    played,
)
from minichain.course.trainer import Bot, Key

CALLS = 300

VOUCHERS_TEXT = '''from minichain.contracts.api import Contract, Map, Value, action, require


class Vouchers(Contract):
    """Meal vouchers: the office issues them, and whoever has some moves them on."""

    office = Value(str)
    held = Map(str, int)

    def setup(self) -> None:
        self.office = self.caller

    @action
    def issue(self, to: str, amount: int) -> None:
        """Issue vouchers; only the office does that."""
        require(self.caller == self.office, "office only")
        require(amount > 0, "too few")
        self.held[to] = self.held.get(to, 0) + amount

    @action
    def move(self, owner: str, to: str, amount: int) -> None:
        """Move vouchers; only their owner does that."""
        require(self.caller == owner, "owner only")
        require(0 < amount <= self.held.get(owner, 0), "too few")
        self.held[owner] -= amount
        self.held[to] = self.held.get(to, 0) + amount
'''
OFFICE_ONLY = '        require(self.caller == self.office, "office only")\n'
OWNER_ONLY = '        require(self.caller == owner, "owner only")\n'
VOUCHERS_BUGGY = VOUCHERS_TEXT.replace(OFFICE_ONLY, "").replace(OWNER_ONLY, "")
WITH_IFS = VOUCHERS_TEXT.replace(
    OFFICE_ONLY, '        if self.caller != self.office:\n            require(False, "office only")\n'
).replace("self.held[owner] -= amount", "self.held[owner] = self.held[owner] - amount")

LOCKERS_TEXT = '''from minichain.contracts.api import Contract, Map, action, require


class Lockers(Contract):
    """Deposits for lockers, which people hand over to each other."""

    held = Map(str, int)

    @action
    def pay_in(self, amount: int) -> None:
        """Pay in a deposit."""
        require(amount > 0, "too few")
        self.held[self.caller] = self.held.get(self.caller, 0) + amount

    @action
    def hand_over(self, to: str) -> None:
        """Hand all that one has over to somebody else."""
        amount = self.held.get(self.caller, 0)
        require(amount > 0, "too few")
        self.held[self.caller] = 0
        self.held[to] = self.held.get(to, 0) + amount
'''
CLEARS = "        self.held[self.caller] = 0\n"
PAYS = "        self.held[to] = self.held.get(to, 0) + amount\n"
LOCKERS_BUGGY = LOCKERS_TEXT.replace(CLEARS + PAYS, PAYS + CLEARS)
NOT_TO_ONESELF = LOCKERS_BUGGY.replace(
    'require(amount > 0, "too few")\n' + PAYS, 'require(amount > 0 and to != self.caller, "too few")\n' + PAYS
)

FEES_TEXT = '''from minichain.contracts.api import Contract, Map, Value, action, require


class Market(Contract):
    """Payments on a market; the office gets three of a hundred."""

    office = Value(str)
    held = Map(str, int)

    def setup(self) -> None:
        self.office = self.caller

    @action
    def pay_in(self, amount: int) -> None:
        """Pay in cash at the desk."""
        require(amount > 0, "too few")
        self.held[self.caller] = self.held.get(self.caller, 0) + amount

    @action
    def pay(self, to: str, amount: int) -> None:
        """Pay somebody; three of a hundred go to the office."""
        require(0 < amount <= self.held.get(self.caller, 0), "too few")
        fee = amount * 3 // 100
        self.held[self.caller] -= amount
        self.held[to] = self.held.get(to, 0) + amount - fee
        self.held[self.office] = self.held.get(self.office, 0) + fee
'''
SHARE = "amount - fee"
FEES_BUGGY = FEES_TEXT.replace(SHARE, "amount * 97 // 100")
ROUNDED_UP = FEES_TEXT.replace("fee = amount * 3 // 100", "fee = amount - amount * 97 // 100")
BOTH_UP = FEES_BUGGY.replace("fee = amount * 3 // 100", "fee = (amount * 3 + 99) // 100").replace(
    "amount * 97 // 100", "(amount * 97 + 99) // 100"
)
FLOATS = FEES_TEXT.replace("amount * 3 // 100", "amount * 0.03")
NO_FEE = FEES_TEXT.replace("amount * 3 // 100", "amount * 3 // 100 if amount > 99 else 0")
ALL_SMALL = FEES_TEXT.replace("amount * 3 // 100", "amount * 3 // 100 if amount > 99 else amount")


def attack(deposits, other):
    deposits.pay_in(10)
    deposits.pass_on(deposits.sender, 4)
    assert deposits.sum_held() == 10


def attack_with_a_friend(deposits, other):
    deposits.pay_in(7)
    for who in (other, deposits.sender):
        deposits.pass_on(who, 1)
        assert deposits.sum_held() == deposits.sum_paid_in()


def code_on_the_chain_is_right(deposits, other):
    deposits.pay_in(10)


def an_honest_day(deposits, other):
    deposits.pay_in(10)
    deposits.pass_on(other, 4)
    assert deposits.sum_held() == 10


def against_everything(deposits, other):
    raise AssertionError("it is broken")


def must_be_refused(deposits, other):
    deposits.pay_in(10)
    with reverts("to oneself"):
        deposits.pass_on(deposits.sender, 4)


def with_nothing_paid_in(deposits, other):
    deposits.pass_on(deposits.sender, 4)
    assert deposits.sum_held() == 0


def long_games(rules, id):
    """Judge a contract by three hundred calls, in games that nobody has seen."""
    exercise = Exercise(id, expects=str)

    @exercise.part
    def three_hundred_calls(source):
        return next(filter(None, (played(source, rules, seed, CALLS) for seed in (101, 102))), None)

    exercise.parts += contract_exercise(id, rules).parts
    return exercise


MAKES_MONEY = DEPOSITS.format(
    first="theirs = self.held.get(to, 0)\n        " + LOWERS, then="self.held[to] = theirs + amount"
)
E4_HIDDEN = Exercise("m08.e4", expects=callable)


@E4_HIDDEN.part
def money_out_of_nothing(attack):
    return None if isinstance(attacked(MAKES_MONEY, attack), AssertionError) else miss("sees_nothing")


CLAUSES = {"done": {"again", "late", "negative", "visitor"}, "mended_by": {"office"}, "undone": False}

KEYS = {
    "m08.p1": Key(
        solutions=(CLAUSES, CLAUSES | {"done": ["late", "again", "visitor", "negative"], "mended_by": ["office"]}),
        bots=(
            Bot(CLAUSES | {"done": {"negative"}}, "words_only"),
            Bot(CLAUSES | {"done": set()}, "words_only"),
            Bot(CLAUSES | {"mended_by": set()}, "never_mended"),
            Bot(CLAUSES | {"mended_by": {"office", "visitor"}}, "anybody_mends"),
            Bot(CLAUSES | {"undone": True}, "undone"),
            Bot(CLAUSES | {"done": {"cheat"}}, "nothing_like_that"),
        ),
    ),
    "m08.e1": Key(
        solutions=(VOUCHERS_TEXT, WITH_IFS),
        bots=(
            Bot(VOUCHERS_BUGGY, "stranger_made"),
            Bot(VOUCHERS_TEXT.replace(OFFICE_ONLY, ""), "stranger_made"),
            Bot(VOUCHERS_TEXT.replace(OWNER_ONLY, ""), "stolen"),
            Bot(VOUCHERS_TEXT.replace("self.caller == owner", "owner == owner"), "stolen"),
            Bot(VOUCHERS_TEXT.replace("self.caller == owner", "self.caller == self.office"), "too_strict"),
            Bot(VOUCHERS_TEXT.replace("amount > 0", "amount >= 0"), "too_lax"),
            Bot(VOUCHERS_TEXT.replace("class Vouchers", "import time\n\n\nclass Vouchers"), "not_deployed"),
        ),
        hidden=long_games(VOUCHERS, "m08.e1"),
        equivalent=("'office onl'", "'owner onl'", "'too fe'", "get(owner, 1)", "get(owner, -1)"),
    ),
    "m08.e2": Key(
        solutions=(LOCKERS_TEXT, NOT_TO_ONESELF),
        bots=(
            Bot(LOCKERS_BUGGY, "not_conserved"),
            Bot(LOCKERS_TEXT.replace(CLEARS, ""), "wrong_books"),
            Bot(LOCKERS_TEXT.replace('        require(amount > 0, "too few")\n', ""), "too_lax"),
            Bot(LOCKERS_TEXT.replace("amount > 0", "amount > 5"), "too_strict"),
        ),
        hidden=long_games(LOCKERS, "m08.e2"),
        equivalent=("'too fe'", "amount = self.held.get(self.caller, -1)"),
    ),
    "m08.e3": Key(
        solutions=(FEES_TEXT, ROUNDED_UP),
        bots=(
            Bot(FEES_BUGGY, "not_conserved"),
            Bot(BOTH_UP, "not_conserved"),
            Bot(FLOATS, "not_deployed"),
            Bot(FEES_TEXT.replace("3 // 100", "3 // 10"), "wrong_books"),
            Bot(ALL_SMALL, "unfair"),
        ),
        hidden=long_games(FEES, "m08.e3"),
        equivalent=("'too fe'",),
    ),
    "m08.e4": Key(
        solutions=(attack, attack_with_a_friend),
        bots=(
            Bot(code_on_the_chain_is_right, "sees_nothing"),
            Bot(an_honest_day, "sees_nothing"),
            Bot(against_everything, "cries_wolf"),
            Bot(must_be_refused, "cries_wolf"),
            Bot(with_nothing_paid_in, "stumbles"),
        ),
        hidden=E4_HIDDEN,
        equivalent=("deposits.sender, 5", "deposits.sender, 3", "pay_in(8)", "pay_in(6)", "who, 2"),
    ),
}
