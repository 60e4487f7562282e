"""A class on a real network of processes: its institutions, its desk that is killed, a learner's node that votes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from test_classroom import Phone, trusting

from minichain.client.network import Network
from minichain.codec import encode
from minichain.course import check, place
from minichain.course import desk as lesson
from minichain.course.classroom import member, trouble, validating
from minichain.course.classroom.room import ClassRoom
from minichain.course.journal import Journal
from minichain.errors import CallFailed, MinichainError, UsageError
from minichain.ledger.types import Call, Transaction, sign_transaction
from minichain.live import supervisor
from minichain.live.home import Home
from minichain.views.trainer_console_desk import DeskLine

WAIT_S = 60
NAMES = ("Street office A", "Transporter", "Recycling plant")


def run(*words: str) -> Any:
    """Run a command as somebody would; return what it says to machines."""
    done = subprocess.run(
        [sys.executable, "-c", "from minichain.cli import main; main()", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("class") / "home"
    (path.parent / "names.txt").write_text("\n".join(NAMES), "utf-8")
    start(path, "--list", str(path.parent / "names.txt"))
    yield path
    stop(path)


def start(home: Path, *words: str) -> Any:
    return run("class", "start", "--home", str(home), "--no-dashboards", *words)


def stop(home: Path) -> None:
    if running := Home(home).find():
        supervisor.ask_to_stop(Home(home), running)
        supervisor.stop(Home(home), running)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_S} s until {what}"
        time.sleep(0.1)


def joined(home: Path, name: str, folder: Path, role: str = "light") -> member.Member:
    found = member.join(ClassRoom(home).link, name, role, folder)
    found.found()
    return found


def notes(net: Network) -> list[str]:
    return [note["text"] for note in net.view("board", "latest", {"count": 20})]


def desk_process(home: Path) -> int:
    found = ClassRoom(home).folder.running()
    return found.pid if found else 0


def test_institutions_act_with_their_own_keys_through_a_killed_desk_and_a_night(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(place.VARIABLE, str(tmp_path / "office"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lesson, "_journals", {})
    office = joined(home, "Street office A", tmp_path / "office")
    carrier = joined(home, "Transporter", tmp_path / "carrier")
    with office.network() as net:
        record = net.identity.by(office.wallet).record(did=office.key.did)
        assert (record["kind"], record["name"]) == ("organisation", office.place().institution)
        net.send(office.wallet, [Call("board", "sign", {"text": "we begin"})])
        _nobody_signs_for_another(net, office, carrier)
        stranger = Journal(tmp_path / "stranger").key
        with pytest.raises(CallFailed, match="join it first"):
            net.send(type(office.wallet)("stranger", stranger), [Call("board", "sign", {"text": "me too"})])
    _a_phone_signs_a_note(home)

    killed = desk_process(home)
    psutil.Process(killed).kill()
    check("m02.e1", trusting)  # nobody waits for it
    until(lambda: desk_process(home) not in (0, killed), "the desk was started again")
    room = ClassRoom(home)
    until(lambda: room.refresh() and len(room.register.taken) == 2, "the answer was handed in")

    stop(home)
    start(home)
    until(lambda: member.Member(tmp_path / "carrier").place().genesis, "the network was reached")
    with carrier.network() as net:
        net.send(carrier.wallet, [Call("board", "sign", {"text": "next morning"})])
        assert notes(net) == ["next morning", "by phone", "we begin"]
    _nothing_is_on_the_chain_that_belongs_to_people(home)
    member._senders.pop(tmp_path / "office").close()


def _nobody_signs_for_another(net: Network, victim: member.Member, thief: member.Member) -> None:
    """A transaction in the name of one, signed with the key of another, is refused by every node."""
    spec = net.genesis.spec
    body = Transaction(
        chain_id=spec.chain_id,
        genesis=net.genesis.hash,
        sender=victim.key.public,
        nonce=net.account(victim.wallet).nonce,
        calls=(Call("board", "sign", {"text": "not by me"}),),
        gas_limit=1_000_000,
        expires=net.height() + 50,
    )
    code, _ = net.offer(sign_transaction(body, thief.key).raw)
    assert code == "bad_signature"


def _a_phone_signs_a_note(home: Path) -> None:
    room = ClassRoom(home)
    url, _, token = member.read_link(room.link)
    phone = Phone(url)
    phone.open("join", {"name": "Recycling plant", "token": token})
    until(lambda: "On the chain you are called" in phone.open("me"), "the phone was an institution")
    assert "Your note is in block" in phone.open("note", {"text": "by phone"})
    until(lambda: room.refresh() and not room.register.unjudged, "the note was judged")
    assert room.cell(room.learners[-1], "m00.e1").is_right, "with it the first exercise is done"


def _nothing_is_on_the_chain_that_belongs_to_people(home: Path) -> None:
    with Network.attach(home) as net:
        blocks = b"".join(encode(net.block(height)) for height in range(1, net.height() + 1))
    for name in (*NAMES, "m02", "MC08", "is_right"):
        assert name.encode() not in blocks, f"{name} is on the chain"
    assert b"Institution 1 of class" in blocks


def test_a_learners_node_follows_is_voted_in_and_out_again(home: Path, tmp_path: Path) -> None:
    if Home(home).find() is None:
        start(home)
    room = ClassRoom(home)
    room.list_names("Node office", "Second node")
    office = joined(home, "Node office", tmp_path, "validator")
    with Network.attach(home) as net, validating.running(office, office.place().node):
        assert "learner" not in {member.name.partition("-")[0] for member in net.members()}
        until(lambda: _grows(net) == 5, "the node was voted in")
        second = joined(home, "Second node", tmp_path / "second", "validator")
        assert second.line.send(validating.Following()).place.seat == "full"
        until(lambda: room.refresh() and room.flags, "the trainer was told that there are no more seats")
        second.leave()  # else it had the seat that comes free
        office.leave()
        until(lambda: _grows(net) == 4, "the node was voted out")


def test_the_trainer_lets_things_happen_to_the_network_and_makes_all_well_again(home: Path) -> None:
    if Home(home).find() is None:
        start(home)
    line = DeskLine(Home(home), ClassRoom(home).settings.secret)
    until(lambda: _reaches(line), "the desk has reached the network")
    line.tell("let-happen", what="crash", node="node-3")
    until(lambda: {"name": "node-3", "is_on": False} in line.look()["nodes"], "the node was off")
    with pytest.raises(UsageError, match="no node node-9"):
        line.tell("let-happen", what="liar", node="node-9")
    with pytest.raises(UsageError, match="There are: crash"):
        line.tell("let-happen", what="flood", node="")
    line.tell("recover")
    until(lambda: all(node["is_on"] for node in line.look()["nodes"]), "all nodes were on")
    assert line.look()["trouble"] == []
    line.tell("let-happen", what="theft", node="")
    line.tell("let-happen", what="oracle", node="")
    line.tell("let-happen", what="delay", node="")
    theft, oracle, delay = line.look()["trouble"]
    assert (theft["what"], oracle["what"], delay["what"]) == ("theft", "oracle", "delay")
    line.tell("recover")
    with Network.attach(home) as net:
        until(lambda: net.height() >= max(oracle["blocks"]), "this node had the last block too")
        assert net.account(net.wallet(trouble.STRANGER)).balance == trouble.STOLEN, "every node found it valid"
        feed = next(name for name in (f"Lorry {at}" for at in range(net.height())) if _has_feed(net, name))
        figure = net.view(trouble.READINGS, "figure", {"feed": feed, "round": 0})
        assert (figure["value"], len(figure["flagged"])) == (58, 1), "the median bears one lie"


def _reaches(line: DeskLine) -> bool:
    with suppress(UsageError):
        line.tell("recover")
        return True
    return False


def _has_feed(net: Network, name: str) -> bool:
    with suppress(CallFailed, MinichainError):
        net.view(trouble.READINGS, "round_now", {"feed": name})
        return True
    return False


def _grows(net: Network) -> int:
    """Let a block be made, and return how many members decide on the next one."""
    with suppress(CallFailed):
        net.send(net.wallet("class desk"), [Call("ledger", "transfer", {"to": net.wallet("bank").did, "amount": 0})])
    return len(net.members())
