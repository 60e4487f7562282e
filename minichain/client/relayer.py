"""Who carries between two networks. It is not trusted, can be stopped, started again elsewhere, and run twice.

What is due is handed in together, both ways at a time: a header and all that its block has for the other chain are one
transaction. Where that fails, because another relayer was quicker or too much is said at once, it goes bit by bit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from minichain.codec import Plain, decode_own, encode
from minichain.crosschain import people, relay
from minichain.crosschain.gate import GAS_SIGNATURE, LEAST_GAS
from minichain.crosschain.remotes import Remote, followed_key, remote_key
from minichain.crosschain.work import Link
from minichain.errors import CallFailed, NotKept, UsageError
from minichain.ledger.certificate import FinalBlock, WorkCertificate, shortened
from minichain.ledger.committee import Committee, Member
from minichain.ledger.types import MAX_CALLS, Call, Receipt
from minichain.node.messages import AskFinal, BlockDetail, FinalAnswer

if TYPE_CHECKING:
    from minichain.client.network import Network

GAS: Final = LEAST_GAS  # of one transaction
TRACED: Final = 200  # ancestors that are brought at once
PARCELS: Final = 8  # transactions that are handed in together
ENVELOPE: Final = 1_024  # bytes of a transaction beside its calls

_Calls = list[tuple[Call, int]]  # each with the gas it may need


class _Load(Plain):
    """Transactions that bring so many receipts of the blocks up to a height; `is_cut` says that there is more."""

    parcels: list[list[Call]]
    receipts: int
    height: int
    is_cut: bool


class _Parcel:
    """The calls of one transaction, as long as there is room in it."""

    def __init__(self, target: Network) -> None:
        self.target, self.calls = target, list[Call]()
        self._gas, self._bytes = GAS, target.genesis.spec.limits.transaction_bytes - ENVELOPE

    def put(self, calls: _Calls) -> bool:
        """Put calls in, all or none."""
        gas, size = sum(gas for _, gas in calls), sum(len(encode(call)) for call, _ in calls)
        if gas > self._gas or size > self._bytes or len(self.calls) + len(calls) > MAX_CALLS:
            return False
        self.calls += [call for call, _ in calls]
        self._gas, self._bytes = self._gas - gas, self._bytes - size
        return True


def _put(parcels: list[_Parcel], calls: _Calls) -> bool:
    """Put calls into the last parcel or a new one; False if neither can have them."""
    if parcels[-1].put(calls):
        return True
    if len(parcels) == PARCELS or not (fresh := _Parcel(parcels[-1].target)).put(calls):
        return False
    parcels.append(fresh)
    return True


def _full(parcels: list[_Parcel]) -> list[list[Call]]:
    return [parcel.calls for parcel in parcels if parcel.calls]


class Relayer:
    """Carries between two networks, both ways, whatever is due; `name` is its account on each."""

    def __init__(self, one: Network, other: Network, name: str = "relayer") -> None:
        self._ways = [_Way(one, other, name), _Way(other, one, name)]

    @property
    def height(self) -> int:
        """Return up to which block of the first network all was brought."""
        return self._ways[0].height

    def due(self, block: BlockDetail) -> list[relay.Due]:
        """Return what a block of the first network has for the other, whether it was brought or not."""
        return self._ways[0].due(block)

    def carry(self) -> int:
        """Bring what is due now, and what becomes due by that; returns how many receipts were brought."""
        total, seen = 0, [-1, -1]
        while seen != (heights := [way.height for way in self._ways]):
            seen = heights
            begun = [way.begin() for way in self._ways]
            total += sum(arrive() for arrive in begun)
        return total


class _Way:
    """From one network to another."""

    def __init__(self, source: Network, target: Network, name: str) -> None:
        self._source, self._target = source, target
        self._chain = source.genesis.spec.chain_id
        self._carrier = target.wallet(name)
        self.height = 0  # the last block of the source that was looked at

    def begin(self) -> Callable[[], int]:
        """Hand in what can be brought at once; return what waits for it, and tells how many receipts were brought."""
        top = self._final_height()
        try:
            load = self._pack(top)
        except NotKept:
            self.height = self._not_kept(top)
            load = self._pack(top)
        if not load.parcels:
            return lambda: self._pass(load)
        wait = self._target.begin_together([(self._carrier, calls) for calls in load.parcels], gas_limit=GAS)
        return lambda: self._arrive(load, wait)

    def _arrive(self, load: _Load, wait: Callable[[], Any]) -> int:
        try:
            wait()
        except CallFailed:  # somebody else has brought a part of it, or a part is too large: one after the other then
            return self._next_block()
        self.height = load.height
        return load.receipts

    def _pass(self, load: _Load) -> int:
        """Go on where there is nothing to bring at once; what comes then may have to be brought bit by bit."""
        self.height = load.height
        return self._next_block() if load.is_cut else 0

    def _next_block(self) -> int:
        block = self._block(self.height + 1)
        if block is None:
            return 0
        brought = self._carry_block(block)
        self.height += 1
        return brought

    # --- many at once ---

    def _pack(self, top: int) -> _Load:
        """Return what the next blocks have that can be brought without asking in between."""
        parcels, receipts, height = [_Parcel(self._target)], 0, self.height
        channel: dict[str, Any] = {}
        while height < top and (block := self._block(height + 1)):
            due = self.due(block)
            channel = channel or (self._channel() if due else {})
            calls = self._calls(block, due, channel)
            if calls is None or (calls and not _put(parcels, calls)):
                return _Load(_full(parcels), receipts, height, is_cut=True)
            receipts += len(calls) - sum(call.action == "follow" for call, _ in calls)
            height += 1
        return _Load(_full(parcels), receipts, height, is_cut=False)

    def _calls(self, block: BlockDetail, due: Sequence[relay.Due], channel: dict[str, Any]) -> _Calls | None:
        """Return the calls that bring what a block has, with their gas; None where that is not so simple."""
        final, calls = block.final, list[tuple[Call, int]]()
        if self._next_members(final) or any(self._has_news(receipt) for receipt in block.receipts):
            return None
        for one in due:
            gas = one.left(channel["received"], channel["settled"])
            if relay.how_many(gas, GAS) < len(gas):
                return None
            if gas:
                needed = relay.TO_DELIVER + sum(gas)
                calls.append((relay.deliver(self._chain, block.receipts, one.index, len(gas)), needed))
                channel["received"] = max(channel["received"], *(number for number, _ in one.messages), 0)
                channel["settled"] = max(channel["settled"], *(number for number, _ in one.answers), 0)
        height = final.block.header.height
        if not calls or self._source.genesis.spec.engine == "pow" or self._is_followed(height):
            return calls
        if height <= self._followed().after:
            return None
        return [(self._follow(block), len(final.certificate.signers) * GAS_SIGNATURE + relay.TO_DELIVER), *calls]

    def _follow(self, block: BlockDetail, members: tuple[Member, ...] = ()) -> Call:
        """Make the call that brings a header; without a handover, no more signatures than it takes."""
        final = block.final
        certificate = final.certificate if members else shortened(final.certificate, Committee(block.members))
        return relay.follow(self._chain, final.block.header, certificate, members)

    # --- one after the other ---

    def _block(self, height: int) -> BlockDetail | None:
        try:
            return self._source.block(height)
        except NotKept:
            raise
        except UsageError:  # the node that said how high the chain is has gone, and another one lags
            return None

    def _not_kept(self, top: int) -> int:
        """Return the last height whose block nobody keeps who answers: all members have come with a snapshot since.

        Whatever was in those blocks has been carried: nobody leaves before that (see `epochs`).
        """
        return bisect_left(range(top + 1), True, lo=self.height + 1, key=self._is_kept) - 1

    def _is_kept(self, height: int) -> bool:
        try:
            return self._block(height) is not None
        except NotKept:
            return False

    def _final_height(self) -> int:
        """Return the last height there is anything to bring of; of a chain of work, bring its headers first."""
        height, spec = self._source.height(), self._source.genesis.spec
        if spec.engine != "pow":
            return height
        known = shared_height(self._source, self._target)
        while links := links_from(self._source, known + 1):
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

    def _rekey(self, block: BlockDetail, receipt: Receipt) -> int:
        brought = 0
        while self._has_news(receipt) and self._try(relay.rekey(self._chain, block.receipts, receipt.index)):
            brought += 1
        return brought

    def _has_news(self, receipt: Receipt) -> bool:
        """Tell whether keys of accounts change in a receipt in a way that the target has not heard of."""
        is_home = self._target.genesis.spec.identity_home == self._chain
        return is_home and bool(people.news_in(receipt, lambda key: self._target.state(key).value))

    def _bring(self, block: BlockDetail, members: tuple[Member, ...]) -> None:
        """Bring a header with its certificate or, where the target trusts a later committee, by its descendants."""
        header, after = block.final.block.header, self._followed().after
        if header.height > after:
            self._try(self._follow(block, members))
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
            except CallFailed:
                if most == 1:
                    raise
                room = most // 2  # all together, they have more to say than a receipt holds, or than the gas pays for
                continue
            brought += 1
            if not is_new:
                break
        return brought

    def _left(self, due: relay.Due) -> list[int]:
        channel = self._channel()
        return due.left(channel["received"], channel["settled"])

    def _channel(self) -> dict[str, Any]:
        found: dict[str, Any] = self._target.contract("bridge").channel(chain=self._chain)
        return found

    def _followed(self) -> Remote:
        return followed(self._source, self._target)

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


def followed(source: Network, target: Network) -> Remote:
    """Return what the target keeps of the source."""
    return decode_own(target.state(remote_key(source.genesis.spec.chain_id)).value or b"", Remote)


def shared_height(source: Network, target: Network) -> int:
    """Return up to which height the target follows the best branch of a chain of work."""
    branch = followed(source, target).branch
    assert branch is not None, "it was connected as a chain of work"
    height = min(branch.height, source.height())
    while height > branch.first and source.block(height).final.block.header.id != branch.at(height).id:
        height -= 1
    return height


def links_from(source: Network, height: int) -> list[Link]:
    """Return some headers of a chain of work from a height on, with the work done for each; none beyond its end."""
    blocks = source.client.ask(AskFinal(height), FinalAnswer, "headers").blocks
    return [Link(final.block.header, cast(WorkCertificate, final.certificate)) for final in blocks]
