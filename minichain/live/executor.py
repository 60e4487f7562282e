"""The process that runs a validator's contracts: `python -m minichain.live.executor`, started by `worker`.

It has its input, its output and the state; no key, no socket, no file, no environment of its owner. Once it is
loaded it gives away, where the system lets it, the means to open, start or write anything, and to look into another
process: contract code that found a way out of the language would find itself in a process that can do nothing but
answer. (Windows has no such limits; there it is still another process, without the key in its memory. Elsewhere than
on Linux it may still send signals to what its user has started.)

A job may use much more memory than gas allows, but not all of the machine's: past that bound Python raises
`MemoryError`, and this process ends with it, as with every error that is not the contract's own. It says its last
words, and its owner starts another one (see `node.keeper`). It leaves when its input ends.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import struct
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from typing import IO, Any, Final

from minichain.codec import decode_own
from minichain.consensus.interface import Build
from minichain.contracts.check import check
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Envelope, SignedTransaction
from minichain.live import jobs
from minichain.node import execution
from minichain.node.execution import Executor

resource: Any = None  # what limits a process, on systems that have it
with suppress(ImportError):
    import resource

ROOM: Final = 1 << 30  # bytes that a job may use beyond what the process has before it
GAS_BYTES: Final = 16  # bytes that a unit of gas of one transaction adds to that, four times what it is worth
LAST_WORDS: Final = 4_000  # characters
NOBODY: Final = 65534  # the user who owns nothing
# Of linux/landlock.h and linux/prctl.h; the rights of a domain are those of its first version, net and scopes later.
LANDLOCK_CREATE, LANDLOCK_ENTER, NO_NEW_PRIVILEGES = 444, 446, 38
ALL_FILES, ALL_NET, ALL_SCOPES = (1 << 13) - 1, 0b11, 0b11
READING: Final = 0b1100  # of all files
_MAKE: Final = Build(0, 0, may_be_empty=True)  # what its owner wished stays with the owner


class Session:
    """One executor and the pipe to its owner."""

    def __init__(self, output: IO[bytes]) -> None:
        self._output = output
        self._items: list[tuple[bytes, bytes]] = []
        self._decides = True
        self.executor: Executor | None = None

    def say(self, result: jobs.Result) -> None:
        jobs.write(self._output, result)

    def do(self, job: jobs.Job) -> None:
        """Do one job."""
        match job.body:
            case jobs.Load(items):
                self._items += items
            case jobs.Begin(spec, head):
                genesis = Genesis(spec)
                self.executor = Executor(genesis, self._items, head)
                self._items = []
                gc.set_threshold(50_000, 10, 10)  # a block makes many values, and few that hold each other
                gc.freeze()  # what stays for ever need not be looked through again and again
                self._decides = spec.engine != "pow"
                self._memory = MemoryGuard(ROOM + GAS_BYTES * spec.limits.transaction_gas)
                shut_in()
            case body:
                assert self.executor is not None
                self._memory.renew()
                say = (lambda tx_id: self.say(jobs.Next(tx_id))) if job.is_told else None
                self.say(self._result(self.executor.run(_task(body), job.doomed, say)))

    def _result(self, answer: execution.Answer) -> jobs.Result:
        match answer:
            case execution.BlockMade(_, block, refused):
                return jobs.Made(block, tuple((tx_id, why.code, str(why)) for tx_id, why in refused))
            case execution.BlockTried(_, problem):
                return jobs.Tried(problem)
            case execution.ChainChanged(_, kept, invalid, problem):
                return jobs.Changed(tuple(map(self._done, kept)), invalid, problem)
            case execution.ContractAnswered(_, value, problem, height):
                return jobs.Answered(value, problem, height)
            case execution.StateRead(_, value, proof, height):
                return jobs.Found(value, proof, height)
            case execution.ContractsListed(_, contracts):
                return jobs.Listed(contracts)

    def _done(self, kept: execution.Kept) -> tuple[tuple[bytes, ...], jobs.Pairs, jobs.Pairs]:
        undo = () if self._decides else tuple(kept.undo.items())
        return kept.encoded_receipts, tuple(kept.writes.items()), undo


def _task(body: Any) -> execution.Task:
    match body:
        case jobs.Make(candidates, proposer, now_ms):
            return execution.MakeBlock(_MAKE, _opened(candidates), proposer, now_ms)
        case jobs.Try(block, ids):
            return execution.TryBlock(block, _opened(zip(ids, block.txs, strict=True)))
        case jobs.Change(undo, base, blocks):
            opened = tuple((final, _opened(zip(ids, final.block.txs, strict=True))) for final, ids in blocks)
            return execution.ChangeChain(tuple(map(dict, undo)), base, opened)
        case jobs.Ask(contract, name, args, version):
            return execution.AskContract(None, contract, name, args, version)
        case jobs.Read(key):
            return execution.ReadState(None, key)
        case jobs.List():
            return execution.ListContracts(None)
    raise AssertionError(f"{type(body).__name__} is no task")


def _opened(named: Iterable[tuple[bytes, bytes]]) -> tuple[Envelope, ...]:
    """Open transactions that the owner has checked, and named."""
    return tuple(Envelope(raw, decode_own(raw, SignedTransaction), known_id=tx_id) for tx_id, raw in named)


def shut_in(*, may_read: bool = False) -> None:
    """Give away the means to open a file or a socket, to start a process, and to write a file; where there is a way.

    `may_read` leaves it those to read files, where the system can keep it from all the rest nevertheless.
    """
    check("")  # whatever is imported when it is first needed
    may_read = may_read and can_only_read()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    if sys.platform == "linux":
        _keep_from_others(may_read)
    if resource is not None:
        limits = {resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE}
        for limit in sorted(limits - {resource.RLIMIT_NOFILE} if may_read else limits):
            resource.setrlimit(limit, (0, 0))
        if os.geteuid() == 0 and not may_read:  # whom these limits do not bind
            with suppress(OSError):
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)


def can_confine() -> bool:
    """Tell whether this system can keep a process from files, sockets and other processes at all."""
    return resource is not None


def can_only_read() -> bool:
    """Tell whether it can do so and let the process read files nevertheless (Linux 6.7)."""
    return sys.platform == "linux" and landlock_version() >= 4


def landlock_version() -> int:
    """Return how much this Linux can keep a process from."""
    return int(ctypes.CDLL(None).syscall(LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))


def _keep_from_others(may_read: bool) -> None:
    """Enter a Landlock domain (Linux 5.13): no file, no connection (6.7), no memory and no signal (6.12) outside it.

    Its system calls have no names in the C library, and the same numbers on all machines.
    """
    libc, version = ctypes.CDLL(None), landlock_version()
    if version < 1:
        return  # the system is older, or was told to do without
    files = ALL_FILES & ~READING if may_read else ALL_FILES
    rules = struct.pack("=QQQ", files, ALL_NET if version >= 4 else 0, ALL_SCOPES if version >= 6 else 0)
    domain = libc.syscall(LANDLOCK_CREATE, rules, ctypes.c_size_t(len(rules)), 0)
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.syscall(LANDLOCK_ENTER, domain, 0)
    os.close(domain)


class MemoryGuard:
    """Lets this process grow by so many bytes in one job, and no further. It works on Linux; elsewhere the owner looks
    at the size of this process from time to time.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._sizes: int | None = None
        with suppress(OSError):
            self._sizes = os.open("/proc/self/statm", os.O_RDONLY)

    def renew(self) -> None:
        """Begin to count."""
        if self._sizes is not None and resource is not None:
            used = int(os.pread(self._sizes, 64, 0).split()[0]) * resource.getpagesize()
            _limit_memory(used + self._room)


def _limit_memory(size: int | None) -> None:
    if resource is not None:
        most = resource.getrlimit(resource.RLIMIT_AS)[1]
        wanted = most if size is None or (most != resource.RLIM_INFINITY and size > most) else size
        resource.setrlimit(resource.RLIMIT_AS, (wanted, most))


def main() -> int:
    """Answer until the input ends; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the owner, whose end is this process's end
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whoever prints must not talk to the owner
    session = Session(output)
    try:
        while (job := jobs.read(sys.stdin.buffer, jobs.Job)) is not None:
            session.do(job)
    except BaseException as error:
        _limit_memory(None)  # its last words need some
        words = "".join(traceback.format_exception(error, limit=-12))[-LAST_WORDS:]
        with suppress(Exception):
            session.say(jobs.Broken(words))
        os._exit(1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
