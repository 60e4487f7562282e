"""M1: what stays with the trainer."""

from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m01 import CASES as CARDS
from minichain.course.trainer import Bot, Key
from minichain.scenarios.need import RUNGS, YES, data

CASES = tuple(CARDS)
SORTED = {
    "manifests": "alliance: open",
    "receivables": "alliance: open",
    "claims": "public: open",
    "invoices": "log: keeper",
    "settlement": "database: modest",
    "rooms": "database: conflict",
    "addresses": "database: conflict",
    "neighbours": "process: record",
    "land": "log: keeper",
    "procurement": "log: keeper",
    "minutes": "log: writers",
    "cameras": "database: modest",
}
OTHERWISE = SORTED | {
    "manifests": "alliance: keeper",
    "receivables": "alliance: keeper",
    "rooms": "database: history",
    "addresses": "database: history",
}


def sorted_with(*cards, as_="alliance: open"):
    return SORTED | dict.fromkeys(cards, as_)


MONEY = sorted_with("invoices", "settlement", as_="public: open") | dict.fromkeys(CASES[-4:], "database: conflict")
NEVER = sorted_with("manifests", "receivables", "claims", "settlement", "rooms", as_="log: keeper")
ALWAYS_PUBLIC = sorted_with(*CASES, as_="public: open")
ANY_QUESTION = {card: answer.partition(":")[0] + ": digital" for card, answer in SORTED.items()}


def simplest(answers):
    left = "public" if answers.get("open") == "yes" else "alliance"
    for question in data().question:
        if answers.get(question.id) != "yes" and RUNGS.index(question.cap) < RUNGS.index(left):
            left = question.cap
    return left


def simplest_by_sorting(answers):
    caps = [RUNGS.index(question.cap) for question in data().question if answers.get(question.id) != YES]
    caps.append(4 if answers.get("open") == YES else 3)
    return RUNGS[min(caps)]


def never_a_chain(answers):
    return min(simplest(answers), "log", key=RUNGS.index)


def several_write(answers):
    return "alliance" if answers.get("writers") == "yes" else simplest(answers)


def only_no_counts(answers):
    return simplest({name: "yes" if answer == "unsure" else answer for name, answer in answers.items()})


def the_first_no(answers):
    first = next((one.cap for one in data().question if answers.get(one.id) != "yes"), None)
    return first or simplest(answers)


def always_members(answers):
    return simplest({**answers, "open": "no"})


def anybody_is_public(answers):
    return "public" if answers.get("open") == "yes" else simplest(answers)


# Four cases that nobody has seen: a kiosk of one office, cold chains between rivals, a lottery of parking places, and
# the deposit on bottles of a whole country. The answers are the panel's.
NEW = {
    "kiosk": ({"record": "yes", "writers": "no", "conflict": "no", "history": "no"}, "database"),
    "vaccines": ({question.id: "yes" for question in data().question} | {"open": "no"}, "alliance"),
    "parking": ({question.id: "yes" for question in data().question} | {"writers": "no", "keeper": "no"}, "log"),
    "bottles": ({question.id: "yes" for question in data().question} | {"keeper": "unsure", "open": "yes"}, "log"),
}
E2_HIDDEN = Exercise("m01.e2", expects=callable)


@E2_HIDDEN.each(NEW)
def a_new_card(rule, id):
    answers, panel = NEW[id]
    said = rule(answers)
    return None if said == panel else miss("not_the_lowest", said=said, wanted=panel, no=id)


KEYS = {
    "m01.e1": Key(
        solutions=(SORTED, OTHERWISE),
        bots=(
            Bot(sorted_with("rooms", "addresses", "neighbours", "land", "procurement"), "sharing"),
            Bot(sorted_with("land", "procurement", "minutes", "cameras", "settlement"), "trustless"),
            Bot(MONEY, "coin"),
            Bot(NEVER, "no_keeper"),
            Bot(ALWAYS_PUBLIC, "another_rung"),
            Bot(ANY_QUESTION, "another_question"),
        ),
    ),
    "m01.e2": Key(
        solutions=(simplest, simplest_by_sorting),
        bots=(
            Bot(never_a_chain, "never"),
            Bot(several_write, "sharing"),
            Bot(only_no_counts, "doubt"),
            Bot(always_members, "open"),
            Bot(anybody_is_public, "open_is_enough"),
            Bot(the_first_no, "not_the_lowest"),
        ),
        hidden=E2_HIDDEN,
        equivalent=("<= RUNGS.index(left)",),  # the same rung again
    ),
}
