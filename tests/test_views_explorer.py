"""The explorer knows what a network really did, and tells it in plain sentences; it is driven without a browser."""

from __future__ import annotations

import asyncio

import pytest
from test_views_chain_types import text
from wasteday import act, played

from minichain.errors import CallFailed, NetworkError, ProofError, TimedOut, UsageError
from minichain.views import explorer, i18n, telling
from minichain.views.markup import join
from minichain.views.models import ChainReader


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


@pytest.fixture
def model():
    made = explorer.Explorer()
    made.show(ChainReader()(played()))
    return made


def told(entry, model) -> str:
    return join(telling.tell(entry, model.names)[1]).removeprefix("<span>").removesuffix(" </span>")


def test_it_knows_the_chain_its_keepers_and_its_contracts(model):
    assert model.height == played().height()
    assert model.txs == sum(txs for _header, txs in played().headers(1, 500))
    assert [(node.name, node.state) for node in model.nodes] == [("node-0", "ok")]
    assert [name for name, _deployer, _height in model.contracts] == ["identity", "waste-registry", "waste"]


def test_a_transaction_is_told_with_the_names_of_the_registry(model):
    act(played(), "School kitchen", "report_incident", number="HH-20260109", kind="delay", comment="the lift is stuck")
    model.show(ChainReader()(played()))
    assert told(model.recent[0], model) == "School kitchen reported an incident on manifest HH-20260109."
    i18n.use("zh")
    assert told(model.recent[0], model) == "学校食堂报告了联单 HH-20260109的事件。"


def test_a_refusal_is_told_in_the_contracts_own_words(model):
    with pytest.raises(CallFailed):
        act(played(), "Vegetable market", "take_over", number="HH-20260109")
    model.show(ChainReader()(played()))
    state, _words = telling.tell(model.recent[0], model.names)
    assert state == "warn"
    assert told(model.recent[0], model).startswith("Vegetable market was refused: only transporter 1")


def test_a_stranger_is_told_by_part_of_the_account(model):
    assert telling.name_of("did:key:z6MkStranger000000", model.names) == "account z6MkStranger…"


def test_a_block_is_found_by_its_number_or_by_a_transaction(model):
    block = model.blocks[-1]
    assert explorer.find(f" {block.height:,} ", played()).id == block.id
    assert explorer.find(block.entries[0].id.upper(), played()).id == block.id


@pytest.mark.parametrize("text", ["", "twelve", "-1", "ab" * 31, "zz" * 32, "9" * 63])
def test_what_is_neither_is_answered_with_advice(text):
    with pytest.raises(UsageError, match="Write the number"):
        explorer.find(text, played())


def test_what_is_not_there_is_said_by_the_node():
    with pytest.raises(UsageError, match="no block 100000"):
        explorer.find("100000", played())
    with pytest.raises(UsageError, match="no final transaction"):
        explorer.find("00" * 32, played())


def test_a_proof_is_taken_checked_and_cheated_with_on_a_copy(model):
    model.proof = explorer.take_proof(model.recent[0].id, played())
    assert model.copy is None
    assert "Proven" in explorer._result(model, model.proof)
    model.wish = "something else"
    assert "Not proven" in explorer._result(model, model.copy)
    model.effort = 3
    assert "another chain" in explorer._result(model, model.copy)
    model.wish = str(model.spots[0].value)
    assert model.copy is None


def test_another_proof_on_the_desk_ends_the_cheat(model):
    model.proof = explorer.take_proof(model.recent[-1].id, played())
    model.wish, model.effort = "x", 2
    model.proof = explorer.take_proof(model.recent[0].id, played())
    assert (model.copy, model.effort, model.spot) == (None, 0, 0)


def dropdowns(widget) -> list:
    """List the dropdowns inside a widget."""
    found = [widget] if type(widget).__name__ == "Dropdown" else []
    return found + [drop for child in getattr(widget, "children", ()) for drop in dropdowns(child)]


def test_what_can_be_changed_follows_the_proof_on_the_desk(model):
    box = explorer._cheating(model, None)
    many, few = (explorer.take_proof(entry.id, played()) for entry in (model.recent[-1], deployment()))
    for proof in (few, many, few):
        model.proof = proof
        spot = dropdowns(box)[0]
        assert len(spot.options) == len(model.spots)
        spot.value = len(model.spots) - 1
        assert model.spot == len(model.spots) - 1
        assert model.wish == str(model.spots[-1].value)


def deployment():
    """Return the first transaction of the day, which announced nothing."""
    return explorer.find("1", played()).entries[0]


def test_a_file_that_is_no_proof_is_refused():
    for data in (b"", b"{}", b"\xff", b"[" * 100_000):
        with pytest.raises(ProofError):
            explorer.read_proof(data)
    with pytest.raises(UsageError, match="too large"):
        explorer.read_proof(b" " * (explorer.MAX_PROOF_BYTES + 1))


def test_a_proof_from_a_file_is_the_proof_that_was_saved(model):
    proof = explorer.take_proof(model.recent[0].id, played())
    assert explorer.read_proof(proof.to_bytes()) == proof


@pytest.mark.parametrize(
    ("trouble", "card"),
    [
        (None, "minichain up"),
        (NetworkError("no network is running"), "minichain up"),
        (TimedOut("waited 30 s for block 7"), "This took too long"),
        (ValueError("a bug"), "Something went wrong on our side"),
    ],
)
def test_a_page_that_never_saw_a_network_says_why(trouble, card):
    page = explorer.page(lambda: None)
    page.live.trouble = trouble
    page.live.state = "lost"
    assert card in shown(page)
    assert "a bug" not in shown(page)
    page.live.state = "live"
    assert card not in shown(page)


def shown(page) -> str:
    return "".join(getattr(child, "value", "") for child in page.children)


def test_the_address_of_the_page_may_name_a_block(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "lang=en&block=3")

    async def visit() -> None:
        page = explorer.page(played)
        for _turn in range(1_000):  # of 20 ms: another thread fetches it
            if "Block before it" in text(page):
                break
            await asyncio.sleep(0.02)
        assert "Block 3" in text(page)

    asyncio.run(visit())


def test_a_dead_network_raises_what_the_page_waits_for():
    class Dead:
        def status(self):
            return []

    with pytest.raises(NetworkError):
        ChainReader()(Dead())
