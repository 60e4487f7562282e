"""Who is drawn for which shard: the definition, the contract beside it, and what each of the two contracts refuses."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import builders
import pytest
from builders import key
from test_shards import LOT, PEOPLE, lots, seat

from minichain.contracts import Sandbox, check
from minichain.contracts.system import BRIDGE, SHARDS, SOURCES
from minichain.crosschain.gate import require_carriable
from minichain.errors import CallFailed, ConfigError
from minichain.ledger.genesis import Assigned
from minichain.sharding.assignment import commitment, draw, mixed

# --- the definition -------------------------------------------------------------------------------------------------


def test_the_first_draw_places_everybody_by_chance_and_each_once() -> None:
    drawn = draw(PEOPLE, [(), (), ()], size=7, turnover=2, randomness=LOT)
    assert [len(members) for members in drawn] == [7, 7, 7]
    assert len({did for members in drawn for did in members}) == 21
    assert drawn == draw(PEOPLE[::-1], [(), (), ()], size=7, turnover=2, randomness=LOT), "not by who asks how"
    assert drawn != draw(PEOPLE, [(), (), ()], size=7, turnover=2, randomness=lots(1))


def test_every_seat_is_as_likely_for_everybody() -> None:
    """4 000 draws: each of 8 validators is in the first of two committees of 4 in half of them, within 4 sigma."""
    counts = dict.fromkeys(PEOPLE[:8], 0)
    for number in range(4_000):
        for did in draw(PEOPLE[:8], [(), ()], size=4, turnover=1, randomness=lots(number))[0]:
            counts[did] += 1
    assert all(abs(count - 2_000) < 4 * (4_000 / 4) ** 0.5 for count in counts.values()), counts


def test_at_most_so_many_change_per_shard_and_in_time_everybody_comes_round() -> None:
    present = first = draw(PEOPLE[:12], [(), ()], size=4, turnover=1, randomness=LOT)
    sat = {did: {0} if did in present[0] else {1} if did in present[1] else set() for did in PEOPLE[:12]}
    for number in range(60):
        after = draw(PEOPLE[:12], present, size=4, turnover=1, randomness=lots(number))
        for shard, (old, new) in enumerate(zip(present, after, strict=True)):
            assert len(set(old) & set(new)) >= 3, "more than two thirds stay"
            for did in new:
                sat[did].add(shard)
        present = after
    assert present != first
    assert all(shards == {0, 1} for shards in sat.values()), sat


def test_who_may_not_stay_goes_first_and_as_many_at_a_time_as_may() -> None:
    present = draw(PEOPLE[:14], [(), ()], size=7, turnover=2, randomness=LOT)
    left, here = present[0][:3], [did for did in PEOPLE if did not in present[0][:3]]
    after = draw(here, present, size=7, turnover=2, randomness=lots(1))
    assert len(set(left) & set(after[0])) == 1
    assert set(present[0][3:]) < set(after[0]), "no other had to go"
    again = draw(here, after, size=7, turnover=2, randomness=lots(2))
    assert not set(left) & {did for members in again for did in members}


def test_who_is_late_leaves_and_sits_only_where_nobody_else_is() -> None:
    present = draw(PEOPLE[:8], [(), ()], size=4, turnover=1, randomness=LOT)
    late = present[0][2]
    spared = draw(PEOPLE[:9], present, size=4, turnover=1, randomness=lots(1), late=[late])
    assert late not in {did for members in spared for did in members}
    scarce = draw(PEOPLE[:8], present, size=4, turnover=1, randomness=lots(1), late=[late])
    assert late in scarce[1], "the last of those who wait takes the last seat"


def test_a_shard_that_has_not_confirmed_its_last_change_is_left_alone() -> None:
    present = draw(PEOPLE[:12], [(), ()], size=4, turnover=1, randomness=LOT)
    for number in range(20):
        after = draw(PEOPLE[:12], present, size=4, turnover=1, randomness=lots(number), busy=[0])
        assert after[0] == present[0]
        assert not set(after[0]) & set(after[1])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "too few": ({"validators": PEOPLE[:7]}, "shard 1 would have 3 of 4 members: register 1 more validators"),
    "none to replace": (
        {"validators": PEOPLE[1:8], "present": [PEOPLE[:4], PEOPLE[4:8]]},
        "shard 1 would have 3 of 4 members",
    ),
    "turnover": ({"turnover": 2}, "of 4 members more than two thirds stay"),
    "turnover below": ({"turnover": -1}, "too large"),
    "twice registered": ({"validators": [*PEOPLE, PEOPLE[0]]}, "registered twice"),
    "twice seated": ({"present": [PEOPLE[:4], PEOPLE[3:7]]}, "v03 sits twice"),
    "half a shard": ({"present": [PEOPLE[:4], PEOPLE[4:7]]}, "shard 1 has 3 members"),
    "no shards": ({"present": []}, "at least one of each"),
    "no seats": ({"size": 0, "turnover": 0}, "at least one of each"),
    "no chance": ({"randomness": b"x"}, "randomness has 32 bytes"),
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_placement_that_cannot_be_is_refused_with_the_reason(how: str) -> None:
    changes, words = REFUSED[how]
    usual = {"validators": PEOPLE[:8], "present": [(), ()], "size": 4, "turnover": 1, "randomness": LOT}
    args = {**usual, **changes}
    with pytest.raises(ConfigError, match=words):
        draw(args.pop("validators"), args.pop("present"), **args)


# --- the contract does what is defined ------------------------------------------------------------------------------


def test_the_contract_is_in_the_contract_language() -> None:
    assert check(SHARDS) == []


class Draws:
    """The contract beside the definition, and people who do what chance says."""

    def __init__(self, chance: Random, shards: int, size: int, turnover: int, people: int) -> None:
        self.chance, self.size, self.turnover = chance, size, turnover
        self.box = Sandbox(height=1)
        self.dids = {self.box.account(f"p{number}"): f"p{number}" for number in range(people)}
        self.chains = [f"shard-{number}" for number in range(shards)]
        self.bridge: Any = self.box.deploy(BRIDGE, sender="ledger", name="bridge")
        for chain in self.chains:
            what = {"what": chain.encode(), "chain": chain, "genesis": bytes(32), "mints": False}
            self.ok("ledger", "bridge", "agree", what=chain.encode(), member="x")
            self.ok("ledger", "bridge", "connect", **what)
        settings = {"size": size, "turnover": turnover, "commit_blocks": 5, "reveal_blocks": 5}
        self.contract: Any = self.box.deploy(
            SHARDS,
            sender="deployer",
            name="shards",
            **settings,
            validators=[[name, did] for did, name in self.dids.items()],
            shards=[[chain, []] for chain in self.chains],
        )
        self.seed = self.contract.randomness()
        self.here, self.gone, self.guilty = set(self.dids), set[str](), set[str]()
        self.present: Sequence[Sequence[str]] = [()] * shards
        self.told = dict.fromkeys(self.chains, 0)
        self.made = 0  # draws that changed something

    def ok(self, who: str, contract: str, action: str, /, **args: Any) -> Any:
        outcome = self.box.call(who, contract, action, args)
        assert outcome.ok, outcome.error
        return outcome.result

    def epoch(self) -> None:
        """Go through an epoch, and compare."""
        number, chance, secrets, late = self.contract.epoch(), self.chance, dict[str, bytes](), set[str]()
        active = sorted(self.here - self.guilty)
        for did in chance.sample(active, chance.randint(0, len(active))):
            secrets[did] = chance.randbytes(32)
            self.ok(did, "shards", "commit", digest=commitment(number, did, secrets[did]))
        leaver, wrong = chance.choice(active), chance.choice(active)
        if chance.random() < 0.3 and leaver not in self.gone:
            self.ok(leaver, "shards", "withdraw", did=leaver)
            self.gone.add(leaver)
        self.box.advance(blocks=5)
        new, self.later = self.box.account(f"later {number}"), set[str]()
        if chance.random() < 0.5:  # too late for this epoch
            self.ok(new, "shards", "register", name=f"later {number}")
            self.here.add(new)
            self.later.add(new)
        too_late = chance.choice(active)
        if chance.random() < 0.3 and too_late not in self.gone:
            self.ok(too_late, "shards", "withdraw", did=too_late)
        else:
            too_late = ""
        for did in sorted(secrets):
            if chance.random() < 0.2:
                late.add(did)
                del secrets[did]
            else:
                self.ok(did, "shards", "reveal", secret=secrets[did])
        if chance.random() < 0.2:
            self.ok("ledger", "shards", "exclude", did=wrong, chain="shard-0", height=1, kind="double prevote")
            self.guilty.add(wrong)
        self.box.advance(blocks=5)
        self.ok("anybody", "shards", "turn")
        self.compare(secrets, late)
        self.gone |= {too_late} - {""}

    def compare(self, secrets: dict[str, bytes], late: set[str]) -> None:
        self.seed = mixed(self.seed, secrets)
        assert self.contract.randomness() == self.seed
        eligible = self.here - self.gone - self.guilty - self.later
        busy = [place for place, chain in enumerate(self.chains) if self.told[chain] < 0]
        try:
            drawn: Sequence[Sequence[str]] = draw(
                sorted(eligible),
                self.present,
                size=self.size,
                turnover=self.turnover,
                randomness=self.seed,
                late=late,
                busy=busy,
            )
            self.made += drawn != self.present
        except ConfigError:
            drawn = self.present
        shown = self.contract.committees(0, 64)
        assert [sorted(did for _, did, _ in one["members"]) for one in shown] == [list(one) for one in drawn]
        self.answer(drawn, shown)
        seated = {did for members in drawn for did in members}
        self.here -= {did for did in self.gone - self.guilty if did not in seated}
        assert {one["did"] for one in self.contract.registered(0, 512)} == self.here
        self.present = drawn

    def answer(self, drawn: Sequence[Sequence[str]], shown: list[dict[str, Any]]) -> None:
        """Let shards begin, and hear and confirm, fail or not hear what they are told."""
        for place, chain in enumerate(self.chains):
            if shown[place]["state"] == "founding":
                self.told[chain] = -1 if drawn[place] else 0
                if drawn[place] and self.chance.random() < 0.7:
                    self.ok("anybody", "shards", "begin", chain=chain)
                    self.told[chain] = 1
                continue
            if shown[place]["state"] == "due" and self.chance.random() < 0.8:
                self.ok("anybody", "shards", "tell", chain=chain)
            state = self.contract.committees(place, 1)[0]["state"]
            if state == "told" and self.chance.random() < 0.8:
                number = self.bridge.channel(chain)["sent"]
                outcome = self.chance.choice(["done", "done", "failed"])
                told = {"chain": chain, "number": number, "outcome": outcome}
                self.ok("bridge", "shards", "heard", **told, result=[])
                state = "settled" if outcome == "done" else "due"
            self.told[chain] = 1 if state == "settled" else -1


@pytest.mark.parametrize("seed", range(25))
def test_the_contract_draws_as_it_is_defined_whatever_happens(seed: int) -> None:
    chance = Random(seed)
    size = chance.choice((1, 4, 5, 7, 8, 10))
    shards, turnover = chance.randint(1, 4), chance.randint(min(1, (size - 1) // 3), (size - 1) // 3)
    draws = Draws(chance, shards, size, turnover, shards * size + chance.randint(3, 9))
    for _ in range(6):
        draws.epoch()
    assert draws.made >= (2 if turnover else 1)


# --- what the contracts refuse ---


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "turnover": ({"turnover": 2}, "more than two thirds stay"),
    "no seats": ({"size": 0}, "1 to 50 members"),
    "no time": ({"reveal_blocks": 0}, "a phase has"),
    "a name twice": ({"validators": [["a", key("a").did], ["a", key("b").did]]}, "the name a is taken"),
    "a key twice": ({"validators": [["a", key("a").did], ["b", key("a").did]]}, "this key is registered already"),
    "a shard twice": ({"shards": [["s", []], ["s", []]]}, "s is there already"),
    "half founded": ({"shards": [["s", [key("a").did]]]}, "founded by 4 validators, or by none"),
    "strange founders": ({"shards": [["s", [key(name).did for name in "abcx"]]]}, "registered as a validator first"),
    "a founder twice": ({"shards": [["s", [key(name).did for name in "abca"]]]}, "sits in one shard, once"),
    "itself": ({"shards": [["sandbox", []]]}, "id of another chain"),
}


@pytest.mark.parametrize("how", SETTINGS)
def test_rules_that_cannot_work_are_refused(how: str) -> None:
    changes, words = SETTINGS[how]
    usual = {"size": 4, "turnover": 1, "commit_blocks": 1, "reveal_blocks": 1, "shards": [["s", []]]}
    settings = {**usual, "validators": [[name, key(name).did] for name in "abcd"], **changes}
    with pytest.raises(CallFailed, match=words):
        Sandbox().deploy(SHARDS, sender="city", name="shards", **settings)


def house(*people: str) -> tuple[Sandbox, Any]:
    box = Sandbox(height=5)
    contract = box.deploy(
        SOURCES["assigned"],
        sender="ledger",
        name="members",
        founders=list(map(seat, people)),
        coordinator="coordinator",
    )
    return box, contract


UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "too few stay": ({"members": [seat(name) for name in "abxy"]}, "of weight 4 only 2 would be the present"),
    "two thirds": ({"members": [seat(name) for name in "abcdxy"]}, "of weight 6 only 4"),
    "outweighed": ({"members": [seat("a"), seat("b"), seat("c"), seat("x", 9)]}, "of weight 12 only 3"),
    "nobody": ({"members": []}, "1 to 100"),
    "twice": ({"members": [seat("a"), seat("a"), seat("b"), seat("c")]}, "a name and a key of its own"),
    "no key": ({"members": [*map(seat, "abc"), ["x", "x", 1]]}, "did:key"),
    "an old epoch": ({"epoch": 6}, "epoch 6 is not later than 6"),
    "another contract": ({"origin": "coordinator:desk"}, "only coordinator:shards assigns"),
    "another chain": ({"origin": "shard-1:shards"}, "only coordinator:shards assigns"),
}


@pytest.mark.parametrize("how", UNFIT)
def test_a_shard_refuses_a_committee_that_would_cut_it_off_from_its_past(how: str) -> None:
    box, contract = house(*"abcd")
    good = {"origin": "coordinator:shards", "epoch": 6, "members": [seat(name) for name in "dcba"]}
    assert box.call("bridge", "members", "assign", good).ok
    box.advance(blocks=1)
    changes, words = UNFIT[how]
    refused = box.call("bridge", "members", "assign", {**good, "epoch": 7, **changes})
    assert refused.outcome == "reverted"
    assert words in refused.error
    assert contract.members() == [seat(name) for name in "abcd"]
    next_ = box.call("bridge", "members", "assign", {**good, "epoch": 8, "members": [seat(name) for name in "abcx"]})
    assert next_.result == box.height + 1
    assert contract.assigned() == {"coordinator": "coordinator", "epoch": 8}


def test_two_changes_in_one_block_are_judged_by_who_certifies_it() -> None:
    box, _ = house(*"abcd")
    first, second = (
        {"origin": "coordinator:shards", "epoch": n, "members": [seat(one) for one in who]}
        for n, who in ((1, "abcx"), (2, "abxy"))
    )
    assert box.call("bridge", "members", "assign", first).ok
    assert "of weight 4 only 2" in box.call("bridge", "members", "assign", second).error
    box.advance(blocks=1)
    assert box.call("bridge", "members", "assign", second).ok


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"membership": Assigned("")}, "give the id of another chain"),
        ({"membership": Assigned("test")}, "give the id of another chain"),
        ({"membership": Assigned(), "engine": "raft"}, "engine raft changes its members one at a time"),
        ({"membership": Assigned(), "engine": "pow", "clock": "wall"}, "engine pow has no membership"),
    ],
)
def test_a_shard_that_cannot_be_assigned_to_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        builders.genesis(**settings)


# --- size -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shards", "size", "turnover"), [(64, 4, 1), (6, 50, 16)])
def test_many_shards_fit_into_a_transaction(shards: int, size: int, turnover: int) -> None:
    box = Sandbox()
    people = [[f"validator {n:03} of this city", key(f"p{n}").did] for n in range(shards * size + 20)]
    setup = {"size": size, "turnover": turnover, "commit_blocks": 1, "reveal_blocks": 1, "authority": "city"}
    box.deploy(SHARDS, sender="city", name="shards", **setup, validators=people[:100], shards=[])
    for name, did in people[100:]:
        assert box.call("city", "shards", "admit", {"did": did}).ok
        outcome = box.call(did, "shards", "register", {"name": name})
        assert outcome.ok
    print("gas of a registration:", f"{outcome.gas:,}")
    for n in range(shards):
        assert box.call("city", "shards", "add", {"chain": f"shard-{n}", "founders": []}).ok
    bridge: Any = box.deploy(BRIDGE, sender="ledger", name="bridge")
    box.advance(blocks=2)
    outcomes = [box.call("city", "shards", "turn", {})]
    for n in range(shards):
        known = {"chain": f"shard-{n}", "genesis": bytes(32), "mints": False}
        assert box.call("ledger", "bridge", "agree", {"what": b"%d" % n, "member": "x"}).ok
        assert box.call("ledger", "bridge", "connect", {"what": b"%d" % n, **known}).ok
        assert box.call("city", "shards", "begin", {"chain": f"shard-{n}"}).ok
    box.advance(blocks=2)
    outcomes += [box.call("city", "shards", "turn", {}), box.call("city", "shards", "tell", {})]
    assert all(outcome.ok for outcome in outcomes), outcomes
    require_carriable(list(outcomes[2].events), (outcomes[2].result,))
    print("gas of the first draw, a later one, and telling:", *(f"{outcome.gas:,}" for outcome in outcomes))
    assert max(outcome.gas for outcome in outcomes) < 30_000_000
    told = bridge.message(chain="shard-0", number=1)
    shard = Sandbox()
    shard.deploy(
        SOURCES["assigned"],
        sender="ledger",
        name="members",
        coordinator="coordinator",
        founders=told["arguments"]["members"],
    )
    taken = shard.call("bridge", "members", "assign", {"origin": "coordinator:shards", **told["arguments"]})
    print("gas of the change on a shard:", f"{taken.gas:,}")
    assert taken.ok
    assert taken.gas < told["gas"]
