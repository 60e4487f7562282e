"""The `pow` engine: the tree's rules between messages on one side and effects on the other.

Mining is an effect, and an idle network does not mine (Bitcoin always does). The engine searches while something
waits, while a block with transactions has fewer than `confirmations` blocks, and while another branch has as much
work as its own, for that is settled by a further block only. Then it rests: a class of thirty laptops stays cool, and
still every transaction gets its confirmations. The price: a pause counts as slow mining, so the next difficulty is
lower, and an attacker who mines alone during it gains what the others did not add.

Each block is told on once, by whoever sees it first join the tree (section 5 of Nakamoto 2008). Whoever hears of a
chain with more work, or of a block without its parent, asks for the way there: one member at a time, each in turn, so
that nobody who only claims to have more can keep us from asking others.

Bad input is data here: what no correct member sends is dropped and counted in `rejected`. What a slow, parted or
newly started member sends (old tips, known blocks, unknown parents, a fast clock) is not. Nothing a peer sends raises.
"""

from __future__ import annotations

from typing import Any, Final

from minichain.codec import Plain, decode_own, encode
from minichain.consensus.interface import (
    Adopt,
    Begin,
    Behind,
    Build,
    Built,
    Effect,
    Event,
    Heard,
    Judged,
    Mine,
    Mined,
    Remember,
    Send,
    Setup,
    StartTimer,
    StopMining,
    Tell,
    Tick,
    TimedOut,
    Timer,
    Work,
)
from minichain.consensus.pow.messages import Ask, Blocks, Forgotten, Message, Sealed, Tip, is_sound
from minichain.consensus.pow.tree import (
    Entry,
    Kept,
    Standing,
    Tree,
    branch,
    confirmed,
    difficulty_after,
    fork_of,
    locator,
    median_time,
)
from minichain.ledger.certificate import FinalBlock, WorkCertificate
from minichain.ledger.types import Block

ASK_AGAIN_MS: Final = 2_000  # whoever has not answered by then is not waited for
MAX_AHEAD: Final = 64  # members remembered that may have more than we
NAME: Final = b"block"  # what is remembered has this name and the block id


class Wish(Plain):
    """What to ask a member for: the way to `target`, from `start` on (b"": the head), which lies at `height`."""

    target: bytes
    start: bytes = b""
    height: int = -1


class Pow:
    """One miner's engine."""

    def __init__(self, setup: Setup) -> None:
        self._work = setup.spec.work
        self._mines = setup.mines
        self._tree = Tree(setup.genesis, setup.spec)
        remembered = (data for name, data in setup.memory.items() if name.startswith(NAME))
        self._tree.restore(decode_own(data, Kept) for data in remembered)
        self.height = 0
        self.rejected = 0
        self._reorganisations = self._deepest = 0
        self._ahead: dict[bytes, Wish] = {}  # member -> what it has and we lack; whose turn is next comes first
        self._asked: tuple[bytes, Wish] | None = None
        self._asks = 0
        self._rest()

    def handle(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event; return what must be done, in order."""
        match event:
            case Heard() if self.height:
                heard = self._hear(event.sender, event.message, now_ms)
                if heard is None:
                    return []
                effects = heard
            case Begin():
                effects = self._begin(event)
            case _ if not self.height:
                return []
            case _:
                effects = self._on_own(event)
        return effects + self._go_on()

    def _on_own(self, event: Event) -> list[Effect]:
        """Take what the own node says."""
        match event:
            case Work():
                self._is_waiting = self._is_fresh = True
            case Built(_, _, block):
                return self._on_built(block)
            case Mined(block_id, nonce):
                return self._on_mined(block_id, nonce)
            case Judged(block_id, False):
                return self._on_invalid(block_id)
            case TimedOut(timer):
                self._on_timer(timer)
            case Tick():
                head = self._tree.head
                return [Tell(Tip(head.id, head.height, head.work))]
        return []

    def heard(self) -> bytes:
        """Return nothing: see `recall`."""
        return b""

    def recall(self, round_: int, heard: bytes) -> list[Any]:
        """Return nothing: a miner that lacks a block asks for it by its id."""
        return []

    def summary(self) -> dict[str, Any]:
        """Return what people may see; `height` is that of the block to be mined, `work` a sum of tries."""
        tree = self._tree
        return {
            "height": self.height,
            "round": 0,
            "step": self._step(),
            "work": tree.head.work,
            "difficulty": difficulty_after(tree.head, self._work),
            "forks": len(tree.leaves) - 1,
            "reorganisations": self._reorganisations,
            "deepest": self._deepest,
        }

    def _step(self) -> str:
        if self._tree.offered:
            return "adopting"
        if self._is_building or self._mining:
            return "mining"
        return "asking" if self._asked else "idle"

    # --- the node's chain ---

    def _begin(self, begin: Begin) -> list[Effect]:
        tree, head = self._tree, self._tree.get(begin.head)
        assert head is not None, f"the node's chain stands at {begin.head.hex()}, where this engine never put it"
        if self.height:
            self._count_undone(tree.head, head)
        self.height = begin.height
        stop = self._stop_mining()
        self._rest()
        tree.settle(head)
        self._is_unconfirmed = not confirmed(head, self._work.confirmations)
        return stop + self._forget()

    def _count_undone(self, old: Entry, new: Entry) -> None:
        undone = old.height - fork_of(old, new).height
        self._reorganisations += undone > 0
        self._deepest = max(self._deepest, undone)

    def _on_invalid(self, block_id: bytes) -> list[Effect]:
        tree, entry = self._tree, self._tree.get(block_id)
        if tree.offered is None or entry not in branch(fork_of(tree.head, tree.offered), tree.offered):
            return []
        assert entry is not None
        tree.offered = None
        tree.reject(entry)
        return self._forget()

    def _go_on(self) -> list[Effect]:
        """Do what is due: adopt a heavier branch, or else ask for one and mine. One adoption at a time."""
        tree = self._tree
        if tree.offered:
            return []
        if tree.best.work > tree.head.work:
            return self._offer(tree.best)
        return self._ask_somebody() + self._dig()

    def _offer(self, tip: Entry) -> list[Effect]:
        fork = fork_of(self._tree.head, tip)
        self._tree.offered, self._is_building = tip, False
        blocks = tuple(entry.final for entry in branch(fork, tip) if entry.final)
        return [*self._stop_mining(), Adopt(fork.height + 1, blocks)]

    # --- mining ---

    def _rest(self) -> None:
        self._is_waiting = False  # the node has transactions; it says so again at each height
        self._is_fresh = False  # it has said so since a block was asked for
        self._is_unconfirmed = False
        self._is_building = False
        self._mining: Block | None = None

    def _dig(self) -> list[Effect]:
        """Ask for a block to mine, if there is a reason to; an empty one gives way to one with transactions."""
        is_served = self._mining is not None and (bool(self._mining.txs) or not self._is_fresh)
        if self._is_building or is_served or not self._has_reason():
            return []
        self._is_building, self._is_fresh = True, False
        return [Build(self.height, 0, True, median_time(self._tree.head) + 1)]

    def _has_reason(self) -> bool:
        return self._mines and (self._is_waiting or self._is_unconfirmed or self._tree.is_contested())

    def _on_built(self, block: Block) -> list[Effect]:
        if not self._is_building or block.header.parent != self._tree.head.id:
            return []
        self._is_building = False
        if self._is_fresh and not block.txs:
            return []  # transactions came while it was built: `_dig` asks once more
        self._mining = block
        return [Mine(block.header.id, difficulty_after(self._tree.head, self._work))]

    def _on_mined(self, block_id: bytes, nonce: int) -> list[Effect]:
        block = self._mining
        if block is None or block.header.id != block_id:
            return []
        self._mining = None
        difficulty = difficulty_after(self._tree.head, self._work)
        final = FinalBlock(block, WorkCertificate(block.header.height, block_id, difficulty, nonce))
        standing = self._tree.standing(final, block.header.time_ms)
        assert standing is not Standing.FAULTY, "our own node built or sealed this block wrongly"
        return [*self._keep(final), Tell(Sealed(final))] if standing is Standing.NEW else []

    def _stop_mining(self) -> list[Effect]:
        was_mining, self._mining = self._mining, None
        return [StopMining()] if was_mining else []

    # --- remembering ---

    def _keep(self, final: FinalBlock) -> list[Effect]:
        entry = self._tree.add(final)
        return [Remember(NAME + entry.id, encode(Kept(final, entry.work))), *self._forget()]

    def _forget(self) -> list[Effect]:
        gone, self._tree.forgotten = self._tree.forgotten, []
        return [Remember(NAME + block_id, None) for block_id in gone]

    # --- what others say ---

    def _hear(self, sender: bytes, message: Message, now_ms: int) -> list[Effect] | None:
        """Take a member's message; None if it changes nothing."""
        if not is_sound(message):
            self.rejected += 1
            return None
        match message:
            case Sealed():
                return self._hear_sealed(sender, message, message.final, now_ms)
            case Tip(block_id, _, work):
                return self._note_ahead(sender, block_id) if work >= self._tree.best.work else None
            case Ask():
                return self._help(sender, message)
            case Blocks(blocks):
                return self._hear_blocks(sender, blocks, now_ms)
            case Forgotten():
                return self._hear_forgotten(sender)

    def _hear_sealed(self, sender: bytes, message: Sealed, final: FinalBlock, now_ms: int) -> list[Effect] | None:
        standing = self._tree.standing(final, now_ms)
        if standing is Standing.NEW:
            return [*self._keep(final), Tell(message)]
        if standing is Standing.ORPHAN:
            return self._note_ahead(sender, final.block.header.id)
        self.rejected += standing is Standing.FAULTY
        return None

    def _hear_blocks(self, sender: bytes, blocks: tuple[FinalBlock, ...], now_ms: int) -> list[Effect]:
        """Take blocks up to the first that may not join; the last new one is told on, and stands for all of them."""
        effects: list[Effect] = []
        newest = None
        for final in blocks:
            standing = self._tree.standing(final, now_ms)
            self.rejected += standing is Standing.FAULTY
            if standing is Standing.NEW:
                newest = final
                effects += self._keep(final)
            elif standing is not Standing.KNOWN:
                break
        self._note_answer(sender, blocks)
        return [*effects, Tell(Sealed(newest))] if newest else effects

    def _hear_forgotten(self, sender: bytes) -> list[Effect] | None:
        if self._asked is None or self._asked[0] != sender:
            return None
        self._asked = None
        return [Behind(sender)]

    def _help(self, sender: bytes, ask: Ask) -> list[Effect]:
        blocks = self._tree.blocks_after(ask.locator, ask.target)
        return [Send(sender, Forgotten(self._tree.base.height) if blocks is None else Blocks(blocks))]

    # --- asking ---

    def _note_ahead(self, member: bytes, block_id: bytes) -> list[Effect] | None:
        if self._tree.knows(block_id) or len(self._ahead) >= MAX_AHEAD:
            return None
        self._ahead.setdefault(member, Wish(block_id))
        return []

    def _ask_somebody(self) -> list[Effect]:
        if self._asked or not self._ahead:
            return []
        self._ahead = {member: wish for member, wish in self._ahead.items() if not self._tree.knows(wish.target)}
        if not self._ahead:
            return []
        member, wish = next(iter(self._ahead.items()))
        del self._ahead[member]
        self._asked = (member, wish)
        self._asks += 1
        start = self._tree.get(wish.start) or self._tree.head
        again = StartTimer(Timer("ask", self._asks, 0), ASK_AGAIN_MS)
        return [Send(member, Ask(locator(start), wish.target)), again]

    def _note_answer(self, sender: bytes, blocks: tuple[FinalBlock, ...]) -> None:
        """Ask the same member on, as long as each answer leads higher than the one before."""
        if self._asked is None or self._asked[0] != sender:
            return
        wish, self._asked = self._asked[1], None
        last = self._tree.get(blocks[-1].block.header.id) if blocks else None
        if last and last.height > wish.height:
            self._ahead[sender] = Wish(wish.target, last.id, last.height)

    def _on_timer(self, timer: Timer) -> None:
        if timer.height == self._asks:
            self._asked = None
