"""Which proofs are due where: what a final block has for another chain, and the calls that bring it there.

Whoever carries is not trusted, and anybody may: a chain takes nothing but what its own rules find proven, and each
message once. Two who carry the same do no harm but to their own gas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from minichain.codec import Plain, encode
from minichain.crosschain.gate import ANSWER_GAS, BRIDGE, GAS_UNITS
from minichain.crosschain.work import Link
from minichain.ledger.certificate import Certificate, Handover
from minichain.ledger.committee import Member
from minichain.ledger.types import Call, Event, Header, Receipt
from minichain.merkle import inclusion_proof

TO_DELIVER: Final = 1_000_000  # gas of one delivery, whatever is in it
TO_TAKE: Final = 500_000  # gas of the books for one message or answer


class Due(Plain):
    """The numbers of the messages and of the answers that one receipt has for a chain, and the gas each may need."""

    index: int
    messages: tuple[tuple[int, int], ...]
    answers: tuple[tuple[int, int], ...]

    def left(self, received: int, settled: int) -> list[int]:
        """Return the gas of each that the other chain has not had yet."""
        return [gas for number, gas in self.messages if number > received] + [
            gas for number, gas in self.answers if number > settled
        ]


def due_in(receipts: Sequence[Receipt], to: bytes) -> Iterator[Due]:
    """Yield what the receipts of a block have for the chain with this genesis, in their order."""
    for receipt in receipts:
        mine = [event for event in receipt.events if event.contract == BRIDGE and event.data.get("to") == to]
        messages = tuple((event.data["number"], _gas_of(event)) for event in mine if event.name == "Sent")
        answers = tuple((event.data["number"], TO_TAKE + ANSWER_GAS) for event in mine if event.name == "Received")
        if messages or answers:
            yield Due(receipt.index, messages, answers)


def _gas_of(sent: Event) -> int:
    gas: int = sent.data["message"]["gas"]
    return TO_TAKE + (gas or GAS_UNITS)


def how_many(gas: Sequence[int], limit: int) -> int:
    """Return how many of these fit into one delivery; at least one, which its gas may still be too little for."""
    left = limit - TO_DELIVER
    for count, needed in enumerate(gas):
        left -= needed
        if left < 0:
            return max(1, count)
    return len(gas)


def follow(chain: str, header: Header, certificate: Certificate, members: Sequence[Member] = ()) -> Call:
    """Make the call that brings a header; `members` are those of the next committee, where another one comes."""
    step = Handover(header, certificate, tuple(members))
    return Call("ledger", "follow", {"chain": chain, "block": encode(step)})


def follow_work(chain: str, links: Sequence[Link]) -> Call:
    """Make the call that brings headers of a chain of work, in a row."""
    return Call("ledger", "follow", {"chain": chain, "block": encode(tuple(links))})


def trace(chain: str, headers: Sequence[Header]) -> Call:
    """Make the call that brings ancestors, newest first, after a header that is followed."""
    return Call("ledger", "trace", {"chain": chain, "headers": encode(tuple(headers))})


def deliver(chain: str, receipts: Sequence[Receipt], index: int, most: int) -> Call:
    """Make the call that brings one receipt of a block that is followed."""
    return Call("ledger", "deliver", {**_shown(chain, receipts, index), "most": most})


def rekey(chain: str, receipts: Sequence[Receipt], index: int) -> Call:
    """Make the call that brings a receipt in which keys of accounts change."""
    return Call("ledger", "rekey", _shown(chain, receipts, index))


def _shown(chain: str, receipts: Sequence[Receipt], index: int) -> dict[str, Any]:
    encoded = [encode(receipt) for receipt in receipts]
    path = list(inclusion_proof(index, encoded))
    return {"chain": chain, "height": receipts[index].height, "receipt": encoded[index], "index": index, "path": path}
