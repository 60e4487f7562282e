"""Start and stop the dashboards: a process of their own, which ends with whoever started it.

The child holds one end of a pipe as its standard input. However this process ends, the pipe closes and the child
leaves, so there is nothing to clean up and no signal that only some systems know.

    python -m minichain.live.dashboards --directory apps --port 8866
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from minichain.errors import NetworkError, TimedOut, UsageError
from minichain.live.cluster import first_line, import_path

SERVER: Final = "minichain.views.server"  # a program, not an import: it needs Voila, and this process does not
START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True)
class Dashboards:
    """A running dashboard server. Leaving its `with` block stops it and every kernel it started."""

    process: subprocess.Popen[bytes]
    url: str

    def close(self) -> None:
        """Stop the server; returns when it is gone."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(
    directory: Path,
    port: int = 0,
    *,
    log: IO[Any] | int | None = None,
    orphan_timeout_s: float | None = None,
    most_viewers: int | None = None,
    environment: dict[str, str] | None = None,
) -> Dashboards:
    """Serve the notebooks of a folder on this computer and return once the server answers.

    Port 0 takes any free one. `log` gets what server and kernels write; `environment` is added to theirs. Each viewer
    has a kernel of about 80 MB; one that nobody looked at for `orphan_timeout_s` is ended. Raises `UsageError` if there
    is no such folder, `NetworkError` if the server cannot start, `TimedOut` if it is too slow.
    """
    if not directory.is_dir():
        raise UsageError(f"there is no folder {directory}: name the folder that holds the dashboards' notebooks")
    given = {
        "--directory": directory,
        "--port": port,
        "--orphan-timeout": orphan_timeout_s,
        "--most-viewers": most_viewers,
    }
    options = [word for name, value in given.items() if value is not None for word in (name, str(value))]
    process = subprocess.Popen(
        [sys.executable, "-m", SERVER, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, "PYTHONPATH": import_path(), **(environment or {})},
    )
    deadline = time.monotonic() + START_TIMEOUT_S
    try:
        url = _address(process, deadline)
        _wait_for_answer(url, deadline)
    except BaseException:
        process.kill()
        Dashboards(process, "").close()
        raise
    return Dashboards(process, url)


def _address(process: subprocess.Popen[bytes], deadline: float) -> str:
    """Read where the server listens."""
    try:
        line = first_line(process).get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise TimedOut(f"the dashboards did not start within {START_TIMEOUT_S:.0f} s: look at their log") from None
    news = json.loads(line) if line else {"error": f"the server ended with code {process.wait()}: look at its log"}
    if "error" in news:
        raise NetworkError(f"the dashboards cannot start: {news['error']}")
    return str(news["url"])


def _wait_for_answer(url: str, deadline: float) -> None:
    opener = build_opener(ProxyHandler({}))  # this computer is never reached through a proxy
    while True:
        try:
            with opener.open(url, timeout=max(0.1, deadline - time.monotonic())):
                return
        except URLError as error:
            if time.monotonic() > deadline:
                raise TimedOut(f"the dashboards at {url} do not answer: {error}") from error
            time.sleep(0.05)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve the notebooks of a folder as dashboards on this computer.")
    parser.add_argument("--directory", type=Path, default=Path("apps"))
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    chosen = parser.parse_args(arguments)
    with start(chosen.directory, chosen.port) as dashboards:
        print(f"The dashboards are at {dashboards.url} (stop with Ctrl-C)", flush=True)
        with suppress(KeyboardInterrupt):
            dashboards.process.wait()


if __name__ == "__main__":
    main()
