"""Ask nodes, and wait for finality. A node that does not answer is passed over for the next one.

A transaction is signed once. Sending it again, to another node, is harmless: it is the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol, TypeVar

from minichain.client.wallet import Wallet
from minichain.crypto import KeyPair
from minichain.errors import ContractFault, DecodeError, NotKept, Refused, TimedOut, UsageError
from minichain.ledger.genesis import Genesis
from minichain.ledger.types import Call, Envelope, Receipt, Transaction, sign_transaction
from minichain.node.messages import (
    AccountState,
    AskAccount,
    AskStatus,
    Await,
    ClientAnswer,
    ClientRequest,
    Failure,
    NodeStatus,
    Outcomes,
    Submit,
    Submitted,
    Verdict,
)
from minichain.node.queries import ELSEWHERE

PATIENCE_MS: Final = 3_000  # with one node, before the next is asked
TIMEOUT_MS: Final = 30_000
SLOWEST: Final = 5  # times the usual time that confirmations may take
POLL_MS: Final = 20
GAS_LIMIT: Final = 20_000_000
EXPIRES_AFTER: Final = 1_000  # blocks

A = TypeVar("A")


class Channel(Protocol):
    """How requests reach nodes: sockets in the live world, events in the simulated one."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the nodes that can be asked now."""

    def request(self, name: str, body: ClientRequest, timeout_ms: int) -> ClientAnswer | None:
        """Ask a node; None if it does not answer in time."""

    def pause(self, ms: int) -> None:
        """Let time pass."""

    def now_ms(self) -> int:
        """Return a clock that only moves forward, in this world's time."""

    def close(self) -> None:
        """Leave nothing open."""


class Client:
    """A view of one network's nodes."""

    def __init__(self, genesis: Genesis, channel: Channel) -> None:
        self.genesis = genesis
        self.channel = channel
        self._nonces: dict[bytes, int] = {}  # the next ones of accounts, after what was seen to be final
        self._signed: dict[bytes, int] = {}  # likewise, after what was handed in: it may be lost
        self._keys: dict[bytes, KeyPair] = {}  # of accounts whose key this client has seen change
        self._last_good = ""
        work = genesis.spec.work
        is_slow = genesis.spec.engine == "pow"  # luck decides how long a block takes
        self.timeout_ms = TIMEOUT_MS + is_slow * SLOWEST * work.confirmations * work.block_ms

    def ask(self, body: ClientRequest, answer: type[A], what: str, timeout_ms: int | None = None) -> A:
        """Ask any node, and another if it is silent; raises `TimedOut` naming `what`, or the node's own refusal."""
        timeout_ms = min(self.timeout_ms, TIMEOUT_MS) if timeout_ms is None else timeout_ms
        found = self._ask(body, answer, self.channel.now_ms() + timeout_ms)
        if found is None:
            raise TimedOut(self._explain(what, timeout_ms))
        return found

    def _ask(self, body: ClientRequest, answer: type[A], deadline: int) -> A | None:
        passed = set[str]()
        for name in self._turns(deadline):
            found = self.channel.request(name, body, self._patience(deadline))
            if isinstance(found, Failure) and found.code == ELSEWHERE and name not in passed:
                passed.add(name)  # once: perhaps no node has it
            elif found is not None:
                self._last_good = name
                return _expect(found, answer)
        return None

    def _turns(self, deadline: int) -> Iterator[str]:
        """Yield whom to ask next, until the time is up."""
        while self.channel.now_ms() < deadline:
            for name in self._order():
                if self.channel.now_ms() < deadline:
                    yield name
            self.channel.pause(POLL_MS)

    def _patience(self, deadline: int) -> int:
        return min(PATIENCE_MS, deadline - self.channel.now_ms())

    def _order(self) -> list[str]:
        names = self.channel.names
        start = names.index(self._last_good) if self._last_good in names else 0
        return [*names[start:], *names[:start]]

    def _explain(self, what: str, timeout_ms: int) -> str:
        names = ", ".join(self.channel.names) or "none"
        advice = "a chain stands still while a third of it is down or parted"
        return f"waited {timeout_ms / 1000:g} s for {what}; running nodes: {names} ({advice})"

    def wait_for_height(self, height: int, names: list[str], timeout_ms: int = TIMEOUT_MS) -> None:
        """Return when all of these nodes have a block of this height."""
        deadline = self.channel.now_ms() + timeout_ms
        waiting = list(names)
        while waiting := [name for name in waiting if not self._has_reached(name, height, deadline)]:
            if self.channel.now_ms() >= deadline:
                raise TimedOut(f"waited {timeout_ms / 1000:g} s for {', '.join(waiting)} to reach height {height}")
            self.channel.pause(POLL_MS)

    def _has_reached(self, name: str, height: int, deadline: int) -> bool:
        status = self.channel.request(name, AskStatus(), max(POLL_MS, self._patience(deadline)))
        return isinstance(status, NodeStatus) and status.height >= height

    # --- transactions ---

    def send(
        self,
        sender: Wallet,
        calls: Sequence[Call],
        what: str,
        gas_limit: int = GAS_LIMIT,
        timeout_ms: int | None = None,
    ) -> Receipt:
        """Sign, submit, wait for finality; raises `Refused` or `TimedOut`. The receipt may be that of a failure."""
        timeout_ms = self.timeout_ms if timeout_ms is None else timeout_ms
        deadline = self.channel.now_ms() + timeout_ms
        while state := self._ask(AskAccount(sender.account), AccountState, deadline):
            envelope = self._sign(sender, calls, gas_limit, state)
            verdict = self._finalise(envelope, deadline)
            if verdict is None:
                break
            if verdict.receipt is not None:
                self._see_final(envelope)
                return verdict.receipt
            if verdict.code != "wrong_nonce" and not (verdict.code == "wrong_key" and self._knows(sender)):
                raise Refused(verdict.code, f"refused: {verdict.message}")
            # Somebody else used this account in the meantime, or the node lags behind what this client has seen. What
            # was refused can never become final, so sign anew.
            self.channel.pause(POLL_MS)
        raise TimedOut(self._explain(f"{what} to become final", timeout_ms))

    def _see_final(self, envelope: Envelope) -> None:
        self._nonces[envelope.body.sender] = envelope.body.nonce + 1

    def learn(self, holder: Wallet) -> None:
        """Remember that an account has this key now: a node that does not know it yet lags."""
        self._keys[holder.account] = holder.key

    def key_of(self, account: bytes) -> KeyPair | None:
        """Return the key that an account is known here to have got."""
        return self._keys.get(account)

    def _knows(self, holder: Wallet) -> bool:
        known = self._keys.get(holder.account)
        return known is not None and known.public == holder.key.public

    def send_together(
        self, items: Sequence[tuple[Wallet, Sequence[Call], str]], gas_limit: int = GAS_LIMIT
    ) -> list[Receipt]:
        """Do as `send` with each (sender, calls, what), but hand in all before waiting for any."""
        return self.begin_together(items, gas_limit)()

    def begin_together(
        self, items: Sequence[tuple[Wallet, Sequence[Call], str]], gas_limit: int = GAS_LIMIT
    ) -> Callable[[], list[Receipt]]:
        """Hand in all; return what waits for them, and has their receipts."""
        deadline = self.channel.now_ms() + self.timeout_ms
        envelopes = [self._sign_next(sender, calls, gas_limit, deadline) for sender, calls, _ in items]
        if envelopes:
            self._ask(Submit(tuple(envelope.raw for envelope in envelopes)), Submitted, deadline)
        return lambda: self._finish(envelopes, items, gas_limit, deadline)

    def _finish(
        self,
        envelopes: Sequence[Envelope],
        items: Sequence[tuple[Wallet, Sequence[Call], str]],
        gas_limit: int,
        deadline: int,
    ) -> list[Receipt]:
        receipts = []
        for envelope, (sender, calls, what) in zip(envelopes, items, strict=True):
            verdict = self._finalise(envelope, deadline)
            if verdict is None:
                raise TimedOut(self._explain(f"{what} to become final", self.timeout_ms))
            if verdict.receipt is not None:
                self._see_final(envelope)
                receipts.append(verdict.receipt)
            elif verdict.code == "wrong_nonce":  # it can never become final, so `send` signs anew
                self._signed.pop(sender.account, None)
                receipts.append(self.send(sender, calls, what, gas_limit))
            else:
                raise Refused(verdict.code, f"refused: {verdict.message}")
        return receipts

    def _sign_next(self, sender: Wallet, calls: Sequence[Call], gas_limit: int, deadline: int) -> Envelope:
        """Sign what will follow everything that this client has signed for an account."""
        state = self._ask(AskAccount(sender.account), AccountState, deadline)
        if state is None:
            raise TimedOut(self._explain("the state of an account", self.timeout_ms))
        envelope = self._sign(sender, calls, gas_limit, state, self._signed.get(sender.account, 0))
        self._signed[sender.account] = envelope.body.nonce + 1
        return envelope

    def _sign(
        self, sender: Wallet, calls: Sequence[Call], gas_limit: int, state: AccountState, least: int = 0
    ) -> Envelope:
        nonce = max(state.next_nonce, self._nonces.get(sender.account, 0), least)
        spec = self.genesis.spec
        body = Transaction(
            chain_id=spec.chain_id,
            genesis=self.genesis.hash,
            sender=sender.account,
            nonce=nonce,
            calls=tuple(calls),
            gas_limit=min(gas_limit, spec.limits.transaction_gas),
            expires=state.height + min(EXPIRES_AFTER, spec.limits.max_expiry),
            key=sender.signing_key,
        )
        envelope = sign_transaction(body, sender.key)
        if len(envelope.raw) > spec.limits.transaction_bytes:  # a still larger one would not even pass a node's door
            limit = spec.limits.transaction_bytes
            raise Refused("oversize", f"{len(envelope.raw)} bytes, where a transaction has at most {limit}")
        return envelope

    def _finalise(self, envelope: Envelope, deadline: int) -> Verdict | None:
        """Return what becomes of a transaction; None if the time is up before that is known."""
        is_first = True
        for name in self._turns(deadline):
            verdict = self._try(name, envelope, is_first, deadline)
            is_first = False
            if verdict is not None:
                self._last_good = name
                return verdict
        return None

    def _try(self, name: str, envelope: Envelope, is_first: bool, deadline: int) -> Verdict | None:
        submitted = self.channel.request(name, Submit((envelope.raw,)), self._patience(deadline))
        if submitted is None:
            return None
        verdict = _about(envelope, _expect(submitted, Submitted).verdicts)
        # A node that lags may refuse what another one has accepted, so only the first refusal counts.
        if verdict is not None and verdict.code != "accepted" and is_first:
            return verdict
        outcome = self.channel.request(name, Await((envelope.id,)), self._patience(deadline))
        # A busy node is like a silent one.
        return _about(envelope, outcome.verdicts) if isinstance(outcome, Outcomes) else None


def _expect(found: ClientAnswer, answer: type[A]) -> A:
    if isinstance(found, answer):
        return found
    if isinstance(found, Failure):
        kinds: dict[str, Callable[[str], Exception]] = {
            "view_failed": ContractFault,
            "malformed": DecodeError,
            ELSEWHERE: NotKept,
        }
        raise kinds.get(found.code, UsageError)(found.message)
    raise DecodeError(f"a node answered {type(found).__name__}, not {answer.__name__}: it is faulty, ask another one")


def _about(envelope: Envelope, verdicts: Sequence[Verdict]) -> Verdict | None:
    return next((verdict for verdict in verdicts if verdict.tx_id == envelope.id), None)
