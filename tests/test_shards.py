"""Shards: who certifies them is drawn by a coordinating chain, which tells them, and follows their handovers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import builders
import msgspec
from builders import finalise, key
from test_crossing import DAY, Chain, carry, delivery

from minichain.codec import encode
from minichain.consensus.bft.messages import cast_vote
from minichain.contracts.system import SHARDS
from minichain.crypto import curve_public, did_of
from minichain.errors import DecodeError
from minichain.ledger.certificate import PRECOMMIT, PREVOTE, Handover
from minichain.ledger.committee import Member
from minichain.ledger.genesis import Assigned, Genesis
from minichain.ledger.types import Call, Event, Receipt
from minichain.sharding.assignment import RANDOMNESS, commitment, mixed

LOT = bytes(range(RANDOMNESS))
PEOPLE = tuple(f"v{number:02}" for number in range(30))


def lots(number: int) -> bytes:
    return sha256(b"%d" % number).digest()


def seat(name: str, weight: int = 1) -> list[Any]:
    return [name, key(name).did, weight]


# --- chains ---------------------------------------------------------------------------------------------------------


class World:
    """A coordinating chain with shards of four whose founders it has drawn; messages are carried by hand."""

    def __init__(self, shards: int = 2, people: int = 10, **settings: Any) -> None:
        self.coordinator = Chain("coordinator")
        self.names = {key(name).did: name for name in PEOPLE[:people]}
        names = [f"shard-{number}" for number in range(shards)]
        setup = {"size": 4, "turnover": 1, "commit_blocks": 30, "reveal_blocks": 30}
        validators = [[name, did] for did, name in self.names.items()]
        args = {**setup, "validators": validators, "shards": [[name, []] for name in names], **settings}
        deploy = {"name": "shards", "source": SHARDS, "args": args}
        assert self.coordinator.do("bank", Call("ledger", "deploy", deploy)).ok
        self.epoch()
        founders = [self.entries(one["members"]) for one in self.shown()]
        self.shards = [
            Chain(name, members=members, membership=Assigned()) for name, members in zip(names, founders, strict=True)
        ]
        for shard in self.shards:
            join(shard, self.coordinator)
            join(self.coordinator, shard)
            assert self.act("carrier", "begin", chain=shard.genesis.spec.chain_id).ok

    @staticmethod
    def entries(members: Iterable[Sequence[Any]]) -> tuple[Member, ...]:
        return tuple(Member(name, key(name).public, weight) for name, _, weight in members)

    def act(self, who: str, action: str, /, **args: Any) -> Receipt:
        return self.coordinator.do(who, Call("shards", action, args))

    def ask(self, view: str, **args: Any) -> Any:
        return self.coordinator.ask("shards", view, **args)

    def shown(self) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = self.ask("committees")
        return shown

    def until(self, phase: str) -> None:
        while self.ask("phase")["phase"] != phase:
            self.coordinator.do("carrier", builders.transfer("shop", 1))

    def epoch(self, *, reveal: bool = True) -> Receipt:
        """Let everybody commit and reveal, turn, and tell whoever is to be told."""
        number, active = self.ask("epoch"), [one for one in self.ask("registered") if not one["is_excluded"]]
        secrets = {one["did"]: lots(number * 100 + place) for place, one in enumerate(active)}
        self.until("commit")
        for did, secret in secrets.items():
            assert self.act(self.names[did], "commit", digest=commitment(number, did, secret)).ok
        self.until("reveal")
        for did, secret in secrets.items():
            assert not reveal or self.act(self.names[did], "reveal", secret=secret).ok
        self.until("turn")
        receipt = self.coordinator.do("carrier", Call("shards", "turn"), Call("shards", "tell"))
        assert receipt.ok, receipt.error
        return receipt


def join(one: Chain, other: Chain) -> None:
    """Let the members of one chain agree to follow another."""
    args = {"spec": encode(other.genesis.spec), "mints": False, "trusting_ms": DAY, "checkpoint": b""}
    for member in one.committees[-1].members:
        assert one.do(member.name, Call("ledger", "connect", args)).ok
        if one.state.values.get(encode(["remote", other.genesis.spec.chain_id])):
            return


def handover(source: Chain, height: int = 0) -> Handover:
    """Return a block of a chain, with the next committee where that changes."""
    height = height or len(source.blocks)
    final, _ = source.blocks[height - 1]
    before, after = source.committees[height - 1 : height + 1]
    return Handover(final.block.header, final.certificate, () if before.hash == after.hash else after.members)


def bring(target: Chain, source: Chain, step: Handover) -> Receipt:
    where = {"chain": source.genesis.spec.chain_id, "block": encode(step)}
    return target.do("carrier", Call("ledger", "follow", where))


def told_at(world: World, shard: Chain) -> int:
    """Return the height at which the coordinator last told a shard something."""
    blocks = world.coordinator.blocks
    heights = [h for h, (_, made) in enumerate(blocks, 1) if any(is_for(shard, event) for event in made[0].events)]
    return heights[-1]


def is_for(shard: Chain, event: Event) -> bool:
    return event.name == "Sent" and event.data["to"] == shard.genesis.hash


def exchange(world: World, shard: Chain) -> Receipt:
    """Carry what the coordinator told to a shard, and the handover and the answer back; return what the shard did."""
    receipt = carry(shard, world.coordinator, told_at(world, shard))
    assert receipt.ok
    assert bring(world.coordinator, shard, handover(shard)).ok
    assert world.coordinator.do("carrier", delivery(shard)).ok
    return receipt


def moved(world: World) -> Chain:
    """Let epochs turn until a shard is told of a change; return that shard."""
    while True:
        world.epoch()
        for shard, one in zip(world.shards, world.shown(), strict=True):
            if one["state"] == "told":
                return shard


def names(members: Iterable[Any]) -> set[str]:
    return {member.name for member in members}


def test_epochs_turn_and_shards_hand_over_as_they_are_told() -> None:
    world = World()
    assert [one["state"] for one in world.shown()] == ["settled", "settled"]
    for number in (2, 3, 4):
        before = [shard.committees[-1] for shard in world.shards]
        world.epoch()
        for place, (shard, one, old) in enumerate(zip(world.shards, world.shown(), before, strict=True)):
            wanted = world.entries(one["members"])
            if one["state"] == "told":
                assert one["epoch"] == number
                exchange(world, shard)
            assert shard.committees[-1].members == wanted
            assert len(names(old.members) & names(wanted)) >= 3
            assert world.shown()[place]["state"] == "settled"
    changed = [names(shard.committees[-1].members) != names(shard.genesis.committee.members) for shard in world.shards]
    assert all(changed), "in three epochs somebody has moved"
    shard = world.shards[0]
    shard.do("carrier", builders.transfer("shop", 1))
    assert bring(world.coordinator, shard, handover(shard)).ok, "the present committee is the one that is believed"


# --- who lies -------------------------------------------------------------------------------------------------------


def test_only_the_committee_of_a_shard_signs_for_it_and_only_while_it_is_that() -> None:
    world = World()
    shard = moved(world)
    other = next(one for one in world.shards if one is not shard)
    old = shard.committees[-1]
    assert exchange(world, shard).ok
    shard.do("carrier", builders.transfer("shop", 1))
    header, block = shard.blocks[-1][0].block.header, shard.blocks[-1][0].block
    good = handover(shard)
    new = good.certificate.signatures
    lies = {
        "another shard": (finalise(shard.genesis, block, by=other.committees[-1]).certificate, "signature of"),
        "a stale committee": (finalise(shard.genesis, block, by=old).certificate, "signature of"),
        "a minority": (msgspec.structs.replace(good.certificate, signatures=new[:2]), "not more than two thirds"),
    }
    for name, (certificate, words) in lies.items():
        refused = bring(world.coordinator, shard, Handover(header, certificate, ()))
        assert refused.outcome == "fault", name
        assert words in refused.error, name
    assert bring(world.coordinator, shard, good).ok


def test_a_committee_that_has_handed_over_certifies_nothing_any_more() -> None:
    """Its members make a block of their own on top of the past, and sign it all."""
    world = World()
    shard = moved(world)
    fork, _, _ = shard.build([])
    old = shard.committees[-1]
    assert exchange(world, shard).ok
    step = Handover(fork.header, finalise(shard.genesis, fork, by=old).certificate, ())
    assert "the committee trusted here begins after height" in bring(world.coordinator, shard, step).error
    later = msgspec.structs.replace(fork, header=msgspec.structs.replace(fork.header, height=len(shard.blocks) + 1))
    step = Handover(later.header, finalise(shard.genesis, later, by=old).certificate, ())
    assert "names another committee" in bring(world.coordinator, shard, step).error


def test_nobody_but_the_coordinator_s_contract_assigns() -> None:
    """An account of the coordinator, a contract of another chain, an account of the shard itself."""
    world = World()
    shard, other = world.shards
    join(shard, other)
    join(other, shard)
    members = [[member.name, member.did, 1] for member in shard.committees[-1].members]
    asked = {"chain": "shard-0", "contract": "members", "name": "assign", "gas": 5_000_000, "within_ms": 60_000}
    message = Call("bridge", "send", {**asked, "arguments": {"epoch": 99, "members": members}})
    for source in (world.coordinator, other):
        assert source.do("bank", message).ok
        answered = carry(shard, source)
        told = [event.data for event in answered.events if event.name == "Received"]
        assert [one["outcome"] for one in told] == ["failed"]
        assert "only coordinator:shards assigns" in told[0]["reason"]
    claim = {"origin": "coordinator:shards", "epoch": 99, "members": members}
    assert "only coordinator:shards assigns" in shard.do("bank", Call("members", "assign", claim)).error
    forged = {**asked, "arguments": {"epoch": 99, "members": members, "origin": "coordinator:shards"}}
    assert "who asks is said by the bridge" in other.do("bank", Call("bridge", "send", forged)).error
    assert shard.committees[-1].hash == shard.genesis.committee.hash


# --- chance ---------------------------------------------------------------------------------------------------------


def test_who_commits_and_does_not_reveal_sits_out_the_next_draw() -> None:
    world = World()
    sitting = [member.name for shard in world.shards for member in shard.committees[-1].members]
    silent, number = sitting[0], world.ask("epoch")
    world.until("commit")
    assert world.act(silent, "commit", digest=commitment(number, key(silent).did, LOT)).ok
    world.until("turn")
    (turned, *_) = world.act("carrier", "turn").events
    assert turned.data["late"] == [key(silent).did]
    seated = {name for one in world.shown() for name, _, _ in one["members"]}
    assert silent not in seated, "there were others for its seat"
    assert len(seated) == 8


def test_secrets_are_shown_once_in_time_and_as_committed() -> None:
    world = World()
    number, did, act = world.ask("epoch"), key("v00").did, world.act
    digest = commitment(number, did, LOT)
    assert "this is the phase commit" in act("v00", "reveal", secret=LOT).error
    assert "this is the phase commit" in act("bank", "turn").error
    assert "only a registered validator" in act("bank", "commit", digest=digest).error
    assert "a digest has 32 bytes" in act("v00", "commit", digest=b"x").error
    assert act("v00", "commit", digest=digest).ok
    assert "committed in this epoch already" in act("v00", "commit", digest=bytes(32)).error
    assert act("v01", "commit", digest=digest).ok, "a copy, which its maker cannot open"
    world.until("reveal")
    assert "this is the phase reveal" in act("v02", "commit", digest=digest).error
    assert "this is the phase reveal" in act("bank", "turn").error
    assert "not what you have committed to" in act("v00", "reveal", secret=bytes(32)).error
    assert "a secret has 32 bytes" in act("v00", "reveal", secret=b"").error
    assert act("v00", "reveal", secret=LOT).ok
    assert "revealed in this epoch already" in act("v00", "reveal", secret=LOT).error
    assert "not what you have committed to" in act("v01", "reveal", secret=LOT).error
    assert "have not committed" in act("v02", "reveal", secret=LOT).error
    former = world.ask("randomness")
    world.until("turn")
    assert "this is the phase turn" in act("v01", "reveal", secret=LOT).error
    assert act("bank", "turn").ok
    assert world.ask("randomness") == mixed(former, {did: LOT})
    assert "this is the phase commit" in act("bank", "turn").error


def test_whoever_comes_when_secrets_are_known_is_drawn_an_epoch_later() -> None:
    world = World()
    number = world.ask("epoch")
    assert world.act("early", "register", name="early").results == (number,)
    world.until("reveal")
    assert world.act("late", "register", name="late").results == (number + 1,)
    assert "withdraws itself" in world.act("v01", "withdraw", did=key("v00").did).error
    assert world.act("v00", "withdraw", did=key("v00").did).results == (number + 1,)
    assert "has withdrawn already" in world.act("v00", "withdraw", did=key("v00").did).error
    assert "not registered" in world.act("v29", "withdraw", did=key("v29").did).error


def test_too_few_validators_are_told_by_name_and_the_epoch_turns_all_the_same() -> None:
    coordinator = Chain("coordinator")
    setup = {"size": 4, "turnover": 1, "commit_blocks": 1, "reveal_blocks": 1}
    validators = [[name, key(name).did] for name in PEOPLE[:7]]
    args = {**setup, "validators": validators, "shards": [["shard-0", []], ["shard-1", []]]}
    assert coordinator.do("bank", Call("ledger", "deploy", {"name": "shards", "source": SHARDS, "args": args})).ok
    coordinator.do("bank", builders.transfer("shop", 1))
    coordinator.do("bank", builders.transfer("shop", 1))
    (_, undrawn) = coordinator.do("bank", Call("shards", "turn")).events
    assert undrawn.data["reason"] == "shard-1 would have 3 of 4 members: register 1 more validators"
    assert coordinator.ask("shards", "epoch") == 2
    assert [one["members"] for one in coordinator.ask("shards", "committees")] == [[], []]


def test_an_authority_admits_withdraws_and_adds_where_there_is_one() -> None:
    world = World(authority=key("bank").did)
    assert "has not admitted this key" in world.act("new", "register", name="new").error
    assert "only the authority admits" in world.act("new", "admit", did=key("new").did).error
    assert world.act("bank", "admit", did=key("new").did).ok
    assert world.act("new", "register", name="new").ok
    assert world.act("bank", "withdraw", did=key("new").did).ok
    assert "only the authority adds" in world.act("new", "add", chain="shard-2", founders=[]).error
    assert world.act("bank", "add", chain="shard-2", founders=[]).ok
    assert "has no founders yet" in world.act("bank", "begin", chain="shard-2").error
    for name in PEOPLE[20:26]:
        assert world.act("bank", "admit", did=key(name).did).ok
        assert world.act(name, "register", name=name).ok
    world.until("turn")
    assert world.act("bank", "turn").ok
    assert len(world.shown()[2]["members"]) == 4
    assert "this chain is not connected to shard-2" in world.act("bank", "begin", chain="shard-2").error


def test_a_committee_that_the_ledger_refuses_fails_as_a_message_and_holds_up_nothing() -> None:
    """A key that nobody can own, as a careless deployer of the coordinator's contract may name it."""
    members, shard = (
        [seat(name) for name in "abcd"],
        Chain("shard-0", members=World.entries(map(seat, "abcd")), membership=Assigned()),
    )
    nobody = did_of(next(one for one in map(lots, range(99)) if not is_key(one)))
    coordinator = Chain("coordinator")
    setup = {"size": 4, "turnover": 1, "commit_blocks": 20, "reveal_blocks": 1}
    args = {**setup, "validators": [*[one[:2] for one in members], ["x", nobody]]}
    args["shards"] = [["shard-0", [did for _, did, _ in members]]]
    assert coordinator.do("bank", Call("ledger", "deploy", {"name": "shards", "source": SHARDS, "args": args})).ok
    join(shard, coordinator)
    join(coordinator, shard)
    assert coordinator.do("bank", Call("shards", "begin", {"chain": "shard-0"})).ok
    assert coordinator.do("a", Call("shards", "withdraw", {"did": key("a").did})).ok
    while coordinator.ask("shards", "phase")["phase"] != "turn":
        coordinator.do("carrier", builders.transfer("shop", 1))
    assert coordinator.do("carrier", Call("shards", "turn"), Call("shards", "tell")).ok
    taken = carry(shard, coordinator)
    assert taken.ok
    (event,) = taken.events
    assert (event.name, event.data["outcome"]) == ("Received", "failed")
    assert "planned a committee that cannot be" in event.data["reason"]
    assert shard.committees[-1].hash == shard.genesis.committee.hash
    assert carry(coordinator, shard).ok
    assert coordinator.ask("shards", "committees")[0]["state"] == "due"


def is_key(public: bytes) -> bool:
    try:
        curve_public(public)
    except DecodeError:
        return False
    return True


def test_nobody_but_the_bridge_says_what_a_shard_has_answered() -> None:
    world = World()
    shard = moved(world).genesis.spec.chain_id
    number = world.coordinator.ask("bridge", "channel", chain=shard)["sent"]
    told = {"chain": shard, "number": number, "outcome": "done", "result": []}
    assert "only the bridge tells" in world.act("bank", "heard", **told).error
    assert f"{shard} is not to be told anything now" in world.act("bank", "tell", chain=shard).error


# --- evidence -------------------------------------------------------------------------------------------------------


def double_vote(genesis: Genesis, name: str, height: int = 1) -> tuple[bytes, bytes]:
    votes = [cast_vote(key(name), genesis.hash, PREVOTE, height, 0, block) for block in (bytes(32), None)]
    return encode(votes[0]), encode(votes[1])


def report(world: World, chain: str, first: Any, second: Any) -> Receipt:
    return world.coordinator.do("bank", Call("ledger", "report", {"chain": chain, "first": first, "second": second}))


def test_who_contradicts_itself_on_a_shard_is_excluded_and_replaced() -> None:
    world = World()
    shard = world.shards[1]
    guilty = shard.committees[-1].members[2]
    receipt = report(world, "shard-1", *double_vote(shard.genesis, guilty.name))
    assert receipt.ok, receipt.error
    (told,) = receipt.events
    assert told.data == {"did": guilty.did, "chain": "shard-1", "height": 1, "kind": "double prevote"}
    assert "excluded already" in report(world, "shard-1", *double_vote(shard.genesis, guilty.name, 2)).error
    assert "excluded for good" in world.act(guilty.name, "commit", digest=bytes(32)).error
    again = world.act(guilty.name, "register", name="another")
    assert "registered already, leaving, or excluded" in again.error
    world.epoch()
    assert exchange(world, shard).ok
    assert guilty.name not in names(shard.committees[-1].members)
    for _ in range(3):
        world.epoch()
        assert all(guilty.did not in [did for _, did, _ in one["members"]] for one in world.shown())


def test_what_is_no_evidence_excludes_nobody() -> None:
    world = World()
    shard, member = world.shards[0].genesis, world.shards[0].genesis.committee.members[0].name
    first, second = double_vote(shard, member)
    lies = {
        "another shard's": (report(world, "shard-1", first, second), "has not signed both of them for this chain"),
        "half another shard's": (
            report(world, "shard-0", first, double_vote(world.shards[1].genesis, member)[1]),
            "has not signed both of them for this chain",
        ),
        "one vote": (report(world, "shard-0", first, first), "not two statements"),
        "two heights": (report(world, "shard-0", first, double_vote(shard, member, 2)[1]), "not two statements"),
        "no votes": (report(world, "shard-0", b"", second), "ledger.report takes `first` and `second`"),
        "a stranger": (report(world, "shard-0", *double_vote(shard, "bank")), "not registered as a validator"),
        "no such chain": (report(world, "shard-9", first, second), "not connected to that one"),
    }
    for name, (receipt, words) in lies.items():
        assert words in receipt.error, name
    claim = {"did": key(member).did, "chain": "shard-0", "height": 1, "kind": "double prevote"}
    assert "only the ledger excludes" in world.act("bank", "exclude", **claim).error
    assert not any(one["is_excluded"] for one in world.ask("registered"))


def test_a_shard_that_forked_is_not_believed_but_who_forked_it_is_found() -> None:
    world = World()
    shard = world.shards[0]
    twin, _, _ = shard.build([])
    shard.do("carrier", builders.transfer("shop", 1))
    assert bring(world.coordinator, shard, handover(shard)).ok
    fraud = Handover(twin.header, finalise(shard.genesis, twin).certificate, ())
    assert bring(world.coordinator, shard, fraud).results == ("forked",)
    height, guilty = twin.header.height, shard.committees[-1].members[0]
    ids = (twin.header.id, shard.blocks[-1][0].block.header.id)
    votes = [encode(cast_vote(key(guilty.name), shard.genesis.hash, PRECOMMIT, height, 0, one)) for one in ids]
    assert report(world, "shard-0", *votes).ok


# --- old headers ----------------------------------------------------------------------------------------------------


def trace(target: Chain, source: Chain, *heights: int) -> Receipt:
    line = tuple(source.blocks[height - 1][0].block.header for height in heights)
    where = {"chain": source.genesis.spec.chain_id, "headers": encode(line)}
    return target.do("carrier", Call("ledger", "trace", where))


def test_what_an_old_committee_certified_still_arrives_by_its_descendants() -> None:
    world = World()
    shard, coordinator = moved(world), world.coordinator
    send = {"chain": "coordinator", "contract": "nobody", "name": "note", "arguments": {}, "gas": 1_000_000}
    assert shard.do("bank", Call("bridge", "send", {**send, "within_ms": DAY})).ok
    sent = len(shard.blocks)
    shard.do("carrier", builders.transfer("shop", 1))
    assert exchange(world, shard).ok
    top = coordinator.ask("bridge", "channel", chain=shard.genesis.spec.chain_id)["received"]
    assert "begins after height" in bring(coordinator, shard, handover(shard, sent)).error
    line = range(len(shard.blocks), sent - 1, -1)
    lies = {
        "a gap": ((line[0], line[2], line[3]), "is not its parent's"),
        "not from there": (tuple(line[1:]), "is not a block of shard"),
        "upwards": ((line[0], line[0]), "is not its parent's"),
        "alone": ((line[0],), "its ancestors after it"),
    }
    for name, (heights, words) in lies.items():
        assert words in trace(coordinator, shard, *heights).error, name
    real = shard.blocks[line[0] - 1][0].block.header
    parent = msgspec.structs.replace(real, height=line[1], receipt_root=bytes(32))
    forged = (msgspec.structs.replace(real, parent=parent.id), parent)
    where = {"chain": shard.genesis.spec.chain_id, "headers": encode(forged)}
    refused = coordinator.do("carrier", Call("ledger", "trace", where))
    assert "is not a block of shard" in refused.error, "of a followed height, and another header"
    traced = trace(coordinator, shard, *line)
    assert traced.results == ("followed",)
    assert [event.data["height"] for event in traced.events] == list(line[1:])
    assert coordinator.do("carrier", delivery(shard, sent)).ok
    assert coordinator.ask("bridge", "channel", chain=shard.genesis.spec.chain_id)["received"] == top + 1
    wrong = {"chain": shard.genesis.spec.chain_id, "headers": b"x"}
    assert "`headers` is not the encoding of headers" in coordinator.do("bank", Call("ledger", "trace", wrong)).error


def test_ancestors_that_contradict_what_is_followed_prove_a_fork() -> None:
    """A committee makes two branches final, at different heights: the longer one's line names the other's parent."""
    world = World()
    coordinator, shard = world.coordinator, world.shards[0]
    fork, _, _ = shard.build([])
    shard.do("carrier", builders.transfer("shop", 1))
    shard.do("carrier", builders.transfer("shop", 1))
    assert bring(coordinator, shard, handover(shard)).ok
    fraud = Handover(fork.header, finalise(shard.genesis, fork).certificate, ())
    assert bring(coordinator, shard, fraud).ok, "of another height: nothing contradicts it yet"
    height = len(shard.blocks)
    assert trace(coordinator, shard, height, height - 1).results == ("forked",)
    assert "it is not believed any more" in bring(coordinator, shard, handover(shard)).error
