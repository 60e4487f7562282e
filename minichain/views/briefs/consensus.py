"""The consensus lab as the frame sees it: a situation or a text of its own, a prediction, and a run that follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from minichain.errors import ProofError
from minichain.faults.timeline import parse
from minichain.sim.recording import Kept, Recording, record
from minichain.views import consensus_words as words
from minichain.views.case import Case, Figure, Finding, Functions, Settings, Told
from minichain.views.consensus_model import Lab, Situation, end_of, read_timeline, timeline_of
from minichain.views.i18n import _, number, short
from minichain.views.markup import Child
from minichain.views.stills import columns

UNKNOWN: Final = -1  # a prediction that nobody has made
FOLLOWS: Final = ("situation", "timeline", "recording", "guess_safe", "guess_moving")


def case(model: Lab) -> Case:
    """Describe the lab."""
    return Case(
        name="consensus_lab",
        title=_("Consensus lab"),
        model=model,
        follows=FOLLOWS,
        does=Functions(_settings, _reload, tried, figures, _told, recompute),
        tasks=_tasks,
        limits=(
            _("how long real messages take: the delay is what you set, and the clock is a simulated one"),
            _("every way to lie: these liars know each other and tell each half what it wants to hear"),
            _("whether what the offices agree on is true: they agree on what was asked for, and in which order"),
        ),
    )


def _tasks() -> dict[str, str]:
    return {
        "run": _("Say what will happen, then watch whether it does."),
        "office": _("Choose an office and read what it knows while a vote is under way."),
        "touch": _("Choose a message and let it get lost. Who notices?"),
        "conflict": _("Find a situation in which two offices end with different results."),
    }


# --- its state ---------------------------------------------------------------------------------------------------


def _settings(model: Lab) -> Settings:
    written = timeline_of(model.situation, model.seed)
    return {
        **msgspec.structs.asdict(model.situation),
        "preset": model.preset,
        "text": "" if model.timeline == written else str(model.timeline),
        "guess_safe": UNKNOWN if model.guess_safe is None else int(model.guess_safe),
        "guess_moving": UNKNOWN if model.guess_moving is None else int(model.guess_moving),
        "is_run": int(model.recording is not None),
        "position": model.position,
    }


def _reload(model: Lab, settings: Settings) -> None:
    situation = msgspec.convert({name: settings[name] for name in Situation.__struct_fields__}, Situation)
    model.set_up(situation)
    if text := str(settings["text"]):
        model.bring(read_timeline(text), situation)
    model.preset = str(settings["preset"])
    model.guess_safe, model.guess_moving = _guess(settings["guess_safe"]), _guess(settings["guess_moving"])
    if settings["is_run"]:
        model.run()
        model.position = int(settings["position"])


def _guess(value: int | str) -> bool | None:
    return None if value == UNKNOWN else bool(value)


# --- what it says ------------------------------------------------------------------------------------------------


def methods() -> list[tuple[str, str]]:
    """Return the ways to agree, in words, with their names."""
    return [
        (_("Votes of more than two thirds (BFT)"), "bft"),
        (_("A leader and a majority (Raft)"), "raft"),
        (_("Most work (proof of work)"), "pow"),
    ]


def troubles() -> list[tuple[str, str]]:
    """Return what else may go wrong, in words, with its name."""
    return [(_("no other trouble"), ""), (_("the cable is cut"), "cable"), (_("one office is slow"), "slow")]


def tried(model: Lab) -> list[tuple[str, str]]:
    """Say what is set up."""
    situation = model.situation
    said = {name: told for told, name in methods()}
    told = [
        (_("How they agree"), said[situation.engine]),
        (_("Offices"), number(situation.offices)),
        (_("Offline"), number(situation.offline)),
        (_("Liars (BFT only)"), number(situation.liars)),
        (_("Delay of a message, ms"), number(situation.delay_ms)),
        (_("Messages lost, %"), number(situation.loss)),
        (_("Other trouble"), next(told for told, name in troubles() if name == situation.trouble)),
    ]
    if model.added or model.timeline != timeline_of(situation, model.seed):
        told.append((_("The run"), _("changed by hand, line by line")))
    return told


def figures(model: Lab) -> list[Figure]:
    """Return what came of the run; before it, that there was none."""
    if model.recording is None:
        return [Figure(_("It stayed safe"), "", _("not run yet")), Figure(_("It went on"), "", _("not run yet"))]
    return came_of(model.recording)


def came_of(recording: Recording) -> list[Figure]:
    """Return what came of a run."""
    safe, moving = words.outcome(recording)
    safely = _("Yes, if no two honest offices hold different final blocks of the same height.")
    onward = _("Yes, if blocks still became final when the run ended.")
    longest = _("The height of the highest block that an office holds for final when the run ends.")
    forked = _("The heights at which two honest offices hold different final blocks.")
    sent = _("Every message that an office has sent, those that were lost included.")
    print_ = _("A hash over all that happened: the same text of a run always has the same one.")
    return [
        _claim(_("It stayed safe"), safe, safely),
        _claim(_("It went on"), moving, onward),
        Figure(_("Final blocks of the longest chain"), max(_heights(recording).values(), default=0), how=longest),
        Figure(_("Different final blocks of one height"), len(recording.conflicts), how=forked),
        Figure(_("Messages sent"), len(recording.messages), how=sent),
        Figure(_("Fingerprint of the run"), recording.digest, short(recording.digest), print_),
    ]


def _claim(name: str, is_so: bool, how: str) -> Figure:
    return Figure(name, int(is_so), _("yes") if is_so else _("no"), how)


def _held(recording: Recording) -> dict[str, list[Kept]]:
    """Return the final blocks that each office holds at the end, without those it took back."""
    held: dict[str, list[Kept]] = {name: [] for name in recording.names}
    for kept in recording.kept:
        if kept.final_ms is not None and kept.undone_ms is None:
            held[kept.name].append(kept)
    return held


def _heights(recording: Recording) -> dict[str, int]:
    return {name: max((kept.height for kept in held), default=0) for name, held in _held(recording).items()}


def _told(model: Lab) -> Told:
    recording = model.recording
    held = _held(recording) if recording else {}
    bars = [(words.office(name), float(len(kept)), number(len(kept))) for name, kept in held.items()]
    return Told(
        question=_("What can these offices bear, and still agree on one result?"),
        chart=columns(_("Final blocks that each office holds at the end"), bars),
        caption=_("What each office holds for final at the end"),
        columns=[_("Office"), _("Final blocks"), _("The last one"), _("Remark")],
        rows=[_row(recording, name, kept) for name, kept in held.items()] if recording else [],
        safeguards=(
            _("There are so many offices that a third of them may fail or lie, and the others go on."),
            _("No owner runs a third of the offices."),
            _("It is settled what the offices do by hand while no block becomes final."),
            _("Somebody compares what the offices hold for final, every day."),
        ),
        alternative=_(
            "One office keeps a signed log and sends every entry to the others: enough, where all of them trust that "
            "office to be there and not to leave anything out."
        ),
        seed=str(model.timeline.seed),
    )


def _row(recording: Recording, name: str, held: Sequence[Kept]) -> list[Child]:
    last = max(held, key=lambda kept: kept.height, default=None)
    remark = _("lies") if name in recording.liars else ""
    if not recording.state(name, recording.end_ms).is_on:
        remark = _("switched off")
    return [words.office(name), len(held), short(last.id) if last else "", remark]


# --- made anew ---------------------------------------------------------------------------------------------------


def recompute(model: Lab, _client: Any = None) -> list[Finding]:
    """Run the text of the run again, and check each final block by its own certificate."""
    shown = figures(model)
    if model.recording is None:
        return [Finding(figure, figure, _("nothing was run yet")) for figure in shown]
    again = record(parse(str(model.timeline)), end_of(model.timeline))
    counted, refused = check_blocks(again)
    source = _("the run made anew from its text; {count} final blocks checked by their certificates, {refused} refused")
    told = source.format(count=number(counted), refused=number(refused))
    return [Finding(one, other, told) for one, other in zip(shown, came_of(again), strict=True)]


def check_blocks(recording: Recording) -> tuple[int, int]:
    """Check every final block of every office by its own certificate; returns how many held, and how many did not."""
    verdicts = [_is_certified(kept, recording) for kept in recording.kept if kept.final_ms is not None]
    return sum(verdicts), len(verdicts) - sum(verdicts)


def _is_certified(kept: Kept, recording: Recording) -> bool:
    try:
        kept.final.certificate.verify(kept.final.block.header, recording.committee)
    except ProofError:
        return False
    return True
