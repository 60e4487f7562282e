"""The explorer: what the chain holds, who keeps it, and a proof that anybody can check without trusting this page.

`Explorer` is what the page knows, and is tested without one; `page` is how it looks. A proof is checked in this process
from its own bytes, so that works with every validator switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import traitlets as T  # noqa: N812 - beside W

from minichain.crosschain.proofs import Proof
from minichain.errors import UsageError
from minichain.views import briefing, contracts, frame, parts, proofs
from minichain.views.briefs import explorer as brief
from minichain.views.i18n import _, moment, ngettext, number, short
from minichain.views.markup import Safe, join, tag
from minichain.views.models import BlockCard, ChainReader, Entry, NodeCard, block_card
from minichain.views.moving import BlockStrip, NodeRing, Opener, seal
from minichain.views.panels import (
    ConfirmButton,
    Content,
    Page,
    band,
    bar,
    bound,
    button,
    card,
    errand,
    field,
    guarded,
    html,
    rebuilt,
    row,
    stack,
    tabs,
)
from minichain.views.pictures import merkle_picture
from minichain.views.polling import Errands, LiveLoop
from minichain.views.telling import Names, tell

SHOWN_ENTRIES: Final = 10
ID_LENGTH: Final = 64
MAX_DIGITS: Final = 18  # a height fits into 64 bits
FOUND_A_CHAIN: Final = 3
MAX_PROOF_BYTES: Final = 2_000_000
BLOCK: Final = "block"  # the parameter of the page's address that says which block to open

# --- what the page knows -----------------------------------------------------------------------------------------


class Explorer(contracts.ContractModel):
    """The chain as last seen, the block that is open, the contract that is open, and the proof on the desk.

    A cheat works on a copy: `spot` is the position of the value it changes, `wish` what it writes there, `effort`
    (0 to 3) how much else it makes fit. `copy` is None while nothing is changed.
    """

    block: Any = T.Any(None)
    proof: Any = T.Any(None)
    spot = T.Int(0)
    wish = T.Unicode("")
    effort = T.Int(0)
    copy: Any = T.Any(None)
    past: Any = T.Any(None)  # the chain as it was at the block of a run code
    wanted: Any = T.Dict()  # what a run code asks for
    done: Any = T.Any(frozenset())  # the tasks that were done, by name

    @property
    def spots(self) -> tuple[proofs.Spot, ...]:
        """List what a cheat could change in the proof on the desk."""
        return proofs.spots(self.proof) if self.proof else ()

    @T.observe("block", "proof", "copy", "effort", "reading")
    def _tick(self, _change: Any) -> None:
        is_done = {
            "block": self.block is not None,
            "proof": self.proof is not None,
            "cheat": self.copy is not None,
            "chain": self.copy is not None and self.effort == FOUND_A_CHAIN,
            "contract": self.reading is not None,
        }
        self.done |= {name for name, done in is_done.items() if done}

    @T.observe("proof")
    def _lay_down(self, _change: Any) -> None:
        self.spot, self.effort = 0, 0
        self._wish_nothing()

    @T.observe("spot")
    def _wish_nothing(self, _change: Any = None) -> None:
        self.wish = str(self.spots[self.spot].value) if self.spots else ""

    @T.observe("spot", "wish", "effort")
    def _cheat(self, _change: Any) -> None:
        spot = self.spots[self.spot] if self.spots else None
        is_changed = spot is not None and spot.accepts(self.wish) and self.wish != str(spot.value)
        self.copy = proofs.cheat(self.proof, spot, self.wish, self.effort) if spot and is_changed else None


def find(text: str, client: Any) -> BlockCard:
    """Fetch the block that a height or a transaction id leads to."""
    wanted = "".join(text.replace(",", "").split()).lower()
    if len(wanted) == ID_LENGTH and set(wanted) <= set("0123456789abcdef"):
        wanted = str(client.receipt(wanted).height)
    if wanted.isdecimal() and len(wanted) < MAX_DIGITS:
        return block_card(client.block(int(wanted)))
    raise UsageError(_("Write the number of a block, or the id of a transaction, which has 64 characters."))


def take_proof(tx_id: str, client: Any) -> Proof:
    """Fetch the proof of a final transaction."""
    proof: Proof = client.proof(tx_id)
    return proof


# --- how it looks: the chain -------------------------------------------------------------------------------------


def page(connect: Callable[[], Any]) -> Page:
    """Build the explorer; `connect` opens a client and is called again after the network was lost."""
    model, errands = Explorer(), Errands(connect)
    live = LiveLoop(connect, ChainReader(), model.show)
    screens = tabs()
    show_proof = partial(setattr, screens, "selected_index", 1)
    screens.children = [
        _chain(model, errands, show_proof),
        _desk(model, errands),
        _cheating(model, errands),
        contracts.panel(model, errands),
    ]
    screens.titles = (_("The chain"), _("Check a proof"), _("Try to cheat"), _("Contracts"))
    return frame.page(brief.case(model, errands), _earlier(model, errands), _figures(model), screens, live=live)


def _earlier(model: Explorer, errands: Errands[Any]) -> W.Box:
    """Bring back what a run code asks for, and offer to follow the chain again."""
    place = stack()

    def fetch(change: Any) -> None:
        if change.new:
            errand(errands, partial(brief.as_it_was, change.new), partial(brief.lay_out, model), place)

    def shown() -> Sequence[Content]:
        if model.past is None:
            return []
        words = _("The brief is about block {height}. What follows goes on from there.")
        told = parts.note("info", words.format(height=number(model.past.height)))
        return [bar(told, button(_("Follow the ledger again"), partial(setattr, model, "past", None)))]

    model.observe(fetch, "wanted")
    return stack(place, rebuilt(model, ["past"], shown))


def _proven(model: Explorer, proof: Proof) -> Safe:
    entry = proofs.entry_of(proof)
    _state, told = tell(entry, model.names)
    block = _("Block {height}, final since {time}.").format(
        height=number(entry.height), time=moment(proof.header.time_ms)
    )
    return join(tag("p", told), tag("p", block, " ", proofs.link(proof)))


def _figures(model: Explorer) -> W.Box:
    def age() -> Safe:
        seconds, unit = (model.age_s, _("s")) if (model.age_s or 0) < 100 else (model.age_s // 60, _("min"))
        shown = "-" if model.age_s is None else number(seconds)
        return parts.kpi(_("Since the last block"), shown, unit, _("no entries, no blocks"))

    def latest() -> Safe:
        last = model.blocks[-1] if model.blocks else None
        return parts.kpi(
            _("Last block"), model.height, note=seal(last) if last else _("none yet"), figure=_("Last block")
        )

    def entries() -> Safe:
        fresh = sum(block.txs for block in model.blocks)
        note = _("{count} in the last blocks").format(count=number(fresh))
        return parts.kpi(_("Transactions"), model.txs, note=note, figure=_("Transactions"))

    def validators() -> Safe:
        shown = f"{model.in_step} / {len(model.nodes)}"
        return parts.kpi(_("Validators in step"), shown, note=_("more than two thirds must agree"))

    return band(
        bound(model, ["blocks"], latest),
        bound(model, ["txs"], entries),
        bound(model, ["nodes"], validators),
        bound(model, ["age_s"], age),
    )


def _chain(model: Explorer, errands: Errands[Any], show_proof: Callable[[], None]) -> W.Box:
    strip, place = BlockStrip(), stack()
    model.observe(lambda _change: strip.show(model.blocks), "blocks")

    def open_block(_change: Any) -> None:
        known = {block.height: block for block in model.blocks}
        if strip.selected in known or strip.selected < 0:
            model.block = known.get(strip.selected)
        else:
            errand(errands, partial(find, str(strip.selected)), partial(setattr, model, "block"), place)

    strip.observe(open_block, "selected")
    opened = rebuilt(model, ["block", "names"], lambda: _block(model, errands, show_proof, place))
    return stack(
        card(
            strip,
            _finder(model, errands, place),
            title=_("The last blocks"),
            sentence=_("Each block carries the fingerprint of the one before it. Choose one to open it."),
        ),
        opened,
        row(_keepers(model, errands), _recent(model)),
    )


def _finder(model: Explorer, errands: Errands[Any], place: W.Box) -> W.Box:
    wanted = W.Text(placeholder=_("for example 12"), continuous_update=False)

    def go() -> None:
        errand(errands, partial(find, wanted.value), partial(setattr, model, "block"), place)

    wanted.observe(lambda _change: go(), "value")  # the Enter key
    wanted.value = briefing.asked_for(BLOCK)
    return stack(bar(field(wanted, _("Number of a block, or id of a transaction")), button(_("Find"), go)), place)


def _block(model: Explorer, errands: Errands[Any], show_proof: Callable[[], None], place: W.Box) -> Sequence[Content]:
    block: BlockCard | None = model.block
    if block is None:
        return ()

    def take(entry: Entry) -> None:
        def lay_down(proof: Proof) -> None:
            model.proof = proof
            show_proof()

        errand(errands, partial(take_proof, entry.id), lay_down, place)

    facts = parts.facts(
        [
            (_("Made at"), moment(block.time_ms)),
            (_("Proposed by"), block.proposer),
            (_("Final"), parts.chip("ok" if block.is_final else "warn", seal(block))),
            (_("Fingerprint"), parts.codeline(block.id.hex())),
            (_("Block before it"), parts.codeline(block.parent.hex())),
        ]
    )
    rows = [_entry(entry, model.names, take) for entry in block.entries[:SHOWN_ENTRIES]]
    more = len(block.entries) - SHOWN_ENTRIES
    rest = [html(parts.paragraph(_("and {count} more").format(count=number(more))))] if more > 0 else []
    close = button(_("Close"), lambda: model.set_trait("block", None))
    return [card(facts, *rows, *rest, bar(close), title=_("Block {height}").format(height=number(block.height)))]


def _entry(entry: Entry, names: Names, take: Callable[[Entry], None]) -> W.Box:
    state, told = tell(entry, names)
    work = _("{gas} gas").format(gas=number(entry.receipt.gas))
    line = W.HBox(
        [
            html(parts.sentences([(state, join(told, tag("small", parts.codeline(entry.id), " · ", work)))])),
            button(_("Check its proof"), partial(take, entry)),
        ]
    )
    line.add_class("mc-line")
    return line


def _recent(model: Explorer) -> W.Box:
    def told() -> Safe:
        recent = model.recent[:SHOWN_ENTRIES]
        return (
            parts.sentences([tell(entry, model.names) for entry in recent])
            if recent
            else parts.paragraph(_("Nothing yet."))
        )

    return card(bound(model, ["blocks"], told, "mc-live"), title=_("What was recorded last"))


# --- how it looks: who keeps it ----------------------------------------------------------------------------------


def _keepers(model: Explorer, errands: Errands[Any]) -> W.Box:
    ring, place = NodeRing(), stack()

    def follow(_change: Any) -> None:
        ring.show(model.nodes, number(model.height), _("last block"))

    model.observe(follow, ["nodes", "height"])
    chosen = rebuilt(ring, ["selected"], lambda: _keeper(ring, model, errands, place))
    sentence = _("Each keeps the whole record. Choose one to see what it says of itself.")
    return card(ring, chosen, place, title=_("Who keeps it"), sentence=sentence)


def _keeper(ring: NodeRing, model: Explorer, errands: Errands[Any], place: W.Box) -> Sequence[Content]:
    if not 0 <= ring.selected < len(model.nodes):
        return ()
    node: NodeCard = model.nodes[ring.selected]

    def turn(deed: str) -> None:
        errand(
            errands,
            lambda client: getattr(client, deed)(node.name),
            lambda _nothing: ring.set_trait("selected", -1),
            place,
        )

    stop = ConfirmButton(
        _("Stop this validator"),
        _("{name} stops now, as in a power cut. The others go on while more than two thirds are up.").format(
            name=node.name
        ),
        _("Stop it"),
        partial(turn, "crash"),
    )
    start = button(_("Start it again"), partial(turn, "restart"), "primary")
    return [
        bound(model, ["nodes"], lambda: _said(model.nodes[ring.selected] if ring.selected >= 0 else node)),
        stop if node.state != "bad" else start,
    ]


def _said(node: NodeCard) -> Safe:
    status = node.report.status if node.report else None
    if status is None:
        return parts.paragraph(_("{name} does not answer.").format(name=node.name))
    memory = node.report.memory if node.report else None
    return parts.facts(
        [
            (_("Name"), node.name),
            (_("Last block"), number(status.height)),
            (_("Fingerprint of its books"), parts.codeline(short(status.state_root))),
            (_("Waiting transactions"), number(status.waiting)),
            (_("Misbehaviour it has proof of"), number(status.evidence)),
            *([(_("Memory"), f"{memory // 1_000_000} MB")] if memory else []),
        ]
    )


# --- how it looks: proofs ----------------------------------------------------------------------------------------


def _desk(model: Explorer, errands: Errands[Any]) -> W.Box:
    pasted, place = W.Textarea(rows=3), stack()

    def lay_down(data: bytes) -> None:
        model.proof = read_proof(data)

    def open_file(data: bytes) -> None:
        guarded(lambda: lay_down(data), place)()

    choose = card(
        _newest(model, errands, place),
        Opener(_("Open a proof file"), ".json", MAX_PROOF_BYTES, open_file),
        field(pasted, _("Or paste a proof")),
        button(_("Check what I pasted"), lambda: lay_down(pasted.value.strip().encode()), place=place),
        place,
        title=_("Which proof?"),
        sentence=_(
            "A proof is a small file: a transaction, its place in a block, and the signatures that made it final."
        ),
    )
    found = rebuilt(
        model, ["proof", "genesis"], lambda: [_result(model, model.proof)] if model.proof else [_no_proof()]
    )
    return row(choose, card(found, title=_("What it proves"), sentence=_("Checked here, from the file alone.")))


def read_proof(data: bytes) -> Proof:
    """Read a proof file; raises what makes it none."""
    if len(data) > MAX_PROOF_BYTES:
        raise UsageError(_("This is too large to be a proof."))
    return Proof.from_bytes(data)


def _newest(model: Explorer, errands: Errands[Any], place: W.Box) -> W.Button:
    def take() -> None:
        if not model.recent:
            raise UsageError(_("There is no transaction yet."))
        errand(errands, partial(take_proof, model.recent[0].id), partial(setattr, model, "proof"), place)

    return button(_("Take the newest transaction"), take, "primary", place)


def _no_proof() -> Safe:
    return parts.paragraph(_("Choose a proof first: a file, or any transaction of the chain."))


def _result(model: Explorer, proof: Proof) -> Safe:
    """Show every check, the verdict of the proof itself, and the way from the receipt up to the block."""
    trusted = model.genesis.hash if model.genesis else b""
    problem = proofs.verdict(proof, trusted)
    checks = proofs.checks(proof, trusted)
    failing = sum(bool(check.problem) for check in checks)
    words = ngettext("{count} check of {all} fails.", "{count} checks of {all} fail.", failing)
    failed = tag("p", words.format(count=number(failing), all=number(len(checks))))
    lines = [("bad" if check.problem else "ok", _line(check)) for check in checks]
    return join(
        parts.note("bad", _("Not proven"), failed) if problem else parts.note("ok", _("Proven"), _proven(model, proof)),
        parts.sentences(lines),
        merkle_picture(
            _("From the receipt up to the block"),
            proof.receipt,
            proof.index,
            proof.count,
            proof.receipt_path,
            proof.header.receipt_root,
        ),
    )


def _line(check: proofs.Check) -> Safe:
    return join(check.claim, check.problem and tag("small", check.problem))


def _cheating(model: Explorer, errands: Errands[Any]) -> W.Box:
    place = stack()
    spot, wish = W.Dropdown(), W.Text()
    effort = W.Dropdown(options=[(words, i) for i, words in enumerate(_efforts())])
    fields = [
        field(spot, _("What you change")),
        field(wish, _("What you write instead")),
        field(effort, _("How far you go")),
    ]

    def controls() -> Sequence[Content]:
        spot.options = [(f"{found.name} = {found.value}", i) for i, found in enumerate(model.spots)] or [("", 0)]
        return fields if model.spots else [_newest(model, errands, place), place]

    def outcome() -> Sequence[Content]:
        if model.copy is None:
            return [parts.paragraph(_("Nothing is changed yet. Write another value.")) if model.proof else _no_proof()]
        return [_result(model, model.copy)]

    untouched = parts.note(
        "info",
        _("The real chain is not touched."),
        tag("p", _("You change a copy inside this page, and see who would notice.")),
    )
    left = card(untouched, rebuilt(model, ["proof"], controls), title=_("Cheat on a copy"))
    for widget, trait in ((spot, "spot"), (wish, "wish"), (effort, "effort")):
        W.link((model, trait), (widget, "value"))
    return row(left, card(rebuilt(model, ["copy", "proof"], outcome), title=_("Who would notice")))


def _efforts() -> list[str]:
    return [
        _("I only change it"),
        _("I also recompute the block's fingerprints"),
        _("I also sign the block with keys of my own"),
        _("I also found a chain of my own with them"),
    ]
