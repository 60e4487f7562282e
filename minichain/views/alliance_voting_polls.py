"""The screen of secret and sealed ballots: ask, vote, let a device be opened, count with two of three trustees.

As long as a ballot is hidden only the turnout is shown, for nothing else is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses

from minichain.errors import UsageError
from minichain.views import alliance_voting_words as words
from minichain.views import parts
from minichain.views.alliance_voting_decisions import download
from minichain.views.alliance_voting_hall import Hall, Prepared, dropdown
from minichain.views.alliance_voting_model import Alliance, Poll
from minichain.views.i18n import _, clock, listed, number
from minichain.views.markup import Child, Safe, join, tag
from minichain.views.moving import Pick, PickList, Slide
from minichain.views.panels import (
    Content,
    LongAction,
    bar,
    bound,
    button,
    card,
    errand,
    field,
    html,
    rebuilt,
    split,
    stack,
)
from minichain.views.parts import State

MOST_MINUTES: Final = 60


def screen(hall: Hall) -> W.Box:
    """Return the screen: the list, the one that is open, and what can be done with it now."""
    model = hall.model
    picks = PickList(_("Hidden ballots"), _("No hidden ballot yet."))
    W.link((model, "poll"), (picks, "selected"))
    model.observe(
        lambda _change: picks.show([_pick(one, model.now_ms) for one in model.polls]), ["polls", "poll_phase"]
    )
    shown = bound(model, ["polls", "poll", "poll_phase"], lambda: _opened(model), "mc-live")
    acting = rebuilt(model, ["poll", "poll_phase"], partial(_acting, hall))
    side = stack(card(picks, title=_("Hidden ballots")), _asking(hall))
    return split(side, stack(card(shown), acting))


def _pick(one: Poll, now_ms: int) -> Pick:
    line = _("{handed} of {voters} have handed in").format(handed=number(len(one.handed_in)), voters=number(one.voters))
    return Pick(str(one.number), f"{one.number}. {one.rules['title']}", line, *words.phases()[one.phase(now_ms)])


# --- asking ------------------------------------------------------------------------------------------------------


def _asking(hall: Hall) -> W.Box:
    title, minutes = W.Text(), Slide(_("Minutes to vote"), 1, MOST_MINUTES)
    minutes.value = 5
    secrecy, chosen = dropdown([(told, name) for name, told in words.secrecies().items()], _("How"))

    def prepare() -> Prepared:
        who, asked, how, length = hall.acting(), " ".join(title.value.split()), secrecy.value, minutes.value
        members = [list(row) for row in hall.model.members]
        if not asked:
            raise UsageError(_("Write the question first."))

        def ask(council: Any) -> int:
            number_ = council.polls.ask(who, asked, how, length, members)
            if how == "secret":
                council.polls.make_key(number_)
            return int(number_)

        return ask

    def done(number_: int) -> Child:
        hall.model.poll = str(number_)
        return _("Ballot {number} is announced.").format(number=number(number_))

    ask = hall.action(_("Sign and ask"), prepare, done)
    hint = _("A secret ballot needs a key of three trustees: they make it at once.")
    return card(hall.people(), field(title, _("Question")), chosen, minutes, ask, title=_("Ask"), sentence=hint)


# --- how it stands -----------------------------------------------------------------------------------------------


def _opened(model: Alliance) -> Safe:
    one = model.open_poll
    if one is None:
        ways = [("info", told) for told in words.ways_to_hide()]
        return join(parts.heading(_("When is a vote better hidden?")), parts.sentences(ways))
    phase = one.phase(model.now_ms)
    line = tag(
        "div",
        tag("div", parts.heading(one.rules["title"], words.secrecies()[one.secrecy])),
        parts.chip(*words.phases()[phase]),
        class_="mc-line",
    )
    return join(line, _turnout(one), _times(one, phase), _result(one, phase))


def _turnout(one: Poll) -> Safe:
    told = _("Handed in: {handed} of {voters} members").format(
        handed=number(len(one.handed_in)), voters=number(one.voters)
    )
    hidden = _("What they said is not known to anybody.") if not one.counts else ""
    rows = [(_state(one, name), _voter(one, name)) for name in one.cast]
    return join(parts.note("info", told, tag("p", hidden) if hidden else None), parts.sentences(rows))


def _state(one: Poll, name: str) -> State:
    if one.cast[name] is None:
        return "plain"
    return "warn" if _is_missing(one, name) else "ok"


def _is_missing(one: Poll, name: str) -> bool:
    """Tell whether a sealed vote was not shown, and it is too late."""
    return one.secrecy == "sealed" and one.state in ("Counted", "Void") and name not in one.shown


def _voter(one: Poll, name: str) -> Child:
    cast, who = one.cast[name], _(name)
    if cast is None:
        return _("{who}: nothing yet").format(who=who)
    if one.secrecy == "secret":
        found = _("{who}: handed in, to be found under {tracker}")
        return found.format(who=who, tracker=f"{cast['tracker']:.12}…")
    if name in one.shown:
        choice = one.rules["choices"][cast["votes"].index(1)]
        return _("{who}: shown, {choice}").format(who=who, choice=words.choices()[choice])
    if _is_missing(one, name):
        return _("{who}: sealed and never shown, so it counts as not cast").format(who=who)
    return _("{who}: sealed").format(who=who)


def _times(one: Poll, phase: str) -> Safe:
    rules = one.rules
    told = {
        "Soon": _("Votes are taken from {opens} on.").format(opens=clock(rules["opens"])),
        "Voting": _("Votes are taken until {closes}.").format(closes=clock(rules["closes"])),
        "Revealing": _("Sealed votes are shown until {until}; what is not shown counts as not cast.").format(
            until=clock(rules["until"] or rules["closes"])
        ),
    }
    return parts.paragraph(told[phase]) if phase in told else join()


def _result(one: Poll, phase: str) -> Safe:
    if phase == "Void":
        words_ = _("Fewer than {fewest} handed in: the sum would tell who said what, so it stays closed.")
        return parts.note("warn", words_.format(fewest=number(one.rules["fewest"])))
    if not one.counts:
        return join()
    says = words.choices()
    rows: list[list[Child]] = [
        [says[name], count] for name, count in zip(one.rules["choices"], one.counts, strict=True)
    ]
    return parts.table(_("The count, by weight"), [_("Choice"), _("Weight")], rows)


# --- acting ------------------------------------------------------------------------------------------------------


def _acting(hall: Hall) -> Sequence[Content]:
    one, model = hall.model.open_poll, hall.model
    if one is None or model.is_pinned:
        return []
    return [made(hall, one) for made in _FORMS.get((one.phase(model.now_ms), one.secrecy), ())]


def _key(hall: Hall, one: Poll) -> W.Box:
    make = hall.action(_("Let the trustees make the key"), lambda: _do(one.number, "make_key"), lambda _n: _("Done."))
    return card(make, title=_("The key"), sentence=_("Three trustees deal it; none of them ever has it whole."))


def _closing(hall: Hall, one: Poll) -> W.Box:
    close = hall.action(_("Close the ballot"), lambda: _do(one.number, "close"), lambda _state: _("Closed."))
    sentence = _("Anybody may, when the time is over; earlier, when nothing is left to be done.")
    return card(close, title=_("Close"), sentence=sentence)


def _do(number_: int, what: str, *arguments: Any) -> Prepared:
    return lambda council: getattr(council.polls, what)(number_, *arguments)


def _choice() -> tuple[W.Dropdown, W.Box]:
    says = words.choices()
    return dropdown([(says[name], name) for name in ("yes", "no", "abstain")], _("Your vote"))


def _secret(hall: Hall, one: Poll) -> W.Box:
    choice, chosen = _choice()
    place, told = stack(), stack()

    def prepare() -> None:
        who, said = hall.acting(), choice.value
        errand(
            hall.errands,
            lambda council: council.polls.prepare(one.number, who, said),
            lambda t: prepared(t, who),
            place,
        )

    def prepared(tracker: str, who: str) -> None:
        words_ = _("The vote of {who} is closed. It will be found under this number:").format(who=_(who))
        cast = hall.action(_("Cast it"), lambda: _do(one.number, "cast", who))
        look = button(_("Do not cast it: open it, to check the device"), partial(challenge, who))
        place.children = []
        told.children = [html(parts.note("info", words_, parts.codeline(tracker))), bar(cast, look)]

    def challenge(who: str) -> None:
        hall.model.do("challenged")
        errand(hall.errands, lambda council: council.polls.challenge(one.number, who), lambda o: opened(o, who), place)

    def opened(found: Any, who: str) -> None:
        facts = {"who": _(who), "said": words.choices()[found.choice]}
        words_ = (
            _("The device of {who} had closed “{said}”, and can prove it.")
            if found.is_honest
            else _("The device of {who} lied: what it closed was not “{said}”.")
        )
        hint = _("This ballot is spent: whoever looked into it could show how you vote. Close another one to vote.")
        state: State = "ok" if found.is_honest else "bad"
        place.children = []
        told.children = [html(parts.note(state, words_.format(**facts), tag("p", hint)))]

    sentence = _("Your device closes the vote before it knows whether you will cast it or look into it (Benaloh).")
    close = button(_("Close my vote"), prepare, "primary", place)
    return card(bar(hall.people(), chosen), close, place, told, title=_("Vote in secret"), sentence=sentence)


def _sealed(hall: Hall, one: Poll) -> W.Box:
    choice, chosen = _choice()

    def prepare() -> Prepared:
        who, said = hall.acting(), choice.value
        return _do(one.number, "seal", who, said)

    seal = hall.action(_("Seal it and hand it in"), prepare)
    sentence = _("Nobody can read it until you show it, after the close.")
    return card(bar(hall.people(), chosen), seal, title=_("Vote under seal"), sentence=sentence)


def _showing(hall: Hall, one: Poll) -> W.Box:
    show = hall.action(_("Show my vote"), lambda: _do(one.number, "reveal", hall.acting()))
    sentence = _("Each shows what it sealed. Whoever does not is named.")
    return card(hall.people(), show, title=_("Show the sealed votes"), sentence=sentence)


def _trustees(hall: Hall, one: Poll) -> W.Box:
    threshold, names = one.rules["threshold"], hall.model.council.trustees

    def opens(name: str) -> LongAction:
        return hall.action(
            _("{trustee} opens its part").format(trustee=_(name)), lambda: _do(one.number, "open_part", name)
        )

    def told() -> Safe:
        now = hall.model.open_poll or one
        who = listed(_(name) for name in now.opened) or _("nobody yet")
        words_ = _("{needed} of {all} are needed. Opened by: {who}.")
        return parts.paragraph(words_.format(needed=number(threshold), all=number(len(names)), who=who))

    sentence = _("They open the sum of all ballots and nothing else; a part of them would tell who said what.")
    tally = hall.action(_("Put the count down"), lambda: _do(one.number, "tally"), lambda _counts: _("Counted."))
    return card(
        bound(hall.model, ["polls"], told),
        bar(*(opens(name) for name in names)),
        tally,
        title=_("The trustees open the sum"),
        sentence=sentence,
    )


def _again(hall: Hall, one: Poll) -> W.Box:
    def prepare() -> Prepared:
        hall.model.do("counted")
        return lambda council: (council.polls.recount(one.number), council.polls.record(one.number))

    def done(found: Any) -> Child:
        counted, data = found
        says = words.choices()
        result = listed(f"{says[name]} {number(count)}" for name, count in counted.result.items())
        checks = sum(counted.checks.values())
        title = _("Counted again from the blocks: {result}. {checks} checks hold.").format(
            result=result, checks=number(checks)
        )
        name = f"election-{one.number}.json"
        hint = _("Check it anywhere, with no network: minichain verify {name}").format(name=name)
        file = download(data, _("Save the record"), name)
        return join(parts.note("ok", title), tag("p", file, class_="mc-p"), tag("p", hint, class_="mc-hint"))

    steps = [_("Blocks read"), _("Proofs checked"), _("Counted")]
    sentence = _("Each ballot's proof, the sum and each trustee's part are checked here; no node is believed.")
    count = hall.action(_("Count it again from the blocks"), prepare, done, steps)
    return card(count, title=_("Count it yourself, and take the record"), sentence=sentence)


# What can be done with a ballot, by its phase and by how it is hidden.
_FORMS: Final[Mapping[tuple[str, str], Sequence[Callable[[Hall, Poll], W.Box]]]] = {
    ("Preparing", "secret"): (_key,),
    ("Voting", "secret"): (_secret, _closing),
    ("Voting", "sealed"): (_sealed,),
    ("Revealing", "sealed"): (_showing, _closing),
    ("Over", "secret"): (_closing,),
    ("Over", "sealed"): (_closing,),
    ("Closed", "secret"): (_trustees,),
    ("Counted", "secret"): (_again,),
    ("Counted", "sealed"): (_again,),
}
