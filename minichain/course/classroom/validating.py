"""A learner's own node: it follows the chain of the class with the learner's key, and asks to be voted in once it does.

It says again and again that it runs, for the trainer's nodes vote only such a node in, and only as long as the chain
would go on without it. Whether it votes comes with the answer, and is told whenever that changes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from minichain.course import place
from minichain.course.classroom.folder import LOOPBACK, lan_address
from minichain.course.classroom.letters import Following
from minichain.course.classroom.member import DeskRefuses, Member
from minichain.course.material import classroom_texts
from minichain.errors import NetworkError, TimedOut
from minichain.live import joining, keyfile
from minichain.live.channel import LiveChannel
from minichain.node.messages import AskStatus, NodeStatus

FOLLOW_S: Final = 120.0
LOOK_S: Final = 0.2
SAY_S: Final = 5.0  # between two times that the node is said to run; the desk waits for several
ANSWER_MS: Final = 1_000


@contextmanager
def running(member: Member, node: str, tell: Callable[[str], None] = lambda said: None) -> Iterator[int]:
    """Run the node; yields the height it has when it has caught up, and has asked for the vote.

    `tell` is told whether it votes, and why not, each time that this changes.
    """
    if not node:
        raise NetworkError("the network of the class does not run: ask your trainer")
    home = member.folder / "node"
    if not (home / "key").exists():
        keyfile.write_private(home / "key", member.key.seed)
    where, _, key = joining.settle(home, "learner", joining.read_invitation(node), member.membership.genesis)
    where = replace(where, host=_host(member))
    with joining.running(home, where, key) as child, member.network() as net:
        door = {"own": (key.public, f"tcp://{where.host}:{child.place.client_port}")}
        with closing(LiveChannel(lambda: door)) as line:
            height = _caught_up(line, net.height())
            with _saying(member, line, height, tell):
                yield height


@contextmanager
def _saying(member: Member, line: LiveChannel, height: int, tell: Callable[[str], None]) -> Iterator[None]:
    """Say in a thread, which alone uses the line from now on, that the node runs for as long as it answers."""
    ended = threading.Event()
    thread = threading.Thread(target=_say, args=(member, line, height, tell, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _say(member: Member, line: LiveChannel, height: int, tell: Callable[[str], None], ended: threading.Event) -> None:
    told = ""
    while not ended.is_set():
        found = line.request("own", AskStatus(), ANSWER_MS)
        runs = isinstance(found, NodeStatus) and found.height >= height
        if runs and (said := _answered(member)) != told:
            tell(said)
            told = said
        ended.wait(SAY_S)


def _answered(member: Member) -> str:
    """Say that the node runs; returns what the desk says to that."""
    try:
        found = member.line.send(Following()).place
    except (DeskRefuses, OSError) as why:
        return str(why)
    return said_seat(found.seat) if found else ""


def said_seat(seat: str) -> str:
    """Say whether a node votes, why not, and what would change it, in the language of the lessons."""
    return classroom_texts()[f"seat_{seat}"](place.bundle().language)


def _host(member: Member) -> str:
    """Return where the others reach this computer."""
    host = urlsplit(member.membership.url).hostname
    return LOOPBACK if host in (LOOPBACK, "localhost") else lan_address()


def _caught_up(line: LiveChannel, wanted: int) -> int:
    deadline = time.monotonic() + FOLLOW_S
    while time.monotonic() < deadline:
        found = line.request("own", AskStatus(), ANSWER_MS)
        if isinstance(found, NodeStatus) and found.height >= wanted:
            return found.height
        time.sleep(LOOK_S)
    raise TimedOut(f"the node has not caught up with block {wanted} within {FOLLOW_S:.0f} s")
