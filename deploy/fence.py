"""Keep one learner's server, with all that it starts, from the files and processes of everybody else. No root needed.

    python fence.py HOME COMMAND...     becomes COMMAND, which may write in HOME and read nothing but it and programs

It is a Landlock domain (Linux 5.13), which no process leaves. Where the system has none it says so and goes on.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

from minichain.live.executor import ALL_FILES, ALL_SCOPES, LANDLOCK_CREATE, LANDLOCK_ENTER, NO_NEW_PRIVILEGES
from minichain.live.executor import landlock_version as version

LANDLOCK_ADD, BENEATH = 445, 1
SECURE_BITS, NO_ROOT = 28, 0b11
RUN, WRITE, READ, LIST, MOVE, CUT = (1 << bit for bit in (0, 1, 2, 3, 13, 14))
OF_A_FILE = RUN | WRITE | READ | CUT
SYSTEM = [Path("/", name) for name in ("usr", "lib", "lib64", "bin", "sbin", "etc", "opt", "proc", "sys", "dev", "run")]
SHARED = Path("/dev/shm")  # locks of processes that work together
DEVICES = [Path("/dev", name) for name in ("null", "zero", "tty", "ptmx", "pts")]


def is_there() -> bool:
    """Tell whether this system can build such a fence."""
    return sys.platform == "linux" and version() >= 1


def readable() -> list[Path]:
    """Return what everybody may read: the system, this Python with what it imports, and this folder."""
    python = map(Path, (sys.prefix, sys.base_prefix, *filter(None, sys.path), Path(__file__).parent))
    return sorted({path.resolve() for path in (*SYSTEM, *python) if path.exists()})


def enter(home: Path) -> None:
    """Shut this process in, for good. Raises `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    files = ALL_FILES | (MOVE if version() >= 2 else 0) | (CUT if version() >= 3 else 0)

    def ask(number: int, *arguments: object) -> int:
        answer = int(libc.syscall(number, *arguments))
        if answer < 0:
            raise OSError(ctypes.get_errno(), "this system does not let a fence be built")
        return answer

    attributes = struct.pack("=QQQ", files, 0, ALL_SCOPES if version() >= 6 else 0)
    domain = ask(LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)

    def allow(path: Path, rights: int) -> None:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = rights & files & (files if path.is_dir() else OF_A_FILE)
        ask(LANDLOCK_ADD, domain, BENEATH, struct.pack("=Qi", allowed, beneath), 0)
        os.close(beneath)

    for path in readable():
        allow(path, RUN | READ | LIST)
    for path in filter(Path.exists, DEVICES):
        allow(path, READ | LIST | WRITE | CUT)
    for path in filter(Path.exists, (SHARED, home)):
        allow(path, files)
    libc.prctl(SECURE_BITS, NO_ROOT, 0, 0, 0)  # only root may say so, and is like others once it runs a program
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    ask(LANDLOCK_ENTER, domain, 0)
    os.close(domain)


if __name__ == "__main__":
    own, *command = sys.argv[1:]
    if is_there():
        enter(Path(own))
    else:
        print("fence: this system has none: learners can read each other's files", file=sys.stderr, flush=True)
    os.execvp(command[0], command)
