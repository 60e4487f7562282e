"""The owner's side of the process that runs contracts (see `executor`): start it, hand it jobs, notice its end.

It is started with nothing but two pipes: not the environment of this process, in which somebody may keep a secret,
nor any of its files and sockets. A job that takes far longer than its gas allows, or far more memory where the system
cannot see to that, is ended from here.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final

from minichain.errors import Refused
from minichain.ledger.certificate import FinalBlock
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Block, Envelope, Header
from minichain.live import jobs
from minichain.node import execution
from minichain.node.execution import Answer, Task
from minichain.node.keeper import Died

PROGRAM: Final = ("-m", "minichain.live.executor")
# What a Python needs to find its parts and its system; nothing else of the environment is handed on.
ENVIRONMENT: Final = ("SYSTEMROOT", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
LEAST_S: Final = 10.0  # what any job may take, however small: machines are busy, and laptops sleep
LEAST_BYTES: Final = 256 << 20  # that any answer may have
GAS_PER_BYTE: Final = 10  # and what it may have more: what is kept and told costs four times that
GAS_PER_S: Final = 5_000_000  # a job may take two hundred times as long as its gas is worth
MOST_MEMORY: Final = 4 << 30  # bytes of the whole process, where the process itself cannot see to less
WATCH_S: Final = 1.0
END_S: Final = 5.0

log = logging.getLogger("minichain")


class Worker:
    """A `Place` in a process of its own."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_fresh = False
        self._seconds = LEAST_S
        self._most = LEAST_BYTES
        self._known: set[bytes] = set()  # blocks whose transactions it has, and whose outcome
        self._due: float | None = None  # when the present job will have taken too long
        self._spawn()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        assert self._process is not None
        return self._process.pid

    def start(self, genesis: Genesis, items: Iterable[tuple[bytes, bytes]], head: Header | None) -> None:
        """Let a fresh process have this state. It loads it while others work, and is not waited for."""
        if not self._is_fresh:
            self.close()
            self._spawn()
        self._is_fresh = False
        self._seconds = LEAST_S + genesis.spec.limits.block_gas / GAS_PER_S
        self._most = LEAST_BYTES + genesis.spec.limits.block_gas // GAS_PER_BYTE
        self._known.clear()
        waiting = iter(items)
        while part := tuple(islice(waiting, jobs.MAX_LOADED)):
            self._send(jobs.Job(jobs.Load(part)))
        self._send(jobs.Job(jobs.Begin(genesis.spec, head)))

    def _spawn(self) -> None:
        kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-P", *PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**kept, "PYTHONPATH": os.pathsep.join(_import_path())},
            close_fds=True,
        )
        self._is_fresh = True

    def run(self, task: Task, doomed: Collection[bytes], *, is_told: bool) -> Answer:
        """Do a task in that process; raises `Died` if it ended."""
        self._due = time.monotonic() + self._seconds
        try:
            self._send(jobs.Job(self._job(task), tuple(doomed), is_told))
            return self._answer(task, *self._hear())
        finally:
            self._due = None

    def close(self) -> None:
        """End the process, and wait until it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _send(self, job: jobs.Job) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            jobs.write(self._process.stdin, job)
        except OSError:
            self._hear()  # it may have said why
            raise Died from None

    def _hear(self) -> tuple[jobs.Result, bytes]:
        """Wait for the answer; on the way it may say which transaction is next, and the last one comes back too."""
        assert self._process is not None
        assert self._process.stdout is not None
        tx_id = b""
        while True:
            result: jobs.Result | None = jobs.read(self._process.stdout, jobs.Result, self._most)
            match result:
                case jobs.Next(tx_id):
                    self._due = time.monotonic() + self._seconds
                case None:
                    log.error("the process that runs contracts has ended, or says what nobody understands")
                    raise Died(tx_id)
                case jobs.Broken(words):
                    log.error("the process that runs contracts has ended:\n%s", words)
                    raise Died(tx_id)
                case _:
                    return result, tx_id

    def _job(self, task: Task) -> Any:
        match task:
            case execution.MakeBlock(_, candidates, proposer, now_ms):
                return jobs.Make(tuple((envelope.id, envelope.raw) for envelope in candidates), proposer, now_ms)
            case execution.TryBlock(block, envelopes):
                return jobs.Try(block, tuple(envelope.id for envelope in envelopes))
            case execution.ChangeChain(undo, base, blocks):
                known, self._known = self._known, set()
                told = tuple(_told(*block, known if at == 0 and not undo else ()) for at, block in enumerate(blocks))
                return jobs.Change(tuple(tuple(writes.items()) for writes in undo), base, told)
            case execution.AskContract(_, contract, name, args, version):
                return jobs.Ask(contract, name, args, version)
            case execution.ReadState(_, key):
                return jobs.Read(key)
            case execution.ListContracts():
                return jobs.List()

    def _answer(self, task: Task, result: jobs.Result, tx_id: bytes) -> Answer:
        """Read an answer. One to something else is as good as none: whoever gave it is not to be trusted any more."""
        match task, result:
            case execution.MakeBlock(), jobs.Made(block, refused):
                self._known.add(block.header.id)
                return execution.BlockMade(task.wish, block, tuple((tx, Refused(*why)) for tx, *why in refused))
            case execution.TryBlock(), jobs.Tried(problem):
                if not problem:
                    self._known.add(task.block.header.id)
                return execution.BlockTried(task.block.header.id, problem)
            case execution.ChangeChain(), jobs.Changed(kept, invalid, problem):
                done = tuple(
                    execution.Kept(final, envelopes, receipts, dict(writes), dict(undo))
                    for (final, envelopes), (receipts, writes, undo) in zip(task.blocks, kept, strict=False)
                )
                return execution.ChainChanged(task, done, invalid, problem)
            case execution.AskContract(), jobs.Answered(value, problem, height):
                return execution.ContractAnswered(task.ticket, value, problem, height)
            case execution.ReadState(), jobs.Found(value, proof, height):
                return execution.StateRead(task.ticket, value, proof, height)
            case execution.ListContracts(), jobs.Listed(contracts):
                return execution.ContractsListed(task.ticket, contracts)
        log.error("the process that runs contracts has answered something else: %s", type(result).__name__)
        raise Died(tx_id)

    def _watch(self) -> None:
        """End a process that takes too long, or too much; in a thread of its own."""
        while True:
            due, process = self._due, self._process
            if due is not None and process is not None:
                is_late = time.monotonic() > due
                if is_late or (due - time.monotonic() < self._seconds - WATCH_S and _size(process.pid) > MOST_MEMORY):
                    log.error("the process that runs contracts takes too %s", "long" if is_late else "much memory")
                    process.kill()
            time.sleep(WATCH_S)


def _told(
    final: FinalBlock, envelopes: Iterable[Envelope], known: Collection[bytes]
) -> tuple[FinalBlock, tuple[bytes, ...]]:
    """Leave out the transactions that the other side has."""
    header = final.block.header
    if header.id in known:
        return FinalBlock(Block(header, ()), final.certificate), ()
    return final, tuple(envelope.id for envelope in envelopes)


def _size(pid: int) -> int:
    import psutil  # noqa: PLC0415 - a megabyte that only a job which takes long needs

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _import_path() -> list[str]:
    """Let the process import the very package, and what it needs, that this one runs."""
    package = str(Path(__file__).resolve().parents[2])
    return [package, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
