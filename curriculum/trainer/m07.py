"""M7: what stays with the trainer."""

from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m07 import owners
from minichain.course.trainer import Bot, Key
from minichain.scenarios import comparison

COUNTED = {
    "database": (1, 1),
    "private chain": (1, 1),
    "four towns": (2, 3),
    "nine computers of two owners": (1, 2),
}
KINDS = {
    "bureau": "database",
    "hospital": "private",
    "towns": "alliance",
    "suppliers": "open_alliance",
    "services": "public_consortium",
    "strangers": "public",
}
MET = {
    "own list": {"kind": "database"},
    "four towns": {"kind": "alliance", "validators": 4, "owners": 4},
    "notice board": {"kind": "open_alliance", "validators": 4, "owners": 4},
    "two may leave": {"kind": "alliance", "validators": 7, "owners": 7},
    "nine computers": {"kind": "open_alliance", "validators": 9, "owners": 5},
}
FOR_THE_PUBLIC = {
    **MET,
    "notice board": {"kind": "public_consortium", "validators": 4, "owners": 4},
    "nine computers": {"kind": "public_consortium", "validators": 9, "owners": 5},
}

E2_HIDDEN = Exercise("m07.e2", expects=dict)


@E2_HIDDEN.part
def the_largest_owner_really_leaves(answer):
    """Switch the largest owner's computers off: what no single owner can stop goes on."""
    for card in ("four towns", "notice board", "nine computers"):
        design = answer[card]
        tried = comparison.attack(design["kind"], "stop", design["validators"], design["owners"])
        if tried["happened"] != "went on":
            halt = owners(design["kind"], design["validators"], design["owners"])[0]
            return miss("too_few_owners", card=card, halt=halt, computers=design["validators"])
    return None


KEYS = {
    "m07.p1": Key(
        solutions=(COUNTED, {name: list(said) for name, said in COUNTED.items()}),
        bots=(
            Bot({**COUNTED, "four towns": (2, 2, 3)}, "two_numbers"),
            Bot({**COUNTED, "four towns": (0, 3)}, "nobody_can_stop"),
            Bot({**COUNTED, "four towns": (2, 0)}, "nobody_to_trust"),
            Bot({**COUNTED, "private chain": (2, 3)}, "chain_protects"),
            Bot({**COUNTED, "nine computers of two owners": (3, 7)}, "computers_counted"),
            Bot({**COUNTED, "four towns": (2, 2)}, "miscounted"),
        ),
    ),
    "m07.e1": Key(
        solutions=(KINDS, dict(reversed(KINDS.items()))),
        bots=(
            Bot({**KINDS, "bureau": "sqlite"}, "no_kind"),
            Bot({**KINDS, "towns": "database"}, "no_coin"),
            Bot({**KINDS, "suppliers": "public", "services": "public"}, "mines"),
            Bot({**KINDS, "hospital": "alliance", "towns": "private"}, "rights"),
        ),
    ),
    "m07.e2": Key(
        solutions=(MET, FOR_THE_PUBLIC),
        bots=(
            Bot({**MET, "own list": {"kind": "spreadsheet"}}, "not_a_design"),
            Bot({**MET, "four towns": {"kind": "private", "validators": 4}}, "one_rewrites"),
            Bot({**MET, "nine computers": {"kind": "open_alliance", "validators": 9, "owners": 2}}, "too_few_owners"),
            Bot({**MET, "notice board": {"kind": "public", "validators": 4}}, "mined"),
            Bot({**MET, "notice board": MET["four towns"]}, "who_may"),
            Bot({**MET, "own list": {"kind": "private", "validators": 4}}, "computers"),
            Bot({**MET, "nine computers": {"kind": "open_alliance", "validators": 9, "owners": 6}}, "owners_to_spare"),
        ),
        hidden=E2_HIDDEN,
    ),
}
