"""Where populations act: a chain of their own in this process, with the contracts that a real network has.

It is a simulated network of one validator. Its transactions are signed, its receipts and its state root are those of
any other chain; four validators would come to the same and take 2.6 times as long, and a sandbox, three times as fast,
has neither signatures nor blocks. The clock is logical: each block is an hour later, or what the experiment says, and
what is done together shares a block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import encode
from minichain.contracts.written import Source
from minichain.crypto import digest
from minichain.errors import CallFailed
from minichain.ledger.genesis import Quota
from minichain.ledger.local import BANK
from minichain.ledger.types import Call

HOUR_MS: Final = 3_600_000
_QUOTA: Final = Quota(gas=10**12)  # nobody here is short of computing

Act = tuple[str, Sequence[Call]]  # who, and what


class Stage:
    """One chain, its people by name, and a digest of all receipts so far."""

    def __init__(self, seed: int, block_ms: int = HOUR_MS) -> None:
        self._net: Network = Network.simulated(
            1, seed=seed, chain_id="laboratory", clock="logical", interval_ms=block_ms, policy=_QUOTA
        )
        self._people: dict[str, Wallet] = {}
        self.receipts = b""
        self.transactions = 0
        self.refused = 0

    def __enter__(self) -> Self:
        self._net.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._net.close()

    @property
    def height(self) -> int:
        return self._net.height()

    @property
    def now_ms(self) -> int:
        """Return the time of the last block."""
        spec = self._net.genesis.spec
        return spec.genesis_time_ms + self.height * spec.interval_ms

    @property
    def state_root(self) -> bytes:
        return bytes.fromhex(self._net.status()[0].state_root)

    def invite(self, names: Iterable[str]) -> dict[str, str]:
        """Let people come; returns their dids by name."""
        self._people |= {name: self._net.wallet(name) for name in names}
        return {name: wallet.did for name, wallet in self._people.items()}

    def deploy(self, name: str, contract: Source, by: str, **setup: Any) -> None:
        """Put a contract on the chain, with the arguments of its setup."""
        self._net.deploy(contract, sender=self._people[by], name=name, setup=setup)

    def act(self, acts: Iterable[Act]) -> list[Receipt]:
        """Let several people act at once, each one's calls as one transaction: all of them or none.

        A receipt says what became of it; what a contract refuses is no error here, for some come to try.
        """
        items = [(self._people[who], calls, f"the act of {who}") for who, calls in acts]
        found = [Receipt(self._net.client, content) for content in self._net.client.send_together(items)]
        for receipt in found:
            self.receipts = digest("laboratory receipt", self.receipts + encode(receipt.comparable()))
        self.transactions += len(found)
        self.refused += sum(not receipt.ok for receipt in found)
        return found

    def must(self, acts: Iterable[Act]) -> list[Receipt]:
        """Do the same with what has to succeed; raises `CallFailed`."""
        found = self.act(acts)
        for receipt in found:
            if not receipt.ok:
                raise CallFailed(f"a step that an experiment relies on was refused: {receipt.error}", receipt)
        return found

    def pass_blocks(self, count: int) -> None:
        """Let so many blocks be made, each with a payment of nobody's concern: time passes, and nothing else."""
        bank = self._net.wallet(BANK)
        for _ in range(count):
            self._net.send(bank, [Call("ledger", "transfer", {"to": bank.did, "amount": 1})])

    def ask(self, contract: str, view: str, **args: Any) -> Any:
        """Ask a contract, as anybody can."""
        return self._net.view(contract, view, args)
