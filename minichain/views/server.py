"""The process that serves the dashboards: Voila with our template, and nothing that reaches beyond this computer.

It tells its parent in one line of JSON on standard output where it listens, and ends when its standard input closes,
that is, when its parent ends, however that came about. Start it through `minichain.live.dashboards`.
"""

# ruff: noqa: E402, I001 - one import has to be kept out before the others begin
from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

# jsonschema would build 38 grammars for international addresses while it is imported: 4 of 5 seconds of our start.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from jupyter_core.utils import ensure_async
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import HTTPError, authenticated
from traitlets import Float, Int
from traitlets.config import Config
from voila.app import Voila
from voila.handler import BaseVoilaHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.treehandler import TornadoVoilaTreeHandler

from minichain.live import doctor
from minichain.live.home import Home
from minichain.views import gallery
from minichain.views.icons import icon
from minichain.views.i18n import NAMES, PSEUDO, TAGS, choose, translate

HOST: Final = "127.0.0.1"
ORPHAN_TIMEOUT_S: Final = 20.0
PATIENCE_AT_START: Final = 5  # a class that opens a page together waits in line; this many orphan timeouts
MOST_VIEWERS: Final = 60  # about 80 MB each
OUTPUT_TIMEOUT_S: Final = 120  # by default 4, after which a page came without what its cell shows, and said nothing
STOPPING_S: Final = 8.0  # then the process leaves without waiting for kernels, which end by themselves
IPC_PATH_MAX: Final = 100  # macOS allows 103 bytes in the address of a local socket, Linux 107

# Everything else that happens to be installed would be sent to every page (plotly alone is 5 MB).
EXTENSIONS: Final = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget"]

# Whatever hostile text should ever slip into a page, the browser will not talk to another host for it.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)


# --- kernels -----------------------------------------------------------------------------------------------------


class Kernels(AsyncMappingKernelManager):  # type: ignore[misc]
    """Ends each kernel that nobody has looked at for a while.

    Jupyter's own culling goes by the kernel's last message, which a kernel that follows the chain renews for ever.
    """

    orphan_timeout_s = Float(ORPHAN_TIMEOUT_S, config=True)
    most_viewers = Int(MOST_VIEWERS, config=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def start_kernel(self, **settings: Any) -> str:  # type: ignore[override]
        """Start a kernel for one viewer, unless there are too many."""
        if len(self) >= self.most_viewers:
            raise HTTPError(503, reason="Too many viewers")
        kernel_id: str = await super().start_kernel(**settings)
        self._wait_for_viewer(kernel_id, PATIENCE_AT_START * self.orphan_timeout_s)
        return kernel_id

    def notify_connect(self, kernel_id: str) -> None:
        """Hear that a page has connected."""
        super().notify_connect(kernel_id)
        if timer := self._timers.pop(kernel_id, None):
            timer.cancel()

    def notify_disconnect(self, kernel_id: str) -> None:
        """Hear that a page has gone."""
        super().notify_disconnect(kernel_id)
        if self._kernel_connections.get(kernel_id, 0) <= 0:
            self._wait_for_viewer(kernel_id, self.orphan_timeout_s)

    def _wait_for_viewer(self, kernel_id: str, timeout_s: float) -> None:
        self._timers[kernel_id] = asyncio.get_running_loop().call_later(timeout_s, self._end, kernel_id)

    def _end(self, kernel_id: str) -> None:
        self._timers.pop(kernel_id, None)
        if kernel_id in self:
            self.log.info("Ending kernel %s: nobody looks at it", kernel_id)
            self._ending = asyncio.ensure_future(ensure_async(self.shutdown_kernel(kernel_id)))


# --- pages -------------------------------------------------------------------------------------------------------


def frame(request: HTTPServerRequest, base_url: str) -> dict[str, Any]:
    """Return what every page's template needs: the language, the switch to the other one, and its fixed words."""
    language = choose(request.query, request.headers.get("Accept-Language", ""))

    role = gallery.chosen_role(request.query)
    kept = {"lang": language, **({gallery.ROLE: role} if role else {})}

    def at(**changed: str) -> str:
        wanted = {**dict(parse_qsl(request.query)), **changed}
        return "?" + urlencode({name: value for name, value in wanted.items() if value})

    return {
        "lang": TAGS.get(language, PSEUDO),
        "home": f"{base_url}?{urlencode(kept)}",
        "query": urlencode(kept),
        "switch": [(NAMES[other], TAGS[other], at(lang=other)) for other in NAMES if other != language],
        "roles": [(name, at(role=key), key == role) for key, name in _role_names(language).items()],
        "alert": icon("warn"),
        "words": _words(partial(translate, into=language)),
    }


def _role_names(language: str) -> dict[str, str]:
    return {gallery.EVERYBODY: translate("Everybody", language), **gallery.roles(language)}


def _words(translate: Callable[[str], str]) -> dict[str, str]:
    return {
        "skip": translate("Skip to the content"),
        "tagline": translate("A ledger to learn with"),
        "home": translate("All activities"),
        "language": translate("Language"),
        "loading": translate("Getting your page ready. This takes about three seconds."),
        "noscript": translate("This page needs JavaScript. Please allow it for this address."),
        "footer": translate("Training data: all people, places and figures are invented."),
        "doctor": translate("Is this computer ready?"),
        "doctor_do": translate("Everything that was looked at, and what to do where something is missing."),
        "doctor_code": translate("Read this code out to your trainer:"),
        "doctor_well": translate("in order"),
        "doctor_ready": translate("Yes. This computer is ready."),
        "doctor_not_ready": translate("Not yet. Do what stands beside each cross, then load this page again."),
        "gallery": translate("What would you like to find out?"),
        "role": translate("Who are you?"),
        "made_for": translate("Made for: {roles}"),
        "gallery_sentence": translate("Each activity runs on a real ledger on this computer. Nothing leaves it."),
        "empty": translate("There is no activity in this folder yet."),
        "minutes": translate("about {minutes} min"),
        "broken": translate("Something went wrong while this page was made."),
        "broken_do": translate("Reload it. If it happens again, tell your trainer which page it was."),
        "missing": translate("There is no such page."),
        "missing_do": translate("Go back to all activities and choose one."),
        "full": translate("Too many people are looking at once."),
        "full_do": translate("Close pages you no longer need, or try again in a minute."),
    }


class _Framed(BaseVoilaHandler):  # type: ignore[misc]
    def render_template(self, name: str, **names: Any) -> str:
        return str(super().render_template(name, page=frame(self.request, self.base_url), **names))


class Gallery(_Framed):
    """The start page: the apps of the folder as cards."""

    def initialize(self, folder: Path, **settings: Any) -> None:
        super().initialize(**settings)
        self._folder = folder

    @authenticated  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        language = choose(self.request.query, self.request.headers.get("Accept-Language", ""))
        role = gallery.chosen_role(self.request.query)
        groups = gallery.grouped(gallery.read_apps(self._folder, language), language, role)
        self.write(self.render_template("gallery.html", groups=groups))


class Doctor(_Framed):
    """What is well on this computer, what to do about the rest, and the arrival code; it needs no kernel."""

    @authenticated  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        language = choose(self.request.query, self.request.headers.get("Accept-Language", ""))
        found = await asyncio.get_running_loop().run_in_executor(None, doctor.examine, Home())
        lines = [doctor.told(one, language) for one in found]
        marks = {name: icon(name, 18) for name in ("check", "cross")}
        code, is_well = doctor.arrival_code(found), not any(one.fix for one in found)
        self.write(self.render_template("doctor.html", findings=lines, code=code, is_well=is_well, marks=marks))


class AppPage(_Framed, TornadoVoilaHandler):  # type: ignore[misc]
    """A notebook as a page."""


class Missing(_Framed):
    """Every address that leads nowhere."""

    async def prepare(self) -> None:
        await super().prepare()
        raise HTTPError(404)


def prepare_page(handler: Any, notebook: Any, cwd: str) -> None:
    """Frame a notebook just before it is shown; Voila's hook, called once per viewer."""
    _cookie = handler.xsrf_token  # sets the cookie without which the page's farewell is refused and its kernel stays
    page = frame(handler.request, handler.base_url)
    language = choose(handler.request.query, handler.request.headers.get("Accept-Language", ""))
    path = handler.request.path.rpartition("/")[2]
    page["app"] = gallery.describe(path, notebook.metadata, language)
    notebook.metadata["minichain_page"] = page
    notebook.metadata["title"] = f"{page['app'].title} · minichain"


# --- the server --------------------------------------------------------------------------------------------------


class Dashboards(Voila):  # type: ignore[misc]
    """Voila, listening on this computer only and on exactly the port it was given."""

    name = "voila"

    def init_settings(self) -> dict[str, Any]:
        settings: dict[str, Any] = super().init_settings()
        return settings | {
            "compress_response": True,  # Voila's own tornado_settings come too late for this one
            "allow_remote_access": False,  # a page elsewhere cannot reach us by a host name it points here
            "headers": {"Content-Security-Policy": CONTENT_SECURITY_POLICY},
            "default_handler_class": Missing,
            "default_handler_args": {"voila_configuration": self.voila_configuration},
        }

    def init_handlers(self) -> list[Any]:
        unused = ("/voila/api/contents", "/voila/tree")  # our gallery is the only list of what there is
        rules = [self._ours(rule) for rule in super().init_handlers() if not any(path in rule[0] for path in unused)]
        return [("/doctor", Doctor, {"voila_configuration": self.voila_configuration}), *rules]

    def _ours(self, rule: Any) -> Any:
        if rule[1] is TornadoVoilaTreeHandler:
            return rule[0], Gallery, {**rule[2], "folder": Path(self.root_dir)}
        return (rule[0], AppPage, *rule[2:]) if rule[1] is TornadoVoilaHandler else rule

    def listen(self) -> None:
        """Serve until the loop is stopped; binding decides the port, so nobody can take it in between."""
        sockets = bind_sockets(self.port, HOST)  # type: ignore[has-type]
        HTTPServer(self.app).add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]
        self.ioloop = IOLoop.current()
        threading.Thread(target=_leave_with_parent, args=(self.ioloop,), daemon=True).start()
        _tell_parent({"url": f"http://{HOST}:{self.port}/"})
        try:
            self.ioloop.start()
        finally:
            self.stop()


def _tell_parent(news: dict[str, str]) -> None:
    """Write the one line of standard output; after it, what kernels print goes to the log."""
    print(json.dumps(news), flush=True)
    os.dup2(2, 1)


def _leave_with_parent(loop: IOLoop) -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    loop.add_callback(loop.stop)
    threading.Event().wait(STOPPING_S)
    os._exit(1)


def configuration(folder: Path, port: int, orphan_timeout_s: float, most_viewers: int) -> Config:
    """Return the whole configuration; files of the user's own are not read."""
    return Config(
        {
            "Voila": {
                "ip": HOST,
                "port": port,
                "open_browser": False,
                "root_dir": str(folder),
                "config_file_paths": [],
            },
            "VoilaConfiguration": {
                "template": "minichain",
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "show_tracebacks": False,
                "prelaunch_hook": prepare_page,
                "http_header_envs": ["Accept-Language"],
                "multi_kernel_manager_class": Kernels,
                "extension_allowlist": EXTENSIONS,
            },
            "VoilaExecutor": {"iopub_timeout": OUTPUT_TIMEOUT_S, "raise_on_iopub_timeout": True},
            "Kernels": {
                "orphan_timeout_s": orphan_timeout_s,
                "most_viewers": most_viewers,
                "buffer_offline_messages": False,
            },
            "KernelManager": {"transport": _transport(), "autorestart": False},
        }
    )


def _transport() -> str:
    """Local sockets keep kernels off the network; Windows has none, and a long temporary folder leaves no room."""
    longest = os.path.join(tempfile.gettempdir(), "voila_12345678", f"kernel-{'0' * 36}-ipc-5")
    return "ipc" if os.name == "posix" and len(os.fsencode(longest)) <= IPC_PATH_MAX else "tcp"


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve a folder of notebooks until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--orphan-timeout", type=float, default=ORPHAN_TIMEOUT_S)
    parser.add_argument("--most-viewers", type=int, default=MOST_VIEWERS)
    chosen = parser.parse_args(arguments)
    views = str(Path(__file__).parent)  # Voila looks for templates where Jupyter looks for data
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, (views, os.environ.get("JUPYTER_PATH"))))
    try:
        Dashboards.launch_instance(
            argv=[],
            config=configuration(chosen.directory.resolve(), chosen.port, chosen.orphan_timeout, chosen.most_viewers),
        )
    except OSError as error:
        _tell_parent({"error": f"cannot listen on port {chosen.port} of {HOST}: {error.strerror}; choose another port"})
        sys.exit(1)


if __name__ == "__main__":
    main()
