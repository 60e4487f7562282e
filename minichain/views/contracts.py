"""A contract as people can read it: its source as the chain has it, who may change it, what was changed, and what is
proposed.

Everything about it is read with a proof, which is checked here under a block that the validators certified; what cannot
be proven is not shown. A difference is told in facts first, and in lines for who reads code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import traitlets as T  # noqa: N812 - beside W

from minichain.client.contracts import upgrades_of
from minichain.codec import decode_own
from minichain.contracts import Abi, Deployed, describe
from minichain.contracts.changes import SENTENCES, Change, Difference, difference, signature
from minichain.contracts.deployed import NOBODY, Version, version_key
from minichain.crosschain.values import ProvenValue
from minichain.errors import ProofError
from minichain.views import parts
from minichain.views.i18n import _, clock, listed, moment, ngettext, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.models import ChainModel
from minichain.views.panels import Content, bar, button, card, errand, html, rebuilt, stack
from minichain.views.polling import Errands
from minichain.views.telling import Names, name_of

SHOWN_VERSIONS: Final = 12  # the newest
MARKS: Final = {"+": "mc-added", "-": "mc-gone", "@": "mc-place"}

# --- what is read ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed upgrade that is not decided, or is accepted and waits."""

    case: dict[str, Any]
    difference: Difference


@dataclass(frozen=True)
class Reading:
    """A contract as it was read, every part of it proven. `versions` begin with the oldest that is shown."""

    name: str
    deployed: Deployed
    versions: tuple[Version, ...]
    proposals: tuple[Proposal, ...]
    proven: ProvenValue = field(compare=False)  # a later block says the same

    @property
    def abi(self) -> Abi:
        return describe(self.deployed.source)

    @property
    def steps(self) -> Iterator[tuple[Version, Difference]]:
        """Yield each version but the first with what it changed, the newest first."""
        for before, after in reversed(tuple(pairwise(self.versions))):
            yield after, difference(before.source, after.source, _title(before.number), _title(after.number))


def _title(version: int) -> str:
    return _("version {number}").format(number=version)


def read(name: str, client: Any) -> Reading:
    """Read a contract, its versions and what is proposed about it; raises `ProofError` where a proof does not hold."""
    deployed, proven = client.verified(name)
    first = max(1, deployed.version - SHOWN_VERSIONS + 1)
    earlier = (_earlier(name, number, client) for number in range(first, deployed.version))
    proposals = (_proposal(name, deployed, case, client) for case in client.proposals_on(name))
    return Reading(name, deployed, (*earlier, deployed.present), tuple(filter(None, proposals)), proven)


def _earlier(name: str, version: int, client: Any) -> Version:
    found = client.proven(version_key(name, version)).value
    if found is None:
        raise ProofError(f"version {version} of {name} is not in the state, and that is proven")
    return decode_own(found, Version)


def _proposal(name: str, deployed: Deployed, case: dict[str, Any], client: Any) -> Proposal | None:
    sources = upgrades_of(name, client.view(deployed.authority, "calls", {"number": case["number"]}))
    if not sources:
        return None
    return Proposal(case, difference(deployed.source, sources[-1], _title(deployed.version), _("proposed")))


class ContractModel(ChainModel):
    """The chain as last seen, and the contract that is open."""

    reading: Any = T.Any(None)


# --- how it looks ------------------------------------------------------------------------------------------------


def panel(model: ContractModel, errands: Errands[Any]) -> W.Box:
    """Show the list of contracts, and the one that is open; `model.reading` holds it."""
    place = stack()

    def open_one(name: str) -> None:
        errand(errands, partial(read, name), partial(setattr, model, "reading"), place)

    def follow(_change: Any) -> None:
        """Read again what a new block may have changed."""
        reading: Reading | None = model.reading
        if reading and any(_concerns(reading, entry.calls) for block in model.blocks[-1:] for entry in block.entries):
            errand(errands, partial(read, reading.name), partial(setattr, model, "reading"), place)

    model.observe(follow, "blocks")
    sentence = _("A contract is a set of rules that every validator applies to every transaction, the same way.")
    names = rebuilt(model, ["contracts", "names"], lambda: _lines(model, open_one))
    opened = rebuilt(model, ["reading", "names"], lambda: _opened(model))
    return stack(card(names, place, title=_("Contracts"), sentence=sentence), opened)


def _concerns(reading: Reading, calls: Sequence[Any]) -> bool:
    return any(call.contract in ("ledger", reading.name, reading.deployed.authority) for call in calls)


def _lines(model: ContractModel, open_one: Callable[[str], None]) -> Sequence[Content]:
    if not model.contracts:
        return [parts.paragraph(_("No contract yet."))]
    return [_entry(model, open_one, *contract) for contract in model.contracts]


def _entry(model: ContractModel, open_one: Callable[[str], None], name: str, by: str, height: int) -> W.Box:
    words = _("put there by {who} in block {height}").format(who=whom(by, model.names), height=number(height))
    read_it = button(_("Read it"), partial(open_one, name))
    read_it.tooltip = _("Read {name}").format(name=name)
    line = W.HBox([html(tag("p", tag("strong", name), " ", tag("small", words), class_="mc-p")), read_it])
    line.add_class("mc-line")
    return line


def whom(authority: str, names: Names) -> str:
    """Return who somebody is: an account by its name, a contract, or nobody."""
    if authority == NOBODY:
        return _("nobody")
    if authority.startswith("did:"):
        return name_of(authority, names)
    return _("the contract {name}").format(name=authority)


def _opened(model: ContractModel) -> Sequence[Content]:
    reading: Reading | None = model.reading
    if reading is None:
        return ()
    names, title = (
        model.names,
        _("{name}, {version}").format(name=reading.name, version=_title(reading.deployed.version)),
    )
    close = button(_("Close"), lambda: model.set_trait("reading", None))
    about = card(_verified(reading), _facts(reading, names), *_lists(reading, names), bar(close), title=title)
    proposed = [card(proposal, title=_("Proposed")) for proposal in _proposed(reading, names)]
    does = card(_does(reading), title=_("What it does"))
    return [about, *proposed, does, _source(reading), _history(reading, names)]


def _verified(reading: Reading) -> Safe:
    proven = reading.proven
    if proven.signers:
        who = _("The block is certified by {names}.").format(names=listed(proven.signers))
    else:
        many = "{count} block confirms it.", "{count} blocks confirm it."
        who = ngettext(*many, proven.confirmations).format(count=number(proven.confirmations))
    where = _("Read out of the state after block {height} of {time}, with a proof that was checked on this page.")
    told = where.format(height=number(proven.height), time=clock(proven.time_ms))
    return parts.note("ok", _("Verified"), tag("p", told, " ", who))


def _facts(reading: Reading, names: Names) -> Safe:
    deployed = reading.deployed
    frozen, in_use = parts.chip("warn", _("frozen: it refuses every action")), parts.chip("ok", _("in use"))
    never = _("nobody: these rules can never be changed")
    return parts.facts(
        [
            (_("State"), frozen if deployed.is_frozen else in_use),
            (_("May change it"), never if deployed.authority == NOBODY else whom(deployed.authority, names)),
            (_("First put there"), _by(deployed.deployer, deployed.height, names)),
            (_("This version"), _by(deployed.by, deployed.since, names)),
            (_("SHA-256 of the source"), parts.codeline(deployed.present.fingerprint)),
        ]
    )


def _by(who: str, height: int, names: Names) -> str:
    return _("by {who} in block {height}").format(who=whom(who, names), height=number(height))


def _lists(reading: Reading, names: Names) -> list[Safe]:
    rows = [
        [parts.codeline(action), _mode(list_.mode), listed(whom(did, names) for did in list_.accounts) or _("nobody")]
        for action, list_ in reading.deployed.access.items()
    ]
    return [parts.table(_("Who may use what"), [_("Action"), _("Rule"), _("Accounts")], rows)] if rows else []


def _mode(mode: str) -> str:
    return _("only these may") if mode == "allow" else _("these may not")


def _does(reading: Reading) -> Safe:
    abi = reading.abi
    actions = [(method, _("action")) for method in abi.actions]
    views = [(method, _("question")) for method in abi.views]
    rows = [[parts.codeline(signature(method)), kind, method.sentence] for method, kind in [*actions, *views]]
    doc = parts.paragraph(abi.doc.split("\n")[0]) if abi.doc else None
    return join(
        doc, parts.table(_("Actions and questions"), [_("Written"), _("Kind"), _("In words")], rows, _("Nothing yet."))
    )


def _source(reading: Reading) -> W.Box:
    lines = reading.deployed.source.splitlines()
    many = ngettext("{count} line", "{count} lines", len(lines)).format(count=number(len(lines)))
    return card(html(parts.drawer(many, numbered(lines))), title=_("Source, as it is on the chain"))


def numbered(lines: Sequence[str]) -> Safe:
    """Show source with numbered lines; the numbers are not part of what is copied."""
    shown = (tag("li", tag("code", line)) for line in lines)
    return tag("div", tag("ol", shown), class_="mc-source", tabindex="0", role="region", aria_label=_("Source"))


def _proposed(reading: Reading, names: Names) -> Iterator[Safe]:
    for proposal in reading.proposals:
        case = proposal.case
        yield join(
            tag("p", tag("strong", case["title"]), class_="mc-p"),
            parts.paragraph(case["reason"]),
            parts.facts(
                [
                    (_("State"), _standing(case)),
                    (_("Number"), number(case["number"])),
                    (_("Proposed by"), whom(case["by"], names)),
                    (_("Weight for it"), _weight(case["yes"], case["total"])),
                    (_("Weight against it"), _weight(case["no"], case["total"])),
                ]
            ),
            told(proposal.difference, is_open=True),
        )


def _weight(part: int, total: int) -> str:
    return _("{part} of {total}").format(part=number(part), total=number(total))


def _standing(case: dict[str, Any]) -> Child:
    if case["status"] == "accepted":
        words = _("accepted; it can be carried out from {time} on").format(time=moment(case["ready"]))
        return parts.chip("ok", words)
    return parts.chip("info", _("open for votes until {time}").format(time=moment(case["ends"])))


def _history(reading: Reading, names: Names) -> W.Box:
    steps = [parts.drawer(_whose(version, names), told(changed)) for version, changed in reading.steps]
    return card(*map(html, steps), parts.paragraph(_whose(reading.versions[0], names)), title=_("History"))


def _whose(version: Version, names: Names) -> str:
    return _("{version}, {by}").format(version=_title(version.number), by=_by(version.by, version.height, names))


# --- differences -------------------------------------------------------------------------------------------------


def told(changed: Difference, *, is_open: bool = False) -> Safe:
    """Tell a difference in facts, with its lines behind them."""
    return join(
        parts.sentences([in_words(change) for change in changed.changes]),
        parts.drawer(_("Line by line"), lines_of(changed.text), is_open=is_open),
    )


def in_words(change: Change) -> str:
    """Tell one change in the viewer's language."""
    return _(SENTENCES[change.kind]).format(name=change.name, before=change.before, after=change.after)


def lines_of(text: str) -> Safe:
    """Show a unified diff; the signs say what the colours say."""
    shown = (tag("span", line or " ", class_=MARKS.get(line[:1])) for line in text.splitlines()[2:])
    return tag("pre", shown, class_="mc-diff", tabindex="0", role="region", aria_label=_("Line by line"))
