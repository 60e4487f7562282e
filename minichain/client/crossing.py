"""What people do between networks: connect them, send units, and carry what is due.

A relayer is a client like any other. It can be stopped, started again elsewhere, and run twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, cast

from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import decode_own, encode
from minichain.crosschain import people, relay
from minichain.crosschain.gate import TOO_LARGE
from minichain.crosschain.proofs import Certified, CrossingProof, Told
from minichain.crosschain.remotes import Remote, followed_key, remote_key
from minichain.crosschain.work import Link
from minichain.errors import CallFailed, UsageError
from minichain.ledger.certificate import FinalBlock, WorkCertificate, shortened
from minichain.ledger.committee import Committee, Member
from minichain.ledger.local import node_key
from minichain.ledger.types import Call
from minichain.ledger.types import Receipt as LedgerReceipt
from minichain.node.messages import AskFinal, BlockDetail, FinalAnswer

if TYPE_CHECKING:
    from minichain.client.network import Network

TRUSTING_MS: Final = 14 * 86_400_000
WITHIN_MS: Final = 600_000
GAS: Final = 30_000_000  # of one delivery
TRACED: Final = 200  # ancestors that are brought at once


def connect(one: Network, other: Network, *, mints: bool = False, trusting_ms: int = TRUSTING_MS) -> None:
    """Let the members of `one` agree to follow `other`, until they are enough.

    With `mints`, units that come from there and were never sent there are made here.
    """
    args = {"spec": encode(other.genesis.spec), "mints": mints, "trusting_ms": trusting_ms, "checkpoint": b""}
    for name in one.nodes:
        member = Wallet(name, node_key(one.world.root, name))
        if one.send(member, [Call("ledger", "connect", args)], gas_limit=GAS).result:
            return
    raise UsageError(f"the members of {one.genesis.spec.chain_id} have not agreed: some of their keys are elsewhere")


def alliance(networks: Sequence[Network], *, mints: bool = True) -> None:
    """Connect each network to each, so that there is none in the middle.

    With `mints`, units of each are good on all: then each of them trusts the members of all others not to send units
    that they do not have. Without, units go nowhere, and what is left is to ask contracts and to swap by locks.
    """
    for one, other in permutations(networks, 2):
        connect(one, other, mints=mints)


def cross(
    source: Network, target: Network, sender: Wallet, to: Wallet, amount: int, *, within_ms: int = WITHIN_MS
) -> Receipt:
    """Send units to an account of another network; its result is the number of the message."""
    return source.send(sender, [crossing(target, to, amount, within_ms)])


def crossing(target: Network, to: Wallet, amount: int, within_ms: int = WITHIN_MS) -> Call:
    """Make the call that does so."""
    where = {"chain": target.genesis.spec.chain_id, "to": to.did, "amount": amount, "within_ms": within_ms}
    return Call("ledger", "cross", where)


def crossing_proof(source: Network, target: Network, number: int) -> CrossingProof:
    """Return the proof that a message, by its number, was sent on one network and decided on the other.

    Raises `UsageError` while one of both is not final.
    """
    sent, decided = _told(source, target, "messages", number), _told(target, source, "answers", number)
    return CrossingProof(number=number, sent=sent, decided=decided)


def _told(network: Network, other: Network, what: str, number: int) -> Told:
    for height in range(1, network.height() + 1):
        receipts = network.block(height).receipts
        for due in relay.due_in(receipts, other.genesis.hash):
            if number in (one for one, _gas in getattr(due, what)):
                proof = network.proof(receipts[due.index].tx_id.hex())
                shared = {
                    name: getattr(proof, name) for name in (*Certified.__struct_fields__, "receipt", "index", "count")
                }
                return Told(**shared, path=proof.receipt_path)
    told = "was sent from" if what == "messages" else "was answered by"
    raise UsageError(f"no message {number} {told} {network.genesis.spec.chain_id} yet: have it carried, and ask again")


class Relayer:
    """Carries between two networks, both ways, whatever is due; `name` is its account on each."""

    def __init__(self, one: Network, other: Network, name: str = "relayer") -> None:
        self._ways = [_Way(one, other, name), _Way(other, one, name)]

    def due(self, block: BlockDetail) -> list[relay.Due]:
        """Return what a block of the first network has for the other, whether it was brought or not."""
        return self._ways[0].due(block)

    def carry(self) -> int:
        """Bring what is due now, and what becomes due by that; returns how many receipts were brought."""
        total = 0
        while brought := sum(way.carry() for way in self._ways):
            total += brought
        return total


class _Way:
    """From one network to another."""

    def __init__(self, source: Network, target: Network, name: str) -> None:
        self._source, self._target = source, target
        self._chain = source.genesis.spec.chain_id
        self._carrier = target.wallet(name)
        self._height = 0  # the last block of the source that was looked at

    def carry(self) -> int:
        brought, top = 0, self._final_height()
        while self._height < top and (block := self._block(self._height + 1)):
            brought += self._carry_block(block)
            self._height += 1
        return brought

    def _block(self, height: int) -> BlockDetail | None:
        try:
            return self._source.block(height)
        except UsageError:  # the node that said how high the chain is has gone, and another one lags
            return None

    def _final_height(self) -> int:
        """Return the last height there is anything to bring of; of a chain of work, bring its headers first."""
        height, spec = self._source.height(), self._source.genesis.spec
        if spec.engine != "pow":
            return height
        branch = self._followed().branch
        assert branch is not None, "it was connected as a chain of work"
        known = min(branch.height, height)
        while known > branch.first and self._source.block(known).final.block.header.id != branch.at(known).id:
            known -= 1
        while blocks := self._source.client.ask(AskFinal(known + 1), FinalAnswer, "headers").blocks:
            links = [Link(final.block.header, cast(WorkCertificate, final.certificate)) for final in blocks]
            self._try(relay.follow_work(self._chain, links))
            known += len(links)
        return known - spec.work.confirmations + 1

    def due(self, block: BlockDetail) -> list[relay.Due]:
        return list(relay.due_in(block.receipts, self._target.genesis.hash))

    def _carry_block(self, block: BlockDetail) -> int:
        final = block.final
        due = self.due(block)
        members = self._next_members(final)
        left = [(one, self._left(one)) for one in due]
        news = [receipt for receipt in block.receipts if self._has_news(receipt)]
        is_signed = self._source.genesis.spec.engine != "pow"
        is_due = news or any(gas for _, gas in left)
        if is_signed and (members or (is_due and not self._is_followed(final.block.header.height))):
            self._bring(block, members)
        rekeyed = sum(self._rekey(block, receipt) for receipt in news)
        return rekeyed + sum(self._deliver(block, one) for one, _ in left)

    def _rekey(self, block: BlockDetail, receipt: LedgerReceipt) -> int:
        brought = 0
        while self._has_news(receipt) and self._try(relay.rekey(self._chain, block.receipts, receipt.index)):
            brought += 1
        return brought

    def _has_news(self, receipt: LedgerReceipt) -> bool:
        """Tell whether keys of accounts change in a receipt in a way that the target has not heard of."""
        is_home = self._target.genesis.spec.identity_home == self._chain
        return is_home and bool(people.news_in(receipt, lambda key: self._target.state(key).value))

    def _bring(self, block: BlockDetail, members: tuple[Member, ...]) -> None:
        """Bring a header with its certificate or, where the target trusts a later committee, by its descendants."""
        header, after = block.final.block.header, self._followed().after
        if header.height > after:
            whole = block.final.certificate
            certificate = whole if members else shortened(whole, Committee(block.members))
            self._try(relay.follow(self._chain, header, certificate, members))
            return
        known = after if self._is_followed(after) else after + 1  # where the later committee was learnt
        while not self._is_followed(header.height):
            oldest = max(header.height, known - TRACED)
            line = [found for found, _ in self._source.headers(oldest, known - oldest + 1)]
            self._try(relay.trace(self._chain, line[::-1]))
            known = oldest

    def _is_followed(self, height: int) -> bool:
        """Tell whether the target has this header: another relayer may have brought it, and nothing of the rest."""
        return self._target.state(followed_key(self._chain, height)).value is not None

    def _deliver(self, block: BlockDetail, due: relay.Due) -> int:
        brought, room = 0, len(due.messages) + len(due.answers)
        while gas := self._left(due):
            most = relay.how_many(gas[:room], GAS)
            try:
                is_new = self._try(relay.deliver(self._chain, block.receipts, due.index, most))
            except CallFailed as failed:
                if most == 1 or TOO_LARGE not in str(failed):
                    raise
                room = most // 2  # all together, they have more to say than a receipt may hold
                continue
            brought += 1
            if not is_new:
                break
        return brought

    def _left(self, due: relay.Due) -> list[int]:
        channel: dict[str, Any] = self._target.contract("bridge").channel(chain=self._chain)
        return due.left(channel["received"], channel["settled"])

    def _followed(self) -> Remote:
        """Return what the target keeps of the source."""
        return decode_own(self._target.state(remote_key(self._chain)).value or b"", Remote)

    def _next_members(self, final: FinalBlock) -> tuple[Member, ...]:
        """Return whom a block hands over to, unless the target knows; none if nothing changes."""
        header, source = final.block.header, self._source
        if header.next_committee == header.committee or header.height <= self._followed().after:
            return ()
        return source.members() if header.height == source.height() else source.block(header.height + 1).members

    def _try(self, call: Call) -> bool:
        """Bring something; returns False where somebody else has brought it meanwhile."""
        try:
            self._target.send(self._carrier, [call], gas_limit=GAS)
        except CallFailed as failed:
            if "not had already" in str(failed) or "is known here" in str(failed):
                return False
            raise
        return True


def unsettled(network: Network) -> Iterator[tuple[str, int]]:
    """Yield (chain, how many) of messages whose answer has not come back."""
    for channel in network.contract("bridge").connections():
        yield channel["chain"], channel["sent"] - channel["settled"]
