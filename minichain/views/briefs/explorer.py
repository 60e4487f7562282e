"""The explorer as the frame sees it: the chain up to a block, the proof on the desk, and how far a cheat has gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from minichain.ledger.genesis import Genesis
from minichain.views import proofs
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.i18n import _, number, short
from minichain.views.markup import Child
from minichain.views.replay import back_to, behind, replay
from minichain.views.stills import columns

FOLLOWS: Final = ("height", "txs", "proof", "copy", "past")
CHECKS: Final = 5  # of a proof


@dataclass(frozen=True, slots=True)
class Past:
    """The chain as it was at a block."""

    height: int
    txs: int


def case(model: Any, errands: Any) -> Case:
    """Describe the explorer; `errands` have a client of its network."""
    return Case(
        name="explorer",
        title=_("Explorer"),
        model=model,
        follows=FOLLOWS,
        does=Functions(_settings, _reload, tried, figures, _told, recompute),
        tasks=_tasks,
        limits=(
            _("whether what was signed is true: the chain proves who signed what and when"),
            _("anything that was never written down"),
            _("the names of people: an account is a key, and only validators are listed by name"),
        ),
        errands=errands,
    )


def _tasks() -> dict[str, str]:
    return {
        "block": _("Open a block and read what was recorded in it."),
        "proof": _("Check the proof of one transaction. Who has to be trusted for that?"),
        "cheat": _("Change the proof on a copy, and see which check notices it."),
        "chain": _("Go as far as you can. What is the last thing that gives the cheat away?"),
        "contract": _("Read a contract. Who may change its rules, and who is not allowed to use it?"),
    }


# --- its state ---------------------------------------------------------------------------------------------------


def chain_of(model: Any) -> str:
    """Return the first letters of the genesis hash; empty before the first look."""
    return short(model.genesis.hash) if model.genesis else ""


def _now(model: Any) -> Past:
    return model.past or Past(model.height, model.txs)


def _settings(model: Any) -> Settings:
    is_changed = model.copy is not None
    return {
        "chain": chain_of(model),
        "height": _now(model).height,
        "tx": proofs.entry_of(model.proof).id if model.proof else "",
        "spot": model.spot if is_changed else 0,
        "wish": model.wish if is_changed else "",
        "effort": model.effort if is_changed else 0,
    }


def _reload(model: Any, settings: Settings) -> None:
    if settings["chain"]:
        model.wanted = dict(settings)


def as_it_was(wanted: Settings, client: Any) -> tuple[Past, Any]:
    """Execute the chain anew up to the block of a run code; returns that, and the proof that lay on the desk."""
    run = back_to(wanted, client)
    proof = client.proof(str(wanted["tx"])) if wanted["tx"] else None
    return Past(run.height, len(run.receipts)), proof


def lay_out(model: Any, found: tuple[Past, Any]) -> None:
    """Show what a run code asked for."""
    model.past, model.proof = found
    if model.wanted["wish"]:
        model.spot, model.effort = int(model.wanted["spot"]), int(model.wanted["effort"])
        model.wish = str(model.wanted["wish"])


# --- what it says ------------------------------------------------------------------------------------------------


def tried(model: Any) -> list[tuple[str, str]]:
    """Say what is looked at."""
    told = [
        (_("Chain"), chain_of(model) or _("none yet")),
        (_("The ledger up to block"), number(_now(model).height)),
        (_("Proof on the desk"), short(proofs.entry_of(model.proof).id) if model.proof else _("none")),
    ]
    if model.copy is not None:
        told.append((_("Changed on a copy"), model.spots[model.spot].name))
        told.append((_("How far the cheat has gone"), number(model.effort)))
    return told


def figures(model: Any) -> list[Figure]:
    """Return how long the chain is, and how many checks hold."""
    now = _now(model)
    found = [
        Figure(_("Last block"), now.height, how=_("The height of the last final block that this page has seen.")),
        Figure(_("Transactions"), now.txs, how=_("All transactions in the blocks up to that one, refused ones too.")),
    ]
    return found + _held(model, model.proof, model.copy)


def _held(model: Any, proof: Any, copy: Any) -> list[Figure]:
    if proof is None or model.genesis is None:
        return []
    words = {_("Checks of the proof that hold"): proof, _("Checks of the changed copy that hold"): copy}
    made, how = [], _("Each check is made on this page, from the bytes of the proof alone.")
    for name, one in words.items():
        if one is not None:
            checks = proofs.checks(one, model.genesis.hash)
            held = sum(not check.problem for check in checks)
            made.append(
                Figure(name, held, _("{held} of {all}").format(held=number(held), all=number(len(checks))), how)
            )
    return made


def _told(model: Any) -> Told:
    checks = proofs.checks(model.proof, model.genesis.hash) if model.proof and model.genesis else ()
    changed = proofs.checks(model.copy, model.genesis.hash) if model.copy is not None else ()
    rows: list[list[Child]] = [
        [check.claim, _says(check), _says(changed[at]) if at < len(changed) else ""] for at, check in enumerate(checks)
    ]
    bars = [(figure.name, float(figure.value), figure.shown) for figure in _held(model, model.proof, model.copy)]
    return Told(
        question=_("What can a stranger check without trusting this page, and what gives a cheat away?"),
        chart=columns(_("Checks that hold"), bars or [(_("Transactions"), 1.0, number(_now(model).txs))]),
        caption=_("What was checked"),
        columns=[_("Claim"), _("The proof"), _("The changed copy")],
        rows=rows,
        safeguards=(
            _("Those who check know the fingerprint of the genesis from somebody other than this page."),
            _("Proofs of what matters are kept outside of the network."),
            _("Nothing personal is written into a transaction."),
        ),
        alternative=_("A signed file and its receipt: enough, where it does not matter what else was recorded."),
    )


def _says(check: Any) -> str:
    return _("fails") if check.problem else _("holds")


# --- made anew ---------------------------------------------------------------------------------------------------


def recompute(model: Any, client: Any) -> list[Finding]:
    """Execute every block anew, and check the proof from its own bytes."""
    shown, run = figures(model), replay(client, _now(model).height)
    again = [Figure(shown[0].name, run.height), Figure(shown[1].name, len(run.receipts))]
    sources, blocks = (
        [behind(run)] * 2,
        [[run.height] if run.height else [], sorted({receipt.height for receipt in run.receipts})],
    )
    known = Genesis(client.genesis.spec)
    for figure, proof in zip(shown[2:], [one for one in (model.proof, model.copy) if one is not None], strict=True):
        held = sum(not check.problem for check in proofs.checks(type(proof).from_bytes(proof.to_bytes()), known.hash))
        again.append(Figure(figure.name, held, _("{held} of {all}").format(held=number(held), all=number(CHECKS))))
        sources.append(_("the proof itself, byte by byte, with no network behind it"))
        blocks.append([proof.header.height] if proof is model.proof else [])
    return [Finding(*one) for one in zip(shown, again, sources, blocks, strict=True)]
