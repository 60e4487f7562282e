"""A learner's own node: it follows the chain of the class with the learner's key, and asks to be voted in once it does.

The trainer's nodes vote it in only as long as the chain would go on without it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from minichain.course.classroom.folder import LOOPBACK, lan_address
from minichain.course.classroom.letters import Following
from minichain.course.classroom.member import Member
from minichain.errors import NetworkError, TimedOut
from minichain.live import joining, keyfile
from minichain.live.channel import LiveChannel
from minichain.node.messages import AskStatus, NodeStatus

FOLLOW_S: Final = 120.0
LOOK_S: Final = 0.2
ANSWER_MS: Final = 1_000


@contextmanager
def running(member: Member, node: str) -> Iterator[int]:
    """Run the node; yields the height it has when it has caught up, and has asked for the vote."""
    if not node:
        raise NetworkError("the network of the class does not run: ask your trainer")
    home = member.folder / "node"
    if not (home / "key").exists():
        keyfile.write_private(home / "key", member.key.seed)
    place, _, key = joining.settle(home, "learner", joining.read_invitation(node), member.membership.genesis)
    place = replace(place, host=_host(member))
    with joining.running(home, place, key) as child, member.network() as net:
        door = {"own": (key.public, f"tcp://{place.host}:{child.place.client_port}")}
        with closing(LiveChannel(lambda: door)) as line:
            height = _caught_up(line, net.height())
        member.line.send(Following())
        yield height


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
