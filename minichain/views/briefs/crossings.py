"""The crossing timeline as the frame sees it: what crosses and what goes wrong, from which the same story follows."""

from __future__ import annotations

from typing import Any, Final

from minichain import merkle
from minichain.errors import UsageError
from minichain.views import crossings_words as words
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.crossings_model import KINDS, Timeline
from minichain.views.i18n import _, listed, number
from minichain.views.markup import Child
from minichain.views.stills import columns

MOST_BARS: Final = 9


def case(model: Timeline) -> Case:
    """Describe the timeline."""
    return Case(
        name="crossings",
        title=_("Crossing timeline"),
        model=model,
        follows=("story",),
        does=Functions(_settings, _reload, tried, figures, _told, recompute),
        tasks=_tasks,
        limits=(
            _("how long a real network takes: the wires here take 1 to 20 ms, and the clock is a simulated one"),
            _("a chain of work whose past is replaced very deeply: then units would be in two places"),
            _("what the units are worth, and who pays when somebody has lost them"),
        ),
    )


def _tasks() -> dict[str, str]:
    return {
        "whole": _("Let units cross with nothing going wrong. When do they leave, and when do they arrive?"),
        "failure": _("Let something go wrong. Are the units ever in two places, or in none?"),
        "lie": _("Let somebody lie, and read what the ledger says to it."),
        "stolen": _("Steal three of four keys. What does the table say now?"),
    }


def _settings(model: Timeline) -> Settings:
    return {
        "what": model.what,
        "pair": model.pair,
        "failures": " ".join(sorted(model.failures)),
        "position": model.position,
    }


def _reload(model: Timeline, settings: Settings) -> None:
    what, wanted = str(settings["what"]), str(settings["failures"]).split()
    if what not in KINDS:
        raise UsageError(_("This run asks for more than a page can do."))
    model.failures = frozenset()
    model.choose(what, str(settings["pair"]))
    model.failures = frozenset(name for name in wanted if name in model.possible)
    model.play()
    model.go(int(settings["position"]))


def tried(model: Timeline) -> list[tuple[str, str]]:
    """Say what crosses, and what goes wrong."""
    names = {**words.failures(), "late": words.late(model.what)}
    return [
        (_("What crosses"), words.kinds()[model.what]),
        (_("Between which chains"), words.pairs()[model.pair]),
        (_("What goes wrong"), listed(names[name][0] for name in sorted(model.failures)) or _("nothing")),
    ]


def figures(model: Timeline) -> list[Figure]:
    """Return what the story came to."""
    return came_of(model.story)


def came_of(story: Any) -> list[Figure]:
    """Return what a story came to."""
    last = story.steps[-1]
    before = _("The units on all chains together, before anything crossed.")
    after = _("The units on all chains together after the last step, those on their way included.")
    refused = sum(bool(step.refusal) for step in story.steps)
    return [
        Figure(_("How it ended"), last.kind, words.title(last), _("The last step of the story.")),
        Figure(_("Units before"), story.total, how=before),
        Figure(_("Units after"), last.total, how=after),
        Figure(_("Steps"), len(story.steps), how=_("All steps of the story, of every chain and of the relayer.")),
        Figure(_("Refused by a ledger"), refused, how=_("Steps to which a ledger said no.")),
        Figure(_("Until the last step"), last.ms, words.seconds(last.ms), _("Measured on the simulated clock.")),
    ]


def _told(model: Timeline) -> Told:
    story = model.story
    _title, lesson = words.lesson(story)
    rows: list[list[Child]] = [
        [words.seconds(step.ms), words.lane(step.lane), number(step.height) if step.height else "", words.title(step)]
        for step in story.steps
    ]
    # Of a long story its last steps are what a reader has to see.
    bars = [(words.title(step), float(step.ms), words.seconds(step.ms)) for step in story.steps[-MOST_BARS:]]
    return Told(
        question=_("Can something go from chain to chain so that it is never in two places, and never lost?"),
        chart=columns(_("When each step happened"), bars),
        caption=_("The last steps"),
        columns=[_("When"), _("Where"), _("Block"), _("What")],
        rows=rows[-7:],
        safeguards=(
            _("Each chain checks receipts itself, and believes no relayer."),
            _("What is not answered in time goes back."),
            _("Chains that follow each other have settled how many keys may be lost before they stop."),
            _("Somebody counts all units on all chains, every day."),
        ),
        alternative=_(
            "Keep both on one chain; or let both offices sign an agreement, and settle the difference at the end of "
            "each day."
        ),
        unproven=(lesson,),
    )


def recompute(model: Timeline, _client: Any = None) -> list[Finding]:
    """Let it happen again, and lead each receipt that was shown up to the root in its block."""
    again = model.teller.tell(model.what, model.pair, model.failures)
    carried = [step.carried for step in again.steps if step.carried is not None]
    held = sum(merkle.verify_inclusion(one.entry, one.index, one.count, list(one.path), one.root) for one in carried)
    told = _("the story played anew; {held} of {count} receipts lead to the root in the header of their block")
    source = told.format(held=number(held), count=number(len(carried)))
    return [Finding(*pair, source) for pair in zip(figures(model), came_of(again), strict=True)]
