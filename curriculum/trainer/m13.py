"""M13: what stays with the trainer."""

from minichain.course.exercise import Exercise
from minichain.course.exercises.m13 import CAUSES, some_day, wrong
from minichain.course.trainer import Bot, Key


def faults(forms, samples):
    sent = {number: form["lines"][0]["quantity"] for number, form in forms.items()}
    return {
        "nobody has it": {number for number, form in forms.items() if form["offered"]},
        "mass is missing": {n for n, form in forms.items() if any(one["open"] for one in form["discrepancies"])},
        "first weighing is false": {number for number, kg in samples.items() if kg > sent[number] * 1.1},
    }


def faults_by_hand(forms, samples):
    gaps, short, false = [], [], []
    for number, form in forms.items():
        line = form["lines"][0]
        if form["offered"] > 0:
            gaps.append(number)
        if "reported" in form["times"] and line["received"] < line["quantity"] * 97 / 100:
            short.append(number)
        if number in samples and abs(samples[number] - line["quantity"]) > 10:
            false.append(number)
    return {"nobody has it": gaps, "mass is missing": short, "first weighing is false": false}


def nothing_but_the_ledger(forms, samples):
    return {**faults(forms, samples), "first weighing is false": set()}


def by_state(forms, samples):
    return {**faults(forms, samples), "nobody has it": {n for n, one in forms.items() if one["state"] == "InTransit"}}


def all_that_is_on_its_way(forms, samples):
    ways = ("Scheduled", "InTransit")
    return {**faults(forms, samples), "nobody has it": {n for n, one in forms.items() if one["state"] in ways}}


def only_what_is_late(forms, samples):
    return {**faults(forms, samples), "nobody has it": {n for n, one in forms.items() if one["late"]}}


def signed_is_fine(forms, samples):
    return {**faults(forms, samples), "mass is missing": set()}


def not_a_gram(forms, samples):
    short = {n for n, one in forms.items() if one["lines"][0]["received"] < one["lines"][0]["quantity"]}
    return {**faults(forms, samples), "mass is missing": short}


def scales_are_exact(forms, samples):
    false = {n for n, kg in samples.items() if kg != forms[n]["lines"][0]["quantity"]}
    return {**faults(forms, samples), "first weighing is false": false}


E1_HIDDEN = Exercise("m13.e1", expects=callable)


@E1_HIDDEN.each(CAUSES)
def other_days(inspect, fault):
    return wrong(inspect, fault, [some_day(seed) for seed in range(100, 106)])


EXPECTED = {
    "into the truck": {"office", "truck"},
    "at the gate": {"truck", "plant"},
    "on the scale": {"plant"},
    "into a ditch": set(),
    "custody": "office",
}
SEEN = {
    "the plant weighs half of what was sent": "flagged",
    "no truck signs for what was handed over": "flagged",
    "the truck corrects the weight alone": "readable",
    "two of a hundred kilograms fall off the truck": "readable",
    "a third is taken out before the first weighing": "unseen",
    "half is dumped, and the plant writes what the driver says": "unseen",
    "a stranger drives, with the key of the truck": "unseen",
    "there are batteries in the bags": "unseen",
}

KEYS = {
    "m13.p1": Key(
        solutions=(EXPECTED, {**EXPECTED, "into the truck": ["truck", "office"], "into a ditch": []}),
        bots=(
            Bot({**EXPECTED, "into the truck": {"truck"}}, "one_side"),
            Bot({**EXPECTED, "on the scale": {"plant", "truck"}}, "scale"),
            Bot({**EXPECTED, "into a ditch": {"plant"}}, "ditch_signed"),
            Bot({**EXPECTED, "custody": "truck"}, "custody"),
        ),
    ),
    "m13.e1": Key(
        solutions=(faults, faults_by_hand),
        equivalent=(  # a manifest here has one line, a time is no 1, and no kilogram is on the edge
            *("['lines'][-1]", "form['offered'] > 1", ">= sent[number] * 1.1"),
            *(f"line['quantity']) {edge}" for edge in ("> 9", "> 11", ">= 10")),
        ),
        bots=(
            Bot(nothing_but_the_ledger, "ledger_believed"),
            Bot(by_state, "gap_missed"),
            Bot(only_what_is_late, "gap_missed"),
            Bot(all_that_is_on_its_way, "gap_invented"),
            Bot(signed_is_fine, "mass_missed"),
            Bot(not_a_gram, "mass_invented"),
            Bot(scales_are_exact, "sample_overdone"),
        ),
        hidden=E1_HIDDEN,
    ),
    "m13.e2": Key(
        solutions=(SEEN, dict(reversed(SEEN.items()))),
        bots=(
            Bot(dict.fromkeys(SEEN, "flagged"), "no_mark"),
            Bot({**SEEN, "a third is taken out before the first weighing": "flagged"}, "ledger_knows"),
            Bot({**SEEN, "there are batteries in the bags": "readable"}, "ledger_knows"),
            Bot({**SEEN, "no truck signs for what was handed over": "unseen"}, "ledger_blind"),
            Bot({**SEEN, "the truck corrects the weight alone": "unseen"}, "no_mark"),
        ),
    ),
}
