"""The worksheet as the frame sees it: its answers are its state, and its rules are all that a verdict stands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from minichain.errors import UsageError
from minichain.views.brief import MAX_WORDS
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.i18n import PSEUDO, _, language, listed, number, short, translate
from minichain.views.markup import Child
from minichain.views.stills import columns

TEXTS: Final = ("who", "record", "dispute")
FOLLOWS: Final = ("card", *TEXTS, "answers", "additions", "is_about_persons")


def said(words: Any) -> str:
    """Return a text of the data in the viewer's language."""
    if language() == PSEUDO:
        return translate(words.en, PSEUDO)
    return str(words.zh if language() == "zh" else words.en)


def answer_names() -> dict[str, str]:
    """Return the answers in words."""
    return {"yes": _("yes"), "no": _("no"), "unsure": _("not sure"), "": _("not answered")}


def case(model: Any) -> Case:
    """Describe the worksheet."""
    return Case(
        name="need_a_chain",
        title=_("Do we need a chain?"),
        model=model,
        follows=FOLLOWS,
        does=Functions(_settings, _reload, tried, figures, _told, recompute),
        tasks=_tasks,
        limits=(
            _("whether an answer is true: the worksheet takes what it is told"),
            _("what it costs in your place: ask for figures before you decide"),
            _("what the law asks for: the safeguards are a reminder, and no legal advice"),
            _("the frameworks word for word: their steps are restated, and two were compared with quotations only"),
        ),
        gate=_gate,
    )


def _tasks() -> dict[str, str]:
    return {
        "answered": _("Choose a case and answer all the questions."),
        "flip": _("Look at the verdict, and find the one answer that would change it."),
        "differ": _("Find a case about which the four frameworks differ."),
        "panel": _("Compare your verdict with that of the authors."),
    }


# --- its state ---------------------------------------------------------------------------------------------------


def _settings(model: Any) -> Settings:
    texts = {f"own_{name}": getattr(model, name) for name in TEXTS}
    return {
        "card": model.card,
        **({} if model.card else texts),
        **{name: model.answers.get(name, "") for name in model.questions},
        **{f"add_{name}": model.additions.get(name, "") for name in model.possible},
        "is_about_persons": int(model.is_about_persons),
    }


def _reload(model: Any, settings: Settings) -> None:
    texts = {name: str(settings.get(f"own_{name}", "")) for name in TEXTS}
    if max(map(len, texts.values())) > MAX_WORDS:
        raise UsageError(_("This run asks for more than a page can do."))
    with model.hold_trait_notifications():
        model.choose(str(settings["card"]))
        if not model.card:
            model.who, model.record, model.dispute = (texts[name] for name in TEXTS)
        model.answers = {name: str(settings[name]) for name in model.questions if settings[name]}
        model.additions = {name: str(settings[f"add_{name}"]) for name in model.possible if settings[f"add_{name}"]}
        model.is_about_persons = bool(settings["is_about_persons"])


def _gate(model: Any, decision: str, missing: Sequence[str]) -> None:
    if not model.need.may_decide(model.is_about_persons, decision, missing):
        words = _(
            "Records on persons decide here what they get. So nobody goes ahead or begins a pilot before every "
            "safeguard is in place. {count} are missing: {names}"
        )
        raise UsageError(words.format(count=number(len(missing)), names=listed(missing)))


# --- what it says ------------------------------------------------------------------------------------------------


def tried(model: Any) -> list[tuple[str, str]]:
    """Say the case and the answers, by the few words that stand in the picture too: all questions fill two pages."""
    names, asked = answer_names(), [question.id for question in model.asked]
    return [
        (_("Case"), model.title),
        *((model.short(name), names[model.answers.get(name, "")]) for name in asked),
        (_("Entries on persons decide what they get"), _("yes") if model.is_about_persons else _("no")),
    ]


def figures(model: Any) -> list[Figure]:
    """Return the verdict and what stands beside it."""
    verdict, opinions = model.verdict, model.need.opinions(model.answers)
    rungs = model.rungs
    chains = sum(rungs[opinion.rung].is_chain for opinion in opinions) + verdict.is_chain
    lowest = _("Each answer that is no clear yes leaves a highest rung; the lowest of these is the verdict.")
    first = _("The question whose answer leaves the lowest rung; of several, the first one.")
    flips = _("Each answer is changed alone, and the verdict made again.")
    steps = _("Its own steps are taken with your answers; who is not sure takes the way that leads lower.")
    return [
        Figure(_("Verdict"), verdict.rung, rungs[verdict.rung].name, lowest),
        Figure(_("Decided by the question"), verdict.decisive, model.ask(verdict.decisive), first),
        Figure(_("Answers that would change it"), len(verdict.changes), how=flips),
        Figure(_("Questions to find out about"), len(verdict.to_find_out), how=_("Questions that keep it open.")),
        Figure(_("Frameworks, of four, that say a chain"), chains, how=_("Counted from the four verdicts.")),
        *(Figure(said(one.framework.name), one.rung, rungs[one.rung].name, steps) for one in opinions),
    ]


def _told(model: Any) -> Told:
    reach = [(question, model.reach(question)) for question in model.need.data().question]
    bars = [(model.short(question.id), float(1 + step), model.rungs[rung].name) for question, (step, rung) in reach]
    opinions: list[list[Child]] = [
        [said(one.framework.name), model.rungs[one.rung].name, said(one.path[-1].step.ask)]
        for one in model.need.opinions(model.answers)
    ]
    verdict = model.verdict
    return Told(
        question=_("Do we need a chain for this: {case}?").format(case=model.title),
        chart=columns(_("How far each answer lets one go"), bars),
        caption=_("What four ways to decide say"),
        columns=[_("Framework"), _("Says"), _("Decided by the question")],
        rows=[[_("This worksheet"), model.rungs[verdict.rung].name, model.ask(verdict.decisive)], *opinions],
        safeguards=tuple(said(words) for words in model.need.data().safeguard),
        alternative=model.alternative,
        unproven=tuple(
            _("Not known yet: {question}").format(question=model.ask(name)) for name in verdict.to_find_out[:3]
        ),
    )


# --- made anew ---------------------------------------------------------------------------------------------------


def recompute(model: Any, _client: Any = None) -> list[Finding]:
    """Judge the answers again; no block stands behind a judgement, only the rules, and their fingerprint."""
    words = _("judged anew by the rules of {date}, whose fingerprint is {id}; no block stands behind a judgement")
    source = words.format(date=str(model.need.data().date), id=short(model.need.fingerprint()))
    again = type(model)(model.need)
    _reload(again, _settings(model))
    return [Finding(*one, source) for one in zip(figures(model), figures(again), strict=True)]
