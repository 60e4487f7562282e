"""A contract as people can read it: its source as the chain has it, who may change it, what was changed, and what is
proposed.

What the ledger keeps of it is read with a proof, which is checked here under a block that the validators certified;
what cannot be proven is not shown. Only what is proposed is told by a contract and carries no proof, and the page says
so. A difference is told in facts first, and in lines for who reads code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import traitlets as T  # noqa: N812 - beside W

from minichain.client.contracts import Ballot, Proposal
from minichain.codec import decode_own
from minichain.contracts import Abi, Deployed, describe
from minichain.contracts.changes import SENTENCES, Change, Difference, difference, signature, upgrade
from minichain.contracts.deployed import NOBODY, Version, version_key
from minichain.crosschain.proofs import ProvenValue
from minichain.errors import LanguageError, ProofError, UsageError
from minichain.ledger.types import Event
from minichain.views import parts
from minichain.views.i18n import _, language, listed, moment, ngettext, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.models import ChainModel
from minichain.views.panels import Content, bar, button, card, errand, html, rebuilt, stack
from minichain.views.polling import Errands
from minichain.views.telling import Names, whom

SHOWN_VERSIONS: Final = 12  # the newest
MARKS: Final = {"+": "mc-added", "-": "mc-gone", "@": "mc-place"}

# --- what is read ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A proposed upgrade that is open, or accepted and not carried out, and who has voted on it."""

    proposal: Proposal
    difference: Difference
    ballots: tuple[Ballot, ...]


@dataclass(frozen=True)
class Reading:
    """A contract as it was read. `versions` begin with the oldest that is shown; `names` are told by its authority."""

    name: str
    deployed: Deployed
    versions: tuple[Version, ...]
    upgrades: tuple[Upgrade, ...]
    names: Names
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
    upgrades = tuple(_upgrades(name, deployed, client))
    names = {did: who for one in upgrades for who, did, _weight, _vote in one.ballots}
    return Reading(name, deployed, (*earlier, deployed.present), upgrades, names, proven)


def _earlier(name: str, version: int, client: Any) -> Version:
    found = client.proven(version_key(name, version)).value
    if found is None:
        raise ProofError(f"version {version} of {name} is not in the state, and that is proven")
    return decode_own(found, Version)


def _upgrades(name: str, deployed: Deployed, client: Any) -> Iterator[Upgrade]:
    for proposal in client.proposals_on(name):
        try:
            source = client.proposed(name, proposal.number)
        except UsageError:
            continue  # it does something else with this contract
        ballots = tuple(client.ballots(deployed.authority, proposal.number))
        yield Upgrade(proposal, _difference(deployed, source), ballots)


def _difference(deployed: Deployed, source: str) -> Difference:
    try:
        return upgrade(deployed, source, _title(deployed.version), _("proposed"))
    except LanguageError:
        return Difference("", (Change("refused"),))


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
        """Read again what a new block has changed."""
        reading: Reading | None = model.reading
        if reading and any(_concerns(reading, event) for event in _events_after(reading.proven.height, model)):
            open_one(reading.name)

    model.observe(follow, "blocks")
    sentence = _("A contract is a set of rules that every validator applies to every transaction, the same way.")
    names = rebuilt(model, ["contracts", "names"], lambda: _lines(model, open_one))
    opened = rebuilt(model, ["reading", "names"], lambda: _opened(model))
    return stack(card(names, place, title=_("Contracts"), sentence=sentence), opened)


def _events_after(height: int, model: ContractModel) -> Iterator[Event]:
    new = (block for block in model.blocks if block.height > height)
    return (event for block in new for entry in block.entries for event in entry.receipt.events)


def _concerns(reading: Reading, event: Event) -> bool:
    is_about_it = event.contract == "ledger" and event.data.get("contract") == reading.name
    return is_about_it or event.contract == reading.deployed.authority


def _lines(model: ContractModel, open_one: Callable[[str], None]) -> Sequence[Content]:
    if not model.contracts:
        return [parts.paragraph(_("No contract yet."))]
    return [_entry(model, open_one, *contract) for contract in model.contracts]


def _entry(model: ContractModel, open_one: Callable[[str], None], name: str, by: str, height: int) -> W.Box:
    if height == 0:
        words = _("a part of the ledger since its first day")
    else:
        words = _("put there by {who} in block {height}").format(who=whom(by, model.names), height=number(height))
    read_it = button(_("Read it"), partial(open_one, name))
    read_it.tooltip = _("Read {name}").format(name=name)
    line = W.HBox([html(tag("p", tag("strong", name), " ", tag("small", words), class_="mc-p")), read_it])
    line.add_class("mc-line")
    return line


def _opened(model: ContractModel) -> Sequence[Content]:
    reading: Reading | None = model.reading
    if reading is None:
        return ()
    names, title = {**model.names, **reading.names}, f"{reading.name} · {_title(reading.deployed.version)}"
    close = button(_("Close"), lambda: model.set_trait("reading", None))
    about = card(_verified(reading), _facts(reading, names), *_lists(reading, names), bar(close), title=title)
    proposed = [_proposed(one, names) for one in reading.upgrades]
    does = card(*_does(reading), title=_("What it does"))
    return [about, *proposed, does, _source(reading), _history(reading, names)]


def _verified(reading: Reading) -> Safe:
    proven = reading.proven
    if proven.signers:
        who = _("The block is certified by {names}.").format(names=listed(proven.signers))
    else:
        words = ngettext("{count} block confirms it.", "{count} blocks confirm it.", proven.confirmations)
        who = words.format(count=number(proven.confirmations))
    where = _("Read out of the state after block {height} of {time}, with a proof that was checked on this page.")
    told = where.format(height=number(proven.height), time=moment(proven.time_ms))
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
            (_("Fingerprint of the source (SHA-256)"), parts.codeline(deployed.present.fingerprint)),
        ]
    )


def _by(who: str, height: int, names: Names) -> str:
    if height == 0:
        return _("a part of the ledger since its first day")
    return _("by {who} in block {height}").format(who=whom(who, names), height=number(height))


def _lists(reading: Reading, names: Names) -> list[Safe]:
    rows = [
        [parts.codeline(action), _mode(list_.mode), listed(whom(did, names) for did in list_.accounts) or _("nobody")]
        for action, list_ in reading.deployed.access.items()
    ]
    return [parts.table(_("Who may use what"), [_("Action"), _("Rule"), _("Accounts")], rows)] if rows else []


def _mode(mode: str) -> str:
    return _("only these may") if mode == "allow" else _("these may not")


def _does(reading: Reading) -> list[Safe]:
    abi = reading.abi
    methods = [*((method, _("action")) for method in abi.actions), *((method, _("question")) for method in abi.views)]
    rows = [[_in_words(method.sentences), kind, parts.codeline(signature(method))] for method, kind in methods]
    columns = [_("In words"), _("Kind"), _("As it is called")]
    return [parts.paragraph(_in_words(abi.sentences)), parts.table(_("Actions and questions"), columns, rows)]


def _in_words(sentences: Mapping[str, str]) -> str:
    """Return a sentence of the contract in the viewer's language: its own, or else the one of our catalogue."""
    english = sentences.get("en", "")
    return sentences.get(language()) or (_(english) if english else "")


def _source(reading: Reading) -> W.Box:
    lines = reading.deployed.source.splitlines()
    many = ngettext("{count} line", "{count} lines", len(lines)).format(count=number(len(lines)))
    return card(html(parts.drawer(many, numbered(lines))), title=_("Source, as it is on the chain"))


def numbered(lines: Sequence[str]) -> Safe:
    """Show source with numbered lines; the numbers are not part of what is copied."""
    shown = (tag("li", tag("code", line)) for line in lines)
    return tag("div", tag("ol", shown), class_="mc-source", tabindex="0", role="region", aria_label=_("Source"))


def _proposed(proposed: Upgrade, names: Names) -> W.Box:
    proposal = proposed.proposal
    words = votes()
    ballots: list[list[Child]] = [[who, weight, words.get(vote)] for who, _did, weight, vote in proposed.ballots]
    facts = [
        (_("State"), _standing(proposal)),
        (_("Number"), number(proposal.number)),
        (_("Proposed by"), whom(proposal.by, names)),
        (_("Weight for it"), _weight(proposal.yes, proposal.total)),
        (_("Weight against it"), _weight(proposal.no, proposal.total)),
    ]
    return card(
        parts.paragraph(tag("strong", proposal.title)),
        parts.paragraph(proposal.reason),
        parts.facts(facts),
        *told(proposed.difference, is_open=True),
        parts.table(_("Who votes"), [_("Member"), _("Weight"), _("Vote")], ballots),
        title=_("A proposed upgrade"),
        sentence=_("As the contract that decides tells it. Unlike the rest of this page, it carries no proof."),
    )


def _weight(part: int, total: int) -> str:
    return _("{part} of {total}").format(part=number(part), total=number(total))


def votes() -> dict[str, str]:
    """Tell what a member has said, in the viewer's language."""
    return {
        "yes": _("for it"),
        "no": _("against it"),
        "abstain": _("abstains"),
        "veto": _("vetoes it"),
        "recused": _("has stepped aside"),
        "not yet": _("has not voted"),
    }


def _standing(proposal: Proposal) -> Child:
    """Tell where a proposal is, and what ends that."""
    words, when = {
        "Draft": (_("a draft: members have to stand behind it until {time}"), proposal.ends),
        "Pending": (_("votes begin: {time}"), proposal.begun),
        "Active": (_("open for votes until {time}"), proposal.ends),
        "Extended": (
            _("open for votes for longer, until {time}: enough took part only shortly before the end"),
            proposal.ends,
        ),
        "Succeeded": (_("it has passed, and lapses unless it is queued or executed until {time}"), proposal.until),
        "Queued": (_("it has passed and waits: it can be executed from {time} on"), proposal.ready),
        "ExecutionFailed": (_("executing it has failed, and may be tried again until {time}"), proposal.until),
    }[proposal.status]
    time = moment(when) if proposal.clock == "ms" else _("block {height}").format(height=number(when))
    is_decided = proposal.status in ("Succeeded", "Queued")
    return parts.chip("ok" if is_decided else "info", words.format(time=time))


def _history(reading: Reading, names: Names) -> W.Box:
    steps = [parts.drawer(_whose(version, names), *told(changed)) for version, changed in reading.steps]
    return card(*map(html, steps), parts.paragraph(_whose(reading.versions[0], names)), title=_("History"))


def _whose(version: Version, names: Names) -> str:
    return f"{_title(version.number)} · {_by(version.by, version.height, names)}"


# --- differences -------------------------------------------------------------------------------------------------


def told(changed: Difference, *, is_open: bool = False) -> list[Safe]:
    """Tell a difference in facts, with its lines behind them."""
    facts = parts.sentences([in_words(change) for change in changed.changes])
    if not changed.text:
        return [facts]
    return [facts, parts.drawer(_("Line by line"), lines_of(changed.text), is_open=is_open)]


def in_words(change: Change) -> Safe:
    """Tell one change in the viewer's language, with what is code written as code."""
    codes = {"name": change.name, "before": change.before, "after": change.after}
    pieces = re.split(r"\{(\w+)\}", _(SENTENCES[change.kind]))
    return join(parts.codeline(codes[piece]) if place % 2 else piece for place, piece in enumerate(pieces))


def lines_of(text: str) -> Safe:
    """Show a unified diff; the signs say what the colours say."""
    shown = (tag("span", line or " ", class_=MARKS.get(line[:1])) for line in text.splitlines()[2:])
    return tag("pre", shown, class_="mc-diff", tabindex="0", role="region", aria_label=_("Line by line"))
