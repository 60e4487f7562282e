"""Garbage custody: which loads are where, who signed for them, what is missing, and signing as one of the parties.

`Custody` is what the page knows, and is tested without one; `page` is how it looks. The contract decides what is
allowed; this page shows it and asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import traitlets as T  # noqa: N812 - beside W
from msgspec.structs import replace

from minichain.crosschain.proofs import Proof
from minichain.errors import CallFailed, UsageError
from minichain.ledger.types import Call
from minichain.views import frame, incentive, loads, parts, proofs
from minichain.views.briefs import custody
from minichain.views.case import Settings
from minichain.views.i18n import _, moment, ngettext, number, short
from minichain.views.incentive import Offer
from minichain.views.loads import Alert, Manifest
from minichain.views.markup import Safe, fill, join, tag
from minichain.views.models import REGISTRY, ChainReader, ChainSnapshot, ask_all, known_names
from minichain.views.moving import Pick, PickList, Slide
from minichain.views.panels import (
    Content,
    LongAction,
    Page,
    band,
    bar,
    bound,
    button,
    card,
    errand,
    field,
    rebuilt,
    row,
    split,
    stack,
    tabs,
)
from minichain.views.parts import State
from minichain.views.pictures import sankey
from minichain.views.polling import Errands, LiveLoop
from minichain.views.replay import back_to
from minichain.views.telling import Names, deed, name_of, with_names

SHOWN_LOG: Final = 5

# --- what the page knows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one look at the ledger showed.

    `names` are the sites of all parties by did, `people` those whose wallets are kept here, so that one can sign as
    them. `manifests` come newest first; None if there is no waste ledger.
    """

    height: int = 0
    chain: str = ""
    names: Names = field_(default_factory=dict)
    people: tuple[str, ...] = ()
    manifests: tuple[Manifest, ...] | None = None


class CustodyReader:
    """Read the manifests again and again, and ask in full only for those that changed.

    A hand-over leaves a summary as it was, so what the new blocks announce is looked at, too.
    """

    def __init__(self) -> None:
        self._chain = ChainReader()
        self._last, self._seen = Snapshot(), b""
        self._known: dict[str, tuple[Any, Manifest]] = {}

    def __call__(self, client: Any) -> Snapshot:
        """Ask a client; raises what the client raises."""
        chain = self._chain(client)
        head = chain.blocks[-1].id if chain.blocks else b""
        if head != self._seen:
            is_there = custody.CUSTODY in {name for name, _deployer, _height in chain.contracts}
            known = short(client.genesis.hash)
            self._last = self._read(client, chain) if is_there else Snapshot(chain.height, known)
            self._seen = head
        return self._last

    def _read(self, client: Any, chain: ChainSnapshot) -> Snapshot:
        names = dict(chain.names)
        people = tuple(name for did, name in names.items() if client.wallet(name).did == did)
        summaries = ask_all(client, custody.CUSTODY, "manifests_for")
        self._forget(chain)
        return Snapshot(
            chain.height,
            short(client.genesis.hash),
            names,
            people,
            tuple(self._full(client, one) for one in reversed(summaries)),
        )

    def _forget(self, chain: ChainSnapshot) -> None:
        """Drop what blocks since the last look were about; everything, if some of them were not seen."""
        new = [block for block in chain.blocks if block.height > self._last.height]
        if len(new) != chain.height - self._last.height:
            self._known = {}
        events = (event for block in new for entry in block.entries for event in entry.receipt.events)
        for event in events:
            if event.contract == custody.CUSTODY:
                self._known.pop(event.data.get("number", ""), None)

    def _full(self, client: Any, summary: Mapping[str, Any]) -> Manifest:
        known = self._known.get(summary["number"])
        if known is None or known[0] != summary:
            manifest = client.view(custody.CUSTODY, "manifest", {"number": summary["number"]})
            known = self._known[summary["number"]] = (summary, manifest)
        return known[1]


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to sign."""

    who: str
    act: str
    arguments: Mapping[str, Any]


class Custody(T.HasTraits):
    """The loads as last seen, the one that is open, and what is about to be signed by whom."""

    height = T.Int(-1)
    names: Any = T.Dict()
    people: Any = T.Tuple()
    manifests: Any = T.Tuple(None, allow_none=True)
    chosen = T.Unicode("")
    who = T.Unicode("")
    act = T.Unicode("hand_over")
    step: Any = T.Any(None)
    chain = T.Unicode("")  # the first letters of its genesis hash, empty before the first look
    offer: Any = T.Any(Offer())
    wanted: Any = T.Dict()  # what a run code asks for: the ledger as it was at a block
    is_pinned = T.Bool(False)  # the ledger of an earlier block is shown, and not what comes now
    done: Any = T.Any(frozenset())  # the tasks that were done, by name
    _is_opened = False

    def show(self, snapshot: Snapshot) -> None:
        """Take over what a look showed, unless an earlier block is looked at."""
        if not self.is_pinned:
            self._take(snapshot)

    def pin(self, snapshot: Snapshot) -> None:
        """Show the ledger as it was, and open the load that was open."""
        self.is_pinned = True
        self._take(snapshot)
        self.open(str(self.wanted["chosen"]))

    def follow(self) -> None:
        """Show what comes from now on."""
        self.is_pinned, self.wanted = False, {}

    def _take(self, snapshot: Snapshot) -> None:
        with self.hold_trait_notifications():
            self.height, self.chain = snapshot.height, snapshot.chain
            self.names, self.people = dict(snapshot.names), snapshot.people
            self.manifests = snapshot.manifests
        if self.manifests and not self._is_opened:
            self.chosen = self._most_urgent()

    def open(self, number: str) -> None:
        """Open a load; until somebody does, the most urgent one is open."""
        if number != self.chosen:
            self._is_opened, self.chosen = True, number
            self.done |= {alert.state for alert in self.alerts if alert.number == number}

    def _most_urgent(self) -> str:
        worst = [alert.number for alert in self.alerts if alert.state == "bad"]
        return str((worst or [self.manifests[0]["number"]])[0])

    @property
    def manifest(self) -> Manifest | None:
        """Return the load that is open."""
        return next((one for one in self.manifests or () if one["number"] == self.chosen), None)

    @property
    def alerts(self) -> list[Alert]:
        """List all that needs attention, worst first."""
        return custody.alerts(self.manifests or (), self.names)

    @T.observe("manifests", "chosen")
    def _follow(self, _change: Any) -> None:
        self.step = loads.next_step(self.manifest) if self.manifest else None

    @T.observe("step")
    def _suggest(self, _change: Any) -> None:
        if self.step:
            who = self.names.get(self.step.did)
            self.act, self.who = self.step.act, who if who in self.people else self.who

    def order(self, received: Sequence[int], comment: str) -> Order:
        """Return what is about to be signed, whose load then stays open; raises `UsageError` if nothing can be."""
        if self.manifest is None:
            raise UsageError(_("Choose a load first."))
        if self.who not in self.people:
            raise UsageError(_("Choose who signs."))
        self._is_opened = True
        return Order(self.who, self.act, loads.arguments(self.act, self.manifest, received, comment.strip()))

    def count(self, *states: str) -> int:
        """Count the loads in any of these states."""
        return sum(manifest["state"] in states for manifest in self.manifests or ())


def sign(order: Order, names: Names, client: Any, say: Callable[..., None]) -> Proof:
    """Sign, send and wait until it is final; returns its proof."""
    say(0)
    wallet, call = client.wallet(order.who), Call(custody.CUSTODY, order.act, dict(order.arguments))
    say(1, _("More than two thirds of the validators have to agree."))
    try:
        receipt = client.send(wallet, [call])
    except CallFailed as error:
        raise CallFailed(with_names(str(error), names), error.receipt) from error
    proof: Proof = receipt.proof()
    return proof


def aloud(play: Callable[[Any, Callable[[str], None]], None], client: Any, say: Callable[..., None]) -> None:
    """Play an example, and pass on in the viewer's language what it tells about each step: `who: sentence`."""
    say(0)
    play(client, lambda text: say(1, ": ".join(_(part) for part in text.split(": ", 1))))


def as_it_was(wanted: Settings, client: Any) -> Snapshot:
    """Execute the ledger anew up to the block of a run code, and return what it was then."""
    run = back_to(wanted, client)
    contracts = [REGISTRY] if run.has_contract(REGISTRY) else []
    return Snapshot(run.height, short(run.genesis.hash), known_names(run, contracts), (), custody.manifests_of(run))


# --- how it looks ------------------------------------------------------------------------------------------------


def page(connect: Callable[[], Any], play: Callable[[Any, Callable[[str], None]], None]) -> Page:
    """Build the dashboard; `play(client, tell)` puts an example where there is no load yet."""
    model, errands = Custody(), Errands(connect)
    live = LiveLoop(connect, CustodyReader(), model.show)
    picks, screens = PickList(_("Loads"), _("No load yet.")), tabs()
    model.observe(lambda change: picks.set_trait("selected", change.new), "chosen")
    picks.observe(lambda change: model.open(change.new), "selected")
    model.observe(lambda _change: picks.show([_pick(one, model.names) for one in model.manifests or ()]), "manifests")
    opened = stack(_way(model), row(_signing(model, errands), _record(model)))
    loads_seen = split(card(picks, title=_("Loads")), opened)
    screens.children = [loads_seen, _attention(model, screens), _mass(model), _incentive(model)]
    screens.titles = (_("Loads"), _("Needs attention"), _("Where the mass went"), _("Does cheating pay?"))
    begin = _start(errands, play)
    shown = [_figures(model), screens]

    def content() -> Sequence[Content]:
        is_empty = model.height >= 0 and not model.manifests
        return [begin] if is_empty else shown

    case = custody.case(model, errands)
    return frame.page(case, _earlier(model, errands), rebuilt(model, ["manifests", "height"], content), live=live)


def _earlier(model: Custody, errands: Errands[Any]) -> W.Box:
    """Say that an earlier block is shown, and offer to follow the ledger again."""
    place = stack()

    def fetch(change: Any) -> None:
        if change.new:
            errand(errands, partial(as_it_was, change.new), model.pin, place)

    def shown() -> Sequence[Content]:
        if not model.is_pinned:
            return []
        words = _("You see the ledger as it was at block {height}, executed anew.").format(height=number(model.height))
        return [bar(parts.note("info", words), button(_("Follow the ledger again"), model.follow))]

    model.observe(fetch, "wanted")
    return stack(place, rebuilt(model, ["is_pinned"], shown))


def _start(errands: Errands[Any], play: Callable[[Any, Callable[[str], None]], None]) -> W.Box:
    """Offer to begin, as long as there is nothing to see."""
    steps = [_("Rules on the ledger"), _("Loads"), _("Final")]
    begin = LongAction(_("Play the example day"), steps, errands, lambda: partial(aloud, play), lambda _nothing: "")
    sentence = _("It brings nine loads. Every step is really signed and agreed on; only the people are invented.")
    return card(begin, title=_("There is no load on this network yet."), sentence=sentence)


def _figures(model: Custody) -> W.Box:
    def moving() -> Safe:
        waiting = model.count("Pending", "Scheduled")
        note = _("{count} still to be picked up").format(count=number(waiting))
        count = model.count("InTransit", "Received", "ReadyForSignature")
        return parts.kpi(_("On the way"), count, note=note, figure=_("On the way"))

    def complete() -> Safe:
        figure = _("Complete, signed by every party")
        return parts.kpi(_("Complete"), model.count(*loads.COMPLETE), note=_("signed by every party"), figure=figure)

    def attention() -> Safe:
        found = model.alerts
        bad = sum(alert.state == "bad" for alert in found)
        note = _("{count} late or unsigned").format(count=number(bad))
        return parts.kpi(_("Needs attention"), len(found), note=note, figure=_("Needs attention"))

    def mass() -> Safe:
        sent, came = loads.mass_reported(model.manifests or ())
        note = _("of {sent} kg that were sent").format(sent=number(sent))
        return parts.kpi(_("Arrived"), came, loads.unit_name("K"), note, figure=_("Arrived, kg"))

    return band(*(bound(model, ["manifests"], render) for render in (moving, complete, attention, mass)))


def _pick(manifest: Manifest, names: Names) -> Pick:
    who = name_of(manifest["generator"], names)
    state, word = loads.state_of(manifest)
    if any(alert.state == "bad" for alert in loads.alerts(manifest, names)):
        state, word = "bad", _("look at this")
    return Pick(manifest["number"], manifest["number"], f"{loads.what(manifest)} · {who}", state, word)


def _way(model: Custody) -> W.Box:
    def shown() -> Safe:
        manifest = model.manifest
        if manifest is None:
            return parts.paragraph(_("Choose a load."))
        told = [(alert.state, alert.words) for alert in loads.alerts(manifest, model.names)]
        number_ = _("Manifest {number}").format(number=manifest["number"])
        top = tag(
            "div",
            tag("div", parts.heading(number_, loads.what(manifest))),
            parts.chip(*loads.state_of(manifest)),
            class_="mc-line",
        )
        title = _("From hand to hand")
        way = parts.custody(title, loads.stops(manifest, model.names))
        return join(top, tag("p", title, class_="mc-caption"), way, parts.sentences(told))

    return card(bound(model, ["manifests", "chosen"], shown, "mc-way"))


def _record(model: Custody) -> W.Box:
    def told() -> Safe:
        if model.manifest is None:
            return join()
        lines = [_logged(entry, model.names) for entry in reversed(model.manifest["log"])]
        earlier = parts.drawer(_("Earlier"), parts.sentences(lines[SHOWN_LOG:])) if lines[SHOWN_LOG:] else None
        return join(parts.sentences(lines[:SHOWN_LOG]), earlier)

    sentence = _("Newest first; nothing here can be removed.")
    return card(bound(model, ["manifests", "chosen"], told), title=_("What was signed"), sentence=sentence)


def _logged(entry: Mapping[str, Any], names: Names) -> tuple[State, Safe]:
    words = deed(entry["act"], name_of(entry["by"], names))
    note = entry["note"] if entry["act"] not in ("submitted", "incident", "certified") else ""
    return "ok", join(words, note and join(" ", tag("q", note)), tag("small", moment(entry["at"])))


def _signing(model: Custody, errands: Errands[Any]) -> W.Box:
    who = W.Dropdown()
    act = W.Dropdown(options=[(words.capitalize(), name) for name, words in loads.act_names().items()])

    def offer(_change: Any) -> None:
        chosen = model.who  # new options would clear it
        who.options = [("", ""), *((_(name), name) for name in model.people)]
        model.who = chosen

    offer(None)
    model.observe(offer, "people")
    W.link((model, "who"), (who, "value"))
    W.link((model, "act"), (act, "value"))
    form = _Form(model)

    def prepare() -> Callable[..., Any]:
        return partial(sign, model.order(form.received, form.comment.value), model.names)

    def done(proof: Proof) -> Safe:
        form.comment.value = ""
        model.done |= {"signed"}
        words = _("Final in block {height}. It cannot be changed any more, only corrected.")
        return join(words.format(height=number(proof.header.height)), " ", proofs.link(proof))

    send = LongAction(_("Sign and send"), [_("Signed"), _("Agreed"), _("Final")], errands, prepare, done)
    model.observe(lambda _change: send.forget(), "chosen")
    return card(
        bound(model, ["step", "names"], lambda: _waited(model)),
        field(who, _("Sign as")),
        field(act, _("What you do")),
        rebuilt(model, ["act", "chosen", "step"], form.fields),
        send,
        title=_("Sign"),
    )


def _waited(model: Custody) -> Safe:
    if model.step is None:
        return parts.paragraph(_("Nobody has to do anything now."))
    name, words = name_of(model.step.did, model.names), loads.act_names()[model.step.act]
    return parts.note("info", _("Waiting for {name}").format(name=name), tag("p", _("to {deed}").format(deed=words)))


class _Form:
    """What an act asks for beside a signature: a sentence, and for a report the amounts that arrived."""

    def __init__(self, model: Custody) -> None:
        self.comment = W.Text()
        self._model = model
        self._scales: list[W.BoundedIntText] = []
        self._weighed: Any = None  # what the scales were made for

    @property
    def received(self) -> list[int]:
        """Return the amounts that arrived, line by line."""
        return [scale.value for scale in self._scales]

    def fields(self) -> Sequence[Content]:
        """Return the fields for the load and the act that are chosen; what somebody has typed stays."""
        manifest, act = self._model.manifest, self._model.act
        lines = manifest["lines"] if manifest else ()
        weighed = (manifest and manifest["number"], [(line["quantity"], line["received"]) for line in lines])
        if weighed != self._weighed or any(scale.comm is None for scale in self._scales):
            self._weighed, self._scales = weighed, [_scale(line) for line in lines]
        shown = [field(scale, _scale_name(line)) for scale, line in zip(self._scales, lines, strict=True)]
        hint = _("Everybody can read it: leave out names and telephone numbers.")
        said = field(self.comment, _("In one plain sentence, why"), hint)
        return [*(shown if act == "report" else ()), *([said] if act in loads.WITH_COMMENT else ())]


def _scale(line: Mapping[str, Any]) -> W.BoundedIntText:
    return W.BoundedIntText(value=line["received"] or line["quantity"], min=0, max=10**12)


def _scale_name(line: Mapping[str, Any]) -> str:
    words, description = _("Arrived of {what}, in {unit}"), line["description"]
    return words.format(what=_(description), unit=loads.unit_name(line["unit"]))


def _attention(model: Custody, screens: W.Tab) -> W.Box:
    picks = PickList(_("What needs attention"), _("Nothing is late, missing or different."))
    words = {"bad": _("missing"), "warn": _("differs"), "info": _("to know")}

    def follow(_change: Any) -> None:
        found = enumerate(model.alerts)
        picks.show([Pick(f"{i} {a.number}", a.number, a.words, a.state, words[a.state]) for i, a in found])

    def open_load(change: Any) -> None:
        if change.new:
            model.open(change.new.partition(" ")[2])
            screens.selected_index, picks.selected = 0, ""

    model.observe(follow, "manifests")
    picks.observe(open_load, "selected")
    sentence = _("Late, handed over but never confirmed, or another amount than was sent. Choose one to open its load.")
    return card(picks, title=_("What needs attention"), sentence=sentence)


def _incentive(model: Custody) -> W.Box:
    def slide(name: str, words: str) -> Slide:
        made = Slide(words, *incentive.LIMITS[name])
        made.value = getattr(model.offer, name)

        def change(_change: Any) -> None:
            model.offer = replace(model.offer, **{name: made.value})
            model.done |= {"limit"} if incentive.balance_fen(model.offer) <= 0 else set()

        made.observe(change, "value")
        model.observe(lambda _change: made.set_trait("value", getattr(model.offer, name)), "offer")
        return made

    def told() -> Safe:
        balance, enough = incentive.balance(model.offer), incentive.break_even(model.offer)
        words = _("Whoever writes down too much gains {yuan} yuan with each load of 1,000 kg, on average.")
        stops = _("Weigh {share} % of the loads again, and cheating brings nothing.")
        state: State = "ok" if incentive.balance_fen(model.offer) <= 0 else "bad"
        gain = fill(words, yuan=parts.proven(_("Cheating brings, yuan a load"), balance))
        least = parts.proven(_("Loads to weigh again until it no longer pays, %"), number(enough))
        return parts.sentences([(state, gain), ("info", fill(stops, share=least))])

    sentence = _("The ledger cannot see a false first weighing. What stops it is that somebody weighs again.")
    slides = [slide(name, words) for name, words in incentive.names().items()]
    return card(*slides, bound(model, ["offer"], told, "mc-live"), title=_("Does cheating pay?"), sentence=sentence)


def _mass(model: Custody) -> W.Box:
    def drawn() -> Safe:
        flows, unweighed = loads.mass_flows(model.manifests or (), model.names)
        if not flows:
            return parts.paragraph(_("No load yet."))
        table = parts.table(
            _("The same in figures"),
            [_("From"), _("To"), _("Mass, kg")],
            [[flow.source, flow.target, flow.amount] for flow in flows],
        )
        words = ngettext(
            "{count} line is a volume and not drawn.", "{count} lines are volumes and not drawn.", unweighed
        )
        left_out = unweighed and parts.paragraph(words.format(count=number(unweighed)))
        return join(
            sankey(_("Where the mass went, in kilograms, as the parties signed it"), flows, loads.unit_name("K")),
            left_out or None,
            parts.drawer(_("The same in figures"), table),
        )

    return card(bound(model, ["manifests"], drawn))
