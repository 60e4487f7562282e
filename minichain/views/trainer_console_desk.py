"""The console's line to the desk of the class: HTTP with the trainer's secret, and nothing else.

The secret is in the link with which the console was opened, and is kept nowhere here. Without it there is no line.
"""

from __future__ import annotations

import base64
import json
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from minichain.errors import NetworkError, UsageError
from minichain.live.home import Home
from minichain.views.i18n import _

SECRET: Final = "trainer"  # the parameter of the page's address
LOOK_S: Final = 5.0  # patience for a look
ACT_S: Final = 60.0  # and for what happens to a network


class DeskLine:
    """Asks one desk, wherever it listens just now."""

    def __init__(self, home: Home, secret: str) -> None:
        if not secret:
            raise UsageError(_("Open this page with the console's link: `minichain class start` prints it."))
        self._home, self._secret = home, secret
        self._opener = build_opener(ProxyHandler({}))  # a class is never reached through a proxy

    def look(self) -> dict[str, Any]:
        """Return what there is to see. Raises `NetworkError`, and `UsageError` for a wrong secret."""
        return self._json("overview", LOOK_S)

    def spread(self, exercise: str) -> dict[str, Any]:
        """Return how many predicted what."""
        return self._json(f"predictions?{urlencode({'exercise': exercise})}", LOOK_S)

    def report(self, language: str) -> str:
        """Return the class report, a page of HTML."""
        return self._ask(f"report?{urlencode({'lang': language})}", LOOK_S).decode()

    def tell(self, command: str, **what: Any) -> str:
        """Tell the desk something; returns whom it concerned. Raises `UsageError` with what it says against it."""
        return str(self._told(command, **what)["said"])

    def collect(self, letter: bytes) -> tuple[int, int]:
        """Hand a file over; returns how many answers are kept, and how many are refused. Raises `UsageError`."""
        answer = self._told("collect", letter=base64.b64encode(letter).decode())
        return len(answer["have"]), len(answer["refused"])

    def _told(self, command: str, **what: Any) -> dict[str, Any]:
        data = json.dumps({"type": command, **what}, ensure_ascii=False).encode()
        answer: dict[str, Any] = json.loads(self._ask("trainer", ACT_S, data))
        if answer["code"]:
            raise UsageError(answer["said"])
        return answer

    def _json(self, path: str, patience_s: float) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._ask(path, patience_s))
        return found

    def _ask(self, path: str, patience_s: float, data: bytes | None = None) -> bytes:
        request = Request(f"{self._url()}{path}", data, {"Authorization": f"Bearer {self._secret}"})
        try:
            with self._opener.open(request, timeout=patience_s) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            error.close()
            if error.code == 403:
                raise UsageError(
                    _("This link is not that of the class that runs here. `minichain class start` prints it again.")
                ) from None
            raise NetworkError(f"the desk answers {error.code}") from None
        except (OSError, HTTPException) as error:
            raise NetworkError(f"the desk does not answer ({error}): minichain class start") from None

    def _url(self) -> str:
        try:
            return str(json.loads((self._home.path / "class" / "running.json").read_bytes())["url"])
        except (OSError, ValueError, KeyError):
            raise UsageError(_("No class is open on this computer: start it with `minichain class start`.")) from None
