"""The dashboard server as a process: it answers here only, holds to its bounds, and leaves when its parent does."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

import minichain
from minichain.errors import NetworkError, UsageError
from minichain.live import arrival, dashboards
from minichain.views import gallery

ROOT = Path(__file__).resolve().parents[1]
WAIT_S = 90


def write_app(folder: Path, name: str, *code: str, **card: object) -> None:
    """Write a notebook with these cells, described by this card."""
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
        for i, text in enumerate(code)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "cells": cells,
        "metadata": {"kernelspec": kernel, "minichain": card},
    }
    (folder / name).write_text(json.dumps(notebook), "utf-8")


@pytest.fixture(scope="module")
def apps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("apps")
    write_app(
        folder,
        "one.ipynb",
        "1",
        title="One & <only>",
        sentence="A sentence.",
        **{"for": ["official"]},
        minutes=5,
        icon="truck",
        order=2,
    )
    write_app(folder, "zero.ipynb", "1", title="Zero", **{"for": ["official"]}, order=1)
    (folder / "secret.py").write_text("password = 1")
    return folder


@pytest.fixture(scope="module")
def server(apps):
    with dashboards.start(apps, log=subprocess.DEVNULL, orphan_timeout_s=1.0) as running:
        yield running


def ask(server, path: str = "/", method: str = "GET", **headers: str):
    """Ask the server something; returns status, headers and text."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=WAIT_S)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), text


def kernels(server) -> list[psutil.Process]:
    """List the kernels that the server has running."""
    children = psutil.Process(server.process.pid).children(recursive=True)
    return [child for child in children if any("ipykernel" in part for part in _command(child))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def wait_until(claim, timeout_s: float, what: str) -> None:
    end = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_the_gallery_shows_each_app_as_it_describes_itself(server):
    status, _headers, page = ask(server)
    assert status == 200
    assert page.index("Zero") < page.index("One &amp; &lt;only&gt;")
    assert "about 5 min" in page
    assert '<html lang="en">' in page


def test_the_gallery_follows_the_address_and_then_the_browser(server):
    for answer in (ask(server, "/?lang=zh"), ask(server, **{"Accept-Language": "zh-CN,zh;q=0.9"})):
        assert '<html lang="zh-Hans">' in answer[2]
        assert "您想了解什么" in answer[2]


def test_it_listens_on_this_computer_only(server):
    process = psutil.Process(server.process.pid)
    listening = [c.laddr for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert [address.ip for address in listening] == ["127.0.0.1"]


def test_a_page_elsewhere_cannot_reach_it_under_another_name(server):
    assert ask(server, Host="attacker.example")[0] == 403
    assert ask(server, Host="localhost")[0] == 200


def test_every_page_tells_the_browser_to_stay_on_this_host(server):
    for path in ("/", "/voila/render/nope.ipynb", "/nope"):
        assert "default-src 'self'" in ask(server, path)[1]["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/nope", "/voila/render/nope.ipynb", "/voila/tree/nope", "/voila/api/contents/"])
def test_an_address_that_leads_nowhere_says_so_in_plain_words(server, path):
    status, _headers, page = ask(server, path + "?lang=en")
    assert (status, "There is no such page" in page) == (404, True) or (status, "What would you like" in page) == (
        200,
        True,
    )


@pytest.mark.parametrize(
    "path", ["/voila/files/secret.py", "/voila/files/one.ipynb", "/voila/files/../secret.py", "/voila/render/secret.py"]
)
def test_sources_are_not_served(server, path):
    status, _headers, text = ask(server, path)
    assert status != 200
    assert "password" not in text


def test_pages_travel_compressed(server):
    _status, headers, _text = ask_raw(server, "/voila/static/voila.js")
    assert headers["Content-Encoding"] == "gzip"


def ask_raw(server, path: str):
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=WAIT_S)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_a_kernel_that_nobody_ever_looked_at_is_ended(server):
    with ThreadPoolExecutor() as somebody:
        asked = somebody.submit(ask, server, "/voila/render/zero.ipynb")
        wait_until(lambda: kernels(server), WAIT_S, "no kernel was started")
        status, headers, _page = asked.result()
    assert status == 200
    assert "_xsrf" in headers["Set-Cookie"]
    wait_until(lambda: not kernels(server), WAIT_S, "the kernel was left behind")


def test_a_port_that_is_taken_is_named(apps):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NetworkError, match=f"port {port}.*choose another"):
            dashboards.start(apps, port, log=subprocess.DEVNULL)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match="nowhere"):
        dashboards.start(tmp_path / "nowhere")


def test_it_takes_the_port_it_was_given(apps):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with dashboards.start(apps, port, log=subprocess.DEVNULL) as running:
        assert running.url == f"http://127.0.0.1:{port}/"
    assert running.process.returncode == 0


PARENT = """
import subprocess, sys, time
from pathlib import Path
from minichain.live import arrival, dashboards
running = dashboards.start(Path(sys.argv[1]), log=subprocess.DEVNULL)
print(running.process.pid, running.url, flush=True)
time.sleep(60)
"""


def test_it_ends_with_its_parent_even_when_that_is_killed(apps):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(apps)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pid, url = parent.stdout.readline().split()
    child = psutil.Process(int(pid))
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=WAIT_S)) as connection:
        connection.request("GET", "/voila/render/zero.ipynb")
        connection.getresponse().read()
    family = [child, *child.children(recursive=True)]
    assert len(family) > 1
    parent.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    _gone, alive = psutil.wait_procs(family, timeout=WAIT_S)
    assert alive == []


def test_too_many_viewers_get_a_plain_answer(apps):
    with dashboards.start(apps, log=subprocess.DEVNULL, most_viewers=0) as full:
        status, _headers, page = ask(full, "/voila/render/zero.ipynb")
    assert (status, "Too many people" in page) == (503, True)


# --- the gallery's reading ---------------------------------------------------------------------------------------


def test_a_notebook_without_a_card_goes_by_its_file_name():
    assert gallery.describe("chain_types.ipynb", {}, "en").title == "Chain types"


def test_apps_stand_under_those_they_are_made_for_above_all_and_a_role_sees_all_of_its_own():
    apps = [
        gallery.App("a", "A", audience=("auditor", "resident"), order=1),
        gallery.App("b", "B", audience=("resident",), order=2),
        gallery.App("c", "C", order=3),
    ]

    def titles(role: str = "") -> list[tuple[str, list[str]]]:
        return [(name, [app.title for app in members]) for name, members in gallery.grouped(apps, "en", role)]

    assert titles() == [("Residents", ["B"]), ("Auditors", ["A"]), ("", ["C"])]
    assert titles("resident") == [("Residents", ["A", "B"])]
    assert titles("trainer") == [("Trainers", [])]


def test_the_address_names_a_role_and_one_that_nobody_knows_is_everybody():
    assert gallery.chosen_role("lang=zh&role=clerk") == "clerk"
    assert gallery.chosen_role("role=<script>") == gallery.chosen_role("") == gallery.EVERYBODY


def test_every_app_is_for_somebody_and_every_role_has_an_app():
    apps = gallery.read_apps(Path(__file__).parents[1] / "apps", "en")
    assert [app.path for app in apps if not app.audience] == []
    for role in gallery.roles("en"):
        assert gallery.grouped(apps, "en", role)[0][1], role


def test_what_is_opened_by_a_link_of_its_own_is_not_offered_to_everybody():
    folder = Path(__file__).parents[1] / "apps"
    assert (folder / "trainer_console.ipynb").exists()
    assert "trainer_console.ipynb" not in [app.path for app in gallery.read_apps(folder, "en")]


def test_an_unknown_icon_becomes_the_usual_one():
    assert gallery.describe("a.ipynb", {"minichain": {"title": "A", "icon": "<script>"}}, "en").icon == "blocks"


# --- the doctor --------------------------------------------------------------------------------------------------


def test_the_start_page_leads_to_the_doctor_who_gives_a_code_to_read_out(server):
    assert 'href="/doctor?lang=en"' in ask(server)[2]
    status, _headers, page = ask(server, "/doctor?lang=zh")
    assert (status, "内存" in page) == (200, True)
    code = re.search(r'mc-arrival">([\w-]+)<', page)[1]
    assert arrival.read(code).version == minichain.__version__
    assert "Memory" in ask(server, "/doctor?lang=en")[2]
