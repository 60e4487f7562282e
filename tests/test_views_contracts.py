"""The page of a contract shows what is proven, tells what is proposed, and believes neither a node nor a proposer."""

from __future__ import annotations

import ast
import re
from dataclasses import replace as changed
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from test_decisions import DEARER, FREEZE, SHOP, UPGRADE, call, decide, found

import minichain as mc
from minichain.contracts import describe
from minichain.contracts.deployed import version_key
from minichain.contracts.system import GOVERNANCE
from minichain.crosschain.proofs import verify
from minichain.errors import ProofError, UsageError
from minichain.ledger.genesis import Work
from minichain.ledger.state import contract_key
from minichain.ledger.types import Event
from minichain.node.messages import AskState, StateAnswer
from minichain.views import contracts, explorer, i18n, telling
from minichain.views.markup import join
from minichain.views.models import ChainReader

HOSTILE = "x'}\"><script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


@cache
def town() -> tuple[mc.Network, list[mc.Wallet], Any]:
    """Start a chain whose shop was upgraded and restricted, with one more upgrade proposed, and other proposals."""
    net = mc.Network.simulated(4, seed=11, clock="wall", interval_ms=10)
    net.start()
    members = [net.wallet(name) for name in ("City", "District", "Operator")]
    governance = found(net, members)
    allow = call("ledger", "restrict", name="shop", action="buy", mode="allow", accounts=[members[1].did])
    decide(net, governance, members, [UPGRADE, allow])
    dearer = DEARER.replace("self.price\n", "self.price + 1\n", 1)
    propose = [call("ledger", "upgrade", name="shop", source=source, args={}) for source in (dearer, HOSTILE)]
    governance.propose("Dearer still", "Costs rise on.", [propose[0]])
    governance.vote(2, "yes")
    governance.propose(HOSTILE, HOSTILE, [propose[1]])
    governance.propose("Stop it", "It is broken.", [FREEZE])
    return net, members, governance


def shown(name: str, net: mc.Network | None = None) -> str:
    """Return the markup of the page of a contract, without the marks on its terms."""
    model = explorer.Explorer()
    model.show(ChainReader()(net or town()[0]))
    model.reading = contracts.read(name, net or town()[0])
    made = " ".join(markup(widget) for widget in contracts._opened(model))
    return re.sub(r'<span class="mc-term"[^>]*>([^<]*)</span>', r"\1", made)


def markup(widget: Any) -> str:
    inner = " ".join(map(markup, getattr(widget, "children", ())))
    return f"{getattr(widget, 'value', '')} {getattr(widget, 'description', '')} {inner}"


def test_the_page_shows_what_the_chain_keeps_of_a_contract() -> None:
    page = shown("shop")
    height = town()[0].height()
    for words in (
        "shop · version 2",
        f"Read out of the state after block {height}",
        "The block is certified by node-",
        "the contract governance",
        "only these may",
        "version 2 · by the contract governance in block",
        "version 1 · by City in block",
        "It keeps one thing more: <code",
        "def migrate(self, price: int)",
        "SHA-256",
    ):
        assert words in page, words
    assert page.count("mc-added") >= 3


def test_what_is_proposed_is_told_with_its_difference_and_its_votes() -> None:
    page = shown("shop")
    assert "Dearer still" in page
    assert "1 of 3" in page
    assert "+        return count * self.price + 1" in page
    assert "it carries no proof" in page
    assert "has not voted" in page
    assert "This source is not in the contract language" in page, "what the ledger would refuse is shown as that"
    assert "Stop it" not in page, "that proposal changes no source"
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_contract_that_nobody_can_change_says_so_and_a_frozen_one_too() -> None:
    assert "nobody: these rules can never be changed" in shown("governance")
    with mc.Network.simulated(1, seed=12) as net:
        office = net.wallet("office")
        net.deploy(SHOP, sender=office)
        net.freeze("shop", sender=office)
        assert "frozen: it refuses every action" in shown("shop", net)


def test_the_page_speaks_chinese() -> None:
    i18n.use("zh")
    page = shown("shop")
    assert "提出一项决定" in shown("governance"), "in the words of the contract's own docstrings"
    for words in ("shop · 版本 2", "已核验", "合约 governance", "仅这些账户可用", "多保存一项", "尚未投票"):
        assert words in page, words


def test_what_becomes_of_a_contract_is_told_by_the_ledger_alone() -> None:
    names = {"did:key:z6MkCity": "City"}
    data = {"contract": "shop", "by": "did:key:z6MkCity", "version": 2, "source": ""}
    assert telling._of_ledger(Event("ledger", "Frozen", data), names) == (
        "City froze the contract shop: it refuses every action."
    )
    by_vote = {**data, "by": "governance", "authority": ""}
    assert telling._of_ledger(Event("ledger", "Entrusted", by_vote), names) == (
        "the contract governance handed the contract shop over to nobody."
    )
    assert telling._of_ledger(Event("liar", "Frozen", data), names) == ""
    model = explorer.Explorer()
    model.show(ChainReader()(town()[0]))
    told = [join(telling.tell(entry, model.names)[1]) for entry in model.recent]
    assert any("put version 2 of the contract shop on the ledger" in words for words in told)


def test_an_authority_that_answers_nonsense_proposes_nothing() -> None:
    liar = '''from minichain.contracts.api import Contract, view


class Liar(Contract):
    """Answer as a contract that votes would, and differently."""

    @view
    def count_proposals(self) -> str:
        """Say a word."""
        return "many"

    @view
    def proposals(self, start: int, limit: int) -> list:
        """List numbers."""
        return [1, {"status": "open", "about": "shop"}]

    @view
    def calls(self, number: int) -> list:
        """List nothing of use."""
        return [{"contract": "ledger"}]
'''
    with mc.Network.simulated(1, seed=13) as net:
        office = net.wallet("office")
        net.deploy(liar, sender=office)
        net.deploy(SHOP, sender=office, authority="liar")
        assert net.proposals_on("shop") == []
        with pytest.raises(UsageError, match="proposal 1 of liar does not upgrade shop"):
            net.diff("shop", 1)
        assert "the contract liar" in shown("shop", net)


# --- the proof -------------------------------------------------------------------------------------------------------


def answer(net: mc.Network, name: str = "shop") -> StateAnswer:
    return net.client.ask(AskState(contract_key(name)), StateAnswer, "the state")


FORGERIES: dict[str, Any] = {
    "another source": lambda found: {"value": found.value.replace(b"one price", b"two price")},
    "nothing": lambda found: {"value": None},
    "another time": lambda found: {"header": replace(found.header, time_ms=0)},
    "another root": lambda found: {"header": replace(found.header, state_root=bytes(32))},
    "a signature less": lambda found: {
        "certificate": replace(found.certificate, signatures=found.certificate.signatures[:1])
    },
    "the proof of another key": lambda found: {"proof": answer(town()[0], "governance").proof},
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_what_a_node_forges_is_not_shown(forge: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    net = town()[0]
    found = answer(net)
    assert net.verified("shop")[0].source == net.source("shop")
    asked, state = contract_key("shop"), net.state
    lie = replace(found, **forge(found))
    monkeypatch.setattr(net, "state", lambda key: lie if key == asked else state(key))
    with pytest.raises(mc.MinichainError):
        net.verified("shop")
    with pytest.raises(mc.MinichainError):
        contracts.read("shop", net)


def test_an_earlier_version_is_proven_too(monkeypatch: pytest.MonkeyPatch) -> None:
    net = town()[0]
    older, state = version_key("shop", 1), net.state
    found = state(older)
    for lie in ({"value": None}, {"value": (found.value or b"").replace(b"one price", b"two price")}):
        forged = replace(found, **lie)
        monkeypatch.setattr(net, "state", lambda key, forged=forged: forged if key == older else state(key))
        with pytest.raises(ProofError, match="its path leads elsewhere"):
            contracts.read("shop", net)


def test_the_page_reads_again_what_the_ledger_or_the_authority_has_announced() -> None:
    reading = contracts.read("shop", town()[0])
    about = {"contract": "shop", "by": "", "version": 3}
    assert contracts._concerns(reading, Event("ledger", "Frozen", about))
    assert contracts._concerns(reading, Event("governance", "Voted", {}))
    assert not contracts._concerns(reading, Event("ledger", "Frozen", {**about, "contract": "other"}))
    assert not contracts._concerns(reading, Event("liar", "Frozen", about))


def test_a_chain_of_work_shows_how_many_blocks_confirm_it() -> None:
    with mc.Network.simulated(2, seed=5, engine="pow", work=Work(block_ms=1_000, confirmations=2)) as net:
        office = net.wallet("office")
        net.deploy(SHOP, sender=office)
        _deployed, proven = net.verified("shop")
        assert proven.signers == ()
        assert proven.confirmations >= 1
        assert "confirm" in shown("shop", net)
        with pytest.raises(ProofError, match="is not in the chain of headers given with it"):
            verify(replace(net.value_proof(contract_key("shop")), links=()))


def test_a_reading_that_says_the_same_at_a_later_block_is_the_same() -> None:
    reading = contracts.read("shop", town()[0])
    later = changed(reading, proven=replace(reading.proven, height=reading.proven.height + 1))
    assert later == reading
    assert contracts.read("governance", town()[0]).deployed.source == GOVERNANCE


def test_every_contract_of_ours_says_what_it_does_in_both_languages():
    i18n.use("zh")
    sources = [path.read_text("utf-8") for path in sorted(Path(mc.__file__).parent.rglob("*.py"))]
    told = [describe(source) for source in sources if "(Contract" in source and is_contract(ast.parse(source))]
    assert len(told) > 20
    missing = [
        sentences["en"]
        for abi in told
        for sentences in (abi.sentences, *(method.sentences for method in (*abi.actions, *abi.views)))
        if "zh" not in sentences and contracts._in_words(sentences) == sentences["en"]
    ]
    assert missing == []


def is_contract(module: ast.Module) -> bool:
    """Tell a module that is a contract from one that has the text of some."""
    bases = [base for node in module.body if isinstance(node, ast.ClassDef) for base in node.bases]
    return any(isinstance(base, ast.Name) and base.id == "Contract" for base in bases)
