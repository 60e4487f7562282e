"""The screen on which a member proposes: what is to be done, its effect in plain words, and a dry run before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as W  # noqa: N812 - the name every ipywidgets text uses
import traitlets as T  # noqa: N812 - beside W

from minichain.errors import UsageError
from minichain.views import alliance_voting_words as words
from minichain.views import parts
from minichain.views.alliance_voting_hall import Hall, Prepared, dropdown
from minichain.views.alliance_voting_model import Alliance
from minichain.views.i18n import _, number
from minichain.views.markup import Safe, tag
from minichain.views.moving import Slide
from minichain.views.panels import Content, bar, bound, button, card, errand, field, html, rebuilt, row, stack

MOST_WEIGHT = 10
FOLLOWS = ("kind", "term", "figure", "member", "weight", "rules")  # of a draft, by what it would do
Calls = list[dict[str, Any]]


class Draft(T.HasTraits):
    """What somebody is about to propose; `calls` are as the contract that decides takes them."""

    kind = T.Unicode("term")
    term = T.Unicode("")
    figure = T.Int(0)
    member = T.Unicode("")
    weight = T.Int(1)
    rules = T.Unicode("")

    def __init__(self, model: Alliance) -> None:
        super().__init__()
        self._model = model

    @property
    def calls(self) -> Calls:
        """Return the calls of this proposal; raises `UsageError` if something is missing."""
        return [_KINDS[self.kind](self, self._model)]

    @T.observe("kind")
    def begin(self, _change: Any = None) -> None:
        """Begin with something that can be proposed."""
        others = [name for name in self._model.council.names_of_rules() if name != (self._model.pack or {}).get("name")]
        first = {"admit": self.candidates[:1], "remove": self.members[-1:]}.get(self.kind, [])
        self.member, self.rules = (first or [""])[0], self.rules or others[0]
        if self.term not in self._model.terms:
            self.term = next(iter(self._model.terms), "")

    @T.observe("term")
    def _as_it_is(self, _change: Any) -> None:
        self.figure = self._model.terms.get(self.term, 0)

    @T.observe("member")
    def _usual_weight(self, _change: Any) -> None:
        self.weight = self._model.council.candidates.get(self.member, (1,))[0]

    @property
    def title(self) -> str:
        """Return what it is called if nobody calls it otherwise."""
        about = {"term": self.term, "admit": self.member, "remove": self.member, "rules": words.rule_name(self.rules)}
        told = about.get(self.kind, "")
        return f"{kinds()[self.kind]}: {_(told)}" if told else kinds()[self.kind]

    @property
    def members(self) -> list[str]:
        return [row[0] for row in self._model.members]

    @property
    def candidates(self) -> list[str]:
        """Name who could become a member."""
        return [name for name in self._model.council.candidates if name not in self.members]


def _set_term(draft: Draft, model: Alliance) -> Any:
    if draft.term not in model.terms:
        raise UsageError(_("Choose a term."))
    return model.council.term(draft.term, draft.figure)


def _admit(draft: Draft, model: Alliance) -> Any:
    dids = {name: did for did, name in model.names.items()}
    if draft.member not in draft.candidates:
        raise UsageError(_("Choose who is to become a member."))
    _weight, seat, people = model.council.candidates[draft.member]
    new = [draft.member, dids[draft.member], draft.weight, seat, people]
    return model.council.membership([*model.members, new])


def _remove(draft: Draft, model: Alliance) -> Any:
    if draft.member not in draft.members:
        raise UsageError(_("Choose who is to leave."))
    return model.council.membership([row for row in model.members if row[0] != draft.member])


def _other_rules(draft: Draft, model: Alliance) -> Any:
    if not draft.rules:
        raise UsageError(_("Choose other rules."))
    return model.council.other_rules(draft.rules)


def _freeze(_draft: Draft, model: Alliance) -> Any:
    return model.council.freeze(not model.is_frozen)


_KINDS: Mapping[str, Callable[[Draft, Alliance], Any]] = {
    "term": _set_term,
    "admit": _admit,
    "remove": _remove,
    "rules": _other_rules,
    "freeze": _freeze,
}


def kinds() -> dict[str, str]:
    """Name what can be proposed here."""
    return {
        "term": _("Change a term"),
        "admit": _("Admit a member"),
        "remove": _("Remove a member"),
        "rules": _("Change the rules of the vote"),
        "freeze": _("Freeze the terms, or end it"),
    }


# --- the screen --------------------------------------------------------------------------------------------------


def screen(hall: Hall) -> W.Box:
    """Return the screen: what is proposed and why, and beside it what that would do."""
    draft, title, reason = Draft(hall.model), W.Text(), W.Textarea(rows=2)
    return row(_form(hall, draft, title, reason), _trying(hall, draft, title, reason))


def _form(hall: Hall, draft: Draft, title: W.Text, reason: W.Textarea) -> W.Box:
    kind, chosen = dropdown([(told, name) for name, told in kinds().items()], _("What is to be done"))
    W.link((draft, "kind"), (kind, "value"))
    details = rebuilt(draft, ["kind"], lambda: _details(draft, hall.model))

    def renew(_change: Any) -> None:
        draft.begin()
        details.children = _details(draft, hall.model)

    hall.model.observe(renew, ["members", "terms"])
    written = field(title, _("Title")), field(reason, _("Why?"), _("Everybody can read it, for ever."))
    return card(hall.people(), chosen, details, *written, title=_("Propose"))


def _trying(hall: Hall, draft: Draft, title: W.Text, reason: W.Textarea) -> W.Box:
    model, place, result = hall.model, stack(), stack()
    effect = bound(draft, FOLLOWS, lambda: _effect(draft, model), "mc-live")

    def try_out() -> None:
        calls = draft.calls
        model.do("tried")
        errand(hall.errands, lambda council: council.try_out(calls), lambda found: show(calls, found), place)

    def show(calls: Calls, found: Any) -> None:
        place.children = []
        result.children = [html(_differences(calls, found, model))]

    def prepare() -> Prepared:
        who, calls, why = hall.acting(), draft.calls, reason.value.strip()
        if not why:
            raise UsageError(_("Write why it should be done."))
        told = title.value.strip() or draft.title
        model.do("proposed")
        return lambda council: council.propose(who, told, why, calls)

    return card(
        effect,
        bar(button(_("Try it first"), try_out, place=place)),
        place,
        result,
        bound(model, ["pack"], lambda: _deposit(model)),
        hall.action(_("Sign and propose"), prepare),
        title=_("What it would do"),
        sentence=_("“Try it first” runs the very call on values that are proven, and throws the result away."),
    )


def _deposit(model: Alliance) -> Safe:
    rule = words.deposit_rule(model.pack) if model.pack else ""
    return parts.paragraph(_("Who proposes leaves a deposit: {rule}.").format(rule=rule)) if rule else Safe("")


def _details(draft: Draft, model: Alliance) -> list[Content]:
    def slide(name: str, told: str, least: int, most: int) -> Slide:
        made = Slide(told, least, most)
        W.link((draft, name), (made, "value"))
        return made

    def choice(name: str, told: str, options: Sequence[tuple[str, str]]) -> W.Box:
        made, box = dropdown([("", ""), *options], told)
        made.value = getattr(draft, name) if getattr(draft, name) in [one for _told, one in options] else ""
        made.observe(lambda change: draft.set_trait(name, change.new or ""), "value")
        return box

    match draft.kind:
        case "term":
            figure = W.BoundedIntText(min=0, max=1_000_000)
            W.link((draft, "figure"), (figure, "value"))
            terms = [(f"{_(name)} ({number(value)})", name) for name, value in model.terms.items()]
            return [choice("term", _("Which term"), terms), field(figure, _("New figure"))]
        case "admit":
            people = [(_(name), name) for name in draft.candidates]
            return [choice("member", _("Who"), people), slide("weight", _("Weight"), 1, MOST_WEIGHT)]
        case "remove":
            return [choice("member", _("Who"), [(_(name), name) for name in draft.members])]
        case "rules":
            names = [(words.rule_name(name), name) for name in model.council.names_of_rules()]
            return [choice("rules", _("Which rules"), names)]
    return []


def _effect(draft: Draft, model: Alliance) -> Safe:
    try:
        told = words.effects(draft.calls, model.members, model.terms)
    except UsageError as error:
        return parts.paragraph(str(error))
    amends = draft.calls[0]["contract"] == model.council.house
    more = (
        [("info", _("A change of the members or of the rules needs more votes than an ordinary decision."))]
        if amends
        else []
    )
    return parts.sentences([*(("info", one) for one in told), *more])


def _differences(calls: Calls, found: Any, model: Alliance) -> Safe:
    if found.why:
        said = parts.own_words(found.why)
        return parts.note("warn", _("It could not be carried out now:"), tag("p", said))
    rows = words.differences(calls[0], found.changes, model.members, model.pack)
    if not rows:
        return parts.note("info", _("It would change nothing."))
    return parts.table(_("A dry run: nothing was sent"), [_("What"), _("Now"), _("After it")], rows)
