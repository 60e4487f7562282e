"""M16: what stays with the trainer."""

from minichain.course.casebook import card, found, play
from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m16 import CLAIMS, SAFEGUARDS
from minichain.course.trainer import Bot, Key

GROWN = {"8 members": "square", "12 members": "square", "one away": 5, "two away": 0}
STEPS = {
    "sharing": (3, 5),
    "garment": (1, 3),
    "receivable": (2, 4),
    "evidence": (1, 4),
    "waybill": (3, 5),
    "remittance": (1, 5),
    "bill": (1, 5),
    "mutual": (1, 3),
    "fractions": (1, 3),
    "consent": (2, 5),
    "device": (4, 3),
}


def runs_of(id, seed):
    """Return the ids of three runs of a card: with all validators, with one away, and with two."""
    return [play(id, seed, away).id for away in (0, 1, 2)]


def claimed(id, seed):
    """Return what three runs of a card show."""
    return dict(zip(("used once", "one may be away", "two away, it waits"), runs_of(id, seed), strict=True))


PILOT = {
    "card": "receivable",
    "worksheet": dict(card("receivable").answers),
    "question": "Can rival banks see that an invoice is pledged, without one of them keeping the list?",
    "tried": runs_of("receivable", 7),
    "happened": claimed("receivable", 7),
    "surprise": "Both signatures on an invented delivery were genuine, and nothing turned red.",
    "safeguards": ["erasable", "settled"],
    "unproven": {
        "scale": "Four validators and five steps say nothing of 300 banks.",
        "rules": "Who admits a bank, and who throws one out, is not agreed.",
        "joining": "Nobody has counted what a small bank pays for its node.",
        "cost": "Three years of running it were not reckoned.",
    },
    "simpler": "log: a register of pledges at one office, if the banks would trust one",
    "decision": "pilot",
    "signer": "Head of the finance bureau",
}
REFUSED = {
    "card": "bill",
    "worksheet": dict(card("bill").answers),
    "question": "Does a chain stop a bill from being paid back twice?",
    "tried": runs_of("bill", 3),
    "happened": {"same state": runs_of("bill", 3)[0], **dict(list(claimed("bill", 3).items())[1:])},
    "surprise": "The tax office could refuse the second use by itself.",
    "safeguards": list(SAFEGUARDS),
    "unproven": {
        "scale": "All hospitals of a province at the end of a month",
        "rules": "Which office answers for a wrong bill",
        "joining": "How a village clinic without staff takes part",
        "cost": "Who pays for the connection",
    },
    "simpler": "log: the register of the tax office, signed daily",
    "decision": "no",
    "signer": "Deputy head, health commission",
}
E2_HIDDEN = Exercise("m16.e2", expects=dict)


@E2_HIDDEN.part
def claims_hold_with_another_seed(answer):
    """Judge each claim by the same run from another seed."""
    for name, id in answer["happened"].items():
        run = found(id)
        if not CLAIMS[name](play(run.card, run.seed + 100, run.away)):
            return miss("claim_fails", claim=name, run=id)
    return None


def without(brief, name):
    return {key: value for key, value in brief.items() if key != name}


def changed(name, value):
    return {**PILOT, name: value}


FIRST, SECOND, THIRD = PILOT["tried"]
BOTS = (
    Bot(changed("card", "bitcoin"), "no_card"),
    Bot(without(PILOT, "surprise"), "section_missing"),
    Bot(changed("tried", [FIRST, SECOND, "receivable-7-0-0000000000"]), "no_such_run"),
    Bot(changed("tried", [FIRST, SECOND, runs_of("bill", 7)[2]]), "other_card"),
    Bot(changed("tried", [FIRST, SECOND, SECOND]), "too_few_runs"),
    Bot(changed("happened", {**PILOT["happened"], "what is entered is true": FIRST}), "truth_claimed"),
    Bot(changed("happened", {"cheaper than a database": FIRST}), "no_check"),
    Bot(changed("happened", {"one may be away": THIRD}), "claim_fails"),
    Bot(changed("happened", {"used once": FIRST}), "run_for_nothing"),
    Bot(changed("worksheet", {**PILOT["worksheet"], "keeper": "unsure"}), "another_worksheet"),
    Bot(changed("decision", "perhaps"), "no_decision"),
    Bot(changed("decision", "go"), "pilot_is_enough"),
    Bot({**REFUSED, "decision": "pilot"}, "chain_anyway"),
    Bot(changed("simpler", "alliance: a chain of fewer members"), "not_simpler"),
    Bot(changed("unproven", {"cost": "Three years of running it were not reckoned."}), "nothing_open"),
    Bot(changed("safeguards", ["erasable", "honest"]), "no_safeguard"),
    Bot({**REFUSED, "safeguards": ["erasable", "settled"]}, "right_missing"),
    Bot(changed("signer", "me"), "too_short"),
    Bot(changed("signer", PILOT["surprise"]), "said_twice"),
)

KEYS = {
    "m16.p1": Key(
        solutions=(GROWN, dict(reversed(GROWN.items()))),
        bots=(
            Bot({**GROWN, "8 members": "same", "12 members": "same"}, "as_the_pilot"),
            Bot({**GROWN, "8 members": "members", "12 members": "members"}, "as_the_pilot"),
            Bot({**GROWN, "12 members": "nine times"}, "no_word"),
            Bot({**GROWN, "two away": 5}, "always_on"),
            Bot({**GROWN, "one away": 0}, "stops_early"),
        ),
    ),
    "m16.e1": Key(
        solutions=(STEPS, {name: list(steps) for name, steps in reversed(STEPS.items())}),
        bots=(
            Bot({**STEPS, "bill": (1,)}, "two_steps"),
            Bot({name: (refused, lie) for name, (lie, refused) in STEPS.items()}, "lie_is_refused"),
            Bot({**STEPS, "evidence": (1, 5)}, "not_refused"),
            Bot({**STEPS, "sharing": (1, 5)}, "no_lie"),
        ),
    ),
    "m16.e2": Key(solutions=(PILOT, REFUSED), bots=BOTS, hidden=E2_HIDDEN),
}
