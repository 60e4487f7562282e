"""What contract code could do if it had found a way out of the language: it is called by the name `escaped`."""

from __future__ import annotations

import ctypes
import errno
import gc
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from minichain.contracts.runtime import Frame, Runtime

CHUNK = 1 << 20
SEED_BYTES = 32


def plant(ends: Callable[[], NoReturn]) -> Callable[[], None]:
    """Let every `Runtime` of this process have such a contract; `ends` is how it dies. Returns what undoes it."""
    before = Runtime.call

    def call(self: Runtime, frame: Frame, contract: str, action: str, args: Any, *more: Any) -> Any:
        if contract != "escaped":
            return before(self, frame, contract, action, args, *more)
        match action:
            case "die":
                ends()
            case "hoard":
                return len([bytes(CHUNK) for _ in range(args["mb"])])
            case "hang":
                time.sleep(args["s"])
            case "search":
                return search(args["start"], args["digest"])
            case "reach":
                return reach(args["file"])
            case "touch":
                return touch(os.getppid())
            case "forge":
                forge(args["answer"])
        return None

    Runtime.call = call  # type: ignore[method-assign]

    def undo() -> None:
        Runtime.call = before  # type: ignore[method-assign]

    return undo


def end_process() -> NoReturn:
    os._exit(9)


def forge(answer: bytes) -> None:
    """Answer in the place of the process that we are in, through whatever is open for writing."""
    for number in range(3, 9):
        with suppress(OSError):
            os.write(number, answer)


# --- searching -----------------------------------------------------------------------------------------------------


def search(start: bytes, digest: bytes) -> list[str]:
    """Name every place where a secret is that begins with `start` and has this SHA-256; we are not told the secret."""
    return [where for where, data in _places() if _holds(data, start, digest)]


def _holds(data: bytes, start: bytes, digest: bytes) -> bool:
    at = data.find(start)
    while at >= 0:
        if hashlib.sha256(data[at : at + SEED_BYTES]).digest() == digest:
            return True
        at = data.find(start, at + 1)
    return False


def _places() -> Iterator[tuple[str, bytes]]:
    yield "environment", repr(dict(os.environ)).encode()
    yield "arguments", repr(sys.orig_argv).encode()
    for found in gc.get_objects():
        for inner in [found, *gc.get_referents(found)]:
            if isinstance(inner, bytes | bytearray):
                yield "objects", bytes(inner)
    if Path("/proc/self/mem").exists():
        yield "environ", Path("/proc/self/environ").read_bytes()
        yield from _open_files()
        yield from _memory()


def _open_files() -> Iterator[tuple[str, bytes]]:
    for link in Path("/proc/self/fd").iterdir():
        try:
            if link.is_file():
                yield f"file {os.readlink(link)}", link.read_bytes()
        except OSError:
            pass  # the directory itself, or a file that was deleted


def _memory() -> Iterator[tuple[str, bytes]]:
    with Path("/proc/self/maps").open() as maps:
        lines = maps.readlines()
    with Path("/proc/self/mem").open("rb", buffering=0) as memory:
        for line in lines:
            area, mode, *_, name = [*line.split(), ""]
            first, end = (int(part, 16) for part in area.split("-"))
            if "r" not in mode or name.startswith("[v"):
                continue
            tail = b""
            for at in range(first, end, CHUNK):
                try:
                    memory.seek(at)
                    data = memory.read(min(CHUNK, end - at))
                except (OSError, OverflowError, ValueError):
                    break
                yield "memory", tail + data
                tail = data[-SEED_BYTES:]


# --- reaching out --------------------------------------------------------------------------------------------------


def reach(file: str) -> list[str]:
    """Try to read a file, to connect, to start a program, to write a file; name what worked."""
    done = []
    for name, attempt in (
        ("read", lambda: Path(file).read_bytes()),
        ("connect", lambda: socket.create_connection(("127.0.0.1", 9), 1)),
        ("socket", socket.socket),
        ("start", lambda: subprocess.run([sys.executable, "-c", ""], check=True)),
        ("pipe", os.pipe),
    ):
        try:
            attempt()
        except (OSError, subprocess.SubprocessError):
            continue
        done.append(name)
    return done


def touch(process: int) -> list[str]:
    """Try to look into the memory of a process, to send it a signal that does nothing, and to start another."""
    done, libc = [], ctypes.CDLL(None, use_errno=True)
    nowhere = (ctypes.c_size_t * 2)(0, 1)
    libc.process_vm_readv(process, nowhere, 1, nowhere, 1, 0)
    if ctypes.get_errno() == errno.EFAULT:  # there is nothing at that address, but it was looked at
        done.append("look")
    for name, attempt in (("signal", lambda: os.kill(process, 0)), ("fork", fork)):
        with suppress(OSError):
            attempt()
            done.append(name)
    return done


def fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
