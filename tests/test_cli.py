"""The command line as people and scripts meet it: what it prints, its exit codes, and what it leaves behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import builders
import psutil
import pytest
import zmq
from click.testing import CliRunner, Result
from test_proofs import assemble

import minichain as mc
from minichain import cli
from minichain.codec import encode, to_json
from minichain.crosschain.proofs import Proof
from minichain.errors import NetworkError
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Call
from minichain.live import control, doctor, keyfile, process, supervisor, transport
from minichain.live.home import Home, Running
from minichain.node.interface import Asked
from minichain.node.messages import AskStatus, Request

DONE, NO, WRONG_USE, COULD_NOT = 0, 1, 2, 3
WAIT_S = 20


def run(*options: object, expect: int = DONE) -> Result:
    done = CliRunner().invoke(cli.main, [str(option) for option in options])
    shown = f"exit code {done.exit_code}\n{done.output}"
    assert done.exception is None or isinstance(done.exception, SystemExit), shown + repr(done.exception)
    assert done.exit_code == expect, shown
    return done


def read(*options: object, expect: int = DONE) -> Any:
    return json.loads(run(*options, "--json", expect=expect).stdout)


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_S} s for {what}"
        time.sleep(0.05)


# --- up, status, down -----------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """The home that MINICHAIN_HOME names; whatever runs there at the end is ended."""
    place = Home(tmp_path / "home")
    monkeypatch.setenv("MINICHAIN_HOME", str(place.path))
    yield place
    running = place.find()
    if running is not None:
        for member in [*psutil.Process(running.pid).children(recursive=True), psutil.Process(running.pid)]:
            member.kill()


def up(*options: object, validators: int | None = 2, expect: int = DONE) -> Any:
    count = ["--validators", validators] if validators else []
    ask = run if expect else read
    return ask("up", "--no-dashboards", "--empty", *count, *options, expect=expect)


def running_in(home: Home) -> Running:
    running = home.find()
    assert running is not None
    return running


def pids(running: Running) -> list[int]:
    return [running.pid, *(node.pid for node in running.nodes if node.pid)]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def pay(home: Home) -> int:
    with mc.Network.attach(str(home.path)) as net:
        call = Call("ledger", "transfer", {"to": net.wallet("shop").did, "amount": 1})
        receipt = net.send(net.wallet("bank"), [call])
        net.wait_for_height(receipt.height)
        return receipt.height


def test_a_network_goes_up_tells_how_it_is_and_goes_down(home: Home):
    shown = up()
    assert shown["home"] == str(home.path)
    assert shown["dashboards"] is None
    assert list(shown["nodes"]) == ["node-0", "node-1"]
    running = running_in(home)
    assert pay(home) == 1

    found = read("status")
    assert (found["running"], found["pid"]) == (True, shown["pid"])
    assert [(node["name"], node["up"], node["height"], node["waiting"]) for node in found["nodes"]] == [
        ("node-0", True, 1, 0),
        ("node-1", True, 1, 0),
    ]
    assert len({node["state_root"] for node in found["nodes"]}) == 1
    assert found["members"] == ["node-0", "node-1"]
    assert "node-1" in run("status").stdout

    assert read("down") == {"stopped": True}
    assert all(map(is_gone, pids(running)))
    for node in running.nodes:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(node.address.rpartition(":")[2]))) != 0
    assert not home.record.exists()
    assert not home._lock.exists()
    assert read("status", expect=NO) == {"running": False}
    assert read("down") == {"stopped": False}
    assert "No network was running" in run("down").stdout


def test_a_second_up_is_refused_and_harms_nothing(home: Home):
    shown = up()
    pay(home)
    for options in ((), ("--fresh",), ("--validators", 5)):
        done = up(*options, validators=None, expect=COULD_NOT)
        assert "a network is already running in" in done.stderr
        assert "`minichain down`, or start another one with `--home DIRECTORY`" in done.stderr
    assert read("status")["pid"] == shown["pid"]
    assert pay(home) == 2
    run("down")


def test_another_home_is_another_network(home: Home, tmp_path: Path):
    up(validators=1)
    other = Home(tmp_path / "other")
    up("--home", other.path, validators=1)
    assert pay(home) == pay(other) == 1
    genesis = [(place.chain / "genesis.json").read_bytes() for place in (home, other)]
    assert genesis[0] != genesis[1]
    run("down", "--home", other.path)
    assert pay(home) == 2
    run("down")


def test_after_the_supervisor_was_killed_everything_leaves_and_the_chain_goes_on(home: Home):
    up()
    pay(home)
    running = running_in(home)
    psutil.Process(running.pid).kill()
    eventually(lambda: all(map(is_gone, pids(running))), "the validators to leave by themselves")
    assert home.record.exists()
    assert read("status", expect=NO) == {"running": False}
    findings = {finding["what"]: finding for finding in read_doctor()}
    assert findings["network"]["found"] == "not running, but it did not end in order"
    with pytest.raises(NetworkError, match="no network is running"):
        mc.Network.attach(home.path)

    up(validators=None)  # the lock and the record of the dead one do not matter
    assert pay(home) == 2
    run("down")


def read_doctor() -> Any:
    done = CliRunner().invoke(cli.main, ["doctor", "--json"])
    return json.loads(done.stdout)["findings"]


def test_a_chain_keeps_its_number_of_validators_until_it_is_made_anew(home: Home):
    up()
    pay(home)
    run("down")
    before = (home.chain / "genesis.json").read_bytes()
    done = up(validators=3, expect=COULD_NOT)
    assert "has 2 validators, not 3: leave the number out to go on with it, or start a new chain" in done.stderr
    assert (home.chain / "genesis.json").read_bytes() == before
    up("--fresh", validators=1)
    assert (home.chain / "genesis.json").read_bytes() != before
    assert pay(home) == 1
    assert len(read("status")["nodes"]) == 1
    run("down")


def test_a_lost_or_damaged_record_is_written_again(home: Home):
    up(validators=1)
    for damage in (home.record.unlink, lambda: home.record.write_bytes(b"{")):
        damage()
        eventually(lambda: home.find() is not None, "the record")
    assert pay(home) == 1
    assert read("down") == {"stopped": True}


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be suspended in the same way")
def test_a_supervisor_that_hangs_is_ended_by_force(home: Home, monkeypatch: pytest.MonkeyPatch):
    up()
    running = running_in(home)
    psutil.Process(running.pid).suspend()
    with monkeypatch.context() as hasty:
        hasty.setattr(control, "TIMEOUT_MS", 300)
        hasty.setattr(supervisor, "STOP_TIMEOUT_S", 0.3)
        assert "was ended by force" in run("down", expect=COULD_NOT).stderr
    eventually(lambda: all(map(is_gone, pids(running))), "everything to end")
    assert not home.record.exists()
    up(validators=None)
    run("down")


def test_a_secret_that_is_not_the_chains_is_named(home: Home):
    up(validators=1)
    run("down")
    kept = (home.path / "root").read_bytes()
    (home.path / "root").unlink()
    done = up(validators=None, expect=COULD_NOT)
    assert f"{home.path / 'root'} is missing" in done.stderr
    assert "put it back from a copy" in done.stderr
    assert not (home.path / "root").exists(), "none is drawn that would be taken for the right one"
    (home.path / "root").write_bytes(kept[::-1])
    done = up(validators=None, expect=COULD_NOT)
    assert "is not the one that the chain in" in done.stderr
    assert "put the right one back, or start a new chain with `--fresh`" in done.stderr
    (home.path / "root").write_bytes(kept)
    up(validators=None)
    assert pay(home) == 1
    run("down")


# --- a home that makes no sense -----------------------------------------------------------------------------------

RECORDS: dict[str, bytes] = {
    "empty": b"",
    "half": b'{"pid": 1, "star',
    "not text": b"\xff\xfe\x00",
    "another shape": b"[]",
    "wrong types": b'{"pid": "one"}',
    "no such process": b'{"pid":%d,"started":0.0,"control":"","control_public":"","nodes":[],"dashboards":null}'
    % 2**22,
    "no such number": b'{"pid":-5,"started":0.0,"control":"","control_public":"","nodes":[],"dashboards":null}',
    "a huge number": b'{"pid":%d,"started":0.0,"control":"","control_public":"","nodes":[],"dashboards":null}' % 10**18,
    "somebody else": b'{"pid":%d,"started":5.0,"control":"","control_public":"","nodes":[],"dashboards":null}'
    % os.getpid(),
}


@pytest.mark.parametrize("content", RECORDS.values(), ids=RECORDS)
def test_a_damaged_record_means_that_nothing_runs(home: Home, content: bytes):
    home.path.mkdir()
    home.record.write_bytes(content)
    assert read("status", expect=NO) == {"running": False}
    assert read("down") == {"stopped": False}
    read_doctor()


def test_a_home_that_is_not_there_is_not_made_by_looking(home: Home):
    assert read("status", expect=NO) == {"running": False}
    assert read("down") == {"stopped": False}
    assert "No network is running. Start one with `minichain up`" in run("status", expect=NO).stdout
    read_doctor()
    assert not home.path.exists()


def test_a_home_that_cannot_be_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "file"
    file.touch()
    assert "is a file" in run("up", "--home", file, expect=WRONG_USE).stderr
    monkeypatch.setenv("MINICHAIN_HOME", str(file))
    assert str(file) in up(expect=COULD_NOT).stderr


def test_a_damaged_chain_specification_is_named(home: Home):
    home.chain.mkdir(parents=True)
    (home.chain / "genesis.json").write_bytes(b"[1, 2")
    assert "not a valid ChainSpec file" in up(validators=None, expect=COULD_NOT).stderr
    up("--fresh", validators=1)
    assert pay(home) == 1
    (home.chain / "genesis.json").unlink()
    assert "the network runs, but its chain cannot be read" in run("status", expect=COULD_NOT).stderr
    assert read("down") == {"stopped": True}  # it can still be stopped


def test_fresh_deletes_no_directory_of_somebody_else(home: Home):
    precious = home.chain / "of custody.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    up("--fresh", validators=1)
    run("down")
    assert precious.read_text() == "mine"


# --- doctor ----------------------------------------------------------------------------------------------------------


def test_the_doctor_finds_what_is_well(home: Home):
    found = {finding["what"]: finding for finding in read_doctor()}
    assert set(found) == {
        "programs", "encryption", "memory", "disk", "port", "dashboards", "network", "leftovers", "lessons", "clock",
        "folder"
    }  # fmt: skip
    assert found["network"]["found"] == "not running"
    assert found["encryption"]["fix"] is None


def test_what_has_an_owner_is_no_leftover(home: Home):
    def run_by(module: str, parent: int) -> bool:
        return doctor.is_left(os.getpid(), parent, ["python", "-m", module, str(home.path)])

    assert not run_by("some.program", 1), "it is not ours"
    assert run_by("minichain.live.process", 1)
    assert not run_by("minichain.live.process", os.getpid()), "its parent lives"
    assert run_by("minichain.live.supervisor", 1), "its home names nobody"
    own = psutil.Process()
    keyfile.make_private(home.path)
    home.write(Running(own.pid, own.create_time(), "", "", (), None))
    assert not run_by("minichain.live.supervisor", 1), "a network of another home is nobody's leftover"
    home.record.unlink()  # else whoever tidies up after this test ends the process of the tests


def test_the_doctor_says_how_to_mend_what_is_not(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor.zmq, "has", lambda what: False)
    monkeypatch.setattr(doctor, "VALIDATOR_MB", 10**9)
    monkeypatch.setattr(doctor, "DISK_MB", 10**12)
    monkeypatch.setattr(doctor, "apps", lambda: home.path)
    found = {finding["what"]: finding["fix"] for finding in read("doctor", expect=NO)["findings"]}
    assert found["encryption"] == "this pyzmq cannot encrypt: run `pip install --force-reinstall pyzmq`"
    assert found["memory"].startswith("close other programs")
    assert found["disk"].startswith("make room")
    assert found["dashboards"].startswith("install minichain again")


def test_a_port_in_use_is_no_illness(home: Home, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(doctor, "PORT", other.getsockname()[1])
        found = {finding["what"]: finding for finding in read_doctor()}
    assert "used by another program: `minichain up` takes another one" in found["port"]["found"]
    assert found["port"]["fix"] is None


# --- verify ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proof() -> Proof:
    with mc.Network.simulated(validators=4, seed=3) as net:
        counter = net.deploy(builders.COUNTER, sender=net.wallet("author"))
        return counter.add(7).proof()


@pytest.fixture
def file(proof: Proof, tmp_path: Path) -> Path:
    path = tmp_path / "proof.json"
    path.write_bytes(proof.to_bytes())
    return path


def test_a_sound_proof_is_valid(proof: Proof, file: Path):
    genesis = Genesis(proof.spec).hash.hex()
    for options in ((), ("--genesis", genesis)):
        shown = read("verify", file, *options)
        assert (shown["valid"], shown["chain"], shown["genesis"]) == (True, "minichain-local", genesis)
        assert shown["calls"] == [{"contract": "counter", "action": "add"}]
        assert shown["outcome"] == "ok"
        assert set(shown["signers"]) <= {"node-0", "node-1", "node-2", "node-3"}
    text = run("verify", file).stdout
    assert "Valid." in text
    assert f"genesis {genesis}" in text


def test_a_changed_proof_is_refused(file: Path):
    file.write_bytes(file.read_bytes()[:-1] + b",0]")
    shown = read("verify", file, expect=NO)
    assert shown["valid"] is False
    assert shown["reason"]
    assert "Refused" in run("verify", file, expect=NO).stdout


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[/bold]", bytes(5 * 2**20), b"\xff" * 100])
def test_what_is_no_proof_is_refused(file: Path, content: bytes):
    file.write_bytes(content)
    assert read("verify", file, expect=NO)["valid"] is False
    run("verify", file, expect=NO)


def test_a_proof_of_another_chain_is_refused(file: Path):
    assert "not " + "00" * 32 in read("verify", file, "--genesis", "00" * 32, expect=NO)["reason"]
    assert "does not exist" in run("verify", "nowhere.json", expect=WRONG_USE).stderr


def test_a_proof_has_no_issuer(file: Path):
    assert "this is no certificate" in read("verify", file, "--issuer", "did:key:z6Mk", expect=NO)["reason"]


@pytest.mark.parametrize("option", ["crossing --proof", "voting --record", "points --proof", "waste --proof"])
def test_a_demo_that_could_not_write_its_end_does_not_begin(tmp_path: Path, option: str):
    nowhere = tmp_path / "nowhere" / "proof.json"
    told = run("demo", *option.split(), nowhere, expect=WRONG_USE).stderr
    assert "name another place, in a folder that is there" in told.replace("\n", " ")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no file without an end")
def test_of_a_file_without_an_end_no_more_is_read_than_a_proof_may_have():
    assert "a proof file has at most" in run("verify", "/dev/zero", expect=NO).stdout.replace("\n", " ")


def test_the_chain_is_told_by_its_genesis_file_too(proof: Proof, file: Path, tmp_path: Path):
    right, wrong = tmp_path / "genesis.json", tmp_path / "other.json"
    right.write_bytes(to_json(proof.spec))
    wrong.write_bytes(to_json(builders.genesis().spec))
    assert read("verify", file, "--genesis", right)["valid"]
    assert read("verify", file, "--genesis", wrong, "--genesis", right)["valid"], "it may be any of those"
    assert "the proof is about the chain with genesis" in read("verify", file, "--genesis", wrong, expect=NO)["reason"]
    done = run("verify", file, "--genesis", file, expect=COULD_NOT)
    assert "is not the genesis file of a chain" in done.stderr


def test_a_passport_is_written_of_a_sound_proof_and_is_itself_a_proof(file: Path, tmp_path: Path):
    page = tmp_path / "passport.html"
    written = read("verify", file, "--passport", page)
    assert written["passport"] == str(page)
    assert {**read("verify", page), "passport": str(page)} == written
    assert "it checks itself in any browser" in run("verify", file, "--passport", page).stdout.replace("\n", " ")
    changed = page.read_bytes().replace(b'id="proof">kg', b'id="proof">kw')
    assert changed != page.read_bytes()
    page.write_bytes(changed)
    assert "this is not a proof" in read("verify", page, expect=NO)["reason"]
    other = tmp_path / "other.html"
    read("verify", page, "--passport", other, expect=NO)
    assert not other.exists()
    page.write_bytes(b"<!doctype html><p>Trust me.")
    assert "this page carries no proof" in read("verify", page, expect=NO)["reason"]


@pytest.mark.parametrize("genesis", ["", "00", "xyz", "00" * 33, " " + "00" * 31 + " "])
def test_what_is_no_genesis_hash_is_not_taken_for_any_chain(file: Path, genesis: str):
    done = run("verify", file, "--genesis", genesis, expect=COULD_NOT)
    assert f"--genesis {genesis!r} is not 64 hexadecimal digits: copy it from" in done.stderr


def test_what_strangers_chose_neither_styles_nor_steers_the_terminal(tmp_path: Path):
    """A sound proof of a chain that somebody made up, in which every name is an attack."""
    chain = builders.genesis(weights=(1,))
    call = Call("[/]\x1b[2J[red]", "\x07[link=https://example.org]")
    block, execution, _ = builders.Ledger(chain).build([builders.sign(chain, "stranger", call)])
    made_up = assemble(chain, builders.finalise(chain, block), execution.encoded_receipts, 0)
    path = tmp_path / "proof.json"
    path.write_bytes(made_up.to_bytes())
    text = run("verify", path).stdout
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[/]" in text
    assert "[link=https://example.org]" in text
    assert read("verify", path)["calls"] == [{"contract": call.contract, "action": call.action}]


# --- contract check --------------------------------------------------------------------------------------------------


def test_a_contract_in_the_language_passes(tmp_path: Path):
    path = tmp_path / "counter.py"
    path.write_text(builders.COUNTER, encoding="utf-8")
    told = read("contract", "check", path)
    assert (told["violations"], told["contract"]["name"]) == ([], "Counter")
    assert "is in the contract language" in run("contract", "check", path).stdout


def test_a_contract_is_tried_by_people_who_call_it_at_random(tmp_path: Path):
    path = Path(__file__).with_name("noticeboard.py")
    tried = read("contract", "try", path, "--setup", '{"keeper": "Office B"}')
    post, clear = tried["actions"][1], tried["actions"][0]
    assert (post["action"], clear["action"]) == ("post", "clear")
    assert post["ok"] > 0 < post["least_gas"] <= post["most_gas"]
    assert clear["reverted"] > 0
    assert run("contract", "try", path, "--setup", '["Office B"]', expect=WRONG_USE).exit_code == WRONG_USE
    done = run("contract", "try", path, expect=COULD_NOT)
    assert "argument keeper is missing" in done.output


def test_where_a_contract_leaves_the_language_is_listed(tmp_path: Path):
    path = tmp_path / "counter.py"
    path.write_text("import os\n" + builders.COUNTER.replace("while True", "while 0.5"), encoding="utf-8")
    found = read("contract", "check", path, expect=NO)["violations"]
    assert found[0]["line"] == 1
    assert {"line", "code", "explanation", "instead"} == set(found[0])
    assert len(found) >= 2
    assert found[0]["code"] in run("contract", "check", path, expect=NO).stdout


def test_what_is_no_text_is_named(tmp_path: Path):
    path = tmp_path / "counter.py"
    path.write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in run("contract", "check", path, expect=COULD_NOT).stderr
    path.write_bytes(b"\0")
    assert read("contract", "check", path, expect=NO)["violations"]
    assert "does not exist" in run("contract", "check", "nowhere.py", expect=WRONG_USE).stderr


# --- sim --------------------------------------------------------------------------------------------------------------

TROUBLE = ("sim", "--seed", 4)


def test_the_same_seed_is_the_same_run(tmp_path: Path):
    first, second = read(*TROUBLE), read(*TROUBLE, "--trace", tmp_path / "trace.txt")
    assert first == second
    assert read("sim", "--seeds", "5:6")["trace_digest"] != first["trace_digest"]
    assert set(first) >= {"engine", "validators", "seeds", "commits", "violations", "stalls", "trace_digest"}
    lines = (tmp_path / "trace.txt").read_text().splitlines()
    assert len(lines) >= first["events"]
    assert "starts" in lines[0]


def test_a_trace_that_cannot_be_written_is_named(tmp_path: Path):
    done = run(*TROUBLE, "--trace", tmp_path / "nowhere" / "trace.txt", expect=COULD_NOT)
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.output


# --- wrong use --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("up", "--colour", "red"), "No such option"),
        (("up", "--validators", "0"), "is not in the range"),
        (("up", "--validators", "many"), "is not a valid integer"),
        (("up", "--port", "65536"), "is not in the range"),
        (("status", "node-0"), "unexpected extra argument"),
        (("sim", "--validators", "0"), "is not in the range"),
        (("sim", "--seed", "-1"), "is not in the range"),
        (("bench", "everything"), "is not one of"),
        (("bench", "tree", "--validators", "4"), "tree takes no --validators"),
        (("verify",), "Missing argument"),
        (("dance",), "No such command"),
        (("contract", "mend"), "No such command"),
    ],
)
def test_wrong_use_is_told(options: tuple[str, ...], words: str):
    assert words in run(*options, expect=WRONG_USE).stderr


def test_every_command_explains_itself():
    shown = run("--help").stdout
    for command in cli.main.commands:
        assert command in shown
        assert run(command, "--help").stdout
    assert mc.__version__ in run("--version").stdout


# --- one validator ---------------------------------------------------------------------------------------------------


def test_a_validator_that_cannot_start_says_why_in_one_line(tmp_path: Path):
    config = tmp_path / "config.json"
    for content, words in (
        (b"{}", "is not a validator's config file"),
        (b'{"name": "a", "genesis": "g", "key": "k", "chain": "c", "colour": "red"}', "colour"),
        (b'{"name": "a", "genesis": "/no/where", "key": "k", "chain": "c"}', "/no/where"),
    ):
        config.write_bytes(content)
        done = subprocess.run(
            [sys.executable, "-m", "minichain.live.process", str(config)],
            env={**os.environ, "PYTHONPATH": supervisor.import_path()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WAIT_S,
            check=False,
        )
        assert done.returncode == 1
        assert words in json.loads(done.stdout)["error"]


@pytest.fixture
def validator(tmp_path: Path) -> Iterator[process.Process]:
    """A validator's process, in this one."""
    chain = builders.genesis(weights=(1,))
    (tmp_path / "genesis.json").write_bytes(to_json(chain.spec))
    (tmp_path / "key").write_bytes(builders.key("node-0").seed)
    made = process.Process(
        process.Place("node-0", str(tmp_path / "genesis.json"), str(tmp_path / "key"), str(tmp_path / "chain.sqlite"))
    )
    yield made
    made._store.close()
    made.transport.close()


def test_a_node_that_breaks_starts_again_from_its_store(validator: process.Process, monkeypatch: pytest.MonkeyPatch):
    replies: list[bytes] = []
    monkeypatch.setattr(validator.transport, "reply", lambda client, data: replies.append(data))
    asked = Asked(b"client", encode(Request(1, AskStatus())))
    for error in (AssertionError, KeyError, OverflowError):
        broken = validator._node
        monkeypatch.setattr(broken, "handle", lambda event, now_ms, error=error: raise_(error("a bug")))
        validator._turn([asked])
        assert validator._node is not broken
        assert not replies
        validator._turn([*validator._waiting, asked])
        assert len(replies) == 1
        replies.clear()
    monkeypatch.setattr(validator._node, "handle", lambda event, now_ms: raise_(KeyError("again")))
    with pytest.raises(KeyError):  # process.MAX_REBUILDS is reached
        validator._turn([asked])


def test_no_more_than_so_many_messages_are_taken_in_one_turn(
    validator: process.Process, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(transport, "MAX_FROM_CLIENTS", 3)
    member = validator._genesis.committee.members[0]
    address = f"tcp://127.0.0.1:{validator.transport.client_port}"
    context = zmq.Context()
    line = transport.knock(context, builders.key("client"), member.public, address)
    for number in range(10):
        line.send(b"%d" % number)
    taken: list[list[bytes]] = []
    while sum(map(len, taken)) < 10:
        validator.transport.wait(WAIT_S * 1000)
        taken.append([data for _, data, *_ in validator.transport.from_clients()])
    line.close()
    context.term()
    assert max(map(len, taken)) <= 3
    assert [data for turn in taken for data in turn] == [b"%d" % number for number in range(10)]


def raise_(error: Exception) -> Any:
    raise error


# --- the laboratory -----------------------------------------------------------------------------------------------

FEW = ("--set", "hauliers=3", "--set", "days=1", "--seeds", "0:2")


def test_the_laboratory_lists_its_experiments():
    found = {one["name"]: one for one in read("lab")["experiments"]}
    assert {"parameter", "usual", "may be", "meaning"} == found["hauliers"]["parameters"][0].keys()
    assert "From which fine on" in run("lab").stdout


def test_the_laboratory_runs_and_varies_what_it_is_told():
    options = ("lab", "hauliers", *FEW, "--sweep", "fine=0,2000")
    found = read(*options)
    assert [cell["settings"]["fine"] for cell in found["cells"]] == [0, 2_000]
    assert [cell["figures"]["dumping"]["mean"] for cell in found["cells"]] == [3, 0]
    assert [one["seed"] for one in found["cells"][0]["runs"]] == [0, 1]
    shown = run(*options).stdout
    assert "Means over 2 seeds" in shown
    assert "95 % from" in shown


def test_one_run_has_no_interval_in_either_form():
    found = read("lab", "hauliers", *FEW, "--seeds", "0:1")["cells"][0]["figures"]["dumped"]
    assert found["mean"] > 0
    assert (found["low"], found["high"]) == (None, None)


@pytest.mark.parametrize(
    ("options", "expect", "words"),
    [
        (("unknown",), COULD_NOT, "there is no experiment 'unknown': choose one of hauliers"),
        (("hauliers", "--set", "fine"), WRONG_USE, "write NAME=VALUE"),
        (("hauliers", "--set", "fine="), WRONG_USE, "write NAME=VALUE"),
        (("hauliers", "--set", "fien=1"), COULD_NOT, "has no parameter 'fien'"),
        (("hauliers", "--set", "fine=much"), COULD_NOT, "fine is a whole number from 0 to 1000000, not 'much'"),
        (("hauliers", "--sweep", "fine=1,,2"), COULD_NOT, "fine is a whole number"),
        (("hauliers", "--sweep", "fine=1,-2"), COULD_NOT, "not -2"),
        (("hauliers", "--seeds", "5"), COULD_NOT, "write A:B"),
        (("hauliers", "--jobs", "0"), COULD_NOT, "jobs is how many processes"),
        (("hauliers", "--confidence", "100"), COULD_NOT, "50 to 99 percent"),
        (("hauliers", "--scheduler", "here"), COULD_NOT, "write tcp://HOST:PORT"),
        (("hauliers", "--scheduler", "tcp://127.0.0.1:1"), COULD_NOT, "Start one with `dask scheduler`"),
    ],
)
def test_the_laboratory_says_what_it_was_asked_wrongly(options: tuple[str, ...], expect: int, words: str):
    assert words in run("lab", *options, expect=expect).stderr


# --- what a careless hand leaves behind -----------------------------------------------------------------------------


def test_a_disk_that_takes_nothing_is_told_with_its_place_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    told = run("up", "--home", tmp_path, "--no-dashboards", "--empty", expect=COULD_NOT).stderr
    assert str(tmp_path / "lock") in told, "the process in the background says it, too"
    told = run("course", "print", tmp_path / "nowhere" / "x.pdf", expect=COULD_NOT).stderr
    assert f"{tmp_path / 'nowhere' / 'x.pdf'}: No such file or directory. Name another place" in told


def test_text_in_another_encoding_is_told_and_founds_nothing(tmp_path: Path) -> None:
    table = tmp_path / "forms.csv"
    for text in ("form,甲".encode("gbk"), "form,甲".encode("utf-16")):
        table.write_bytes(text)
        assert "is not UTF-8 text: save it anew" in run("course", "items", table, expect=COULD_NOT).stderr
        assert "UTF-8" in run("class", "start", "--list", table, "--home", tmp_path / "x", expect=COULD_NOT).stderr
    assert not (tmp_path / "x").exists()


def test_a_folder_without_files_founds_no_class(tmp_path: Path) -> None:
    assert "there is no file *.handin" in run("class", "collect", tmp_path, "--home", tmp_path / "x").stdout
    assert not (tmp_path / "x").exists()
