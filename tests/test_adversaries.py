"""Faulty members by name: each makes the trouble it is named for, and less than a third of them stops nobody."""

from __future__ import annotations

from random import Random

import pytest

from minichain.codec import decode, encode
from minichain.consensus.bft import Equivocation, Proposal, Vote
from minichain.consensus.bft.messages import author, is_signed, sign_proposal
from minichain.crypto import is_valid_signature
from minichain.faults import adversaries
from minichain.faults.adversaries import ADVERSARIES, FIELDS, FOR_ANY_ENGINE, Insider, Mutator
from minichain.faults.timeline import Timeline, parse
from minichain.ledger.certificate import PRECOMMIT, PREVOTE
from minichain.node.core import Node
from minichain.node.messages import read_peer_message
from minichain.sim.clients import Load
from minichain.sim.player import chain_of, play, world_of
from minichain.sim.search import run
from minichain.sim.world import World

BAD = "node-2"
HONEST = ("node-0", "node-1", "node-3")
SEEDS = (1, 2, 3)


def trouble(character: str, seed: int, engine: str = "bft") -> Timeline:
    """Return a dozen requests to four members, of whom one is bad, and crashes now and then."""
    steps = [(0, f"behave {BAD} {character}")]
    steps += [(200 + 400 * number, "submit 2") for number in range(12)]
    for time in (900, 1_700, 2_650, 3_500):
        steps += [(time, f"crash {BAD}"), (time + 60, f"restart {BAD}")]
    options = [f"engine {engine}", f"seed {seed}", "delay 1 30", "loss 3"]
    return parse("\n".join([*options, *(f"at {time} {what}" for time, what in sorted(steps))]))


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("character", ADVERSARIES)
def test_one_of_four_stops_nobody(character: str):
    for seed in SEEDS:
        report = run(trouble(character, seed))
        assert not report.problem, f"seed {seed}: {report.words}"
        assert report.commits >= 3


@pytest.mark.parametrize("engine", ["raft", "pow"])
@pytest.mark.parametrize("character", FOR_ANY_ENGINE)
def test_who_is_rude_in_any_language_stops_no_other_engine(engine: str, character: str):
    report = run(trouble(character, 1, engine))
    assert not report.problem, report.words


def test_there_are_about_thirty_fields_and_each_has_its_mutation():
    assert len(FIELDS) >= 30
    assert {f"mutate:{field}" for field in FIELDS} <= ADVERSARIES.keys()
    for name in ("proposal.round", "proposal.header.state_root", "vote.block_id", "finalblocks.certificate.signatures"):
        assert name in FIELDS


def test_two_of_four_are_too_many():
    """Without this, the tests above would prove nothing: the adversaries can do harm."""
    lines = "at 0 behave node-2 silent\nat 0 behave node-3 silent\nat 0 submit 3"
    report = run(parse(lines))
    assert report.problem == "stall"
    assert "with 2 faulty members, more than bft promises to bear" in report.words


# --- each does what its name says -------------------------------------------------------------------------------------


def played(character: str, seed: int = 1) -> tuple[World, Load]:
    timeline = trouble(character, seed)
    world = world_of(timeline)
    return world, play(world, timeline)


def counters(world: World) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in HONEST:
        node = world.node(name)
        assert isinstance(node, Node)
        for counter, count in node.status().counters.items():
            found[counter] = found.get(counter, 0) + count
    return found


def evidence(world: World) -> list[Equivocation]:
    return [decode(data, Equivocation) for name in HONEST for data in world.store(name).evidence()]


@pytest.mark.parametrize("character", ["wrong-state", "double-spender", "forger"])
def test_an_invalid_block_is_found_invalid(character: str):
    assert counters(played(character)[0])["invalid_blocks"]


def test_a_block_of_other_transactions_than_it_names_is_rejected():
    assert counters(played("wrong-tx-root")[0])["rejected"]


@pytest.mark.parametrize("character", ["double-voter", "split-voter", "equivocator"])
def test_who_says_two_things_leaves_evidence(character: str):
    worlds = [played(character, seed)[0] for seed in range(1, 6)]
    found = [(proof, key_of(world)) for world in worlds for proof in evidence(world)]
    assert found
    for proof, key in found:
        assert author(proof.first) == author(proof.second) == key
        assert character != "double-voter" or (isinstance(proof.first, Vote) and proof.first.kind == PRECOMMIT)


def test_a_replayer_alone_is_no_equivocator():
    assert not evidence(played("replayer")[0])


def test_who_sends_garbage_is_counted():
    assert counters(played("garbage")[0])["garbage"] > 10


def test_an_amnesiac_contradicts_itself():
    found = []
    for seed in range(1, 9):
        lines = [f"seed {seed}", "delay 1 60", "loss 10", f"at 0 behave {BAD} amnesiac"]
        for time in range(100, 6_000, 150):
            lines += [f"at {time} submit 1", f"at {time + 60} crash {BAD}", f"at {time + 61} restart {BAD}"]
        timeline = parse("\n".join(lines))
        world = world_of(timeline)
        play(world, timeline)
        found += evidence(world)
    assert found


def test_a_censor_proposes_without_one_sender():
    world, load = played("censor")
    load.wait(5_000)
    assert not load.missing(), "whoever was left out is served by the next proposer"
    blocks = [world.store("node-0").block(at) for at in range(1, world.store("node-0").height() + 1)]
    by_censor = [final.block for final in blocks if final and final.block.header.proposer == key_of(world)]
    assert by_censor, "what it proposes is valid, and is decided"


def key_of(world: World) -> bytes:
    return next(member.public for member in world.genesis.committee.members if member.name == BAD)


# --- one message at a time --------------------------------------------------------------------------------------------


def insider() -> Insider:
    genesis, keys = chain_of(Timeline())
    return Insider(BAD, keys[BAD], genesis.hash, tuple(keys), lambda block, txs: block)


def test_a_mutation_changes_one_field_and_signs_it():
    me = insider()
    vote = adversaries.cast_vote(me.key, me.genesis, PREVOTE, 7, 2, b"b" * 32)
    for field in ("kind", "height", "round", "block_id", "voter", "signature"):
        changed = mutations(Mutator(f"vote.{field}", me), encode(vote))
        assert changed, field
        for other in changed:
            assert isinstance(other, Vote)
            signed = is_signed(other, me.genesis, is_valid_signature)
            assert signed == (field not in ("voter", "signature")), field
            same = {name for name in vote.__struct_fields__ if getattr(vote, name) == getattr(other, name)}
            assert same | {field, "signature"} == set(vote.__struct_fields__)


def mutations(mutate: Mutator, data: bytes) -> list[object]:
    random = Random(1)
    sent = [message for _ in range(20) for message in mutate("node-0", data, random)]
    assert data in sent, "some are left as they are"
    return [read_peer_message(message) for message in sent if message != data]


def test_a_changed_header_makes_another_block():
    me, world = insider(), played("silent")[0]
    final = world.store("node-0").block(1)
    assert final is not None
    proposal = sign_proposal(me.key, me.genesis, 1, 0, final.block, -1)
    for other in mutations(Mutator("proposal.header.time_ms", me), encode(proposal)):
        assert isinstance(other, Proposal)
        assert other.block.header.id != proposal.block.header.id
        assert is_signed(other, me.genesis, is_valid_signature)


def test_what_somebody_else_said_is_not_changed_into_its_own():
    me = insider()
    _, keys = chain_of(Timeline())
    vote = adversaries.cast_vote(keys["node-0"], me.genesis, PREVOTE, 7, 2, None)
    for other in mutations(Mutator("vote.round", me), encode(vote)):
        assert isinstance(other, Vote)
        assert not is_signed(other, me.genesis, is_valid_signature)
