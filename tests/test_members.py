"""In a timeline nodes join and leave a running network by the vote of its members; clients of all kinds go on."""

from __future__ import annotations

from collections import Counter

import pytest

from minichain.errors import ConfigError, UsageError
from minichain.faults.timeline import Timeline, parse, parse_step
from minichain.ledger.committee import Committee
from minichain.live.faults import require_playable
from minichain.sim.clients import MIXED, Load
from minichain.sim.player import play, world_of
from minichain.sim.search import draw, run
from minichain.sim.world import World

engines = pytest.mark.parametrize("engine", ["bft", "raft"])


def played(text: str) -> tuple[World, Load]:
    """Play a timeline until everything that was asked for is so, and one block more, at every node."""
    timeline = parse(text)
    world = world_of(timeline, keep_lines=True)
    load = play(world, timeline)
    wait(world, load)
    if load.submitted:
        load.submit(1)
        wait(world, load)
    return world, load


def wait(world: World, load: Load) -> None:
    for _ in range(240):
        if load.voting.is_over and not load.missing() and len({world.head(name) for name in world.names}) == 1:
            return
        load.wait(250)
    raise AssertionError(f"not over: {[world.store(name).height() for name in world.names]}, {load.missing()} missing")


def members_at(world: World, name: str, height: int) -> list[str]:
    """Return who certifies a height, by a node's own records, which its header confirms."""
    store = world.store(name)
    changes = store.handovers(height)
    members = changes[-1].members if changes else world.genesis.spec.members
    block = store.block(height)
    assert block is not None
    assert block.block.header.committee == Committee(members).hash
    return [member.name for member in members]


def signers(world: World, name: str, height: int) -> set[str]:
    """Return who signed a block, as a node keeps it."""
    final = world.store(name).block(height)
    assert final is not None
    names = members_at(world, name, height)
    return {names[position] for position in final.certificate.signers}


@engines
def test_a_listener_joins_at_one_height_on_every_node_and_takes_part(engine: str):
    options = f"engine {engine}\nvalidators 2\nlisteners 2\nmembership voted\n"
    world, load = played(options + "at 0 submit 3\nat 100 join node-2")
    top = world.store("node-0").height()
    (first,) = {world.store(name).handovers(top)[0].header.height + 1 for name in world.names}
    for name in world.names:
        assert [len(members_at(world, name, height)) for height in (first - 1, first)] == [2, 3]
        assert "node-3" not in members_at(world, name, top), "who only listens is no member"
    world.crash("node-1" if engine == "raft" else "node-3")
    load.submit(1, "node-0")
    load.wait(20_000)
    assert world.store("node-0").height() > top
    assert "node-2" in signers(world, "node-0", top + 1), "nothing is decided without it"


@engines
def test_a_member_leaves_and_the_others_go_on_without_it(engine: str):
    world, load = played(f"engine {engine}\nmembership voted\nat 0 submit 3\nat 100 leave node-0")
    top = world.store("node-1").height()
    assert {tuple(members_at(world, name, top)) for name in world.names} == {("node-1", "node-2", "node-3")}
    world.crash("node-0")
    load.submit(3, "node-1")
    load.wait(10_000)
    assert world.store("node-1").height() > top
    assert "node-0" not in signers(world, "node-1", world.store("node-1").height())
    world.restart("node-0")
    load.wait(5_000)
    assert world.head("node-0") == world.head("node-1"), "it goes on listening"


@engines
def test_changes_asked_for_at_once_are_made_one_after_the_other(engine: str):
    options = f"engine {engine}\nlisteners 2\nmembership voted\nprice 3\n"
    world, _ = played(options + "at 0 join node-4\nat 0 join node-5\nat 0 leave node-1")
    top = world.store("node-0").height()
    assert sorted(members_at(world, "node-4", top)) == ["node-0", "node-2", "node-3", "node-4", "node-5"]
    assert len(world.store("node-5").handovers(top)) == 3


def test_who_joined_and_was_off_meanwhile_catches_up():
    text = "listeners 1\nmembership voted\nat 0 crash node-4\nat 10 submit 2\nat 20 join node-4\nat 8000 restart node-4"
    world, _ = played(text)
    assert "node-4" in members_at(world, "node-4", world.store("node-4").height())


def test_what_changes_nothing_is_passed_over():
    world, load = played(
        "validators 1\nlisteners 1\nmembership voted\nat 0 join node-0\nat 0 leave node-1\nat 0 leave node-0"
    )
    told = [line.split("passed over")[1] for line in world.trace.lines if "passed over" in line]
    assert [line.split(": ")[1] for line in told] == ["join node-0", "leave node-1", "leave node-0"]
    assert (world.store("node-0").height(), load.submitted) == (0, 0), "nobody has signed anything for it"


def test_a_drawn_timeline_changes_members_and_everybody_ends_on_one_chain():
    for engine in ("bft", "raft"):
        seeds = [seed for seed in range(40) if draw(engine, 4, seed, "members,delay").membership == "voted"][:3]
        assert [run(draw(engine, 4, seed, "members,delay")).problem for seed in seeds] == ["", "", ""]


def test_where_somebody_leaves_fewer_are_faulty():
    for seed in range(300):
        timeline = draw("bft", 4, seed)
        if any(step.verb == "leave" for step in timeline.steps):
            assert not {step.args[0] for step in timeline.steps if step.verb == "behave"}, "three members bear nobody"


# --- clients ---------------------------------------------------------------------------------------------------------


def test_mixed_clients_succeed_fail_and_spend_a_nonce_twice():
    world, load = played("seed 8\nprice 2\nclients mixed\n" + "\n".join(f"at {n * 90} submit 3" for n in range(60)))
    receipts = world.checkers.receipts.values()
    outcomes = Counter(receipt.outcome for receipt in receipts)
    assert set(outcomes) == {"ok", "fault", "reverted", "out_of_gas"}, outcomes
    assert len(receipts) == load.submitted, "of two transactions with one nonce one is final"
    amounts = [event.data["amount"] for receipt in receipts for event in receipt.events if event.name == "Transferred"]
    assert {1, 2} == set(amounts), "sometimes the first, sometimes the second"
    assert {"Upgraded", "Frozen", "Unfrozen"} <= {event.name for receipt in receipts for event in receipt.events}
    assert len(MIXED) == 10


def test_the_plain_load_is_payments_only():
    world, _ = played(str(Timeline()) + "at 0 submit 30")
    assert {receipt.outcome for receipt in world.checkers.receipts.values()} == {"ok"}


# --- elsewhere -------------------------------------------------------------------------------------------------------


def test_a_change_of_members_is_no_fault_and_what_only_a_simulation_has_is_not_played_live():
    timeline = parse("price 3")
    spec = world_of(timeline).genesis.spec
    with pytest.raises(UsageError, match="price is for simulations: leave it out"):
        require_playable(timeline, spec)
    with pytest.raises(UsageError, match="membership is for simulations"):
        require_playable(parse("membership voted\nat 0 leave node-0"), spec)
    with pytest.raises(ConfigError, match="leave is no fault: the members vote on it"):
        parse_step("leave node-0", timeline.names)
