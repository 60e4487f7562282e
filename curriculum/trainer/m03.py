"""M3: what stays with the trainer."""

from minichain.codec import encode
from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m03 import accepts, order_of
from minichain.course.trainer import Bot, Key


def words(order, chain_id, next_nonce):
    if order["chain_id"] != chain_id or order["nonce"] != next_nonce:
        return None
    return encode(order)


def words_of_this_ledger(order, chain_id, next_nonce):
    return encode([chain_id, next_nonce, order["to"], order["amount"]])


def only_the_amount(order, chain_id, next_nonce):
    return str(order["amount"]).encode()


def without_a_number(order, chain_id, next_nonce):
    return encode([chain_id, order["to"], order["amount"]])


def the_number_on_the_paper(order, chain_id, next_nonce):
    return encode(order) if order["chain_id"] == chain_id else None


def not_used_yet(order, chain_id, next_nonce):
    return encode(order) if order["chain_id"] == chain_id and order["nonce"] >= next_nonce else None


def without_the_payee(order, chain_id, next_nonce):
    return encode([chain_id, next_nonce, order["amount"]])


def without_the_amount(order, chain_id, next_nonce):
    return encode([chain_id, next_nonce, order["to"]])


def in_one_row(order, chain_id, next_nonce):
    return f"{chain_id}{next_nonce}{order['to']}{order['amount']}".encode()


def without_the_chain(order, chain_id, next_nonce):
    return encode([next_nonce, order["to"], order["amount"]])


def nothing_is_safe(order, chain_id, next_nonce):
    return None


E1_HIDDEN = Exercise("m03.e1", expects=callable)


@E1_HIDDEN.part
def a_number_that_begins_like_another(words):
    order = order_of(1, to="a", amount=1, nonce=1, chain_id="town")
    shown = order | {"chain_id": "town1", "nonce": 11}
    return miss("run_together", to="a") if accepts(words, shown, order, chain_id="town1", next_nonce=11) else None


@E1_HIDDEN.part
def the_hundredth_order(words):
    order = order_of(100, nonce=99)
    return None if accepts(words, order, order, next_nonce=99) else miss("true_refused", amount=order["amount"])


PLAN = {"guardians": ["city archive", "notary", "hospital"], "threshold": 2, "wait_days": 4, "if_stolen": "rotate"}

KEYS = {
    "m03.p1": Key(
        solutions=({"colleague", "thief"}, ["thief", "colleague"]),
        bots=(
            Bot({"thief"}, "person"),
            Bot({"colleague"}, "unhackable"),
            Bot({"colleague", "thief", "again"}, "no_guard"),
            Bot({"colleague", "thief", "old_key", "elsewhere"}, "no_guard"),
        ),
    ),
    "m03.e1": Key(
        solutions=(words, words_of_this_ledger),
        bots=(
            Bot(only_the_amount, "replayed"),
            Bot(without_a_number, "replayed"),
            Bot(the_number_on_the_paper, "replayed"),
            Bot(not_used_yet, "too_early"),
            Bot(without_the_payee, "payee_changed"),
            Bot(without_the_amount, "amount_changed"),
            Bot(in_one_row, "run_together"),
            Bot(without_the_chain, "elsewhere"),
            Bot(nothing_is_safe, "true_refused"),
        ),
        hidden=E1_HIDDEN,
    ),
    "m03.e2": Key(
        solutions=(PLAN, PLAN | {"guardians": ["notary", "deputy", "city archive"]}),
        bots=(
            Bot(PLAN | {"guardians": [], "threshold": 0}, "locked_out"),
            Bot(PLAN | {"guardians": ["own tablet", "deputy", "colleague"], "threshold": 3}, "in_the_bag"),
            Bot(PLAN | {"guardians": ["own tablet", "notary", "hospital"]}, "all_needed"),
            Bot(PLAN | {"guardians": ["deputy", "notary", "colleague"]}, "same_place"),
            Bot(PLAN | {"guardians": ["deputy", "notary", "head office"]}, "nobody_there"),
            Bot(PLAN | {"threshold": 3}, "all_needed"),
            Bot(PLAN | {"threshold": 1}, "one_is_enough"),
            Bot(PLAN | {"wait_days": 30}, "too_late"),
            Bot(PLAN | {"wait_days": 1}, "no_time"),
            Bot(PLAN | {"if_stolen": "recover"}, "thief_refuses"),
            Bot(PLAN | {"if_stolen": "nothing"}, "unhackable_plan"),
            Bot(PLAN | {"if_stolen": "call the helpdesk"}, "nothing_like_that"),
        ),
    ),
}
