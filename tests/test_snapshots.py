"""Beginning with the state of today: whoever comes late checks it, and then counts as much as anybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import pytest
from society import Society
from test_governance import admit, chain

from minichain.crosschain.proofs import verify
from minichain.errors import NetworkError, ProofError
from minichain.faults.timeline import Timeline
from minichain.ledger.state import account_key
from minichain.node import snapshots
from minichain.node.messages import (
    AskBlock,
    AskFinal,
    AskHeaders,
    AskSnapshot,
    BlockDetail,
    Failure,
    FinalAnswer,
    SnapshotPart,
)
from minichain.node.snapshots import Snapshots, fetch
from minichain.sim.player import world_of
from tests.builders import key

replace = msgspec.structs.replace


@cache
def society() -> Society:
    """Some blocks, a change of committee, and more blocks."""
    people = Society(chain(), ["node-4"])
    people.grow(admit(people, "node-4", "node-0", "node-1", "node-2") + 3)
    people.settle()
    return people


def ask(asked: AskSnapshot) -> Any:
    """Ask the door for clients, as somebody does who joins."""
    return society().client.channel.request("node-0", asked, 5_000)


def test_a_snapshot_is_checked_and_says_how_its_committee_came_to_be() -> None:
    found = fetch(society().genesis, ask)
    store = society().run.store("node-0")
    assert (found.height, dict(found.items)) == (store.height(), dict(store.state_items()))
    assert len(found.handovers) == 1


def test_a_large_snapshot_comes_in_parts_and_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PART_BYTES", 200)
    people = Society(chain())
    people.pay()
    people.settle()
    store, asked = people.run.store("node-0"), list[AskSnapshot]()
    door = Snapshots(people.genesis, store)
    before = dict(store.state_items())

    def slow(body: AskSnapshot) -> Any:
        asked.append(body)
        people.pay()  # meanwhile the chain goes on
        return door.answer(body)

    found = fetch(people.genesis, slow)
    assert dict(found.items) != before, "it is that of the first question's answer"
    assert len(asked) > 3
    assert store.height() > found.height


# --- what is refused ---------------------------------------------------------------------------------------------

Part = SnapshotPart


def _changed_value(part: Part) -> Part:
    rich = key("bank").public
    return replace(part, items=tuple((k, v[:-1] + b"\1" if k == account_key(rich) else v) for k, v in part.items))


def _another_state_root(part: Part) -> Part:
    block = part.final.block
    forged = replace(block, header=replace(block.header, state_root=bytes(32)))
    return replace(part, final=replace(part.final, block=forged))


WRONG: dict[str, Callable[[Part], Any]] = {
    "values have the root": _changed_value,
    r"and block \d+ was certified with": lambda part: replace(part, items=part.items[1:]),
    "not in order, each once": lambda part: replace(part, items=part.items + part.items[-1:]),
    "values are not in order": lambda part: replace(part, items=part.items[::-1]),
    "is for another block than the header": _another_state_root,
    "names another committee": lambda part: replace(part, handovers=()),
    "other transactions than its header names": lambda part: replace(
        part, final=replace(part.final, block=replace(part.final.block, txs=()))
    ),
    "has 1 to 4096 parts, not 0": lambda part: replace(part, parts=0),
    "has 1 to 4096 parts, not 5000": lambda part: replace(part, parts=5_000),
    "the node answered with FinalAnswer": lambda part: FinalAnswer(()),
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_snapshot_is_refused_with_the_reason(words: str) -> None:
    with pytest.raises(ProofError, match=words):
        fetch(society().genesis, lambda asked: WRONG[words](ask(asked)))


def test_a_snapshot_of_another_chain_is_refused() -> None:
    other = chain(chain_id="other")
    with pytest.raises(ProofError, match="belongs to another chain"):
        fetch(other, ask)


def test_a_part_of_a_snapshot_that_is_gone_is_not_mixed_with_another() -> None:
    kept = fetch(society().genesis, ask).height
    for height, part in ((kept, 1), (kept, -1), (kept + 1, 0), (-1, 0)):
        answer = ask(AskSnapshot(height, part))
        assert isinstance(answer, Failure)
        assert answer.message.endswith("is not kept here: begin anew with height 0")


def test_where_there_is_none_the_reason_is_given() -> None:
    young = Society(chain())
    with pytest.raises(NetworkError, match="there is no block yet: join without a snapshot"):
        fetch(young.genesis, Snapshots(young.genesis, young.run.store("node-0")).answer)
    world = world_of(Timeline("pow", 3))
    with pytest.raises(NetworkError, match="a chain of work has to be seen from its first block on"):
        fetch(world.genesis, Snapshots(world.genesis, world.store("node-0")).answer)


# --- and then ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["bft", "raft"])
def test_whoever_begins_with_a_snapshot_votes_and_is_missed(engine: str) -> None:
    people = Society(chain(engine=engine))
    people.grow(3)
    people.settle()
    people.run.crash("node-3")
    people.grow(6)
    people.run.restart("node-3", "snapshot")
    assert people.run.store("node-3").began() >= 6
    people.settle()
    people.grow(8)
    people.settle()
    people.run.crash("node-2")  # with bft the other three are all needed now
    people.grow(10)
    if engine == "bft":
        assert "node-3" in people.signers(10)


def test_what_came_before_is_not_there_and_that_is_said() -> None:
    people = Society(chain())
    people.grow(4)
    people.settle()
    people.run.crash("node-3")
    people.run.restart("node-3", "snapshot")
    people.grow(6)
    people.settle()

    def asked(body: Any) -> Any:
        return people.client.channel.request("node-3", body, 5_000)

    first = people.run.store("node-3").began()
    for body in (AskBlock(1), AskBlock(first), AskFinal(first - 1)):
        answer = asked(body)
        assert isinstance(answer, Failure)
        assert f"began with a snapshot at {first} and has no block" in answer.message
    assert [header.height for header, _ in asked(AskHeaders(1, 50)).headers] == list(range(first, 7))
    assert [final.block.header.height for final in asked(AskFinal(first)).blocks] == list(range(first, 7))
    people.client._last_good = "node-3"  # the client finds who has it
    assert people.client.ask(AskBlock(1), BlockDetail, "a block").final.block.header.height == 1


def test_a_newcomer_with_a_snapshot_proves_through_changes_it_never_saw() -> None:
    people = society()
    people.run.crash("node-3")
    people.run.restart("node-3", "snapshot")
    people.settle()
    receipt = people.pay()
    people.settle()
    people.client._last_good = "node-3"
    proof = people.proof(receipt)
    assert len(proof.handovers) == 1
    assert verify(proof, people.genesis.hash).height == receipt.height
