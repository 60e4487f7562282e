"""The process of the desk: HTTP for letters, for the trainer, and for those who come with a phone's browser.

    python -m minichain.course.classroom.server HOME

The first line of its standard input is the passphrase of the home, as JSON (null: none); it leaves when that input
ends. It listens on this computer only, unless the class was started for the local network.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from minichain.codec import to_json
from minichain.course.classroom import clerk, gamepages
from minichain.course.classroom.desk import Command, Desk
from minichain.course.classroom.folder import LOOPBACK
from minichain.course.classroom.letters import LARGEST, Answer
from minichain.course.classroom.pages import Pages, choose
from minichain.course.classroom.register import Declined, Learner
from minichain.crypto import KeyPair, Passphrase
from minichain.errors import MinichainError

COOKIE: Final = "minichain_class"
LANGUAGE: Final = "lang"
KEPT_DAYS: Final = 30
NOTES: Final = 20  # on a page
ASKING: Final = 16  # requests to nodes at a time
WRITING: Final = 4  # letters at a time
POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

log = logging.getLogger("minichain")


class _Handler(RequestHandler):
    """What all have in common: the desk, and threads in which it may wait."""

    def initialize(self, desk: Desk, pool: ThreadPoolExecutor, hosts: frozenset[str]) -> None:
        self.desk, self.pool, self.hosts = desk, pool, hosts

    def prepare(self) -> None:
        """Refuse who reached us by a name that is not ours: a page elsewhere may point one here."""
        name = (self.request.host or "").rpartition(":")[0] or self.request.host
        if name not in self.hosts:
            self.set_status(403)
            self.finish()

    def set_default_headers(self) -> None:
        self.set_header("Server", "minichain")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Content-Security-Policy", POLICY)

    @property
    def address(self) -> str:
        return str(self.request.remote_ip)

    async def aside(self, do: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, do)


class Letters(_Handler):
    """Answers letters."""

    async def post(self) -> None:
        answer: Answer = await self.aside(partial(self.desk.receive, self.request.body, self.address))
        self.set_header("Content-Type", "application/json")
        self.finish(to_json(answer))


class Trainer(_Handler):
    """Obeys the trainer, who shows the secret of the class."""

    async def _is_trainer(self) -> bool:
        if self.desk.is_trainer(self.request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return True
        self.desk.suspect(self.address)
        self.set_status(403)
        self.finish(to_json(self.desk.no(Declined("not_trainer"))))
        return False

    async def get(self) -> None:
        if await self._is_trainer():
            self.set_header("Content-Type", "application/json")
            self.finish(json.dumps(await self.aside(self.desk.status), ensure_ascii=False))

    async def post(self) -> None:
        if not await self._is_trainer():
            return
        try:
            command: Command = msgspec.json.decode(self.request.body, type=Command)
            answer = await self.aside(partial(self.desk.obey, command))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            answer = self.desk.no(Declined("unreadable", why=str(error)[:200]))
        self.set_header("Content-Type", "application/json")
        self.finish(to_json(answer))


class _ForTrainer(Trainer):
    """Shows the trainer something."""

    async def get(self) -> None:
        if await self._is_trainer():
            kind, content = await self.aside(self.shown)
            self.set_header("Content-Type", kind)
            self.finish(content)

    def shown(self) -> tuple[str, str]:
        return "application/json", json.dumps(self.seen(), ensure_ascii=False)

    def seen(self) -> Any:
        raise NotImplementedError


class Overview(_ForTrainer):
    """What a console shows."""

    def seen(self) -> Any:
        return self.desk.overview()


class Predictions(_ForTrainer):
    """How many expect what of an exercise."""

    def seen(self) -> Any:
        return self.desk.spread(self.get_query_argument("exercise", ""))


class Report(_ForTrainer):
    """The class report for sponsors."""

    def shown(self) -> tuple[str, str]:
        return "text/html; charset=utf-8", self.desk.report(choose(self.get_query_argument(LANGUAGE, ""), ""))


# --- pages -------------------------------------------------------------------------------------------------------


class _Page(_Handler):
    @property
    def pages(self) -> Pages:
        asked = b"".join(self.request.query_arguments.get(LANGUAGE, [])[:1]).decode(errors="replace")
        asked = asked or self.get_cookie(LANGUAGE, "") or ""
        language = choose(asked, self.request.headers.get("Accept-Language", ""))
        self.set_cookie(LANGUAGE, language, samesite="Strict", httponly=True)
        return Pages(language)

    def check_xsrf_cookie(self) -> None:
        """Take forms of our own pages only. Browsers that are told to name no referrer name no origin either; the
        cookie that says who acts comes along with no page of others.
        """
        origin = self.request.headers.get("Origin")
        if origin not in (None, "null", f"{self.request.protocol}://{self.request.host}"):
            raise Declined("other_page")

    def remember(self, session: str) -> None:
        self.set_cookie(COOKIE, session, samesite="Strict", httponly=True, expires_days=KEPT_DAYS)

    async def who(self) -> tuple[Learner, KeyPair]:
        return await self.aside(partial(self.desk.session, self.get_cookie(COOKIE, "") or "", self.address))  # type: ignore[no-any-return]

    async def show(self, learner: Learner, key: KeyPair, height: int = 0) -> None:
        institution, notes = await self.aside(partial(self._on_chain, learner, key))
        link = f"{self.request.protocol}://{self.request.host}/me?session={self.get_cookie(COOKIE, '')}"
        self.finish(self.pages.me(learner, link, institution, notes, height))

    def _on_chain(self, learner: Learner, key: KeyPair) -> tuple[str, list[dict[str, Any]]]:
        """Return what the chain calls somebody, and the newest notes; see to it that it calls them something."""
        if clerk.ACCOUNT not in learner.done:
            return "", []
        with suppress(MinichainError):
            self.desk.clerk.found(learner, key, self.desk.settings.id)
            return clerk.institution(learner, self.desk.settings.id), self.desk.clerk.notes(NOTES)
        return "", []

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, Declined):
            if error.code == "no_session":
                self.clear_cookie(COOKIE)
            self.set_status(429 if error.code == "too_often" else 403)
            self.finish(self.pages.trouble(error))
        elif status_code < 500:
            self.finish(self.pages.trouble(Declined("no_page")))
        else:
            self.finish(self.pages.trouble(Declined("no_network")))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if not isinstance(value, MinichainError):
            super().log_exception(typ, value, tb)


class Door(_Page):
    """Where one asks to be let in."""

    async def get(self) -> None:
        with suppress(Declined):
            if self.get_cookie(COOKIE):
                await self.who()
                self.redirect("/me")
                return
        self.finish(self.pages.join(self.get_query_argument("token", "")))

    async def post(self) -> None:
        self.check_xsrf_cookie()
        name, token = self.get_body_argument("name", ""), self.get_body_argument("token", "")
        try:
            self.remember(await self.aside(partial(self.desk.join_by_browser, name, token, self.address)))
        except Declined as why:
            self.set_status(403)
            self.finish(self.pages.join(token, why))
        else:
            self.redirect("/me")


class Me(_Page):
    """Somebody's place."""

    async def get(self) -> None:
        if session := self.get_query_argument("session", ""):
            await self.aside(partial(self.desk.session, session, self.address))
            self.remember(session)
            self.redirect("/me")
            return
        learner, key = await self.who()
        await self.aside(partial(self.desk.see, learner))
        await self.show(learner, key)


class Act(_Page):
    """What somebody does: sign a note, go, come back."""

    async def post(self, what: str) -> None:
        self.check_xsrf_cookie()
        learner, key = await self.who()
        if what == "note":
            height = await self.aside(partial(self.desk.sign, learner, key, self.get_body_argument("text", "")))
            await self.show(learner, key, height)
            return
        await self.aside(partial(self.desk.go if what == "leave" else self.desk.come_back, learner))
        self.redirect("/me")


class Play(_Page):
    """Somebody's place in the consensus game."""

    async def get(self) -> None:
        learner, _key = await self.who()
        self.desk.register.require_in(learner.did)
        self.finish(gamepages.GamePages(self.pages.language).place(learner, self.desk.register.game))

    async def post(self) -> None:
        self.check_xsrf_cookie()
        learner, _key = await self.who()
        phase, choice = self.get_body_argument("phase", ""), self.get_body_argument("choice", "")
        try:
            await self.aside(partial(self.desk.play, learner, phase, choice))
        except Declined as why:
            self.set_status(403)
            self.finish(gamepages.GamePages(self.pages.language).place(learner, self.desk.register.game, why))
        else:
            self.redirect("/game")


# --- the process -------------------------------------------------------------------------------------------------


def application(desk: Desk, hosts: frozenset[str]) -> Application:
    """Return what answers requests."""
    quick, slow = ThreadPoolExecutor(WRITING), ThreadPoolExecutor(ASKING)
    given: dict[str, Any] = {"desk": desk, "hosts": hosts}
    return Application(
        [
            (r"/letter", Letters, {**given, "pool": slow}),
            (r"/trainer", Trainer, {**given, "pool": quick}),
            (r"/overview", Overview, {**given, "pool": quick}),
            (r"/predictions", Predictions, {**given, "pool": quick}),
            (r"/report", Report, {**given, "pool": quick}),
            (r"/(?:join)?", Door, {**given, "pool": quick}),
            (r"/me", Me, {**given, "pool": slow}),
            (r"/game", Play, {**given, "pool": quick}),
            (r"/(note|leave|back)", Act, {**given, "pool": slow}),
        ],
        log_function=lambda handler: None,  # a link has the token in it
    )


def hosts_of(host: str) -> frozenset[str]:
    """Return the names by which a desk may be reached that listens there."""
    return frozenset({LOOPBACK, "localhost", host})


def listen(host: str, port: int) -> list[socket.socket]:
    """Take the port that the class has, or any free one where another program has it."""
    with suppress(OSError):
        return bind_sockets(port, host)
    return bind_sockets(0, host)


async def serve(desk: Desk) -> None:
    """Serve until standard input ends."""
    settings = desk.settings
    sockets = listen(settings.host, settings.port)
    port = sockets[0].getsockname()[1]
    if port != settings.port:  # links that are given out lead there after a restart, too
        desk.folder.write(replace(settings, port=port))
    if settings.host != LOOPBACK:
        with suppress(OSError):
            sockets += bind_sockets(port, LOOPBACK)
    url = f"http://{settings.host}:{port}/"
    desk.folder.announce(url)
    server = HTTPServer(
        application(desk, hosts_of(settings.host)), max_buffer_size=2 * LARGEST, max_body_size=2 * LARGEST
    )
    server.add_sockets(sockets)
    desk.open()
    print(json.dumps({"url": url}), flush=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=_watch, args=(lambda: loop.call_soon_threadsafe(ended.set),), daemon=True).start()
    try:
        await ended.wait()
    finally:
        server.stop()
        desk.folder.silence()
        desk.close()


def _watch(tell: Callable[[], object]) -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    tell()


def _first_line() -> bytes:
    line = b""
    while not line.endswith(b"\n") and (char := os.read(0, 1)):
        line += char
    return line


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve one class; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    passphrase = json.loads(_first_line() or b"null")
    try:
        desk = Desk(chosen.home, passphrase and Passphrase(passphrase))
        asyncio.run(serve(desk))
    except (MinichainError, OSError, msgspec.MsgspecError) as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads that wait for a node would hold the interpreter
