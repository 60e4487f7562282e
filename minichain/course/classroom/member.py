"""The learner's end of a class: joining it, its network, and handing in what was answered, which nobody waits for.

The queue is the journal of attempts itself. A thread hands in what the desk has not said yes to, again and again,
through whatever is lost on the way; a kernel that ends leaves the rest to the next one.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit, urlunsplit
from urllib.request import ProxyHandler, Request, build_opener

from minichain.codec import from_json
from minichain.course import place
from minichain.course.attempts import Attempt
from minichain.course.classroom.letters import (
    LIGHT,
    MOST_ATTEMPTS,
    Answer,
    Body,
    HandIn,
    Join,
    Leave,
    Letter,
    Look,
    Place,
    sealed,
)
from minichain.course.classroom.register import OUT, WAITING
from minichain.course.journal import Journal, read_folder
from minichain.crypto import KeyPair
from minichain.errors import ConfigError, DecodeError, MinichainError, NetworkError, TheirFault, UsageError

if TYPE_CHECKING:  # to hand in answers takes no network
    from minichain.client.network import Network
    from minichain.client.wallet import Wallet

PATIENCE_S: Final = 10.0  # for one answer of the desk
PAUSES_S: Final = (0.1, 0.2, 0.5, 1.0)  # before something is handed in, or asked, again
DECLINED_S: Final = 10.0  # and after the desk has said no
FINAL: Final = frozenset({"anothers", "forged", "chain", "too_many"})  # the desk will never take these
HEAR_S: Final = 1.0  # for what the trainer has decided, before somebody is shown what is known
LOOK_S: Final = 1.0  # between questions whether the trainer has let one in, after the first ones

Wire = Callable[[str, bytes], bytes]  # address, letter -> answer; raises OSError


class DeskRefuses(TheirFault):
    """The desk of the class says no; `code` is the short name of why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.said)
        self.code = answer.code


def post(url: str, data: bytes) -> bytes:
    """Send a letter. Raises `OSError`."""
    opener = build_opener(ProxyHandler({}))  # a class is never reached through a proxy
    try:
        with opener.open(Request(url, data, {"Content-Type": "application/json"}), timeout=PATIENCE_S) as answer:
            return bytes(answer.read())
    except HTTPException as error:
        raise OSError(str(error)) from None


def read_link(link: str) -> tuple[str, str, str]:
    """Return address, id and token of a class from its link. Raises `UsageError`."""
    odd = UsageError(f"{link[:200]!r} is not the link of a class: copy all of it, with `class=` and `token=`")
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        raise odd from None
    asked = parse_qs(parts.query)
    if parts.scheme not in ("http", "https") or not parts.netloc or not {"class", "token"} <= asked.keys():
        raise odd
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", "", "")), asked["class"][0], asked["token"][0]


class Line:
    """A learner's line to the desk."""

    def __init__(self, url: str, of: str, token: str, key: KeyPair, wire: Wire = post) -> None:
        self._letter_url = f"{url.rstrip('/')}/letter"
        self._of, self._token, self._key, self._wire = of, token, key, wire
        self._last = 0

    def letter(self, body: Body) -> bytes:
        """Write a letter; no two have the same time."""
        self._last = max(self._last + 1, time.time_ns() // 1_000_000)
        return sealed(Letter(self._of, self._key.did, self._last, body), self._key, self._token)

    def send(self, body: Body) -> Answer:
        """Send a letter and return the answer. Raises `DeskRefuses`, and `OSError` where the desk is not reached."""
        try:
            answer = from_json(self._wire(self._letter_url, self.letter(body)), Answer)
        except DecodeError:
            raise OSError("what answers there is not the desk of a class") from None
        if answer.code:
            raise DeskRefuses(answer)
        return answer


# --- joining -----------------------------------------------------------------------------------------------------


def join(
    link: str,
    name: str,
    role: str = LIGHT,
    home: Path | None = None,
    *,
    wire: Wire = post,
    tell: Callable[[str], None] = lambda said: None,
    wait_s: float = 3_600.0,
) -> Member:
    """Join a class with the key of this computer's journal; returns when the trainer has let one in.

    Raises `DeskRefuses` with what the desk says, `NetworkError` where no desk is reached.
    """
    url, of, token = read_link(link)
    folder = home or place.home()
    journal = Journal(folder)
    line = Line(url, of, token, journal.key, wire)
    asked = Join(name, role, place.bundle().digest)
    deadline, pauses = time.monotonic() + wait_s, chain(PAUSES_S, repeat(LOOK_S))
    found = _place(line, asked, url)
    while found.state == WAITING or (found.node and not found.genesis):  # its network is still to write one down
        tell(found.state)
        if time.monotonic() > deadline:
            raise NetworkError("the trainer has not let you in yet: join again later, with the same name")
        time.sleep(next(pauses))
        found = _place(line, Look(), url)
    if found.state == OUT:
        raise NetworkError("the trainer has not let you in: talk to your trainer")
    place.write_membership(place.Membership(url, of, token, found.name, role, found.seed, found.genesis), folder)
    heed(found, folder)
    return Member(folder, wire=wire)


def _place(line: Line, asked: Join | Look, url: str) -> Place:
    try:
        found = line.send(asked).place
    except OSError as error:
        told = "check the link, and that you are in the network of your trainer"
        raise NetworkError(f"no class is reached at {url} ({error}): {told}") from None
    assert found is not None
    return found


def heed(found: Place | None, folder: Path) -> None:
    """Remember where this learner begins again, as the desk says; each time is put on the own clock once."""
    if found is None or not found.again:
        return
    now, kept = time.time_ns() // 1_000_000, {one.prefix: one for one in place.again(folder)}
    told = {one.prefix: place.Again(one.prefix, now - one.ago, one.said) for one in found.again}
    new = {prefix: one for prefix, one in told.items() if prefix not in kept or kept[prefix].said != one.said}
    if new:
        place.write_again(tuple({**kept, **new}.values()), folder)


class Member:
    """Somebody who has joined a class, on the own computer."""

    def __init__(self, home: Path | None = None, *, wire: Wire = post) -> None:
        self.folder = home or place.home()
        known = place.membership(self.folder)
        if known is None:
            raise ConfigError("this computer has joined no class: `minichain class join LINK --name NAME`")
        self.membership = known
        self.key = Journal(self.folder).key
        self.line = Line(known.url, known.of, known.token, self.key, wire)

    @property
    def wallet(self) -> Wallet:
        """Return the wallet of this learner's institution."""
        from minichain.client.wallet import Wallet  # noqa: PLC0415

        return Wallet(self.membership.name, self.key)

    def network(self) -> Network:
        """Return the network of the class, read and written through its desk; what is signed is signed here."""
        from minichain.course.classroom.gateway import network  # noqa: PLC0415

        genesis = self.membership.genesis or self.place().genesis
        if not genesis:
            raise NetworkError("the class has no network, or has not reached it yet: try again in a moment")
        return network(self.line, genesis)

    def found(self) -> None:
        """Be an institution of the network."""
        from minichain.course.classroom.gateway import found  # noqa: PLC0415

        with self.network() as net:
            found(net, self.wallet, self.place().institution)

    def place(self) -> Place:
        """Return this learner's place."""
        found = self.line.send(Look()).place
        assert found is not None
        heed(found, self.folder)
        return found

    def leave(self) -> None:
        """Leave the class; what was handed in stays, and one can come back."""
        self.line.send(Leave())


# --- handing in --------------------------------------------------------------------------------------------------


class Sender:
    """Hands in the attempts of a folder in a thread; `refused` are those that the desk will not have, and why."""

    def __init__(self, folder: Path, wire: Wire = post) -> None:
        self._folder = folder
        self._wire = wire
        self._new: queue.Queue[Attempt | None] = queue.Queue()
        self._waiting: dict[str, Attempt] = {}
        self._idle = threading.Event()
        self._lock = threading.Lock()  # so that nobody is idle who was just given something
        self._is_closed = self._is_asked = False
        self.refused: dict[str, str] = {}
        self.trouble = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, attempt: Attempt) -> None:
        """Hand in one more; returns at once."""
        with self._lock:
            self._idle.clear()
            self._new.put(attempt)

    def ask(self) -> None:
        """Hear what the trainer has decided, also where there is nothing to hand in; returns at once."""
        with self._lock:
            self._idle.clear()
            self._is_asked = True
            self._new.put(None)

    def flush(self, timeout_s: float) -> bool:
        """Wait until the desk has all that it will take; tell whether it has."""
        return self._idle.wait(timeout_s)

    def close(self) -> None:
        """Stop; what is not handed in is in the journal."""
        self._is_closed = True
        self._new.put(None)
        self._thread.join()

    def _run(self) -> None:
        self._waiting = {one.digest: one for one in read_folder(self._folder / "attempts")}
        tries = 0
        while not self._is_closed:
            self._take(0.0 if self._waiting or self._is_asked else None)
            pause = self._hand_in()
            tries = tries + 1 if pause else 0
            if pause and not self._is_closed:
                self._take(max(pause, PAUSES_S[min(tries, len(PAUSES_S)) - 1]))

    def _take(self, timeout_s: float | None) -> None:
        """Take what was put here, waiting so long for it (None: until there is something)."""
        with self._lock:
            if timeout_s is None and self._new.empty():
                self._idle.set()
        try:
            one = self._new.get(timeout=timeout_s) if timeout_s != 0.0 else self._new.get_nowait()
            while True:
                if one is not None:
                    self._waiting[one.digest] = one
                one = self._new.get_nowait()
        except queue.Empty:
            pass

    def _hand_in(self) -> float:
        """Hand in a part of what waits; returns for how long to wait before the next one, at least."""
        batch = tuple(self._waiting.values())[:MOST_ATTEMPTS]
        if not (batch or self._is_asked):
            return 0.0
        try:
            answer = self._line().send(HandIn(batch))
            heed(answer.place, self._folder)
        except DeskRefuses as why:
            self.trouble = str(why)
            return DECLINED_S if why.code not in ("too_often", "no_network", "not_yet") else PAUSES_S[1]
        except (OSError, MinichainError) as error:
            self.trouble = str(error)
            return PAUSES_S[0]
        self.trouble, self._is_asked = "", False
        self.refused |= answer.refused
        for digest in (*answer.have, *answer.refused):  # those that may be taken later are so by the next kernel
            self._waiting.pop(digest, None)
        return 0.0

    def _line(self) -> Line:
        return Member(self._folder, wire=self._wire).line


_senders: dict[Path, Sender] = {}


def hand_in(folder: Path, attempt: Attempt) -> None:
    """Let the desk of the class have an attempt that was kept, some time; returns at once."""
    _sender(folder).put(attempt)


def hear(folder: Path) -> None:
    """Hear what the trainer has decided, if the desk says so soon."""
    sender = _sender(folder)
    sender.ask()
    sender.flush(HEAR_S)


def _sender(folder: Path) -> Sender:
    if folder not in _senders:
        _senders[folder] = Sender(folder)
    return _senders[folder]


def file_of(home: Path | None = None, name: str = "") -> bytes:
    """Return all attempts of this computer as one letter, to be carried to the trainer. Raises `UsageError`."""
    folder = home or place.home()
    attempts = tuple(read_folder(folder / "attempts"))
    if not attempts:
        raise UsageError("nothing was answered yet on this computer: there is nothing to hand in")
    known = place.membership(folder)
    of, token, own = (known.of, known.token, known.name) if known else ("", "", name)
    if not (own or name):
        raise UsageError("give the name under which your trainer knows you: --name NAME")
    return Line("", of, token, Journal(folder).key).letter(HandIn(attempts, own or name))
