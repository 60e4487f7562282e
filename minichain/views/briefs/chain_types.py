"""Kinds of ledger as the frame sees it: a design, what is needed, and which kinds were run with it."""

from __future__ import annotations

from typing import Any, Final

from minichain.errors import UsageError
from minichain.views import ledgers
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.i18n import _, listed, number
from minichain.views.markup import Child
from minichain.views.stills import columns

FOLLOWS: Final = ("validators", "owners", "figures", "needs")


def case(model: Any, errands: Any) -> Case:
    """Describe the page; `errands` have the bench on which ledgers run."""
    return Case(
        name="chain_types",
        title=_("Kinds of ledger"),
        model=model,
        follows=FOLLOWS,
        does=Functions(_settings, _reload, tried, figures, _told, recompute),
        tasks=_tasks,
        limits=(
            _("how fast a real network is: times are those of a simulation with 1 to 20 ms between computers"),
            _("how much electricity a public chain takes: tries are counted on a chain as small as a class"),
            _("whether owners are independent: two names may belong to one company"),
            _("that what is read by members only stays a secret: a member can pass it on"),
        ),
        errands=errands,
    )


def _tasks() -> dict[str, str]:
    return {
        "run": _("Guess which kind is fastest and which sends most messages. Then run all of them."),
        "flag": _("Make a design of 9 validators and 2 owners. What does the map say?"),
        "need": _("Choose what your office needs. Would a database do?"),
        "attack": _("Try an attack. Which kinds does it hurt, and which only with a majority?"),
    }


def _settings(model: Any) -> Settings:
    return {
        "validators": model.validators,
        "owners": model.owners,
        "kind": model.kind,
        "needs": " ".join(sorted(model.needs)),
        "runs": " ".join(model.found),
    }


def _reload(model: Any, settings: Settings) -> None:
    needs, kinds = (str(settings[name]).split() for name in ("needs", "runs"))
    known = {*ledgers.names(), model.everything}
    if not set(needs) <= set(ledgers.needs()) or not {*kinds, settings["kind"]} <= known:
        raise UsageError(_("This run asks for more than a page can do."))
    with model.hold_trait_notifications():
        model.validators, model.owners = int(settings["validators"]), int(settings["owners"])
        model.kind, model.needs = str(settings["kind"]), frozenset(needs)
    model.wanted = tuple(kind for kind in kinds if kind not in model.found)


def tried(model: Any) -> list[tuple[str, str]]:
    """Say the design and what is needed."""
    validators, owners = model.design
    needs, ran = ledgers.needs(), [ledgers.names()[kind] for kind in model.found]
    return [
        (_("Validators (computers)"), number(validators)),
        (_("Owners who share them"), number(owners)),
        (_("What is needed"), listed(needs[name] for name in needs if name in model.needs) or _("nothing")),
        (
            _("The same 200 transactions on each"),
            listed(ran) or _("not run yet"),
        ),
    ]


def figures(model: Any) -> list[Figure]:
    """Return what is known before anything runs, and what each run has shown."""
    outline, names = model.outline("alliance"), ledgers.names()
    shares = outline["concentration"]
    halt = _("The fewest owners without whom the rest is too few to agree on a block.")
    rewrite = _("The fewest owners who have enough validators between them to agree on another past.")
    found = [
        Figure(_("Owners who are enough to stop the alliance"), shares["owners_to_halt"], how=halt),
        Figure(_("Owners who are enough to change its past"), shares["owners_to_rewrite"], how=rewrite),
    ]
    words = _("{kind}: final after")
    how = _("Half of the 200 transactions were final after this time, on the simulated clock.")
    for kind, run in model.found.items():
        late = ledgers.first_rows()[_("Final after")](run)
        value = f"{run['latency_p50_ms']} {run['messages_per_transaction']} {run['stored_bytes_per_transaction']}"
        found.append(Figure(words.format(kind=names[kind]), value, late.value, how))
    return found


def _told(model: Any) -> Told:
    names, found = ledgers.names(), model.found
    waits = [
        (names[kind], float(run["latency_p50_ms"]), ledgers.time(run["latency_p50_ms"])) for kind, run in found.items()
    ]
    rows: list[list[Child]] = [
        [name, *(rule(run).value for run in found.values())] for name, rule in ledgers.first_rows().items()
    ]
    return Told(
        question=_("Who should keep the record, and could a database do it?"),
        chart=columns(_("Until an entry is final"), waits),
        caption=_("The same 200 transactions on each"),
        columns=["", *(names[kind] for kind in found)],
        rows=rows if found else [],
        safeguards=(
            _("Owners are counted, and not computers."),
            _("No owner alone can stop it or change its past."),
            _("It is settled who may join, who may read, and how one leaves with one's data."),
            _("Somebody outside keeps the proofs that matter."),
        ),
        alternative=ledgers.verdict(found, model.needs) if found else ledgers.descriptions()["database"],
        seed=str(next(iter(found.values()))["seed"]) if found else "",
    )


def recompute(model: Any, bench: Any) -> list[Finding]:
    """Run each kind again, with the same seed, and count anew."""
    again = type(model)(model.outline_of)
    again.validators, again.owners = model.design
    words = _("run again from seed {seed}: {blocks} blocks, every message and byte counted anew")
    counted = _("counted from who owns which computer; no block stands behind it")
    sources = [counted, counted]
    for kind in model.found:
        run = bench.run(kind, *model.design)
        again.keep_figures((kind, *model.design), run)
        sources.append(words.format(seed=number(run["seed"]), blocks=number(run["blocks"])))
    return [Finding(*one) for one in zip(figures(model), figures(again), sources, strict=True)]
