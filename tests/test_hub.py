"""A course room with a hub that really runs: two learners log in, do the first lesson in one class, and are kept apart.

It needs the proxy of JupyterHub, which npm brings: `npm install --global --prefix .venv configurable-http-proxy`.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cached_property
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

import psutil
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect
from traitlets.config import PyFileConfigLoader

from minichain.client.network import Network
from minichain.course import place
from minichain.course.classroom.room import ClassRoom
from minichain.errors import ConfigError
from minichain.live.executor import landlock_version

DEPLOY = Path(__file__).parent.parent / "deploy"
BIN = Path(sys.prefix) / "bin"
PROXY = shutil.which("configurable-http-proxy", path=os.pathsep.join((str(BIN), os.environ["PATH"])))
WAIT_S = 120
LESSON = "lessons/en/00-first-block.ipynb"
NAMES = ("office-a", "office-b")
GUESS = 'guess = {"signer", "words", "block", "accepted"}'
NOTE = """
from minichain.course.classroom.member import Member
from minichain.ledger.types import Call
me = Member()
words = f"{me.membership.name} was here."
with me.network() as chain:
    mine = chain.send(me.wallet, [Call("board", "sign", {"text": words})])
    answer = {"account": me.wallet.did, "note": words, "proof": mine.proof().to_bytes()}
"""  # in the lesson the learner's own chain would do: here it is that of the class

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="JupyterHub does not run on Windows"),
    pytest.mark.skipif(
        PROXY is None and "CI" not in os.environ,
        reason="no proxy for JupyterHub: npm install --global --prefix .venv configurable-http-proxy",
    ),
]


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {WAIT_S} s until {what}"
        time.sleep(0.1)
    return found


# --- a learner's browser -----------------------------------------------------------------------------------------


class Learner:
    """Somebody who logs in and works on their own server, with what a browser has: addresses, cookies, a socket."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.url, self.name = url, name
        self._cookies = CookieJar()
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(self._cookies))
        self.open("hub/login")
        self.open("hub/login", urlencode({"username": name, "password": password, "_xsrf": self._xsrf}).encode())
        self.token = ""

    @property
    def _xsrf(self) -> str:
        return next(cookie.value or "" for cookie in self._cookies if cookie.name == "_xsrf")

    def open(self, path: str, data: bytes | None = None, **headers: str) -> bytes:
        with self._opener.open(Request(self.url + path, data, headers), timeout=WAIT_S) as answer:
            return bytes(answer.read())

    def api(self, path: str, data: Any = None) -> Any:
        said = None if data is None else json.dumps(data).encode()
        answer = build_opener(ProxyHandler({})).open(
            Request(self.url + path, said, {"Authorization": f"token {self.token}"}), timeout=WAIT_S
        )
        with answer:
            return json.loads(answer.read() or b"null")

    def opens(self) -> None:
        """Wait for the own server, which begins to start when somebody logs in."""
        self.open("hub/home")
        headers = {"X-XSRFToken": self._xsrf, "Content-Type": "application/json"}
        self.token = json.loads(self.open(f"hub/api/users/{self.name}/tokens", b"{}", **headers))["token"]
        until(lambda: self.api(f"hub/api/users/{self.name}")["server"], f"the server of {self.name} runs")

    @cached_property
    def kernel(self) -> str:
        return str(self.api(f"user/{self.name}/api/kernels", {"name": "python3", "path": "lessons/en"})["id"])

    def run(self, *cells: str) -> str:
        """Run cells in the kernel on the own server; returns all that they say. Fails where one raises."""
        return asyncio.run(self._run(cells))

    async def _run(self, cells: tuple[str, ...]) -> str:
        url = f"{self.url.replace('http', 'ws', 1)}user/{self.name}/api/kernels/{self.kernel}/channels"
        line = await websocket_connect(HTTPRequest(url, headers={"Authorization": f"token {self.token}"}))
        said = ""
        try:
            for number, cell in enumerate(cells):
                id = f"{time.monotonic_ns()}-{number}"
                await line.write_message(_request(id, cell))
                said += await asyncio.wait_for(_answer(line, id, cell), WAIT_S)
        finally:
            line.close()
        return said


def _request(id: str, cell: str) -> str:
    header = {"msg_id": id, "msg_type": "execute_request", "username": "", "session": "test", "version": "5.3"}
    content = {"code": cell, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    return json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"})


async def _answer(line: Any, id: str, cell: str) -> str:
    said, has_replied, is_idle = "", False, False
    while not (has_replied and is_idle):
        message = json.loads(await line.read_message())
        if message["parent_header"].get("msg_id") != id:
            continue  # what was asked before
        content = message["content"]
        match message["msg_type"]:
            case "error":
                pytest.fail(f"{cell}\n" + "\n".join(content["traceback"]))
            case "stream":
                said += content["text"]
            case "execute_result":
                said += content["data"]["text/plain"] + "\n"
            case "execute_reply":
                has_replied = True
            case "status":
                is_idle = content["execution_state"] == "idle"
    return said


# --- the hub -----------------------------------------------------------------------------------------------------


@dataclass
class Hub:
    """A hub that runs."""

    process: subprocess.Popen[bytes]
    url: str
    room: Path

    def learner(self, name: str) -> Learner:
        words = dict(line.split() for line in (self.room / "passwords.txt").read_text("utf-8").splitlines())
        return Learner(self.url, name, words[name])

    def log(self) -> str:
        return (self.room / "hub.log").read_text("utf-8", "replace")


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        taken = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in taken]


def answers(url: str) -> bool:
    try:
        build_opener(ProxyHandler({})).open(f"{url}hub/login", timeout=10).close()
    except HTTPError as error:  # the proxy is there, the hub is not yet
        error.close()
        return False
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    assert PROXY, "CI installs the proxy of JupyterHub"
    room = Path(tempfile.mkdtemp(prefix="hub-"))
    (room / "names.txt").write_text("\n".join(NAMES), "utf-8")
    public, inner, api = free_ports(3)
    url = f"http://127.0.0.1:{public}/"
    with (room / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterhub", "-f", str(DEPLOY / "jupyterhub_config.py")),
                *(f"--JupyterHub.hub_port={inner}", f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{api}"),
            ],
            env={**os.environ, "MINICHAIN_HUB": str(room), "MINICHAIN_HUB_URL": url},
            stdout=log,
            stderr=log,
        )
    running = Hub(process, url, room)
    try:
        until(lambda: process.poll() is not None or answers(url), "the hub answers")
        assert process.poll() is None, running.log()
        yield running
    finally:
        for one in belonging(room):
            one.kill()
        process.wait()
        shutil.rmtree(room, ignore_errors=True)


def belonging(room: Path) -> list[psutil.Process]:
    """Return every process of a hub: whatever is called with its folder, lives in it or was told of it."""
    found = []
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            is_its = any(str(room) in word for word in (*one.cmdline(), one.cwd(), *one.environ().values()))
            if is_its and one.status() != psutil.STATUS_ZOMBIE and one.pid != os.getpid():
                found.append(one)
    return found


@pytest.fixture(scope="module")
def learners(hub: Hub) -> list[Learner]:
    found = [hub.learner(name) for name in NAMES]
    for learner in found:
        learner.opens()
    return found


def test_two_learners_do_the_first_lesson_in_one_class(hub: Hub, learners: list[Learner]) -> None:
    with ThreadPoolExecutor(len(learners)) as both:
        genesis = set(both.map(does_the_lesson, learners))
    room = ClassRoom(hub.room / "class")
    assert sorted(one.name for one in room.learners) == list(NAMES)
    until(lambda: both_have_done_it(room), "the desk knows that both have done the module")
    with Network.attach(hub.room / "class") as net:
        assert genesis == {net.genesis.hash.hex()}, "both were on this one chain"
        notes = net.view("board", "latest", {"count": 9})
        assert sorted(note["text"] for note in notes) == [f"{name} was here." for name in NAMES]
        assert len({note["by"] for note in notes}) == 2, "each has signed with a key of their own"


def both_have_done_it(room: ClassRoom) -> bool:
    room.refresh()
    cells = [room.cell(one, exercise) for one in room.learners for exercise in ("m00.p1", "m00.e1")]
    return len(cells) == 4 and all(cell.is_right for cell in cells)


def does_the_lesson(learner: Learner) -> str:
    """Join the class and run the lesson from its first cell to its last; returns the hash of the chain it was on."""
    assert "You are in" in learner.run(f"!minichain class join --name {learner.name}")
    cells = lesson(learner)
    assert len(cells) > 20
    said = learner.run(*cells)
    assert said.count("3 of 3") == said.count("4 of 4") == 1, said
    return learner.run("print(me.membership.genesis)").strip()


def lesson(learner: Learner) -> list[str]:
    """Return the cells of the lesson in somebody's own folder, with what they write where the lesson leaves it open."""
    found = learner.api(f"user/{learner.name}/api/contents/{LESSON}")["content"]["cells"]
    written = {"guess = ...": GUESS, "answer = ...": NOTE}
    cells = ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]
    return [next((own for begins, own in written.items() if cell.startswith(begins)), cell) for cell in cells]


@pytest.mark.skipif(landlock_version() < 1 if sys.platform == "linux" else True, reason="this system has no Landlock")
def test_neither_reads_or_ends_what_is_the_others(hub: Hub, learners: list[Learner]) -> None:
    thief, victim = learners
    for path in ("api/contents", f"api/contents/{LESSON}", "api/kernels"):
        with pytest.raises(HTTPError) as refused:
            thief.api(f"user/{victim.name}/{path}")
        with refused.value:
            assert refused.value.code in (403, 404)
    own, others = hub.room / "people" / thief.name, hub.room / "people" / victim.name
    server = next(one for one in belonging(others) if "jupyterhub.singleuser" in one.cmdline())
    attempts = next((others / "course" / "attempts").iterdir())
    of_the_hub = [hub.room / name for name in ("passwords.txt", "hub.sqlite", "class/class/settings.json")]
    of_the_other = [others / "course" / place.MEMBERSHIP, others / LESSON, attempts]
    for path in (*of_the_hub, *of_the_other, Path(f"/proc/{server.pid}/environ")):
        assert path.exists()
        assert "PermissionError" in thief.run(tries(f"open({str(path)!r}, 'rb').read()"))
    assert "PermissionError" in thief.run(tries(f"open({str(others / 'a')!r}, 'w')"))
    assert "PermissionError" in thief.run(tries(f"__import__('os').listdir({str(others)!r})"))
    if landlock_version() >= 6:  # Linux 6.12
        assert "PermissionError" in thief.run(tries(f"__import__('os').kill({server.pid}, 9)"))
    assert "it could" in thief.run(tries(f"open({str(own / 'course' / place.MEMBERSHIP)!r}, 'rb').read()"))


def tries(expression: str) -> str:
    return f"try:\n    {expression}\n    print('it could')\nexcept Exception as error:\n    print(type(error).__name__)"


def test_activities_are_pages_of_the_own_server_and_fetch_nothing_from_elsewhere(learners: list[Learner]) -> None:
    page = learners[0].open("user/office-a/voila/render/apps/consensus_lab.ipynb?lang=zh").decode()
    assert 'class="mc-top"' in page, "it is framed as all our pages are"
    assert '<html lang="zh' in page
    assert "cdn" not in page.lower()


def test_who_says_another_password_stays_outside(hub: Hub) -> None:
    for name, word in (("office-a", ""), ("office-a", "wrong"), ("stranger", ""), ("stranger", "wrong")):
        with pytest.raises(HTTPError) as refused:
            Learner(hub.url, name, word)
        with refused.value:
            assert refused.value.code == 403


def test_when_the_hub_ends_nothing_is_left(hub: Hub) -> None:
    running = belonging(hub.room)
    assert len(running) > 8, "hub, proxy, class with four validators, and what learners have started"
    hub.process.terminate()
    psutil.wait_procs(running, WAIT_S)  # to look at every process of the computer again and again costs much
    hub.process.wait(WAIT_S)
    until(lambda: not belonging(hub.room), "every process is gone")
    assert not ClassRoom(hub.room / "class").is_open


# --- what it refuses to begin with -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (None, "a name a line"),
        ("", "a name a line"),
        ("office-a\n../etc", "'../etc' is no name"),
        ("office a", "'office a'"),
        ("Ann", "'Ann'"),
    ],
)
def test_a_class_of_nobody_or_of_no_names_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str | None, said: str
) -> None:
    if names is not None:
        (tmp_path / "names.txt").write_text(names, "utf-8")
    with pytest.raises(ConfigError, match=said):
        read_configuration(tmp_path, monkeypatch)


def test_a_room_that_everybody_may_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir=DEPLOY) as inside:
        (Path(inside) / "names.txt").write_text("office-a", "utf-8")
        with pytest.raises(ConfigError, match="MINICHAIN_HUB"):
            read_configuration(Path(inside), monkeypatch)


def test_passwords_stay_and_new_names_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    for names in ("office-a", "office-a\noffice-b"):
        (tmp_path / "names.txt").write_text(names, "utf-8")
        read_configuration(tmp_path, monkeypatch)
        drawn.append((tmp_path / "passwords.txt").read_text("utf-8").splitlines())
    assert drawn[1][:1] == drawn[0]
    assert len({line.split()[1] for line in drawn[1]}) == 2
    assert (tmp_path / "passwords.txt").stat().st_mode & 0o077 == 0, "others cannot read them"


def read_configuration(room: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MINICHAIN_HUB", str(room))
    monkeypatch.setenv("PATH", os.environ["PATH"])  # it is put back
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = os.umask(0o077)
    try:
        return PyFileConfigLoader("jupyterhub_config.py", str(DEPLOY)).load_config()
    finally:
        os.umask(before)
