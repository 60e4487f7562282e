"""Garbage custody as the frame sees it: its state is the ledger up to a block, from which every figure comes again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from minichain.views import loads
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.i18n import _, number
from minichain.views.incentive import Offer, balance, break_even
from minichain.views.loads import Alert, Manifest
from minichain.views.markup import Child
from minichain.views.models import ask_all
from minichain.views.pictures import sankey
from minichain.views.replay import behind, replay
from minichain.views.stills import columns

CUSTODY: Final = "waste"
FOLLOWS: Final = ("manifests", "chosen", "offer")


def case(model: Any, errands: Any) -> Case:
    """Describe the dashboard; `errands` have a client of its network."""
    return Case(
        name="garbage_custody",
        title=_("Garbage custody"),
        model=model,
        follows=FOLLOWS,
        does=Functions(_settings, _reload, tried, figures, _told, recompute),
        tasks=_tasks,
        limits=(
            _("whether the waste is really there: the chain proves who signed what and when"),
            _("whether a scale was honest, or a bin was opened on the way"),
            _("anything about a household: personal data are not on the chain"),
        ),
        errands=errands,
    )


def _tasks() -> dict[str, str]:
    return {
        "bad": _("Open a load that was handed over and never confirmed. Who has it now?"),
        "warn": _("Open a load that arrived with another weight, or was rejected."),
        "signed": _("Sign as the party everybody is waiting for. Then try it as somebody else."),
        "limit": _("Find out how many loads must be weighed again until cheating no longer pays."),
    }


# --- its state ---------------------------------------------------------------------------------------------------


def _settings(model: Any) -> Settings:
    return {"height": max(0, model.height), "chain": model.chain, "chosen": model.chosen, **model.offer.settings}


def _reload(model: Any, settings: Settings) -> None:
    """Show the offer at once; the ledger as it was at that block comes when it has been executed anew."""
    model.offer = Offer.of(settings)
    if settings["chain"]:
        model.wanted = dict(settings)


# --- what it says ------------------------------------------------------------------------------------------------


def tried(model: Any) -> list[tuple[str, str]]:
    """Say what is looked at, and what is offered."""
    return [
        (_("The ledger up to block"), number(max(0, model.height))),
        (_("Chain"), model.chain or _("none yet")),
        (_("The load that is open"), model.chosen or _("none")),
        *model.offer.told(),
    ]


def figures(model: Any) -> list[Figure]:
    """Return what the manifests add up to, and what the offer leads to."""
    return [*of_loads(model.manifests or (), model.names), *of_offer(model.offer)]


def of_loads(manifests: Sequence[Manifest], names: Mapping[str, str]) -> list[Figure]:
    """Return what manifests add up to."""
    found = alerts(manifests, names)
    sent, came = loads.mass_reported(manifests)
    moving = _count(manifests, "InTransit", "Received", "ReadyForSignature")
    complete = _count(manifests, *loads.COMPLETE)
    signed = _("Loads whose manifest is signed by all, corrected or certified.")
    underway = _("Loads that a haulier has signed for, up to the plant's last signature.")
    attention = _("Missing signatures, late loads, other weights and rejections, added up over all loads.")
    late = _("Of what needs attention, what is late or was never confirmed.")
    sums = _("The sum over all loads on which the plant has reported.")
    return [
        Figure(_("Loads"), len(manifests), how=_("Every manifest on the ledger, cancelled ones included.")),
        Figure(_("Complete, signed by every party"), complete, how=signed),
        Figure(_("On the way"), moving, how=underway),
        Figure(_("Needs attention"), len(found), how=attention),
        Figure(_("Late, or never confirmed"), sum(alert.state == "bad" for alert in found), how=late),
        Figure(_("Sent, kg"), sent, how=sums),
        Figure(_("Arrived, kg"), came, how=sums),
    ]


def of_offer(offer: Offer) -> list[Figure]:
    """Return what an offer leads to."""
    gain = _(
        "The invented weight times the subsidy, less what is paid back and fined for the loads that are weighed again."
    )
    enough = _("100 % divided by (1 + the fine), rounded up: from there on the gain is nothing.")
    return [
        Figure(_("Cheating brings, yuan a load"), balance(offer), how=gain),
        Figure(_("Loads to weigh again until it no longer pays, %"), break_even(offer), how=enough),
    ]


def alerts(manifests: Sequence[Manifest], names: Mapping[str, str]) -> list[Alert]:
    """List all that needs attention, worst first."""
    found = [alert for manifest in manifests for alert in loads.alerts(manifest, names)]
    return sorted(found, key=lambda alert: ("bad", "warn", "info").index(alert.state))


def _count(manifests: Sequence[Manifest], *states: str) -> int:
    return sum(manifest["state"] in states for manifest in manifests)


def _told(model: Any) -> Told:
    manifests = model.manifests or ()
    found = alerts(manifests, model.names)
    flows, _unweighed = loads.mass_flows(manifests, model.names)
    words = {"bad": _("late or unsigned"), "warn": _("differs"), "info": _("to know")}
    rows: list[list[Child]] = [[alert.number, words[alert.state], alert.words] for alert in found]
    title = _("Where the mass went, in kilograms, as the parties signed it")
    return Told(
        question=_("What did the ledger catch, and what would only a second weighing have caught?"),
        chart=sankey(title, flows, loads.unit_name("K")) if flows else columns(title, []),
        caption=_("What the ledger caught: late, unsigned or different"),
        columns=[_("Load"), _("Kind"), _("What happened")],
        rows=rows,
        safeguards=(
            _("Scales are calibrated, and the date of the last calibration is known for each."),
            _("A share of the loads is weighed a second time by somebody else."),
            _("A mistake is corrected by a new entry; the old one stays."),
            _("Nothing about a single household is recorded."),
            _("Whoever is named in an entry can object to it, and a person decides."),
        ),
        alternative=_(
            "A shared database with a signed export each evening, where all parties trust one office to keep it."
        ),
        unproven=(_("what was never weighed a second time: a false first weighing passes every check of the ledger"),),
    )


# --- made anew ---------------------------------------------------------------------------------------------------


def recompute(model: Any, client: Any) -> list[Finding]:
    """Execute every block up to the one that the page shows, and read the manifests from what comes out."""
    run = replay(client, max(0, model.height))
    shown, again = of_loads(model.manifests or (), model.names), of_loads(manifests_of(run), model.names)
    source, blocks = behind(run), run.blocks_of(CUSTODY)
    calculated = _("calculated anew from what is offered; no block stands behind it")
    return [
        *(Finding(*pair, source, blocks) for pair in zip(shown, again, strict=True)),
        *(Finding(*pair, calculated) for pair in zip(of_offer(model.offer), of_offer(model.offer), strict=True)),
    ]


def manifests_of(run: Any) -> tuple[Manifest, ...]:
    """Read all manifests from a replayed chain, newest first; none if it has no waste ledger."""
    if not run.has_contract(CUSTODY):
        return ()
    summaries = ask_all(run, CUSTODY, "manifests_for")
    return tuple(run.view(CUSTODY, "manifest", {"number": one["number"]}) for one in reversed(summaries))
