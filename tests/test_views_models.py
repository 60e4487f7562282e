"""Models are tested with a recorded client: what it was asked, and what a page then knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from minichain.client.network import NodeReport
from minichain.codec import encode
from minichain.errors import NetworkError
from minichain.ledger.certificate import FinalBlock, QuorumCertificate
from minichain.ledger.committee import Member
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.ledger.types import Block, Call, Header, Receipt, SignedTransaction, Transaction
from minichain.node.messages import BlockDetail, NodeStatus
from minichain.views.models import ChainModel, ChainReader, ChainSource, node_cards

NAMES = ("street office", "plant", "auditor", "council")
MEMBERS = tuple(Member(name, bytes([i]) * 32) for i, name in enumerate(NAMES, 1))
GENESIS = Genesis(ChainSpec(chain_id="recorded", members=MEMBERS))


def chain(length: int, genesis: bytes = bytes(32), signers: tuple[int, ...] = (0, 1, 3)) -> list[BlockDetail]:
    """Record blocks of which the first holds one transaction, the second two, and so on."""
    blocks: list[BlockDetail] = []
    committee = GENESIS.committee.hash
    for height in range(1, length + 1):
        parent = blocks[-1].final.block.header.id if blocks else bytes(32)
        proposer = MEMBERS[height % 4].public
        header = Header(
            genesis, height, 1000 * height, parent, proposer, height, *[bytes(32)] * 3, committee, committee
        )
        seal = QuorumCertificate(height, 0, header.id, tuple((position, b"") for position in signers))
        body = Transaction("recorded", genesis, bytes(32), 0, (Call("notes", "write"),), 1, 1)
        signed = SignedTransaction(body, bytes(64))
        receipts = tuple(Receipt(bytes([i]) * 32, height, i, "ok", "", 1, (), ()) for i in range(height))
        final = FinalBlock(Block(header, (encode(signed),) * height), seal)
        blocks.append(BlockDetail(final, receipts, MEMBERS))
    return blocks


def report(name: str, height: int, head: bytes = b"", is_up: bool = True) -> NodeReport:
    status = NodeStatus(name, b"", height, head, b"", 0, 0, (), {}, 0, {})
    return NodeReport(name, b"", is_up, status if is_up else None, None)


@dataclass
class RecordedClient:
    """Answers from a recording and writes down what it was asked."""

    chain: list[BlockDetail]
    genesis: Genesis = GENESIS
    asked: list[int] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)

    def status(self) -> list[NodeReport]:
        if not self.chain:
            return [report("a", 0, is_up=False)]
        header = self.chain[-1].final.block.header
        return [report("a", header.height, header.id), report("b", 0, is_up=False)]

    def block(self, height: int) -> BlockDetail:
        self.asked.append(height)
        return self.chain[height - 1]

    def headers(self, first: int, count: int) -> list[tuple[Header, int]]:
        self.counted += range(first, first + count)
        blocks = [detail.final.block for detail in self.chain[first - 1 : first - 1 + count]]
        return [(block.header, len(block.txs)) for block in blocks]

    def contracts(self) -> list[tuple[str, str, int]]:
        return [("notes", "did:key:z", 1)]

    def view(self, contract: str, name: str, args: dict[str, Any]) -> Any:
        raise AssertionError("there is no registry to ask")


def test_a_recorded_client_is_a_chain_source():
    source: ChainSource = RecordedClient(chain(1))
    assert source.block(1).final.block.header.height == 1


def test_a_reader_asks_only_for_what_is_new():
    client, read = RecordedClient(chain(20)), ChainReader(keep=5)
    assert [card.height for card in read(client).blocks] == [16, 17, 18, 19, 20]
    read(client)
    client.chain = chain(22)
    assert [card.height for card in read(client).blocks] == [18, 19, 20, 21, 22]
    assert client.asked == [16, 17, 18, 19, 20, 21, 22]
    assert client.counted == list(range(1, 23))


def test_a_reader_starts_over_when_the_network_was_started_anew():
    client, read = RecordedClient(chain(20)), ChainReader(keep=5)
    read(client)
    client.chain = chain(23, genesis=b"\7" * 32)
    cards = read(client).blocks
    assert [card.height for card in cards] == [19, 20, 21, 22, 23]
    assert cards[0].id == client.chain[18].final.block.header.id


def test_a_reader_follows_a_network_that_is_shorter_than_before():
    client, read = RecordedClient(chain(20)), ChainReader(keep=5)
    read(client)
    client.chain = chain(3, genesis=b"\7" * 32)
    assert [card.height for card in read(client).blocks] == [1, 2, 3]


def test_a_block_card_says_who_made_it_and_whether_enough_signed():
    card = ChainReader()(RecordedClient(chain(2))).blocks[-1]
    assert (card.proposer, card.txs, card.signed, card.members, card.is_final) == ("auditor", 2, 3, 4, True)
    assert not ChainReader()(RecordedClient(chain(2, signers=(0, 1)))).blocks[-1].is_final


def test_a_reader_tells_each_transaction_and_counts_all():
    client, model = RecordedClient(chain(20)), ChainModel()
    model.show(ChainReader(keep=3)(client))
    assert model.txs == sum(range(21))
    assert [(entry.height, entry.receipt.index) for entry in model.recent[:2]] == [(20, 19), (20, 18)]
    assert model.recent[0].calls == (Call("notes", "write"),)


def test_the_age_of_the_last_block_is_counted_on_the_clock_the_chain_has(monkeypatch):
    client, read = RecordedClient(chain(3)), ChainReader()
    monkeypatch.setattr("time.time", lambda: 63.5)
    assert read(client).age_s == 60
    logical = Genesis(ChainSpec(chain_id="recorded", members=MEMBERS, clock="logical"))
    assert ChainReader()(RecordedClient(chain(3), genesis=logical)).age_s == 0


def test_a_chain_without_a_block_has_nothing_to_show_yet():
    client = RecordedClient(chain(1))
    client.status = lambda: [report("a", 0)]
    snapshot = ChainReader()(client)
    assert (snapshot.height, snapshot.blocks, snapshot.age_s, len(snapshot.nodes)) == (0, (), None, 1)


def test_nodes_are_judged_by_the_highest_that_is_up():
    cards = node_cards([report("a", 10), report("b", 9), report("c", 7), report("d", 99, is_up=False)])
    assert [card.state for card in cards] == ["ok", "ok", "warn", "bad"]
    assert node_cards([]) == ()


def test_a_network_with_every_node_down_does_not_answer():
    with pytest.raises(NetworkError, match="minichain up"):
        ChainReader()(RecordedClient([]))


def test_views_hear_of_a_change_once_and_of_no_change_never(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 63.5)
    client, read, model = RecordedClient(chain(3)), ChainReader(), ChainModel()
    heard: list[str] = []
    model.observe(lambda change: heard.append(change.name))
    model.show(read(client))
    model.show(read(client))
    assert sorted(heard) == ["age_s", "blocks", "contracts", "genesis", "height", "names", "nodes", "txs"]
    assert model.in_step == 1
