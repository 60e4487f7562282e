"""A Dask cluster, for whoever has one: reached by the address of its scheduler, and used only where one is named.

Nothing else imports `distributed`. Every machine must have this very minichain, for otherwise the same task could come
to something else there; that is asked first.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from minichain.crypto import digest
from minichain.errors import NetworkError, UsageError

CONNECT_S: Final = 5
WHERE: Final = re.compile(r"(?:tcp|tls)://([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})")
LAST_PORT: Final = 65_535
START: Final = "Start one with `dask scheduler`, which says its address, and `dask worker ADDRESS` on each machine"
INSTALL: Final = 'pip install "minichain[cluster]"'

Task = TypeVar("Task")
Done = TypeVar("Done")


@contextmanager
def connected(address: str, *, has_actors: bool = False) -> Iterator[Any]:
    """Reach a cluster; raises `NetworkError` that says how, if it cannot be used.

    Actors find their way only by the one client that all of a process use, if they have none of their own.
    """
    try:
        from distributed import Client  # noqa: PLC0415  (32 MB, and a second, for those who use it)
    except ImportError:
        raise NetworkError(
            f"a cluster needs the package `distributed`: install it with `{INSTALL}`, here and on its machines"
        ) from None
    _require_listening(address)
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=has_actors)
    except OSError:  # a TimeoutError is one
        raise NetworkError(f"what listens at {address} is no Dask scheduler, or a busy one. {START}") from None
    with client:
        _require_same(client, address)
        yield client


def _require_listening(address: str) -> None:
    """Refuse an address where nobody is; a client of Dask that cannot connect would not even end well."""
    found = WHERE.fullmatch(address)
    if found is None or int(found[2]) > LAST_PORT:
        raise UsageError(f"{address!r} is not where a Dask scheduler is: write tcp://HOST:PORT. {START}")
    try:
        socket.create_connection((found[1].strip("[]"), int(found[2])), CONNECT_S).close()
    except OSError as error:
        raise NetworkError(f"no Dask scheduler listens at {address} ({error.strerror or error}). {START}") from None


def _require_same(client: Any, address: str) -> None:
    """Refuse a cluster without machines, or whose machines would not do the same as this one."""
    answers = client.run(edition, on_error="return")
    if not answers:
        raise NetworkError(f"the cluster at {address} has no machine: start `dask worker {address}` on each")
    others = sorted(worker for worker, found in answers.items() if found != edition())
    if others:
        raise NetworkError(
            f"{len(others)} of {len(answers)} workers have no minichain, or another one, the first at {others[0]}: "
            f"install the same version on all, with `{INSTALL}`, and start them again"
        )


@cache
def edition() -> str:
    """Return what stands for every line of the program that this process runs."""
    package = Path(__file__).resolve().parents[1]
    sources = sorted(package.rglob("*.py"), key=lambda path: path.relative_to(package).as_posix())
    return digest("edition", b"".join(path.read_bytes().replace(b"\r\n", b"\n") for path in sources)).hex()


def spread(do: Callable[[Task], Done], tasks: Sequence[Task], address: str) -> Iterator[tuple[int, Done]]:
    """Do tasks on the machines of a cluster; yield what they come to, with their places, as they end.

    A task whose machine dies is done again on another one. Raises what a task raises.
    """
    with connected(address) as client:
        from distributed import KilledWorker, as_completed  # noqa: PLC0415

        futures = client.map(do, tasks, pure=False)
        places = {future.key: place for place, future in enumerate(futures)}
        try:
            for future, found in as_completed(futures, loop=client.loop, with_results=True):
                yield places[future.key], found
        except KilledWorker as error:
            raise NetworkError(f"workers of {address} ended again and again on the same task: {error}") from None
        finally:
            client.cancel(futures)
