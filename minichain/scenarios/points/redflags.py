"""A linter for schemes: what is wrong with one before it begins, each finding with its clause and its reason.

A preset says what the contracts will hold. What they cannot see (who is ranked where, who decides, who is asked) is
said beside it, as practices. The words stand in `redflags.toml`; here is only what each flag looks for.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from minichain.codec import Plain
from minichain.scenarios.points.catalogue import BASIC_RIGHTS, MINOR
from minichain.scenarios.points.presets import DAY_MS, UNITS, Preset, preset, read

LEAST_OBJECTION_DAYS: Final = 5  # and to appeal; this sandbox's floor, a law may ask for more
LEAST_CALLS: Final = 5  # of a ledger that shows in the time to object that it does not stand still
LONGEST_DECISION_DAYS: Final = 90  # to decide on an objection or an appeal
LONGEST_TERM_MONTHS: Final = 36  # of a negative entry: three years for a severe one, State Council GO [2025] 22
LONGEST_RETENTION_DAYS: Final = 1_095
UNRELATED: Final = (*BASIC_RIGHTS, "travel", "ranking")
# Beginnings of other words for the same; a scheme that hides its use behind a harmless word is found by reading it.
UNRELATED_BEGINNINGS: Final = (
    *("clinic", "credit", "doctor", "employ", "exam", "flight", "health", "hir", "hospital", "hous", "insur", "job"),
    *("kindergarten", "loan", "medic", "mortgage", "pension", "police", "rail", "school", "universit", "visa", "vot"),
)
_HERE: Final = Path(__file__)


class Practices(Plain):
    """What a scheme does beside the contracts. As it stands here it is lawful."""

    consent: bool = True
    may_leave: bool = True
    guardians: bool = True
    assisted_desk: bool = True
    human_decides: bool = True
    reviewer_apart: bool = True
    named_ranking: bool = False
    names_on_chain: bool = False
    feeds_credit_record: bool = False
    rules_begin_before_adoption: bool = False


class Finding(Plain):
    """One thing that is wrong: a scheme with a finding of the level "refuse" is not begun."""

    code: str
    level: str
    clause: str
    clause_zh: str
    reason: str
    reason_zh: str
    where: str  # the code of a rule, or what of the scheme


class Pack(Plain):
    """A scripted scheme of the exercise: what it is, whether it is lawful, and which flags it raises if it is not."""

    name: str
    say: str
    say_zh: str
    is_lawful: bool
    flags: tuple[str, ...]
    scheme: Preset
    practices: Practices


Look = Callable[[Preset, Practices], Iterator[str]]  # yields where something is wrong
LAWFUL: Final = Practices()


def lint(made: Preset, practices: Practices = LAWFUL) -> tuple[Finding, ...]:
    """Return what is wrong with a scheme, in the order of the flags; nothing for one that may begin as it is."""
    words = flags()
    return tuple(
        Finding(code=code, where=where, **words[code])
        for code, look in LOOKS.items()
        for where in look(made, practices)
    )


def is_refused(findings: tuple[Finding, ...]) -> bool:
    """Tell whether a scheme with these findings may not begin."""
    return any(one.level == "refuse" for one in findings)


@cache
def flags() -> Mapping[str, Mapping[str, str]]:
    """Return the words of every flag, by its code."""
    return tomllib.loads(_HERE.with_name("redflags.toml").read_text(encoding="utf-8"))


def packs() -> dict[str, Pack]:
    """Return the scripted schemes by name: each is a preset with changes."""
    told = tomllib.loads(_HERE.with_name("packs.toml").read_text(encoding="utf-8"))
    return {name: _pack(name, content) for name, content in told.items()}


def _pack(name: str, told: Mapping[str, Any]) -> Pack:
    base = preset(told["base"])
    rules = [*({**rule, **told.get("each_rule", {})} for rule in base.rules), *told.get("rules", ())]
    fields = {field: getattr(base, field) for field in ("title", "title_zh", "source", "as_of", "note", "items")}
    content = {**fields, "scheme": {**base.scheme, **told.get("scheme", {})}, "rules": rules}
    practices = Practices(**told.get("practices", {}))
    said = {"say": told["say"], "say_zh": told["say_zh"], "is_lawful": "flags" not in told}
    return Pack(name=name, **said, flags=tuple(told.get("flags", ())), scheme=read(name, content), practices=practices)


# --- what each flag looks for ------------------------------------------------------------------------------------


def _negative(made: Preset) -> Iterator[Mapping[str, Any]]:
    """Yield the rules that only take, or put on record: one that gives nothing is no reward."""
    return (rule for rule in made.rules if rule["points"] <= 0 or rule.get("severity", ""))


def _days(made: Preset, name: str, missing: int = 0) -> int:
    """Return a clock of a scheme in whole days, whichever unit it is told in."""
    clock = name.removesuffix("_days")
    told = (made.scheme[clock + unit] * of_one for unit, of_one in UNITS.items() if clock + unit in made.scheme)
    return int(next(told, missing * DAY_MS)) // DAY_MS


def _basis(made: Preset, _: Practices) -> Iterator[str]:
    for what in ({"code": "scheme", **made.scheme}, *made.rules):
        if what.get("basis") not in ("law", "community") or not any(map(str.isalpha, what.get("basis_reference", ""))):
            yield what["code"]


def _volunteers(made: Preset, _: Practices) -> Iterator[str]:
    if made.scheme.get("rewards_only", True) or made.scheme.get("basis") != "law":
        yield from (rule["code"] for rule in _negative(made))


def _law(made: Preset, _: Practices) -> Iterator[str]:
    for rule in _negative(made):
        if rule.get("basis") != "law" or rule.get("evidence") != "decision":
            yield rule["code"]


def _end(made: Preset, _: Practices) -> Iterator[str]:
    terms = made.scheme.get("terms", {})
    for rule in _negative(made):
        term = terms.get(rule.get("severity", ""), {})
        if not 0 <= term.get("repair_after", -1) < term.get("ends_after", 0) <= LONGEST_TERM_MONTHS:
            yield rule["code"]


def _uses(made: Preset, _: Practices) -> Iterator[str]:
    for use in (*made.scheme["uses"], *(item["use"] for item in made.items)):
        if any(word in UNRELATED or word.startswith(UNRELATED_BEGINNINGS) for word in use.split("-")):
            yield use


def _shown(made: Preset, practices: Practices) -> Iterator[str]:
    if practices.named_ranking:
        yield "named_ranking"
    if made.scheme.get("terms", {}).get(MINOR, {}).get("is_published"):
        yield MINOR


def _family(made: Preset, _: Practices) -> Iterator[str]:
    yield from (rule["code"] for rule in made.rules if rule.get("whom", "person") != "person")


def _time(made: Preset, _: Practices) -> Iterator[str]:
    yield from (name for name in ("objection_days", "appeal_days") if _days(made, name) < LEAST_OBJECTION_DAYS)
    if _days(made, "quiet_days", missing=1) * LEAST_CALLS > _days(made, "objection_days"):
        yield "quiet_days"


def _appeal(made: Preset, practices: Practices) -> Iterator[str]:
    if not made.scheme.get("appeal_body", "").strip() or not practices.reviewer_apart:
        yield "appeal_body"
    yield from (name for name in ("review_days", "panel_days") if _days(made, name) > LONGEST_DECISION_DAYS)


def _caps(made: Preset, _: Practices) -> Iterator[str]:
    if not made.scheme.get("ceiling") and not made.scheme.get("redeem_per_quarter"):
        caps = ("per_day", "per_month")
        yield from (rule["code"] for rule in made.rules if rule["points"] > 0 and not any(map(rule.get, caps)))


def _memory(made: Preset, _: Practices) -> Iterator[str]:
    if _days(made, "retention_days", missing=LONGEST_RETENTION_DAYS + 1) > LONGEST_RETENTION_DAYS:
        yield "retention_days"


def _practice(name: str, is_wrong: bool) -> Look:
    def look(_: Preset, practices: Practices) -> Iterator[str]:
        if getattr(practices, name) is is_wrong:
            yield name

    return look


def _program(made: Preset, practices: Practices) -> Iterator[str]:
    if not practices.human_decides:
        yield from (rule["code"] for rule in _negative(made))


def _asked(_: Preset, practices: Practices) -> Iterator[str]:
    yield from (name for name in ("consent", "may_leave") if not getattr(practices, name))


LOOKS: Final[dict[str, Look]] = {
    "no-basis": _basis,
    "punishes-volunteers": _volunteers,
    "no-law": _law,
    "no-end": _end,
    "reaches-back": _practice("rules_begin_before_adoption", True),
    "other-context": _uses,
    "family": _family,
    "named-ranking": _shown,
    "program-decides": _program,
    "no-time": _time,
    "no-appeal": _appeal,
    "no-consent": _asked,
    "children": _practice("guardians", False),
    "on-chain-names": _practice("names_on_chain", True),
    "two-systems": _practice("feeds_credit_record", True),
    "no-desk": _practice("assisted_desk", False),
    "no-cap": _caps,
    "long-memory": _memory,
}
