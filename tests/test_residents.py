"""A town of residents on a real chain: cards, shared data, and a search of every block for everybody's data."""

from __future__ import annotations

import json
import os
import runpy
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

import nbformat
import pytest
from msgspec import structs
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from wasteday import played

from minichain.client import Network
from minichain.client.exposure import blocks, exposed
from minichain.client.trust import LIST_MS, accredited, chain_status, export_list, proven
from minichain.client.trust import verifier as chain_verifier
from minichain.codec import encode
from minichain.contracts.storage import state_key
from minichain.contracts.system import DATA
from minichain.errors import CallFailed, CredentialError, DecodeError, UsageError
from minichain.identity.credentials import Verifier, issue, trust_list, unsigned, verify
from minichain.identity.status import Entry, chain_list, read_lists
from minichain.identity.traces import find_personal
from minichain.identity.vault import pairwise
from minichain.ledger.types import Call
from minichain.live.drawer import Drawer
from minichain.scenarios.residents import PEOPLE, Town, personal_values
from minichain.scenarios.waste import SCENARIO

LIBRARY, HALL, CLINIC, AUDITOR = "Town Library", "Sports Hall", "Riverside Clinic", "Audit Office"
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with Network.simulated(validators=4, seed=11) as net:
        yield Town.open(net, {}, Random(11).randbytes)


def asked(town: Town, *wanted: str, verifier: str = LIBRARY, resident: str = "Resident 1") -> Any:
    number = town.cards.ask(verifier, resident, *wanted).number
    town.cards.answer(number)
    return town.cards.check(number)


def test_a_card_shows_what_is_needed_until_the_block_that_revokes_it(town: Town) -> None:
    card = town.cards.issue("Resident 1", LIBRARY)
    report = asked(town, "overEighteen", "address.district")
    assert report.require().claims == {"overEighteen": True, "address": {"district": "Riverside"}}
    receipt = town.cards.revoke(card.number)
    refused = asked(town, "overEighteen")
    assert refused.failure is not None
    assert refused.failure.name == "status"
    assert refused.failure.said.endswith(f"of list 1, as of block {receipt.height}"), "in the very next answer"
    assert [one.revoked for one in town.cards.issued()] == [receipt.height]
    with pytest.raises(CallFailed, match="so already"):
        town.cards.revoke(card.number)
    town.cards.issue("Resident 1", LIBRARY)
    assert asked(town, "name").holds, "another card is another card"


def test_an_answer_is_for_one_question_of_one_verifier(town: Town) -> None:
    town.cards.issue("Resident 3", LIBRARY)
    first, second = (town.cards.ask(LIBRARY, "Resident 3", "overEighteen") for _ in range(2))
    answered = town.cards.answer(first.number)
    town.cards.hand_in(second.number, answered.answer)
    report = town.cards.check(second.number)
    assert report.failure is not None
    assert "replay" in report.failure.said
    with pytest.raises(UsageError, match="has no 'shoeSize'"):
        town.cards.ask(LIBRARY, "Resident 3", "shoeSize")
    with pytest.raises(CredentialError, match="has no card for Sports Hall"):
        town.cards.answer(town.cards.ask(HALL, "Resident 3", "name").number)
    with pytest.raises(UsageError, match="no answer yet"):
        town.cards.check(town.cards.ask(HALL, "Resident 3", "name").number)
    with pytest.raises(UsageError, match="nobody asked"):
        town.cards.check(999)
    with pytest.raises(UsageError, match="issued no card 999"):
        town.cards.revoke(999)


def test_two_verifiers_who_compare_notes_find_nothing_in_common(town: Town) -> None:
    cards = [town.cards.issue("Resident 2", verifier) for verifier in (LIBRARY, HALL)]
    answers = []
    for verifier in (LIBRARY, HALL):
        question = town.cards.ask(verifier, "Resident 2", "overEighteen")
        answers.append(town.cards.answer(question.number).answer)
    assert cards[0].holder != cards[1].holder
    places = {one.place for one in town.cards.issued()}
    assert len(places) == len(town.cards.issued())
    parts = [{part for text in answer.split("~") for part in text.split(".")} for answer in answers]
    common = parts[0] & parts[1]
    assert len(common) == 2, "the headers of both tokens, which are the same for everybody"


def test_data_are_shared_read_logged_ordered_taken_back_and_erased(town: Town) -> None:
    share = town.data.share("Resident 1", CLINIC, "treatment")
    looked = town.data.look(CLINIC, share.number, "treatment")
    assert looked.data["allergy"] == "penicillin"
    assert town.data.look(CLINIC, share.number, "statistics").why == "not granted"
    assert town.data.look(AUDITOR, share.number, "supervision").why == "no order"
    town.data.order(share.number, "Order 12: look whether the clinic keeps to the purpose")
    assert town.data.look(AUDITOR, share.number, "supervision").allowed
    town.data.take_back(share.number)
    refused = town.data.look(CLINIC, share.number, "treatment")
    assert (refused.why, refused.data) == ("revoked", {})
    log = town.data.log(share.number)
    assert [(entry["party"], entry["allowed"]) for entry in log] == [
        (CLINIC, True),
        (CLINIC, False),
        (AUDITOR, False),
        (AUDITOR, True),
        (CLINIC, False),
    ]
    kept = town.place.storage[f"records/{share.record.hex()}"]
    town.data.erase(share.number)
    assert kept not in town.place.storage.values()
    assert share.record.hex() not in b"".join(encode([k, v]) for k, v in town.place.storage.items()).hex()
    with_root = {
        pairwise(town.place.wallets[name].key, town.place.wallets[CLINIC].did, "treatment").did for name in PEOPLE
    }
    subject = town.place.net.view("grants", "record", {"record": share.record})["subject"]
    assert subject not in with_root, "not even who has every key of the town finds the subject again"
    assert share.nonce not in b"".join(town.place.storage.values())
    kept_of_it = next(one for one in town.data.shares() if one.number == share.number)
    assert kept_of_it.until == 0, "the time of its grant stands on the chain, and would lead there"
    with pytest.raises(CredentialError, match="was erased"):
        town.data.look(CLINIC, share.number, "treatment")
    assert any(share.record in data for _, data in blocks(town.place.net)), "the chain still has the commitment"
    assert town.place.net.view("grants", "hindrance", {"record": share.record, "party": "did:x", "purpose": "billing"})


def test_what_was_declared_is_carried_out_though_the_first_attempt_broke_off(town: Town) -> None:
    share = town.data.share("Resident 2", CLINIC, "billing")
    subject = town.data._subject(share.resident, share.party, share.purpose, share.nonce)
    grant = {"record": share.record, "party": town.place.wallets[CLINIC].did, "purpose": "billing"}
    town.place.net.send(subject, [Call("grants", "revoke", grant)])  # and here the wallet's computer went off
    town.data.take_back(share.number)
    assert town.place.wallets[CLINIC].did not in town.data.vault.readers(share.record)
    town.place.net.send(subject, [Call("grants", "erase", {"record": share.record})])
    town.data.erase(share.number)
    assert not town.data.vault.has(share.record)
    with pytest.raises(CredentialError, match="was erased"):
        town.data.erase(share.number)
    lost = town.data.share("Resident 2", CLINIC, "billing")
    town.data.vault.erase(lost.record)
    town.data.erase(lost.number)
    assert town.place.net.view("grants", "hindrance", {**grant, "record": lost.record}) == "erased"


def test_what_is_shared_with_a_clinic_that_changed_its_key_is_closed_for_the_new_one() -> None:
    with Network.simulated(validators=1, seed=13) as net:
        town = Town.open(net, {}, Random(13).randbytes)
        old = town.place.wallets[CLINIC]
        before = town.data.share("Resident 1", CLINIC, "treatment")
        town.place.wallets[CLINIC] = net.identity.rotate(old)
        share = town.data.share("Resident 1", CLINIC, "treatment")
        assert town.data.look(CLINIC, share.number, "treatment").allowed
        handed = town.data.vault._stored(share.record).boxes[old.did]
        with pytest.raises(DecodeError, match="not made for this key"):
            old.key.unseal(handed)
        with pytest.raises(DecodeError, match="not made for this key"):
            town.data.look(CLINIC, before.number, "treatment")  # its subject can share it anew


def test_nothing_on_the_chain_ties_two_shares_of_one_person_together(town: Town) -> None:
    shares = [town.data.share("Resident 3", CLINIC, purpose) for purpose in ("treatment", "billing")]
    records = [town.place.net.view("grants", "record", {"record": share.record}) for share in shares]
    assert records[0]["subject"] != records[1]["subject"]
    own = {town.place.wallets[name].did for name in PEOPLE}
    assert not find_personal(blocks(town.place.net), own), "nor does a resident's own did stand anywhere"


# --- reading with proof ------------------------------------------------------------------------------------------


def test_a_status_is_believed_only_with_its_proof(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    net = town.place.net
    card = town.cards.issue("Resident 1", HALL)
    spot = next(one.place for one in town.cards.issued() if one.number == card.number)
    town.cards.revoke(card.number)
    entry = Entry(chain_list(net.genesis.hash, "status", 1), spot, "revocation")
    with pytest.raises(CredentialError, match="revoked, by place"):
        chain_status(net)(entry)
    key = state_key("status", "chunks", (1, spot // 256))
    honest = net.state(key)
    lie = type(honest)(bytes(34), honest.proof, honest.header, honest.certificate)
    other = net.state(state_key("status", "count"))
    for answer in (lie, type(honest)(None, honest.proof, honest.header, honest.certificate), other):
        monkeypatch.setattr(net, "state", lambda _key, answer=answer: answer)
        with pytest.raises(CredentialError, match="its path leads elsewhere"):
            proven(net, key)
    assert honest.header is not None
    forged = structs.replace(honest.header, state_root=bytes(32))
    monkeypatch.setattr(net, "state", lambda _key: type(honest)(None, honest.proof, forged, honest.certificate))
    with pytest.raises(CredentialError, match="the certificate is for another block"):
        proven(net, key)


@pytest.mark.parametrize("kind", [{"engine": "pow"}, {"engine": "raft"}, {"profile": "public"}, {"profile": "private"}])
def test_a_town_on_every_kind_of_chain(kind: dict[str, str]) -> None:
    """Also where blocks are empty, where writing costs something, and where only members and the admitted write."""
    with Network.simulated(validators=4, seed=7, **kind) as net:
        other = Town.open(net, {}, Random(1).randbytes)
        card = other.cards.issue("Resident 1", LIBRARY)
        assert asked(other, "overEighteen").holds
        other.cards.revoke(card.number)
        assert asked(other, "overEighteen").clause("status").state == "failed"
        share = other.data.share("Resident 1", CLINIC, "treatment")
        assert other.data.look(CLINIC, share.number, "treatment").allowed


def test_a_list_of_the_chain_is_exported_for_verifiers_who_do_not_read_it(town: Town) -> None:
    net, office = town.place.net, town.place.wallets["Residents' Office"]
    revoked = {one.place for one in town.cards.issued() if one.revoked}
    assert revoked
    made = export_list(net, 1, office.key)
    by = Verifier(town.place.now_ms(), "a clock", trust_list({"BitstringStatusListCredential": [office.did]}))
    stale = structs.replace(by, now_ms=by.now_ms + LIST_MS)
    assert verify(made, stale).clause("time").said.startswith("expired at"), "an old list hides what came after it"
    name = chain_list(net.genesis.hash, "status", 1)
    read = read_lists({name: verify(made, by).require().claims})
    for one in town.cards.issued():
        entry = Entry(name, one.place, "revocation")
        if one.revoked:
            with pytest.raises(CredentialError, match="revoked, by place"):
                read(entry)
        else:
            assert read(entry).startswith("not revoked")
    with pytest.raises(CredentialError, match="who alone can sign it"):
        export_list(net, 1, town.place.wallets[LIBRARY].key)


@pytest.mark.parametrize(
    ("where", "place", "purpose", "words"),
    [
        ("urn:minichain:00:status:1", 1, "revocation", "on another chain"),
        ("https://example.com/list", 1, "revocation", "no status list of a chain"),
        ("urn:minichain:xyz:status:1", 1, "revocation", "no status list of a chain"),
        ("{chain}:status:01", 1, "revocation", "no status list of a chain"),
        ("{chain}:status:-1", 1, "revocation", "no place 1 of such a list"),
        ("{chain}:status:99999999999999999999", 1, "revocation", "no status list of a chain"),
        ("{chain}:status:7", 1, "revocation", "no place 1 of such a list"),
        ("{chain}:status:1", 1, "suspension", "no place 1 of such a list for suspension"),
        ("{chain}:status:1", 131_072, "revocation", "no place 131072"),
    ],
)
def test_a_list_that_is_not_there_is_no_good_sign(town: Town, where: str, place: int, purpose: str, words: str) -> None:
    net = town.place.net
    name = where.format(chain=f"urn:minichain:{net.genesis.hash.hex()}")
    with pytest.raises(CredentialError, match=words):
        chain_status(net)(Entry(name, place, purpose))


def test_an_accreditation_is_believed_only_with_its_proof(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that says everybody is accredited is not believed."""
    town.cards.issue("Resident 1", HALL)
    stranger = town.place.wallets[LIBRARY].did
    said = {"since": 1, "until": 2**60, "withdrawn": 0}
    monkeypatch.setattr(town.place.net, "view", lambda *_: said)
    with pytest.raises(CredentialError, match="was never accredited for ResidentCard"):
        accredited(town.place.net)(stranger, "ResidentCard", town.place.now_ms())


def test_who_is_not_accredited_any_more_is_not_trusted(town: Town) -> None:
    place = town.place
    office, board = place.wallets["Residents' Office"], place.wallets["Accreditation Board"]
    if not any(card.verifier == LIBRARY for card in town.cards.wallet("Resident 1")):
        town.cards.issue("Resident 1", LIBRARY)
    whom = {"issuer": office.did, "kind": "ResidentCard"}
    place.net.send(board, [Call("accreditation", "withdraw", whom)])
    report = asked(town, "overEighteen")
    assert report.clause("issuer").state == "failed"
    assert "is withdrawn" in report.clause("issuer").said
    place.net.send(board, [Call("accreditation", "accredit", {**whom, "until": place.now_ms() + 10**12})])


def test_an_issuer_changes_its_key_and_what_it_signed_before_still_holds() -> None:
    with Network.simulated(validators=1, seed=17) as net:
        first = net.wallet("office")
        net.identity.by(first)
        trust = trust_list({"ResidentCard": [first.did]})
        net.deploy(DATA["status"], sender=first)
        content = unsigned("ResidentCard", first.did, {"district": "Riverside"}, net.head().time_ms)  # type: ignore[union-attr]
        before = issue(content, first.key, net.head().time_ms)  # type: ignore[union-attr]
        second = net.identity.rotate(first)
        assert second.did == first.did
        changed = net.head().time_ms  # type: ignore[union-attr]
        by = chain_verifier(net, trust)
        assert verify(before, by).holds
        assert verify(issue(content, second.key, changed), by).holds
        late = verify(issue(content, first.key, changed), by)
        assert late.failure is not None
        assert "did not sign with this key at" in late.failure.said


# --- the search --------------------------------------------------------------------------------------------------


def contacts(value: Any) -> Iterator[str]:
    """Yield the names of people, their telephone numbers and addresses in a document."""
    match value:
        case dict():
            for name, item in value.items():
                if name in ("email", "number", "address1") and isinstance(item, str) and len(item) > 5:
                    yield item
                yield from contacts(item)
        case list():
            for item in value:
                yield from contacts(item)


def test_no_block_of_any_scenario_shows_anybody(town: Town) -> None:
    assert exposed(town.place.net, personal_values()) == ()
    documents = {text for path in SCENARIO.samples.values() for text in contacts(json.loads(path.read_bytes()))}
    assert len(documents) > 8
    assert exposed(played(), {*personal_values(), *documents}) == ()


NOTES = '''
from minichain.contracts.api import Contract, Value, action

class Notes(Contract):
    """Somebody in a hurry."""

    last = Value(str)

    @action
    def write(self, text: str) -> None:
        """Write."""
        self.last = text
'''


def test_what_somebody_puts_on_a_chain_is_found() -> None:
    """Otherwise the test above would show nothing."""
    from hashlib import sha256  # noqa: PLC0415

    phone, document = PEOPLE["Resident 2"]["phone"], PEOPLE["Resident 3"]["document"]
    with Network.simulated(validators=1, seed=3) as net:
        notes = net.deploy(NOTES, sender=net.wallet("clerk"))
        notes.write(f"call {phone}")
        notes.write(sha256(document.encode()).hexdigest())
        found = exposed(net, personal_values())
    assert {(trace.value, trace.where, trace.form) for trace in found} == {
        (phone, "block 2", "plain"),
        (document, "block 3", "digest in hexadecimal"),
    }


def test_the_networks_of_notebooks_are_searched_too() -> None:
    """notebooks/conftest.py lets each kernel search what it closes; here one that has something to find."""
    searching = runpy.run_path(str(ROOT / "notebooks" / "conftest.py"))["searching"]
    cells = (
        "import minichain as mc",
        f"SOURCE = {NOTES!r}",
        f"with mc.Network.simulated(validators=1) as net:\n"
        f"    net.deploy(SOURCE, sender=net.wallet('clerk')).write({PEOPLE['Resident 1']['document']!r})",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with searching(), pytest.raises(CellExecutionError, match="personal data on a chain"):
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()


# --- the drawer --------------------------------------------------------------------------------------------------


def test_a_drawer_keeps_values_for_its_owner_alone(tmp_path: Path) -> None:
    drawer = Drawer(tmp_path / "vault")
    assert dict(drawer) == {}
    drawer["cards/1"] = b"one"
    drawer["cards/1"] = b"two"
    drawer["records/ab"] = b"closed"
    assert dict(Drawer(tmp_path / "vault")) == {"cards/1": b"two", "records/ab": b"closed"}
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "vault/cards/1.bin").stat().st_mode) == 0o600
    del drawer["cards/1"]
    assert list(drawer) == ["records/ab"]
    assert drawer.get("cards/1") is None
    with pytest.raises(KeyError):
        del drawer["cards/1"]
    for name in ("../outside", "A", "", "a//b", "a/b/c/d/e", "/etc/passwd"):
        with pytest.raises(UsageError, match="no name for a value"):
            drawer[name] = b"x"


def test_what_a_broken_write_left_is_destroyed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawer = Drawer(tmp_path)
    drawer["records/ab"], drawer["records/abc"] = b"closed", b"another"

    def goes_off(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", goes_off)
        broken.setattr(Path, "unlink", goes_off)
        with pytest.raises(SystemExit):
            drawer["records/ab"] = b"closed anew"
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == 3
    del drawer["records/ab"]
    assert [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()] == [b"another"]


@pytest.mark.skipif(os.name != "posix", reason="this system may refuse to replace a file that is being replaced")
def test_two_who_write_the_same_value_at_once_do_not_meet(tmp_path: Path) -> None:
    drawer = Drawer(tmp_path)
    begin = Barrier(2)

    def write(value: bytes) -> None:
        begin.wait()
        for _ in range(40):
            drawer["cards/1"] = value

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(write, (b"one", b"two"))) == [None, None]
    assert drawer["cards/1"] in (b"one", b"two")


def test_a_town_that_lies_in_a_drawer_is_found_again(tmp_path: Path) -> None:
    with Network.simulated(validators=1, seed=5) as net:
        first = Town.open(net, Drawer(tmp_path), Random(1).randbytes)
        card = first.cards.issue("Resident 1", LIBRARY)
        share = first.data.share("Resident 1", CLINIC, "treatment")
        again = Town.open(net, Drawer(tmp_path), Random(2).randbytes)
        assert again.cards.wallet("Resident 1") == [card]
        assert again.data.shares("Resident 1") == [share]
        assert again.data.look(CLINIC, share.number, "treatment").allowed
        again.data.erase(share.number)
        assert not list(tmp_path.rglob(f"*{share.record.hex()}*"))
