"""A certificate of the course: who gets one, what a stranger checks with no network, and what the chain never knows."""

from __future__ import annotations

import json

import msgspec
import pytest
from test_cli import NO, WRONG_USE, read, run

from minichain.client import Network
from minichain.client.exposure import exposed
from minichain.client.wallet import Wallet
from minichain.codec import to_json
from minichain.course import certificate, material, trainer
from minichain.course.certificate import COLUMNS, Certificate, Criterion, Marks, check, criteria
from minichain.course.classroom import awarding
from minichain.course.classroom.board import Board
from minichain.course.classroom.folder import Folder as ClassFolder
from minichain.course.classroom.folder import chosen
from minichain.course.classroom.grid import DONE, Cell
from minichain.course.classroom.room import ClassRoom
from minichain.crosschain import proofs
from minichain.crypto import KeyPair
from minichain.errors import UsageError
from minichain.ledger.types import Call

NOON = 1_780_000_000_000  # in May 2026
CLASS = KeyPair(b"c" * 32)
LEARNER = KeyPair(b"l" * 32).did
GOOD = Marks("Institution 3", quiz=80, tasks=2, fit=3, trust=3, rights=2, evidence=3)


def issued(kind: str = "operator", key: KeyPair = CLASS) -> Certificate:
    met = (Criterion("quiz", 80, 70),)
    return Certificate(certificate.issue(kind, GOOD, met, LEARNER, key, NOON), b"s" * 32)


# --- what is asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({}, ""),
        ({"quiz": 69}, "quiz 69 of 70"),
        ({"tasks": 1}, "tasks 1 of 2"),
        ({"fit": 0, "trust": 0}, "brief 5 of 10"),
        ({"rights": 0, "evidence": 4}, "rights 0 of 1"),
    ],
)
def test_an_operator_has_passed_the_quiz_done_two_tasks_and_written_a_brief_that_minds_rights(changed, missing):
    marks = msgspec.structs.replace(GOOD, **changed)
    asked = criteria("operator", marks, {})
    if not missing:
        assert all(one.is_met for one in asked)
        return
    with pytest.raises(UsageError, match=f"Institution 3 has not reached what a certificate asks: {missing}"):
        certificate.issue("operator", marks, asked, LEARNER, CLASS, NOON)


def test_a_builder_has_four_fifths_of_the_exercises_and_most_of_the_hidden_ones():
    every = [id for module in material.syllabus().modules for id in material.tasks(module.id)]
    hidden = [id for id in every if (key := trainer.keys(id[:3]).get(id)) and key.hidden]
    all_right = {id: Cell(state=DONE, is_right=True, hidden="right") for id in every}
    found = {one.id: one for one in criteria("builder", GOOD, all_right)}
    assert [(one.reached, one.is_met) for one in found.values()] == [(100, True), (100, True), (11, True)]
    assert not any(one.is_met for one in criteria("builder", GOOD, {}) if one.id != "capstone")
    memorised = {id: Cell(state=DONE, is_right=True, hidden="wrong" if id in hidden else "") for id in every}
    assert {one.id for one in criteria("builder", GOOD, memorised) if not one.is_met} == {"hidden"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("who,quiz\n", "the columns are name, quiz, tasks"),
        ("a,80,2,3,3,2,five\n", "line 2: Expected `int`"),
        ("a,101,2,3,3,2,3\n", "line 2: the quiz has 0 to 100 percent"),
        ("a,80,2,3,3,2,3\na,80,2,3,3,2,3\n", "line 3: a is there twice"),
        ("a,80,2\n", "line 2: Expected `int`"),
    ],
)
def test_a_table_of_marks_that_is_wrong_is_refused_by_its_line(tmp_path, text, said):
    head = "" if text.startswith("who") else ",".join(COLUMNS) + "\n"
    (tmp_path / "marks.csv").write_text(head + text, "utf-8")
    with pytest.raises(UsageError, match=said):
        certificate.read_marks(tmp_path / "marks.csv")


# --- what a stranger checks --------------------------------------------------------------------------------------


def test_a_certificate_says_who_signed_it_what_was_reached_and_no_more():
    report = check(issued(), CLASS.did, NOON)
    assert report.holds
    assert report.claims == {
        "id": LEARNER,
        "name": "Institution 3",
        "certificate": "operator",
        "reached": {"quiz": {"reached": 80, "needed": 70}},
    }


def test_what_was_changed_or_comes_from_another_class_does_not_hold():
    better = issued()
    better.credential["credentialSubject"]["reached"]["quiz"]["reached"] = 100
    assert check(better, CLASS.did, NOON).failure.name == "signature"
    other = KeyPair(b"o" * 32)
    assert check(issued(key=other), CLASS.did, NOON).failure.name == "issuer"
    assert check(issued(key=other), "", NOON).holds, "with nobody expected, the report says whose it is"
    assert check(issued(), CLASS.did, NOON - 1_000).failure.name == "time"


def test_the_chain_has_a_salted_digest_that_only_the_holder_can_show():
    with Network.simulated(4, seed=3) as net:
        board = net.deploy(Board, sender=net.wallet("desk"), name=certificate.BOARD, keeper=net.wallet("desk").did)
        wallet, stranger = Wallet("class", CLASS), net.wallet("stranger")
        net.open([wallet, stranger])
        made = issued()
        receipt = net.send(wallet, [Call(certificate.BOARD, "anchor", {"digest": made.digest})])
        genesis = net.genesis.hash
        shown = msgspec.structs.replace(made, proof=proofs.pack(receipt.proof()))
        report = check(shown, CLASS.did, NOON, genesis)
        assert report.holds
        assert "its digest was on chain" in report.clause("anchor").said
        assert not exposed(net, ["Institution 3", LEARNER]), "neither the name nor the account is on the chain"

        salted = msgspec.structs.replace(shown, salt=b"t" * 32)
        assert check(salted, CLASS.did, NOON, genesis).failure.name == "anchor"
        assert check(shown, CLASS.did, NOON, bytes(32)).failure.name == "anchor"
        copied = net.send(stranger, [Call(certificate.BOARD, "anchor", {"digest": made.digest})])
        by_another = msgspec.structs.replace(made, proof=proofs.pack(copied.proof()))
        assert "put there by its class" in check(by_another, CLASS.did, NOON, genesis).failure.said
        assert "64 small hexadecimal digits" in str(
            net.attempt(stranger, board.name, "anchor", {"digest": "Ann"}).error
        )


def test_the_page_to_print_shows_names_as_they_stand_in_both_languages():
    marks = msgspec.structs.replace(GOOD, name="A<script>*b*")
    made = Certificate(certificate.issue("builder", marks, (), LEARNER, CLASS, NOON), b"s" * 32)
    for language, title in (("en", "Certificate: builder"), ("zh", "结业证书：构建者")):
        shown = certificate.page(made, language).decode()
        assert title in shown
        assert "A&lt;script&gt;*b*" in shown
        assert made.digest in shown
        assert CLASS.did in shown


# --- by command --------------------------------------------------------------------------------------------------


@pytest.fixture
def room(tmp_path):
    chosen(ClassFolder(tmp_path / "home"))
    return ClassRoom(tmp_path / "home")


def test_somebody_who_is_not_in_the_class_gets_none(room):
    with pytest.raises(UsageError, match="nobody in this class is called 'Institution 9'"):
        awarding.award(room, "Institution 9", "operator", {}, None)


def test_a_certificate_is_checked_by_command(tmp_path):
    path, altered = tmp_path / "one.json", tmp_path / "two.json"
    made = issued()
    path.write_bytes(certificate.written(made))
    altered.write_bytes(path.read_bytes().replace(b"Institution 3", b"Institution 4"))
    told = read("verify", path, "--issuer", CLASS.did)
    assert (told["valid"], told["claims"]["name"], told["digest"]) == (True, "Institution 3", made.digest)
    assert f"Is {CLASS.did} your class?" in run("verify", path).stdout
    assert "signature" in run("verify", altered, expect=NO).stdout
    assert json.loads(run("verify", path, "--issuer", LEARNER, "--json", expect=NO).stdout)["valid"] is False
    assert "has no page of its own" in run("verify", path, "--passport", altered, expect=WRONG_USE).stderr
    assert to_json(certificate.read(path.read_bytes())) == path.read_bytes().strip()


def test_files_are_not_written_over(tmp_path):
    paths = awarding.write(issued(), "Institution 3", tmp_path, "zh")
    assert [path.name for path in paths] == ["certificate-Institution-3.json", "certificate-Institution-3.html"]
    with pytest.raises(UsageError, match="already: move them away first"):
        awarding.write(issued(), "Institution 3", tmp_path, "zh")
