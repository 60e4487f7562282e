"""The desk of a class: the register with its file, its judge and its network. What is answered with yes is on the disk.

A letter may come twice, late or never answered; that is the same to the desk. It may be killed at any moment: what it
has not done yet it finds in its file. Nothing here knows how letters travel.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from minichain.codec import Plain
from minichain.course.answers import written
from minichain.course.attempts import Attempt, is_within, signed
from minichain.course.classroom import clerk, grid, overview, report, trouble
from minichain.course.classroom.court import Court
from minichain.course.classroom.folder import Entries, Folder, register_of
from minichain.course.classroom.letters import (
    BROWSER,
    VALIDATOR,
    Again,
    Answer,
    Ask,
    HandIn,
    Letter,
    Place,
    is_sealed,
    read_letter,
)
from minichain.course.classroom.patience import LETTER, Patience
from minichain.course.classroom.register import (
    IN,
    OUT,
    WAITING,
    Declined,
    Entry,
    Flagged,
    Happened,
    Judged,
    Learner,
    OfLearner,
    Registered,
    Seen,
    Verdict,
    require_clock,
)
from minichain.course.game import LEAST, Answered, Stepped
from minichain.crypto import KEY_SIZE, KeyPair, Passphrase, decrypt, digest, encrypt, public_of
from minichain.errors import DecodeError, MinichainError
from minichain.live import keyfile

WAIT_S: Final = 0.1
SEEN_MS: Final = 60_000  # how often it is kept that somebody is there
TELL_TRAINER: Final = frozenset({"anothers", "forged", "chain", "too_many"})
MOST_FLAGS: Final = 50  # of one learner
KEEP: Final = "browser key"  # purpose
FIRST_NOTE: Final = "m00.e1"
AT_DESK: Final = "0" * 16  # session of answers that were given at the desk

log = logging.getLogger("minichain")


# --- what a trainer says -----------------------------------------------------------------------------------------


class Approve(Plain, tag="approve", forbid_unknown_fields=True):
    """Let these in; nobody named means everybody who waits."""

    names: tuple[str, ...] = ()


class Dismiss(Plain, tag="dismiss", forbid_unknown_fields=True):
    """Do not let somebody in, or no longer."""

    name: str


class ResetLearner(Plain, tag="reset", forbid_unknown_fields=True):
    """Let somebody begin again with the exercises within `prefix`; what was answered is kept."""

    name: str
    prefix: str = ""


class ResetClass(Plain, tag="reset-class", forbid_unknown_fields=True):
    """Let everybody begin again with the exercises within `prefix`; what was answered is kept."""

    prefix: str


class LetHappen(Plain, tag="let-happen", forbid_unknown_fields=True):
    """Let something happen to the network (see `trouble`), to this node where it happens to one."""

    what: str
    node: str = ""


class Recover(Plain, tag="recover", forbid_unknown_fields=True):
    """End all that was let happen to the network; what is on the chain stays there."""


class StartGame(Plain, tag="start-game", forbid_unknown_fields=True):
    """Begin a round of the consensus game, with so many liars; the desk draws who, and who proposes."""

    liars: int = 1


class StepGame(Plain, tag="step-game", forbid_unknown_fields=True):
    """End the phase of the game; who has not answered was down."""


class ListNames(Plain, tag="list", forbid_unknown_fields=True):
    """These names need no approval."""

    names: tuple[str, ...]


class Collect(Plain, tag="collect", forbid_unknown_fields=True):
    """A file that somebody handed in."""

    letter: bytes


Command = (
    Approve | Dismiss | ResetLearner | ResetClass | LetHappen | Recover | StartGame | StepGame | ListNames | Collect
)


class Desk:
    """One class, in the process that may decide in it."""

    def __init__(
        self,
        home: Path | None = None,
        passphrase: Passphrase | None = None,
        *,
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.folder = Folder(home)
        self.settings = self.folder.settings()
        self.register = register_of(self.settings)
        self._entries = Entries(self.folder)
        self._entries.into(self.register)
        self._entries.mend()
        self._now = now
        self._lock = threading.RLock()
        self._patience = Patience()
        self._seen: dict[str, int] = {}  # when it was last kept that somebody is there
        self.clerk = clerk.Clerk(self.folder.home.path, passphrase, self._on_registered)
        self._court: Court | None = None

    # --- life ---

    def open(self) -> None:
        """Judge what there is to judge from now on, and do what there is to do on the network."""
        self._judge()
        self.clerk.start(self._due)

    def _judge(self) -> None:
        self._court = Court(self.settings.seed, self._on_verdict)
        for attempt in list(self.register.unjudged.values()):
            self._court.judge(attempt)

    def catch_up(self) -> None:
        """Judge all there is to judge, and return when that is done."""
        if self.register.unjudged:
            self._judge()
            while self.register.unjudged:
                time.sleep(WAIT_S)
            self.close()

    def close(self) -> None:
        """Stop."""
        if self._court:
            self._court.close()
        self.clerk.close()

    def _due(self) -> list[tuple[Learner, str]]:
        own, now = self.clerk.own, self._now()
        with self._lock:
            for did, seat in clerk.seats(self.register, own, now).items():
                if seat == clerk.FULL:
                    self._flag(did, "validators_full", name=self.register.learners[did].name)
            return clerk.due(self.register, own, now)

    def _keep(self, entries: Iterable[Entry]) -> None:
        """Let entries be so: on the disk first."""
        kept = list(entries)
        self._entries.append(kept)
        for entry in kept:
            self.register.apply(entry)

    # --- letters ---

    def receive(self, data: bytes, address: str) -> Answer:
        """Answer a letter; whatever is wrong with it is in the answer."""
        try:
            self._patience.take(address, self._now(), LETTER)
            letter = self._opened(data, address)
            return self._found(letter) if isinstance(letter.body, Ask) else self._answer(letter)
        except Declined as why:
            return self.no(why)
        except MinichainError as error:
            log.warning("a letter from %s: %s", address, error)
            return self.no(Declined("no_network"))

    def no(self, why: Declined) -> Answer:
        """Say no in the language of the class."""
        return Answer(why.code, why.said(self.settings.language))

    def _opened(self, data: bytes, address: str) -> Letter:
        try:
            letter = read_letter(data)
        except DecodeError as error:
            self._patience.fail(address, self._now())
            raise Declined("unreadable", why=str(error)[:200]) from None
        if letter.of != self.settings.id:
            raise Declined("wrong_class", of=letter.of[:20], id=self.settings.id)
        if not is_sealed(letter, self.settings.token):
            self._patience.fail(address, self._now())
            raise Declined("wrong_token")
        return letter

    def _answer(self, letter: Letter) -> Answer:
        with self._lock:
            now, refused, kept = self._now(), dict[str, str](), list[str]()
            self._see(letter.learner, now)
            match letter.body:
                case HandIn():
                    require_clock(letter.at, now)
                    refused, kept = self._hand_in(letter)
                case _:
                    self._keep(self.register.receive(letter, now))
                    self.clerk.wake()
            return Answer(place=self._place(letter.learner), have=tuple(kept), refused=refused)

    def _hand_in(self, letter: Letter) -> tuple[dict[str, str], list[str]]:
        body = letter.body
        assert isinstance(body, HandIn)
        entries, refused, kept = self.register.hand_in(letter.learner, body.attempts, self._now())
        self._keep(entries)
        for attempt in body.attempts:
            if self._court and attempt.digest in self.register.unjudged:
                self._court.judge(attempt)
        for code in sorted({*refused.values()} & TELL_TRAINER):
            self._flag(letter.learner, code)
        return refused, kept

    def _found(self, letter: Letter) -> Answer:
        """Pass a request on, without holding anybody else up."""
        assert isinstance(letter.body, Ask)
        with self._lock:
            require_clock(letter.at, self._now())
            self.register.require_in(letter.learner)
            self._see(letter.learner, self._now())
        try:
            return Answer(found=self.clerk.ask(letter.body))
        except DecodeError as error:
            raise Declined("unreadable", why=str(error)[:200]) from None

    def _see(self, did: str, now: int) -> None:
        """Remember that somebody is there; on the disk from time to time."""
        if did in self.register.learners:
            self.register.learners[did].seen = now
            if now - self._seen.get(did, 0) >= SEEN_MS:
                self._seen[did] = now
                self._keep([Seen(now, did)])

    def _place(self, did: str) -> Place:
        learner = self.register.learners[did]
        if learner.state != IN:
            return Place(learner.name, learner.state)
        return Place(
            name=learner.name,
            state=learner.state,
            number=learner.number,
            colour=learner.colour,
            institution=clerk.institution(learner, self.settings.id),
            seed=self.settings.seed,
            genesis=self.clerk.genesis if clerk.ACCOUNT in learner.done else "",
            node=self.clerk.node,
            seat=self._seat(learner),
            again=tuple(Again(one.prefix, one.at, self._now() - one.at) for one in learner.resets.values()),
        )

    def _seat(self, learner: Learner) -> str:
        if learner.role != VALIDATOR:
            return ""
        return clerk.seats(self.register, self.clerk.own, self._now())[learner.did]

    # --- what comes back ---

    def _on_verdict(self, attempt: Attempt, verdict: Verdict) -> None:
        with self._lock:
            key = attempt.digest
            if key in self.register.unjudged:
                self._keep([Judged(self._now(), key, verdict)])
                self._compare(attempt, verdict)

    def _compare(self, attempt: Attempt, verdict: Verdict) -> None:
        """Tell the trainer where a learner was told something else, or nothing can be told."""
        told = {"exercise": attempt.exercise, "name": self.register.learners[attempt.learner].name}
        if verdict.trouble and verdict.is_right != attempt.is_right:
            self._flag(attempt.learner, "unjudged", **told, why=verdict.trouble)
        elif verdict.is_right != attempt.is_right:
            word = {is_right: Declined(f"word_{is_right}").said(self.settings.language) for is_right in (True, False)}
            self._flag(attempt.learner, "differs", **told, theirs=word[attempt.is_right], ours=word[verdict.is_right])

    def _on_registered(self, learner: Learner, what: str) -> None:
        with self._lock:
            self._keep([Registered(self._now(), learner.did, what)])

    def _flag(self, did: str, code: str, **values: object) -> None:
        """Tell the trainer something once."""
        said = Declined(code, **values).said(self.settings.language)
        with self._lock:
            known = [one.said for one in self.register.events if isinstance(one, Flagged) and one.did == did]
            if said not in known and len(known) < MOST_FLAGS:
                self._keep([Flagged(self._now(), did, code, said)])

    # --- the trainer ---

    def is_trainer(self, secret: str) -> bool:
        """Tell whether this is the trainer's secret."""
        return hmac.compare_digest(secret.encode(), self.settings.secret.encode())

    def suspect(self, address: str) -> None:
        """Remember that somebody tried to be the trainer. Raises nothing: they are told no anyway."""
        self._patience.fail(address, self._now())

    def obey(self, command: Command) -> Answer:
        """Do what the trainer says; whatever is wrong with it is in the answer."""
        if isinstance(command, LetHappen | Recover):
            return self._trouble(command)
        with self._lock:
            now = self._now()
            try:
                match command:
                    case Approve(()):
                        entries = self.register.approve_all(now)
                    case Approve(names):
                        entries = self.register.approve(names, now)
                    case Dismiss(name):
                        entries = self.register.dismiss(name, now)
                    case ResetLearner(name, prefix):
                        entries = self.register.reset(name, part(prefix), now)
                    case ResetClass(prefix):
                        entries = self.register.reset_all(part(prefix), now)
                    case StartGame(liars):
                        entries = self._begin_game(liars, now)
                    case StepGame():
                        entries = self.register.play(Stepped(), now)
                    case ListNames(names):
                        entries = self.register.list_names(names, now)
                    case Collect(letter):
                        return self._collect(letter, now)
                self._keep(entries)
            except Declined as why:
                return self.no(why)
        self.clerk.wake()
        return Answer(said=", ".join(self._names(entries)))

    def _begin_game(self, liars: int, now: int) -> list[Entry]:
        """Draw who lies and who proposes; nobody is told but they."""
        draw, count = secrets.SystemRandom(), len(self.register.players())
        if not 0 <= liars < max(count, 1):
            raise Declined("game_players", least=LEAST, here=count)
        return self.register.begin_game(sorted(draw.sample(range(count), liars)), draw.randrange(max(count, 1)), now)

    def play(self, learner: Learner, phase: str, choice: str) -> None:
        """Let somebody who came by browser answer in the game, for nobody but themselves. Raises `Declined`."""
        with self._lock:
            self.register.require_in(learner.did)
            self._keep(self.register.play(Answered(learner.did, phase, choice), self._now()))

    def _trouble(self, command: LetHappen | Recover) -> Answer:
        """Let something happen to the network, or end it, without holding anybody else up."""
        try:
            match command:
                case LetHappen(what, node):
                    blocks = trouble.let_happen(self.clerk.net, what, node)
                    done = Happened(self._now(), what, node, tuple(blocks))
                case Recover():
                    self.clerk.recover()
                    done = Happened(self._now(), overview.CALM)
        except Declined as why:
            return self.no(why)
        except MinichainError as error:
            return self.no(Declined("trouble", why=str(error)[:300]))
        with self._lock:
            self._keep([done])
        return Answer()

    def _names(self, entries: Iterable[Entry]) -> list[str]:
        return [self.register.learners[one.did].name for one in entries if isinstance(one, OfLearner)]

    def _collect(self, data: bytes, now: int) -> Answer:
        """Take a file that was handed in: whoever the trainer takes it from is let in by that."""
        try:
            letter = read_letter(data)
        except DecodeError as error:
            raise Declined("unreadable", why=str(error)[:200]) from None
        if letter.of not in ("", self.settings.id):
            raise Declined("wrong_class", of=letter.of[:20], id=self.settings.id)
        if not isinstance(letter.body, HandIn) or not is_sealed(letter, self.settings.token if letter.of else ""):
            raise Declined("forged")
        known = self.register.learners.get(letter.learner)
        if known and known.state == OUT:
            raise Declined("dismissed")
        if known is None:
            self._keep(self.register.join(letter.learner, letter.body.name, "light", 0, now))
        learner = self.register.learners[letter.learner]
        if learner.state == WAITING:
            self._keep(self.register.approve([learner.name], now))
        refused, kept = self._hand_in(letter)
        return Answer(place=self._place(letter.learner), have=tuple(kept), refused=refused)

    # --- those who come by browser ---

    def join_by_browser(self, name: str, token: str, address: str) -> str:
        """Let somebody ask to come in whose key is kept here; returns the session that their link has."""
        now = self._now()
        self._patience.take(address, now)
        if not hmac.compare_digest(token.strip().upper().encode(), self.settings.token.encode()):
            self._patience.fail(address, now)
            raise Declined("wrong_token")
        key, secret = KeyPair(secrets.token_bytes(KEY_SIZE)), secrets.token_urlsafe(32)
        with self._lock:
            entries = self.register.join(key.did, name, BROWSER, now, now)
            keyfile.write_private(self.folder.key_file(key.did), encrypt(_lock_of(secret), key.seed))
            self._keep(entries)
        self.clerk.wake()
        return f"{key.did.removeprefix('did:key:')}.{secret}"

    def session(self, session: str, address: str) -> tuple[Learner, KeyPair]:
        """Return whose session this is, and their key. Raises `Declined`."""
        self._patience.take(address, self._now())
        name, _, secret = session.partition(".")
        did = f"did:key:{name}"
        with suppress(DecodeError, OSError, KeyError):
            public_of(did)
            learner = self.register.learners[did]
            return learner, KeyPair(decrypt(_lock_of(secret), self.folder.key_file(did).read_bytes()))
        self._patience.fail(address, self._now())
        raise Declined("no_session")

    def come_back(self, learner: Learner) -> None:
        """Let somebody who went be here again."""
        with self._lock:
            now = self._now()
            self._keep(self.register.join(learner.did, learner.name, BROWSER, now, now))

    def go(self, learner: Learner) -> None:
        """Let somebody go."""
        with self._lock:
            self._keep(self.register.leave(learner.did, self._now()))

    def sign(self, learner: Learner, key: KeyPair, text: str) -> int:
        """Sign a note for somebody who came by browser, which answers the first exercise; returns its height."""
        with self._lock:
            self.register.require_in(learner.did)
        receipt = self.clerk.sign(key, text)
        self._answer_for(key, {"account": key.did, "note": text, "proof": receipt.proof().to_bytes()})
        return receipt.height

    def _answer_for(self, key: KeyPair, answer: dict[str, object]) -> None:
        with self._lock:
            earlier = self.register.last_of(key.did, AT_DESK)
            attempt = Attempt(
                learner=key.did,
                session=AT_DESK,
                number=earlier.number + 1 if earlier else 1,
                previous=earlier.digest if earlier else "",
                exercise=FIRST_NOTE,
                kind="check",
                at=self._now(),
                answer=written(answer),
                is_right=True,  # it is final
            )
            self._hand_in(Letter(self.settings.id, key.did, self._now(), HandIn((signed(attempt, key),))))

    def see(self, learner: Learner) -> None:
        """Remember that somebody looks."""
        with self._lock:
            self._see(learner.did, self._now())

    # --- what it is like now ---

    def overview(self) -> dict[str, Any]:
        """Return what a console shows."""
        with self._lock:
            seen = overview.overview(self.register, self._now())
        return {**seen, "nodes": self.clerk.nodes(), "token": self.settings.token, "link": self._link()}

    def spread(self, exercise: str) -> dict[str, Any]:
        """Return how many predicted what."""
        with self._lock:
            return overview.spread(self.register, exercise)

    def report(self, language: str) -> str:
        """Return the class report for sponsors, a page of HTML."""
        with self._lock:
            return report.page(self.register, self._now(), language)

    def _link(self) -> str:
        running = self.folder.running()
        return self.folder.link(self.settings, running.url if running else "")

    def status(self) -> dict[str, object]:
        """Return what a trainer sees, for machines."""
        with self._lock:
            return grid.status(self.register, self._now())


def part(what: str) -> str:
    """Return a module or an exercise that there is, or "" for all. Raises `Declined`."""
    if not any(is_within(id, what) for id in grid.exercises()):
        raise Declined("no_such_exercise", what=what[:20])
    return what


def _lock_of(secret: str) -> bytes:
    return digest(KEEP, secret.encode())
