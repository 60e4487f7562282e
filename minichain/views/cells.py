"""What a notebook shows of a contract: its interface or violations, what a call did, which lines ran.

Data in, markup out. `%load_ext minichain` makes notebooks use it (`magic`); without it they show plain text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from minichain.contracts import proxy
from minichain.contracts.explain import outline
from minichain.contracts.report import Change, Line, Report, Step, Trace, in_words, told_apart, with_names
from minichain.contracts.sandbox import Outcome
from minichain.contracts.source import Violation, text_of
from minichain.contracts.written import ContractText, width_of
from minichain.ledger.types import Event
from minichain.views.i18n import _, language, ngettext, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.parts import State, chip, drawer, heading, note, paragraph, sentences, table

LINES_AROUND = 1  # of a violation, so that its place is recognised


def card(*children: Child) -> Safe:
    """Set the output of a cell on one sheet."""
    return tag("div", tag("div", *children, class_="mc-card"), class_="mc-page mc-cell")


# --- a contract --------------------------------------------------------------------------------------------------


def contract(text: ContractText) -> Safe:
    """Show the interface of a contract, or where it leaves the contract language."""
    return _violations(text) if text.violations else _interface(text)


def sentence_of(sentences: Mapping[str, str]) -> str:
    """Return what something does, in the viewer's language where its author wrote it."""
    return sentences.get(language()) or sentences.get("en", "")


def _interface(text: ContractText) -> Safe:
    told = outline(text.abi)
    state = chip("ok", _("in the contract language"))
    head = tag("div", tag("div", heading(told["name"], sentence_of(told["sentences"]))), state, class_="mc-line")
    actions, views = (
        [(method["signature"], sentence_of(method["sentences"])) for method in told[kind]]
        for kind in ("actions", "views")
    )
    if told["setup"]:
        actions.insert(0, (f"setup({told['setup']})", _("Runs once, when the contract is deployed.")))
    groups = ((_("What may be done"), actions), (_("What may be asked, free of charge"), views))
    return card(
        head,
        *(_methods(title, methods) for title, methods in groups if methods),
        _names(_("What it keeps"), [f"{name}: {content}" for name, content in told["fields"].items()]),
        _names(_("What it announces"), told["events"]),
        _types(told["types"]),
    )


def _types(types: Mapping[str, str]) -> Safe | None:
    if not types:
        return None
    told = ngettext("{count} kind of record", "{count} kinds of records", len(types)).format(count=number(len(types)))
    return drawer(told, _names(_("Its types"), [f"{name}: {content}" for name, content in types.items()]))


def _methods(title: str, methods: Sequence[tuple[str, str]]) -> Safe:
    items = (tag("li", tag("code", call, class_="mc-code"), tag("span", sentence)) for call, sentence in methods)
    return tag("section", tag("h3", title, class_="mc-h3"), tag("ul", items, class_="mc-methods"))


def _names(title: str, names: Sequence[str]) -> Safe | None:
    if not names:
        return None
    items = (tag("code", name, class_="mc-code mc-tagged") for name in names)
    return tag("section", tag("h3", title, class_="mc-h3"), tag("p", items, class_="mc-taglist"))


def _violations(text: ContractText) -> Safe:
    count = len(text.violations)
    found = ngettext(
        "{count} place leaves the contract language", "{count} places leave the contract language", count
    ).format(count=count)
    lead = _("It cannot be deployed like this. Change the marked places and run the cell again.")
    rows = text.source.rstrip().split("\n")
    return card(note("bad", found, tag("p", lead)), *(_violation(one, rows) for one in text.violations))


def _violation(found: Violation, rows: Sequence[str]) -> Safe:
    first, last = max(1, found.line - LINES_AROUND), min(len(rows), found.line + LINES_AROUND)
    listing = (_row_of(at, rows[at - 1], found) for at in range(first, last + 1))
    words = tag(
        "p",
        _written(found.explanation[:1].upper() + found.explanation[1:] + "."),
        " ",
        tag("strong", _("Instead:")),
        " ",
        _written(found.suggestion + "."),
        tag("span", found.code, class_="mc-rule"),
        class_="mc-why",
    )
    return tag("section", _listing(listing), words, class_="mc-violation")


def _written(words: str) -> Safe:
    """Set what stands between backquotes as code."""
    parts = words.split("`")
    return join(tag("code", part, class_="mc-code") if at % 2 else part for at, part in enumerate(parts))


def _row_of(at: int, row: str, found: Violation) -> Safe:
    if at != found.line:
        return _code_row(at, row)
    start, width = found.column - 1, width_of(found, row)
    code = join(row[:start], tag("mark", row[start : start + width] or " "), row[start + width :])
    return _code_row(at, code, class_="mc-marked")


def _listing(rows: Any, head: Child = None) -> Safe:
    return tag("div", tag("table", head, tag("tbody", rows), class_="mc-lines"), class_="mc-listing")


def _code_row(at: int, code: Child, *cells: Child, class_: str | None = None) -> Safe:
    return tag("tr", tag("td", at, class_="mc-at"), *cells, tag("td", code, class_="mc-source"), class_=class_)


# --- a call ------------------------------------------------------------------------------------------------------


class Result(proxy.Result, Protocol):
    """An outcome of a sandbox or a receipt of a network."""

    @property
    def events(self) -> tuple[Event, ...]: ...
    @property
    def gas(self) -> int: ...


def said(outcome: str) -> tuple[State, str]:
    """Say in one word how a call ended."""
    words: dict[str, tuple[State, str]] = {
        "ok": ("ok", _("done")),
        "reverted": ("warn", _("refused")),
        "out_of_gas": ("bad", _("out of gas")),
    }
    return words.get(outcome, ("bad", _("broke")))


def outcome(done: Outcome) -> Safe:
    """Show what a call did: what changed, what was announced, and its steps if they were kept."""
    steps = ngettext("{count} step", "{count} steps", len(done.steps)).format(count=number(len(done.steps)))
    return card(
        _ending(done.call, done, done.people),
        _changes(done.diff, done.people),
        _events(done.events, done.people),
        drawer(steps, _steps(done.steps)) if done.steps else None,
    )


def receipt(done: Any) -> Safe:
    """Show what a transaction did."""
    place = _("Block {height}").format(height=done.height)
    return card(_ending(place, done, {}), _events(done.events, {}))


def _ending(what: str, done: Result, people: Mapping[str, str]) -> Safe:
    gas = _("{gas} gas").format(gas=number(done.gas))
    returned = _("returned {value}").format(value=in_words(done.result, people)) if done.result is not None else None
    head = tag(
        "div",
        chip(*said(done.outcome)),
        tag("strong", what, class_="mc-call"),
        tag("span", gas),
        returned and tag("span", returned),
        class_="mc-ending",
    )
    if not done.error:
        return head
    state, _word = said(done.outcome)
    return join(head, note(state, with_names(done.error, people), tag("p", _("Nothing was changed."))))


def _changes(diff: Sequence[Change], people: Mapping[str, str]) -> Safe | None:
    if not diff:
        return None
    rows = [
        (tag("code", with_names(name, people), class_="mc-code"), *_two_sides(before, after, people))
        for name, before, after in told_apart(diff)
    ]
    return table(_("What changed"), (_("stored value"), _("before"), _("after")), rows)


def _two_sides(before: Any, after: Any, people: Mapping[str, str]) -> tuple[Child, Child]:
    if before == after:
        return in_words(before, people), tag("em", _("written again"))
    if before is None and isinstance(after, dict):
        lines = (tag("div", _data({name: value}, people)) for name, value in after.items())
        return in_words(before, people), tag("div", lines)
    return in_words(before, people), tag("strong", in_words(after, people))


def _events(events: Sequence[Event], people: Mapping[str, str]) -> Safe | None:
    if not events:
        return None
    return sentences([("info", join(tag("strong", one.name), " ", _data(one.data, people))) for one in events])


def _data(data: Mapping[str, Any], people: Mapping[str, str]) -> Safe:
    pairs = (join(tag("span", name, class_="mc-key"), " ", in_words(value, people)) for name, value in data.items())
    return tag("span", (join(" · ", pair) if at else pair for at, pair in enumerate(pairs)))


# --- lines -------------------------------------------------------------------------------------------------------


def trace(steps: Trace) -> Safe:
    """Show the steps of a call."""
    if not steps:
        return card(paragraph(_("No steps were kept: make the sandbox with Sandbox(steps=True).")))
    return card(_steps(steps))


def _steps(steps: Trace) -> Safe:
    names = list(dict.fromkeys(step.contract for step in steps))
    columns = (_("line"), _("gas so far"), _("code"), _("what it changed"))
    head = tag("thead", tag("tr", (tag("th", column, scope="col") for column in columns)))
    return _listing((_step(step, len(names) > 1, steps.people) for step in steps), head)


def _step(step: Step, is_one_of_many: bool, people: Mapping[str, str]) -> Safe:
    text, line = text_of(step.line)
    at = {"": "{line}", "parts": _("parts {line}"), "rulebook": _("rulebook {line}")}[text].format(line=line)
    where = f"{step.contract} {at}" if is_one_of_many else at
    pairs = (f"{with_names(name, people)} = {in_words(value, people, 48)}" for name, value in step.changed.items())
    changed = chip("bad", _("failed here")) if step.failed else ", ".join(pairs)
    return tag(
        "tr",
        tag("td", where, class_="mc-at"),
        tag("td", number(step.gas_so_far), class_="mc-gas"),
        tag("td", step.source, class_="mc-source", style=f"--mc-depth:{step.depth}"),
        tag("td", changed, class_="mc-became"),
        class_="mc-marked" if step.failed else None,
    )


def report(lines: Report) -> Safe:
    """Show the source with how often each line ran, what it cost, and what never ran."""
    ran, could = lines.covered
    head = heading(
        lines.contract,
        _("{ran} of {could} lines ran; {gas} gas, calls: {calls}. The bars share the gas among the lines.").format(
            ran=ran, could=could, gas=number(lines.gas), calls=number(lines.calls)
        ),
    )
    top = max((line.gas for line in lines.lines), default=0)
    columns = (_("line"), _("runs"), _("gas"), "", _("code"))
    named = tag("thead", tag("tr", (tag("th", column, scope="col") for column in columns)))
    return card(head, _listing((_line(line, top) for line in lines.lines), named))


def _line(line: Line, top: int) -> Safe:
    if line.runs is None:
        return _code_row(line.number, line.source, *[tag("td")] * 3, class_="mc-quiet")
    missing = {"never true": _("never true"), "never false": _("never false")}.get(line.missing, "")
    if line.runs == 0:
        told: Safe = chip("warn", _("never ran"))
    elif missing:
        told = chip("warn", missing)
    else:
        told = tag("span", class_="mc-share", style=f"--mc-part:{100 * line.gas // top if top else 0}%")
    cells = (
        tag("td", number(line.runs), class_="mc-gas"),
        tag("td", number(line.gas), class_="mc-gas"),
        tag("td", told, class_="mc-told"),
    )
    return _code_row(line.number, line.source, *cells, class_="mc-missed" if line.runs == 0 else None)
