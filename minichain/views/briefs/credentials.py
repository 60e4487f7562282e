"""Cards and data as the frame sees it: roles are its state, registers and blocks give its figures.

The registers of the offices are no ledger: what stood in them earlier cannot be brought back, and the page says so.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from minichain.errors import UsageError
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.i18n import _, number
from minichain.views.markup import Child
from minichain.views.replay import behind, replay
from minichain.views.residents import Desk, DeskReader, share_state
from minichain.views.stills import columns

ROLES: Final = ("resident", "verifier", "party")
FOLLOWS: Final = (*ROLES, "issued", "questions", "shares", "logs", "height")


def case(model: Desk, errands: Any, town: Any) -> Case:
    """Describe the dashboard; `errands` open the town, `town` is its class."""
    return Case(
        name="credentials",
        title=_("Cards and data"),
        model=model,
        follows=FOLLOWS,
        does=Functions(_settings, partial(_reload, town), tried, figures, _told, recompute),
        tasks=_tasks,
        limits=(
            _("whether the office was right: a card says what the office believed"),
            _("what somebody does with data after reading them: who has read has read"),
            _(
                "separate computers: here one visitor plays all roles; their keys and data lie in this network's "
                "directory"
            ),
        ),
        errands=errands,
    )


def _tasks() -> dict[str, str]:
    return {
        "answered": _("As the resident, answer the library. Which facts stay with you?"),
        "checked": _("As the library, check the answer clause by clause."),
        "revoked": _("As the office, revoke that card (My cards tells its number), and let the library check again."),
        "looked": _("As the clinic, ask for a record for another purpose than was granted."),
        "erased": _("As the resident, have the record erased. What does the chain still show?"),
    }


def _settings(model: Desk) -> Settings:
    return {name: getattr(model, name) for name in ROLES}


def _reload(town: Any, model: Desk, settings: Settings) -> None:
    who = {*town.residents, *town.verifiers, *town.parties, ""}
    if not {settings[name] for name in ROLES} <= who:
        raise UsageError(_("This run asks for more than a page can do."))
    for name in ROLES:
        setattr(model, name, settings[name])


def tried(model: Desk) -> list[tuple[str, str]]:
    """Say whom one plays."""
    names = {"resident": _("Resident"), "verifier": _("Who checks cards"), "party": _("Who reads records")}
    told = [(words, _(getattr(model, name)) if getattr(model, name) else _("none")) for name, words in names.items()]
    return [*told, (_("The ledger up to block"), number(max(0, model.height)))]


def figures(model: Desk) -> list[Figure]:
    """Return what the registers and the chain show."""
    shared = sum(bool(share.record) for share in model.shares)
    issued, revoked = _("All cards in the office's register."), _("Cards of the register that no longer hold.")
    asked, answered = _("What verifiers asked residents to show."), _("Questions to which a resident sent an answer.")
    kept = _("Grants of a resident whose record is still there.")
    tries, refusals = _("Every line in the logs of reading."), _("Lines of the logs that say: refused.")
    return [
        Figure(_("Cards issued"), len(model.issued), how=issued),
        Figure(_("Cards revoked"), sum(one.revoked > 0 for one in model.issued), how=revoked),
        Figure(_("Questions"), len(model.questions), how=asked),
        Figure(_("Questions answered"), sum(bool(one.answer) for one in model.questions), how=answered),
        Figure(_("Records shared"), shared, how=kept),
        Figure(_("Attempts to read"), model.attempts, how=tries),
        Figure(_("Attempts that were refused"), model.refused, how=refusals),
        Figure(_("Blocks"), max(0, model.height), how=_("The height of the last block that this page has seen.")),
    ]


def _told(model: Desk) -> Told:
    bars = [(figure.name, float(figure.value), figure.shown) for figure in figures(model)[:7]]
    rows: list[list[Child]] = [
        [number(share.number), _(share.resident), _(share.party), share_state(share)[1]] for share in model.shares
    ]
    return Told(
        question=_("Can somebody show what is needed and nothing else, and see who read what?"),
        chart=columns(_("What the registers show"), bars),
        caption=_("Who shares a record with whom"),
        columns=[_("Number"), _("Resident"), _("With"), _("State")],
        rows=rows,
        safeguards=(
            _("Nothing personal stands on the chain; the page searches every block for it."),
            _("Each verifier gets a card of its own, so that two of them find nothing in common."),
            _("Every attempt to read is written down before anything is handed out, refusals too."),
            _("A resident can take back a grant, and have a record erased."),
            _("A supervisor needs an order, and the resident is told."),
        ),
        alternative=_("The resident shows the paper card at the counter, and nobody keeps a copy."),
        unproven=(_("what stood in the registers earlier: they are no ledger, and a run code cannot bring it back"),),
    )


def recompute(model: Desk, opened: Any) -> list[Finding]:
    """Read the registers anew, and execute every block that the page has seen."""
    run = replay(opened.place.net, max(0, model.height))
    again = Desk()
    again.show(DeskReader()(opened))
    made = [*figures(again)[:-1], Figure(_("Blocks"), run.height)]
    register = _("read anew from the registers and the log of the town, which are no ledger")
    *read, last = zip(figures(model), made, strict=True)
    return [
        *(Finding(*pair, register) for pair in read),
        Finding(*last, behind(run), [run.height] if run.height else []),
    ]
