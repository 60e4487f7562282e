"""Who is in a class, and what was handed in. It decides, and does nothing: a question in, entries out; an entry in, and
it is so. There is no clock, no disk and no socket here.

What is decided is kept entry by entry and never changed; a desk that starts again reads them and is where it was. What
is still to be done (an institution to be registered, an answer to be judged) follows from what is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from minichain.codec import Plain
from minichain.course import game
from minichain.course.attempts import Attempt, require_signed
from minichain.course.classroom.letters import BROWSER, LIGHT, VALIDATOR, Following, Join, Leave, Letter
from minichain.course.game import Answered, Began, Game, Move, Stepped
from minichain.course.material import classroom_texts
from minichain.errors import TheirFault

WAITING, IN, AWAY, OUT = "waiting", "in", "away", "out"

MAX_LEARNERS: Final = 500
MAX_WAITING: Final = 200
MAX_NAME: Final = 40  # characters
# Printable signs of which nobody sees anything, so that two names that differ in them look alike: fillers, the blank
# of Braille, joiners and variants. Letters of several alphabets that look alike pass.
UNSEEN: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
MAX_ATTEMPTS: Final = 10_000  # of one learner
CLOCK_MS: Final = 3_600_000  # that a learner's clock may differ
RUNS_MS: Final = 60_000  # after a node was heard of, within which it counts as running
HEARD_MS: Final = 20_000  # within which it need not be kept that it was heard of again
COLOURS: Final = (
    *("#1b6ca8", "#b3541e", "#3c7a3d", "#8a3f8f", "#a8323e", "#5b5ea6"),
    *("#007a7a", "#7a6200", "#4d6b8a", "#9c4a6b", "#5a6e00", "#6b4f3a"),
)


class Declined(TheirFault):
    """The desk says no. `code` names why; `said` says it, and what to do, in a language."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values

    def __str__(self) -> str:
        return self.said("en")

    def said(self, language: str) -> str:
        """Say why not, and what to do."""
        return classroom_texts()[self.code](language, **self.values)


# --- what is kept ------------------------------------------------------------------------------------------------


class _Entry(Plain, forbid_unknown_fields=True):
    """`at` is the desk's clock, in milliseconds since 1970."""

    at: int


class OfLearner(_Entry):
    """What is kept of one learner, whose key is `did`."""

    did: str


class Listed(_Entry, tag="listed"):
    """These names need no approval."""

    names: tuple[str, ...]


class Asked(OfLearner, tag="asked"):
    """Somebody asked to be let in; `letter` is when they say they did."""

    name: str
    role: str
    letter: int


class Approved(OfLearner, tag="approved"):
    """Somebody is in, under a number that stays."""

    number: int


class Dismissed(OfLearner, tag="dismissed"):
    """Somebody is not let in, or no longer."""


class Returned(OfLearner, tag="returned"):
    """Somebody who was in is here again, or in another role."""

    role: str
    letter: int


class Left(OfLearner, tag="left"):
    """Somebody went."""

    letter: int


class Seen(OfLearner, tag="seen"):
    """Somebody was there."""


class Follows(OfLearner, tag="follows"):
    """A learner's node runs, and has what the chain has."""


class Registered(OfLearner, tag="registered"):
    """The network has done what it had to do for somebody: `what` is account, validator or removal."""

    what: str


class Took(_Entry, tag="took"):
    """An attempt was handed in."""

    attempt: Attempt


class Verdict(Plain, forbid_unknown_fields=True):
    """What the desk's own check says of an attempt. `hidden` is that of the hidden one: right, wrong, or none."""

    score: int
    of: int
    is_right: bool
    cause: str = ""
    misconception: str = ""
    hidden: str = ""
    trouble: str = ""  # why it could not be judged


class Judged(_Entry, tag="judged"):
    """The desk has judged an attempt."""

    digest: str
    verdict: Verdict


class Flagged(OfLearner, tag="flagged"):
    """Something was refused that the trainer should know of."""

    code: str
    said: str


class Reset(OfLearner, tag="reset"):
    """What a learner did before this counts no longer, in the exercises within `prefix`."""

    prefix: str


class Happened(_Entry, tag="happened"):
    """The trainer let something happen to the network: what, to which node, and which blocks tell of it."""

    what: str
    where: str = ""
    blocks: tuple[int, ...] = ()


class Played(_Entry, tag="played"):
    """Somebody, or the trainer, made a move in the consensus game."""

    move: Move


Learners = Asked | Approved | Dismissed | Returned | Left | Seen | Follows | Registered | Flagged | Reset
Entry = Learners | Listed | Took | Judged | Happened | Played
JUDGED_KINDS: Final = frozenset({"check", "reveal"})


# --- what follows from it ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Learner:
    """Somebody, as the entries tell."""

    did: str
    name: str
    role: str
    letter: int  # time of the last letter that changed something
    seen: int
    number: int = 0
    state: str = WAITING
    done: set[str] = field(default_factory=set)  # what the network did
    heard: int = 0  # when the own node was last heard of
    resets: dict[str, Reset] = field(default_factory=dict)  # the last one of each prefix

    @property
    def colour(self) -> str:
        return COLOURS[(self.number - 1) % len(COLOURS)] if self.number else ""

    def has_node(self, now: int) -> bool:
        """Tell whether the own node runs just now, as far as it says so itself."""
        return now - self.heard <= RUNS_MS


@dataclass(slots=True)
class Taken:
    """An attempt that was handed in, when, and what the desk found."""

    attempt: Attempt
    at: int
    verdict: Verdict | None = None

    @property
    def is_right(self) -> bool:
        """Tell whether it counts as right: as the desk found, or until then as the learner was told."""
        return self.verdict.is_right if self.verdict else self.attempt.is_right

    @property
    def misconception(self) -> str:
        return self.verdict.misconception if self.verdict else self.attempt.misconception

    @property
    def differs(self) -> bool:
        """Tell whether the learner's check said what the desk's does not."""
        return bool(self.verdict and not self.verdict.trouble and self.verdict.is_right != self.attempt.is_right)


class Register:
    """One class. `bundles` are the digests of the lessons it works with; none means any."""

    def __init__(self, id: str, bundles: Iterable[str] = ()) -> None:
        self.id = id
        self.bundles = frozenset(bundles)
        self.listed: dict[str, str] = {}
        self.learners: dict[str, Learner] = {}
        self.taken: dict[str, Taken] = {}  # by digest, in the order they came
        self.events: list[Entry] = []  # without attempts, what was found of them, and who was there
        self.unjudged: dict[str, Attempt] = {}
        self.game: Game | None = None
        self._chains: dict[tuple[str, str], dict[int, Attempt]] = {}
        self._counts: dict[str, int] = {}

    # --- an entry: it is so ---

    def apply(self, entry: Entry) -> None:
        """Let an entry be so."""
        match entry:
            case Took(at, attempt):
                self._take(attempt, at)
            case Judged(_, digest, verdict):
                self.taken[digest].verdict = verdict
                self.unjudged.pop(digest, None)
            case Seen(at, did):
                self.learners[did].seen = at
            case Follows(at, did):
                self.learners[did].seen = self.learners[did].heard = at
            case _:
                self.events.append(entry)
                self._note(entry)

    def _take(self, attempt: Attempt, at: int) -> None:
        digest = attempt.digest
        self.taken[digest] = Taken(attempt, at)
        self._chains.setdefault((attempt.learner, attempt.session), {})[attempt.number] = attempt
        self._counts[attempt.learner] = self._counts.get(attempt.learner, 0) + 1
        self.learners[attempt.learner].seen = at
        if attempt.kind in JUDGED_KINDS:
            self.unjudged[digest] = attempt

    def _note(self, entry: Entry) -> None:
        match entry:
            case Listed(_, names):
                self.listed |= {folded(name): name for name in names}
            case Asked(at, did, name, role, letter):
                known = self.learners.setdefault(did, Learner(did, name, role, letter, at))
                known.name, known.role, known.letter, known.seen, known.state = name, role, letter, at, WAITING
            case Approved(_, did, number):
                self.learners[did].number = number
                self.learners[did].state = IN
            case Dismissed(_, did):
                self.learners[did].state = OUT
            case Returned(at, did, role, letter):
                self.learners[did].role = role
                self._moved(did, IN, at, letter)
            case Left(at, did, letter):
                self._moved(did, AWAY, at, letter)
                self.learners[did].heard = 0
            case Registered(_, did, what):
                done = self.learners[did].done
                done.add(what)
                done.discard({"validator": "removal", "removal": "validator"}.get(what, ""))
            case Played(_, Began() as move):
                self.game = game.begin(move)
            case Played(_, (Answered() | Stepped()) as move) if self.game:
                self.game.apply(move)
            case Reset(_, did, prefix):
                self.learners[did].resets[prefix] = entry

    def _moved(self, did: str, state: str, at: int, letter: int) -> None:
        learner = self.learners[did]
        learner.state, learner.seen, learner.letter = state, at, letter

    # --- a letter: what should be so ---

    def receive(self, letter: Letter, now: int) -> list[Entry]:
        """Decide on a letter whose seal is right. Raises `Declined`."""
        require_clock(letter.at, now)
        match letter.body:
            case Join() as body:
                return self._join(letter, body, now)
            case Leave():
                self._require_new(letter)
                return self.leave(letter.learner, now, letter.at)
            case Following():
                learner = self.require_in(letter.learner)
                if learner.role != VALIDATOR:
                    raise Declined("no_validator")
                return [] if now - learner.heard < HEARD_MS else [Follows(now, letter.learner)]
        if letter.learner not in self.learners:
            raise Declined("unknown")
        return []

    def _join(self, letter: Letter, body: Join, now: int) -> list[Entry]:
        if body.role not in (LIGHT, VALIDATOR):
            raise Declined("role", role=body.role)
        self._require_bundle(body.bundle)
        self._require_new(letter)
        return self.join(letter.learner, body.name, body.role, letter.at, now)

    def join(self, did: str, name: str, role: str, letter: int, now: int) -> list[Entry]:
        """Decide on somebody who wants to be let in, or comes back. Raises `Declined`."""
        name = readable(name)
        known = self.learners.get(did)
        if known and known.state in (IN, AWAY):
            if folded(known.name) != folded(name):
                raise Declined("other_name", name=known.name)
            is_new = known.state == AWAY or known.role != role
            return [Returned(now, did, role, letter)] if is_new else []
        self._require_free(name, did)
        if known and (known.state, known.name, known.role) == (WAITING, name, role) and folded(name) not in self.listed:
            return []
        waiting = sum(one.state == WAITING for one in self.learners.values())
        if len(self.learners) >= MAX_LEARNERS or waiting >= MAX_WAITING:
            raise Declined("full")
        asked = Asked(now, did, name, role, letter)
        if folded(name) in self.listed and not (known and known.state == OUT):
            return [asked, self._approval(did, now)]
        return [asked]

    def _approval(self, did: str, now: int) -> Approved:
        known = self.learners.get(did)
        number = known.number if known else 0
        return Approved(now, did, number or 1 + max((one.number for one in self.learners.values()), default=0))

    def _require_free(self, name: str, did: str) -> None:
        for other in self.learners.values():
            if folded(other.name) == folded(name) and other.did != did and other.state != OUT:
                raise Declined("name_taken", name=name)

    def _require_bundle(self, bundle: str) -> None:
        if self.bundles and bundle and bundle not in self.bundles:
            raise Declined("old_bundle")

    def _require_new(self, letter: Letter) -> None:
        known = self.learners.get(letter.learner)
        if known and letter.at <= known.letter:
            raise Declined("used")

    def leave(self, did: str, now: int, letter: int = 0) -> list[Entry]:
        """Decide on somebody who goes. Raises `Declined`."""
        self.require_in(did)
        return [Left(now, did, letter or now)]

    def require_in(self, did: str, *also: str) -> Learner:
        """Return somebody who is in the class, or in one of these states. Raises `Declined`."""
        learner = self.learners.get(did)
        if learner is None:
            raise Declined("unknown")
        if learner.state not in (IN, *also):
            raise Declined({WAITING: "not_yet", AWAY: "away"}.get(learner.state, "dismissed"))
        return learner

    # --- attempts ---

    def last_of(self, did: str, session: str) -> Attempt | None:
        """Return the last attempt of a chain that is here."""
        chain = self._chains.get((did, session), {})
        return chain[max(chain)] if chain else None

    def hand_in(
        self, learner: str, attempts: Iterable[Attempt], now: int
    ) -> tuple[list[Entry], dict[str, str], list[str]]:
        """Decide on attempts; return entries, why some are refused (digest -> code), and which are kept."""
        self.require_in(learner, AWAY)
        entries, refused, kept = list[Entry](), dict[str, str](), list[str]()
        new: dict[tuple[str, int], Attempt] = {}
        once = {attempt.digest: attempt for attempt in attempts}
        for digest, attempt in sorted(once.items(), key=lambda one: (one[1].session, one[1].number)):
            try:
                if digest not in self.taken:
                    self._require_own(learner, attempt, now, len(entries))
                    self._require_chained(attempt, new)
                    new[attempt.session, attempt.number] = attempt
                    entries.append(Took(now, attempt))
                kept.append(digest)
            except Declined as why:
                refused[digest] = why.code
        return entries, refused, kept

    def _require_own(self, learner: str, attempt: Attempt, now: int, more: int) -> None:
        if attempt.learner != learner:
            raise Declined("anothers")
        try:
            require_signed(attempt)
        except TheirFault:
            raise Declined("forged") from None
        self._require_bundle(attempt.bundle)
        if attempt.at > now + CLOCK_MS:
            raise Declined("future")
        if self._counts.get(learner, 0) + more >= MAX_ATTEMPTS:
            raise Declined("too_many")

    def _require_chained(self, attempt: Attempt, new: Mapping[tuple[str, int], Attempt]) -> None:
        """Refuse what contradicts the attempts beside it; what comes before them may still be under way."""
        kept = self._chains.get((attempt.learner, attempt.session), {})
        numbers = attempt.number - 1, attempt.number, attempt.number + 1
        before, same, after = (new.get((attempt.session, number)) or kept.get(number) for number in numbers)
        follows = attempt.previous == before.digest if before else attempt.number > 1 or not attempt.previous
        is_followed = after is None or after.previous == attempt.digest
        if same or not follows or not is_followed or attempt.number < 1:
            raise Declined("chain")

    # --- the trainer ---

    def list_names(self, names: Iterable[str], now: int) -> list[Entry]:
        """Let these names need no approval, also where they wait already."""
        found = tuple(dict.fromkeys(map(readable, names)))
        entries: list[Entry] = [Listed(now, found)] if found else []
        wanted = {folded(name) for name in found}
        return entries + self._approvals((one for one in self.waiting() if folded(one.name) in wanted), now)

    def approve(self, names: Iterable[str], now: int) -> list[Entry]:
        """Let these in who wait, or were dismissed. Raises `Declined`."""
        return self._approvals([self.named(name, WAITING, OUT) for name in names], now)

    def approve_all(self, now: int) -> list[Entry]:
        """Let in everybody who waits."""
        return self._approvals(self.waiting(), now)

    def _approvals(self, learners: Iterable[Learner], now: int) -> list[Entry]:
        highest = max((one.number for one in self.learners.values()), default=0)
        entries = list[Entry]()
        for learner in learners:
            highest += not learner.number
            entries.append(Approved(now, learner.did, learner.number or highest))
        return entries

    def dismiss(self, name: str, now: int) -> list[Entry]:
        """Refuse somebody who waits, or is in. Raises `Declined`."""
        return [Dismissed(now, self.named(name, WAITING, IN, AWAY).did)]

    def reset(self, name: str, prefix: str, now: int) -> list[Entry]:
        """Let a learner begin again with a module, an exercise or, for "", everything. Raises `Declined`."""
        return [Reset(now, self.named(name, IN, AWAY).did, prefix)]

    def reset_all(self, prefix: str, now: int) -> list[Entry]:
        """Let everybody begin again with a module, an exercise or, for "", everything."""
        return [Reset(now, one.did, prefix) for one in self.learners.values() if one.state in (IN, AWAY)]

    # --- the consensus game ---

    def players(self) -> list[Learner]:
        """Return who plays: those who are here with a phone, by number, as many as fit."""
        here = [one for one in self.learners.values() if one.state == IN and one.role == BROWSER]
        return sorted(here, key=lambda one: one.number)[: game.MOST]

    def begin_game(self, liars: Iterable[int], proposer: int, now: int) -> list[Entry]:
        """Begin a round with everybody who is here with a phone. Raises `Declined`."""
        move = Began(tuple(one.did for one in self.players()), tuple(liars), proposer)
        try:
            game.begin(move)
        except game.Refused as why:
            raise Declined(why.code, least=game.LEAST, here=len(move.seats)) from None
        return [Played(now, move)]

    def play(self, move: Answered | Stepped, now: int) -> list[Entry]:
        """Decide on a move. Raises `Declined`."""
        if self.game is None:
            raise Declined("game_none")
        try:
            self.game.require(move)
        except game.Refused as why:
            raise Declined(why.code) from None
        return [Played(now, move)]

    def waiting(self) -> Iterator[Learner]:
        """Yield who waits, in the order they came."""
        return (one for one in self.learners.values() if one.state == WAITING)

    def named(self, name: str, *states: str) -> Learner:
        """Return the learner of a name who is in one of these states, the first ones first. Raises `Declined`."""
        for state in states:  # who was dismissed may have had the name of somebody who waits
            for learner in self.learners.values():
                if folded(learner.name) == folded(name) and learner.state == state:
                    return learner
        raise Declined("no_such_name", name=name)


def require_clock(at: int, now: int) -> None:
    """Refuse who lives at another time. Raises `Declined`."""
    if abs(at - now) > CLOCK_MS:
        raise Declined("clock", hours=round((at - now) / 3_600_000))


def readable(name: str) -> str:
    """Return a name as it is shown: one line, no space at its ends, nothing that nobody sees. Raises `Declined`."""
    name = re.sub(r"\s+", " ", UNSEEN.sub("", unicodedata.normalize("NFKC", name))).strip()
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable() or unicodedata.category(name[0])[0] == "M":
        raise Declined("name", most=MAX_NAME)
    return name


def folded(name: str) -> str:
    """Return what two names have in common that people would confuse."""
    return unicodedata.normalize("NFKC", name).casefold()
