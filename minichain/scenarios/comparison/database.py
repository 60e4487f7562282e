"""An ordinary database for the same work: one computer of one owner, who is believed.

It checks a password at the door instead of a signature on each transaction, so it keeps none; and it asks nobody, so
it is as fast as its only client's line. What was done is the ledger's own rule, so that the same comes out.
"""

from __future__ import annotations

from typing import Final

import msgspec

from minichain.codec import encode
from minichain.contracts.runtime import Runtime
from minichain.contracts.written import source_of
from minichain.crypto import did_of
from minichain.errors import NetworkError
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.local import OWNER
from minichain.ledger.state import State, account_key, read_account
from minichain.ledger.types import Call, Envelope, Receipt
from minichain.scenarios.comparison.contract import Collections
from minichain.scenarios.comparison.design import Design
from minichain.scenarios.comparison.figures import Figures, Rules, concentration, percentile
from minichain.scenarios.comparison.work import CONTRACT, OFFICE, key_of, sign, signed, tasks
from minichain.sim.world import CLIENT_DELAY_MS
from minichain.transition import BlockContext, apply_transaction, first_state

ENGINE: Final = "none"


class Database:
    """Rows, and what they add up to. Whoever holds the object can change both."""

    def __init__(self, design: Design) -> None:
        self.genesis = Genesis(ChainSpec(chain_id="minichain-local", clock="logical", **design.settings))
        self.rows: list[bytes] = []
        self._state = State(first_state(self.genesis))
        self._runtime = Runtime()
        self._is_on = True
        deploy = {"name": CONTRACT, "source": source_of(Collections), "args": {}}
        limit = self.genesis.spec.limits.transaction_gas
        self._apply(sign(self.genesis, key_of(OFFICE, design.seed), 0, Call("ledger", "deploy", deploy), limit))

    def write(self, envelope: Envelope) -> Receipt:
        """Do one transaction, and keep a row of it: who, what, and what came of it."""
        if not self._is_on:
            raise NetworkError("the database is switched off: there is no other copy to ask")
        receipt = self._apply(envelope)
        events = [[event.name, event.data] for event in receipt.events]
        calls = [[call.contract, call.action, call.args] for call in envelope.body.calls]
        self.rows.append(encode([did_of(envelope.body.sender), calls, receipt.outcome, events]))
        return receipt

    def _apply(self, envelope: Envelope) -> Receipt:
        overlay, context = self._state.overlay(), BlockContext(1, self.genesis.spec.genesis_time_ms)
        receipt = apply_transaction(self._runtime, self.genesis, overlay, envelope, context, len(self.rows))
        assert receipt.ok, receipt.error
        self._state.commit(overlay.writes, self._state.tree)
        return receipt

    def balance(self, public: bytes) -> int:
        """Answer a reader."""
        return read_account(self._state.values.get(account_key(public))).balance

    def edit(self, public: bytes, balance: int) -> None:
        """Change a row in place, as its owner can."""
        key = account_key(public)
        account = read_account(self._state.values.get(key))
        self._state.values[key] = encode(msgspec.structs.replace(account, balance=balance))

    def switch_off(self) -> None:
        """Pull the plug."""
        self._is_on = False


def measure(design: Design) -> Figures:
    """Do the work of a design in a database; there is one owner, whatever the design says."""
    database = Database(design)
    work = tasks(design.transactions, design.seed)
    now_ms, latencies = 0, []
    for task, envelope in zip(work, signed(work, database.genesis, design.seed), strict=True):
        now_ms = task.at_ms + CLIENT_DELAY_MS  # when it arrives; it is done at once
        database.write(envelope)
        latencies.append(now_ms - task.at_ms)
    return Figures(
        kind=design.kind,
        engine=ENGINE,
        seed=design.seed,
        transactions=len(database.rows),
        members=tuple((member.name, member.owner) for member in design.members),
        rules=Rules("owner", "owner", "owner", "owner"),
        # One of one is enough by the rule of any engine.
        concentration=concentration("raft", [(OWNER, 1)]),
        latency_p50_ms=percentile(latencies, 50),
        latency_p90_ms=percentile(latencies, 90),
        duration_ms=now_ms,
        blocks=0,
        transactions_per_block=0,
        messages_per_transaction=0,
        bytes_per_transaction=0,
        stored_bytes_per_transaction=round(sum(map(len, database.rows)) / len(database.rows)),
        copies=len(design.members),
        final_after_blocks=0,
        undone_blocks=0,
        tries=0,
        tries_per_transaction=0,
        fee_per_transaction=0,
        quota_transactions=0,
        quota_blocks=0,
        proof_bytes=0,
    )
