"""Models are tested with a recorded client: what it was asked, and what a page then knows."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from minichain.ledger.certificate import FinalBlock, QuorumCertificate
from minichain.ledger.committee import Committee, Member
from minichain.ledger.types import NO_BLOCK, Block, Header
from minichain.views.models import ChainModel, ChainReader, ChainSource, node_cards

MEMBERS = [Member(name, bytes([i]) * 32) for i, name in enumerate(("street office", "plant", "auditor", "council"), 1)]
COMMITTEE = Committee(MEMBERS)


def chain(length: int, genesis: bytes = bytes(32), signers: tuple[int, ...] = (0, 1, 3)) -> list[FinalBlock]:
    blocks: list[FinalBlock] = []
    for height in range(1, length + 1):
        parent = blocks[-1].block.header.id if blocks else NO_BLOCK
        proposer = MEMBERS[height % 4].public
        header = Header(
            genesis, height, 1000 * height, parent, proposer, *[bytes(32)] * 3, COMMITTEE.hash, COMMITTEE.hash
        )
        seal = QuorumCertificate(height, 0, header.id, tuple((position, b"") for position in signers))
        blocks.append(FinalBlock(Block(header, (b"tx",) * height), seal))
    return blocks


@dataclass
class Status:
    name: str
    height: int
    is_up: bool = True
    public: bytes = b""


@dataclass
class RecordedClient:
    """Answers from a recording and writes down what it was asked."""

    chain: list[FinalBlock]
    statuses: list[Status] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)

    def head(self) -> Header:
        return self.chain[-1].block.header

    def blocks(self, start: int, count: int) -> list[FinalBlock]:
        self.asked.append((start, count))
        return self.chain[start - 1 : start - 1 + count]

    def status(self) -> list[Status]:
        return self.statuses


def test_a_recorded_client_is_a_chain_source():
    source: ChainSource = RecordedClient(chain(1))
    assert source.head().height == 1


def test_a_reader_asks_only_for_what_is_new():
    client, read = RecordedClient(chain(20)), ChainReader(COMMITTEE, keep=5)
    assert [card.height for card in read(client).blocks] == [16, 17, 18, 19, 20]
    read(client)
    client.chain = chain(22)
    assert [card.height for card in read(client).blocks] == [18, 19, 20, 21, 22]
    assert client.asked == [(16, 5), (21, 2)]


def test_a_reader_starts_over_when_the_network_was_started_anew():
    client, read = RecordedClient(chain(20)), ChainReader(COMMITTEE, keep=5)
    read(client)
    client.chain = chain(23, genesis=b"\7" * 32)
    cards = read(client).blocks
    assert [card.height for card in cards] == [19, 20, 21, 22, 23]
    assert cards[0].id == client.chain[18].block.header.id


def test_a_reader_follows_a_network_that_is_shorter_than_before():
    client, read = RecordedClient(chain(20)), ChainReader(COMMITTEE, keep=5)
    read(client)
    client.chain = chain(3, genesis=b"\7" * 32)
    assert [card.height for card in read(client).blocks] == [1, 2, 3]


def test_a_block_card_says_who_made_it_and_whether_enough_signed():
    card = ChainReader(COMMITTEE)(RecordedClient(chain(2))).blocks[-1]
    assert (card.proposer, card.txs, card.signed, card.members, card.is_final) == ("auditor", 2, 3, 4, True)
    assert not ChainReader(COMMITTEE)(RecordedClient(chain(2, signers=(0, 1)))).blocks[-1].is_final


def test_nodes_are_judged_by_the_highest_that_is_up():
    cards = node_cards([Status("a", 10), Status("b", 9), Status("c", 7), Status("d", 99, is_up=False)])
    assert [card.state for card in cards] == ["ok", "ok", "warn", "bad"]


def test_a_network_with_every_node_down_is_shown_as_that():
    assert [card.state for card in node_cards([Status("a", 10, is_up=False)])] == ["bad"]
    assert node_cards([]) == ()


def test_views_hear_of_a_change_once_and_of_no_change_never():
    client, read, model = RecordedClient(chain(3), [Status("a", 3)]), ChainReader(COMMITTEE), ChainModel()
    heard: list[str] = []
    model.observe(lambda change: heard.append(change.name))
    model.show(read(client))
    model.show(read(client))
    assert sorted(heard) == ["blocks", "height", "nodes"]
    assert model.in_step == 1


def test_what_a_client_raises_is_not_swallowed():
    client = RecordedClient([])
    with pytest.raises(IndexError):
        ChainReader(COMMITTEE)(client)
