"""The story of a street, told on a sandbox and on both worlds; and nobody's name is on any chain."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from minichain.cli import main
from minichain.client import Network
from minichain.client.exposure import exposed
from minichain.contracts import Sandbox
from minichain.contracts import system as of_the_chain
from minichain.crosschain import proofs
from minichain.errors import UsageError
from minichain.scenarios import Step
from minichain.scenarios.demo import play
from minichain.scenarios.points import CONTRACTS, RESIDENTS, ROLES, arguments, custody_arguments, demo, plan, preset
from minichain.scenarios.points import story as told
from minichain.scenarios.points.consents import Consents, pseudonym
from minichain.scenarios.points.figures import asker, audit
from minichain.scenarios.points.presets import DAY_MS
from minichain.scenarios.residents.people import PEOPLE, personal_values

GAS_OF_A_STEP = 1_150_000  # the dearest is a recorded drop, and the submission of a manifest


class Street:
    """The story on a sandbox, one day a step."""

    def __init__(self) -> None:
        self.box = Sandbox()
        dids = {role: self.box.account(role) for role in ROLES}
        self.box.deploy(of_the_chain.IDENTITY, sender=dids[told.OWNER], name=told.IDENTITY)
        made, custody = preset("training"), custody_arguments(dids)
        for name, contract in told.CUSTODY_CONTRACTS.items():
            self.box.deploy(contract, sender=dids[told.WASTE_AUTHORITY], name=name, **custody[name])
        given = arguments(made, dids[told.OWNER], self.box.now_ms)
        for name, contract in CONTRACTS.items():
            self.box.deploy(contract, sender=dids[told.AUTHORITIES[name]], name=name, **given[name])
        self.dids = dids
        self.consents = Consents({}, Random(5).randbytes)
        self.steps = plan(made, dids, {role: self.consents.keep(PEOPLE[role]) for role in RESIDENTS})

    def tell(self, until: str = "") -> dict[str, int]:
        """Play the story up to an action, and return the gas of each kind of step."""
        gas: dict[str, int] = {}
        for step in self.steps:
            if step.action == until:
                break
            gas[f"{step.contract}.{step.action}"] = self.play(step)
        return gas

    def play(self, step: Step) -> int:
        self.box.advance(days=1)
        outcome = self.box.call(self.dids[step.role], step.contract, step.action, step.args)
        assert outcome.ok, (step, outcome.error)
        return outcome.gas

    def ask(self, contract: str, view: str, **args: Any) -> Any:
        return self.box.view("", contract, view, args).result


def test_the_street_earns_objects_repairs_redeems_gives_and_one_resident_leaves() -> None:
    street = Street()
    gas = street.tell()
    assert max(gas.values()) < GAS_OF_A_STEP, gas
    resident, elder = (street.dids[role] for role in RESIDENTS)
    assert street.ask(told.LEDGER, "entry", number=1)["delta"] == 20, "21.5 kg, and at most 20 points a day"
    assert street.ask(told.LEDGER, "entry", number=2)["delta"] == 30, "the hour that was forgotten is there"
    assert street.ask(told.LEDGER, "entry", number=3)["state"] == "Repaired"
    put_back, unseen = (street.ask(told.LEDGER, "entry", number=number) for number in (4, 5))
    assert (put_back["state"], put_back["rejected_by"]) == ("Effective", [street.dids[told.VERIFIER]])
    assert put_back["verified_by"] == street.dids[told.SECOND]
    assert (unseen["state"], unseen["verified_by"]) == ("Effective", ""), "nobody looked, so it counts"
    assert street.ask(told.LEDGER, "balance", account=resident) == 0, "earned, redeemed, and the rest given away"
    assert street.ask(told.LEDGER, "balance", account=elder) == 30, "deducted and given back, spent and refunded"
    assert street.ask(told.REDEMPTION, "pool") == {"funded": 100_000, "reserved": 0, "paid": 3_000}
    assert street.ask(told.ACCOUNTS, "account", account=resident)["closed_at"] > 0
    kinds = [one["entry"]["kind"] for one in street.ask(told.LEDGER, "entries_of", account=elder)]
    assert kinds == ["reward", "deduction", "reversal", "redemption", "refund"]


def test_a_drop_counts_only_when_its_load_has_arrived() -> None:
    street = Street()
    street.tell("sign")
    for role, action, args in (
        (told.RECORDER, "record_drop", {"drop": told.DROP, "code": "kitchen-waste"}),
        (told.VERIFIER, "verify", {"number": 1}),
    ):
        outcome = street.box.call(street.dids[role], told.INTAKE, action, args)
    assert "a drop is verified when its load has arrived" in outcome.error
    assert street.ask(told.EVIDENCE, "weighing", drop=told.DROP)["grams"] == 21_500


def test_a_drop_that_arrived_and_that_nobody_looks_at_counts_as_it_was_weighed() -> None:
    street = Street()
    street.tell("verify")
    street.box.advance(days=6)
    outcome = street.box.call(street.dids[told.RESIDENT], told.INTAKE, "lapse", {"number": 1})
    assert outcome.result == "Notified", outcome.error
    reasons = {"number": 1, "reasons": told.named("late")}
    outcome = street.box.call(street.dids[told.VERIFIER], told.INTAKE, "reject", reasons)
    assert "is Notified" in outcome.error


def test_a_scale_whose_calibration_has_ended_weighs_for_nobody() -> None:
    street = Street()
    street.tell("weigh")
    street.box.advance(days=500)
    step = next(step for step in street.steps if step.action == "weigh")
    outcome = street.box.call(street.dids[step.role], step.contract, step.action, step.args)
    assert "this device does not count, it is expired" in outcome.error
    for by, changes, words in (
        (told.RECORDER, {}, "is not that of an enrolled device"),
        (told.SCALE, {"account": "tel 138 0000 0000"}, "this account does not take part"),
        (told.SCALE, {"grams": 0}, "a drop weighs more than nothing"),
        (told.SCALE, {"manifest": "H" * 41}, "has at most 40 characters"),
        (told.SCALE, {"drop": "Bag of Lin"}, "has 1 to 40 of a-z"),
    ):
        outcome = street.box.call(street.dids[by], step.contract, step.action, {**step.args, **changes})
        assert words in outcome.error


def test_the_same_drop_again_is_the_same_entry() -> None:
    street = Street()
    street.tell("record")
    outcome = street.box.call(
        street.dids[told.RECORDER], told.INTAKE, "record_drop", {"drop": told.DROP, "code": "kitchen-waste"}
    )
    assert (outcome.result, outcome.changes) == (1, {})


# --- nobody is named ---------------------------------------------------------------------------------------------


def test_nobodys_name_or_number_is_on_the_chain_and_pseudonyms_have_nothing_in_common() -> None:
    settings = {"clock": "logical", "interval_ms": DAY_MS, "identity": True}
    with Network.simulated(4, seed=3, **settings) as net:
        wallets = demo.cast_of(net)
        dids = {role: wallet.did for role, wallet in wallets.items()}
        demo.deploy(net, wallets, lambda _words: None)
        kept: dict[str, bytes] = {}
        consents = Consents(kept, Random(5).randbytes)
        given = {role: consents.keep(PEOPLE[role]) for role in RESIDENTS}
        play(net, plan(preset("training"), dids, given), wallets, lambda _words: None)
        found = audit(asker(net))
        assert (found.entries, found.accounts, found.pool_left_fen) == (10, None, 97_000)
        assert exposed(net, personal_values()) == ()
        first = net.wallet(told.RESIDENT)
        assert exposed(net, [first.did]) == (), "the resident's own key is not the one of the scheme"
        assert exposed(net, [dids[told.RESIDENT]]) != ()
    own = first.key
    assert len({pseudonym(own, owner).did for owner in (dids[told.OWNER], dids[told.TREASURER])} | {own.did}) == 3
    consent = given[told.RESIDENT]
    assert consents.read(consent)["name"] == PEOPLE[told.RESIDENT]["name"]
    salted = kept[consent]
    consents.erase(consent)
    assert salted not in kept.values()
    with pytest.raises(UsageError, match="it was erased"):
        consents.erase(consent)


# --- both worlds -------------------------------------------------------------------------------------------------


def test_the_same_receipts_in_both_worlds_though_a_validator_dies(tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    for world in ("sim", "live"):
        said: list[str] = []
        found[world] = demo.run(world, 3, tmp_path / f"{world}.json", said.append)
        assert "killing node-2" in said
        assert "starting node-2 again" in said
    live, sim = found["live"], found["sim"]
    assert live["receipts"] == sim["receipts"]
    assert live["state_roots"] == sim["state_roots"]
    assert len(live["state_roots"]) == 4
    assert len(set(live["state_roots"].values())) == 1
    wanted = ("Recorded", "Verified", "Notified", "Objected", "Amended", "Effective", "RepairRequested", "Repaired")
    assert set(wanted) | {"Rejected", "Open", "Reserved", "Fulfilled", "Cancelled", "Delivered", "Withdrawn"} <= set(
        live["states"]
    )
    assert proofs.verify(proofs.read(Path(live["proof"]).read_bytes()), bytes.fromhex(live["genesis"]))


def test_there_are_two_worlds(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no world 'moon'"):
        demo.run("moon", 1, tmp_path / "proof", print)


def test_the_command_prints_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "points", "--world", "sim", "--json", "--proof", str(tmp_path / "proof.json")])
    assert not ended.value.code
    printed = json.loads(capsys.readouterr().out)
    assert {"states", "receipts", "state_roots"} <= set(printed)
