"""Stories of waste: the life of a manifest, each rule of its experts at its edge, and each refusal in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from wastetown import CERTIFICATE, COMMITMENT, DAY_MS, Town, arrival, drums, line, sandbox

from minichain.contracts import check
from minichain.contracts.language import MAX_SOURCE_BYTES
from minichain.errors import MinichainError
from minichain.ledger.genesis import Limits
from minichain.scenarios.waste import SCENARIO, WasteRegistry, contract, registry
from minichain.scenarios.waste.story import profile, profiles

SOURCES = {module.__name__.rpartition(".")[2]: Path(str(module.__file__)) for module in (contract, registry)}


@pytest.fixture(scope="module")
def town() -> Town:
    return Town()


def late(town: Town, number: str) -> list[str]:
    return [entry["id"] for entry in town.form(number)["late"]]


def kinds(town: Town, number: str) -> list[tuple[int, str]]:
    return [(entry["line"], entry["kind"]) for entry in town.form(number)["discrepancies"]]


# --- the contracts themselves ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES.values(), ids=SOURCES)
def test_the_contracts_are_in_the_contract_language_and_fit_into_one_transaction(path: Path) -> None:
    source = path.read_text()
    assert check(source) == []
    assert len(source.encode()) < MAX_SOURCE_BYTES


def test_deploying_fits_into_the_gas_of_a_transaction(town: Town) -> None:
    """A Sandbox has the gas limit of the ledger, so the fixture has already proved it."""
    assert town.box.gas_limit == Limits().transaction_gas
    assert {"waste-registry", "waste"} == set(SCENARIO.contracts)


@pytest.mark.parametrize("name", profiles())
def test_each_profile_names_the_source_and_date_of_every_figure(name: str) -> None:
    rules = profile(name)
    figures = [*rules["clocks"], *rules["sources"]]
    assert rules["clocks"]
    assert all(figure["source"] and figure["as_of"] and figure["check"] for figure in figures)
    milestones = {"submitted", "scheduled", "accepted", "delivered", "received", "reported", "signed", "treated"}
    milestones |= {"discrepancy", "reconciled"}
    assert all({clock["since"], clock["until"]} <= milestones for clock in rules["clocks"])
    box = sandbox()
    assert box.deploy(WasteRegistry, sender="did:key:zOffice", operator="did:key:zOffice", profile=rules).rules()


# --- the life of a manifest --------------------------------------------------------------------------------------

LIFE = """
generator      draft         NotAssigned
generator      submit        Pending            generator
generator      schedule      Scheduled          generator
generator      hand_over     Scheduled          generator
transporter-1  take_over     InTransit          transporter-1
transporter-1  hand_over     InTransit          transporter-1
transporter-2  take_over     InTransit          transporter-2
transporter-2  hand_over     InTransit          transporter-2
facility       receive       Received           facility
facility       report        ReadyForSignature  facility
facility       sign          Signed             facility
facility       certify       Treated            facility
"""


def test_the_life_of_a_manifest(town: Town) -> None:
    number, told = next(town.numbers), [""]
    names = {town.did(role): role for role in ("generator", "transporter-1", "transporter-2", "facility")}
    more: dict[str, dict[str, Any]] = {
        "draft": town.content(line(), drums(2)),
        "submit": {"reference": "load", "number": number},
        "report": {"number": number, "lines": [arrival(1), arrival(2, 7_200, containers=40)]},
        "certify": {"number": number, "kind": "Treated", "certificate": CERTIFICATE},
    }
    for role, action in (row.split()[:2] for row in LIFE.split("\n")[1:-1]):
        result = town.ok(role, action, **more.get(action, {"number": number}))
        if action == "draft":
            told.append(f"{role:<14} {action:<13} {town.custody.draft_of(result)['state']}")
        else:
            assert result == town.form(number)["state"]
            told.append(f"{role:<14} {action:<13} {result:<18} {names[town.form(number)['custodian']]}")
    assert "\n".join([*told, ""]) == LIFE
    signatures = town.form(number)["signatures"]
    assert [(names[s["who"]], s["role"], s["order"]) for s in signatures] == [
        ("generator", "generator", 0),
        ("transporter-1", "transporter", 1),
        ("transporter-2", "transporter", 2),
        ("facility", "facility", 0),
    ]
    times = [signature["at"] for signature in signatures]
    assert times == sorted(times)
    assert all(row["difference"] == 0 and row["accepted"] == row["shipped"] for row in town.custody.balance(number))


def test_every_action_costs_far_less_gas_than_a_transaction_may_use(town: Town) -> None:
    lines = [drums(number, codes=["D001", "F003"], containers=20) for number in range(1, 11)]
    reports = [arrival(number, 7_200, containers=20) for number in range(1, 11)]
    number = next(town.numbers)
    spent = [town.attempt("generator", "draft", **town.content(*lines)).gas]
    spent.append(town.attempt("generator", "submit", reference="load", number=number).gas)
    way = [("generator", "schedule"), ("generator", "hand_over")]
    way += [(leg, action) for leg in ("transporter-1", "transporter-2") for action in ("take_over", "hand_over")]
    for role, action in [*way, ("facility", "receive")]:
        outcome = town.attempt(role, action, number=number)
        assert outcome.ok, outcome.error
        spent.append(outcome.gas)
    spent.append(town.attempt("facility", "report", number=number, lines=reports).gas)
    assert max(spent) < 5_000_000


# --- preparing ---------------------------------------------------------------------------------------------------


def test_a_draft_has_no_number_until_it_is_submitted_and_belongs_to_who_wrote_it(town: Town) -> None:
    town.ok("generator", "draft", **town.content(reference="mine"))
    town.refused("facility", "draft", "belongs to somebody else", **town.content(reference="mine"))
    assert town.custody.draft_of("mine")["number"] == ""
    town.refused("transporter-1", "submit", "only the generator", reference="mine", number="000000900ELC")
    town.refused("generator", "submit", "999999999AAA", reference="mine", number="12345ELC")
    town.refused("generator", "submit", "no draft", reference="other", number="000000900ELC")
    taken = town.pending()
    town.refused("generator", "submit", "taken", reference="mine", number=taken)


def test_strangers_and_the_unregistered_cannot_write_a_manifest(town: Town) -> None:
    town.refused("generator-2", "draft", "only a party on this manifest", **town.content())
    town.refused("generator", "draft", "not registered", **town.content(facility="nobody"))
    town.refused("generator", "draft", "nothing moves", **town.content(facility="generator"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": 0}, "the quantity is 0"),
        ({"quantity": -5}, "never negative"),
        ({"quantity": "10"}, "whole number"),
        ({"quantity": True}, "whole number"),
        ({"containers": 0}, "count them"),
        ({"container_type": "XX"}, "container type XX is unknown"),
        ({"unit": "Z"}, "unit Z is unknown"),
        ({"codes": ["D1"]}, "does not have the form"),
        ({"codes": []}, "at least one waste code"),
        ({"line": 2}, "numbered 1, 2, 3"),
        ({"description": " "}, "is missing"),
        ({"description": "Ask 202-555-0101 for it"}, "telephone number"),
        ({"description": "Mail a@example.org"}, "mail address"),
        ({"contact": "A person"}, "has no field contact"),
        ({"container_ids": ["C1", "C2"]}, "2 ids for 1 containers"),
        ({"container_ids": [{"owner": "A person"}]}, "lists words"),
        ({"local_codes": ["x" * 41]}, "lists words"),
        ({"origins": ["x"]}, "lists words"),
        ({"dot": "x" * 41}, "at most 40 characters"),
    ],
)
def test_a_waste_line_is_refused_with_the_reason(town: Town, changes: dict[str, Any], words: str) -> None:
    town.refused("generator", "draft", words, **town.content(line(**changes)))


def test_scheduling_needs_a_line_and_permits_that_cover_every_code(town: Town) -> None:
    town.ok("generator", "draft", **{**town.content(), "lines": []})
    number = next(town.numbers)
    town.ok("generator", "submit", reference="load", number=number)
    town.refused("generator", "schedule", "at least one waste line", number=number)
    town.register("small-facility", ["facility"], "OHTESTFAC009", "US-OH", codes=["D001"], methods=["H020"])
    wrong = town.pending(line(codes=["D001", "K062"]), facility="small-facility")
    town.refused("generator", "schedule", "waste code K062 is outside the permit of site OHTESTFAC009", number=wrong)
    right = town.pending(line(codes=["D001"]), facility="small-facility")
    town.ok("generator", "schedule", number=right)
    swapped = town.pending(facility="transporter-1", transporters=["transporter-2"])
    town.refused("generator", "schedule", "not registered as facility", number=swapped)


def test_a_permit_that_has_run_out_stops_the_waste_at_the_gate(town: Town) -> None:
    until = town.box.now_ms + DAY_MS
    town.register("small-facility", ["facility"], "OHTESTFAC009", "US-OH", valid_until=until)
    number = town.at_gate(facility="small-facility")
    town.box.advance(days=2)
    town.refused("small-facility", "receive", "is not valid today", number=number)
    town.ok("small-facility", "reject_on_site", number=number, back_to_generator=True, comment="Our permit ended.")
    assert town.form(number)["custodian"] == town.did("transporter-2")


def test_a_suspended_transporter_takes_nothing_over(town: Town) -> None:
    town.register("transporter-3", ["transporter"], "MDTESTTRN003", "US-MD")
    number = town.scheduled(transporters=["transporter-3"])
    town.ok("generator", "hand_over", number=number)
    town.registry.suspend(town.did("transporter-3"), "Licence withdrawn.")
    town.refused("transporter-3", "take_over", "is suspended", number=number)
    town.ok("generator", "change_transporters", number=number, transporters=[town.did("transporter-1")], reason="Swap.")
    assert town.ok("transporter-1", "take_over", number=number) == "InTransit"


def test_only_the_office_registers(town: Town) -> None:
    args = ("did:key:z6Mk", ["generator"], "VATESTGEN009", "US-VA")
    assert "only the office" in town.registry.with_sender(town.did("generator")).attempt("register", *args).error
    assert "does not have the form" in town.registry.attempt("register", args[0], ["generator"], "V1", "US-VA").error
    assert "role king" in town.registry.attempt("register", args[0], ["king"], "VATESTGEN009", "US-VA").error


def test_a_container_travels_on_one_active_manifest(town: Town) -> None:
    first = town.scheduled(line(container_ids=["TANK-7"]))
    second = town.pending(line(container_ids=["TANK-7"]))
    town.refused("generator", "schedule", f"container TANK-7 travels on manifest {first}", number=second)
    town.ok("generator", "cancel", number=first, reason="Truck broke down.")
    town.ok("generator", "schedule", number=second)
    done = town.signed(line(container_ids=["TANK-8"]))
    town.scheduled(line(container_ids=["TANK-8"]))
    assert town.form(done)["state"] == "Signed"


def test_a_manifest_is_cancelled_before_pickup_only(town: Town) -> None:
    number = town.scheduled()
    town.ok("generator", "hand_over", number=number)
    town.refused("facility", "cancel", "only the generator", number=number, reason="No.")
    town.ok("transporter-1", "take_over", number=number)
    town.refused("generator", "cancel", "can be rejected, not cancelled", number=number, reason="Too late.")


# --- on the way --------------------------------------------------------------------------------------------------


def test_transporter_2_cannot_sign_before_transporter_1(town: Town) -> None:
    number = town.scheduled()
    town.refused("transporter-1", "take_over", "not handed over to you yet", number=number)
    town.ok("generator", "hand_over", number=number)
    town.refused("transporter-2", "take_over", "only transporter 1, who signs next", number=number)
    town.ok("transporter-1", "take_over", number=number)
    town.refused("transporter-1", "take_over", "only transporter 2", number=number)
    town.refused("transporter-2", "take_over", "not handed over to you yet", number=number)


def test_only_the_custodian_hands_over_and_only_once(town: Town) -> None:
    number = town.scheduled()
    town.refused("facility", "hand_over", "only the present custodian", number=number)
    town.ok("generator", "hand_over", number=number)
    town.refused("generator", "hand_over", "handed it over already", number=number)
    town.ok("transporter-1", "take_over", number=number)
    town.refused("generator", "hand_over", "only the present custodian", number=number)


def test_nobody_but_the_destination_receives_and_nobody_skips_a_leg(town: Town) -> None:
    number = town.scheduled()
    town.refused("facility", "receive", "only a load in transit", number=number)
    town.ok("generator", "hand_over", number=number)
    town.ok("transporter-1", "take_over", number=number)
    town.refused("facility", "receive", "has not handed it over", number=number)
    town.ok("transporter-1", "hand_over", number=number)
    town.refused("facility", "receive", "has not handed it over", number=number)
    town.refused("alternate", "receive", "only the destination", number=number)


def test_one_company_may_carry_two_legs_and_signs_for_each(town: Town) -> None:
    legs = ["transporter-1", "transporter-2", "transporter-1"]
    number = town.at_gate(transporters=legs)
    assert [s["order"] for s in town.form(number)["signatures"]] == [0, 1, 2, 3]


def test_after_pickup_only_the_generator_changes_the_transporters_that_have_not_signed(town: Town) -> None:
    number = town.scheduled()
    town.ok("generator", "hand_over", number=number)
    town.ok("transporter-1", "take_over", number=number)
    town.ok("transporter-1", "hand_over", number=number)
    change = {"number": number, "transporters": [town.did("transporter-1")], "reason": "The second truck is full."}
    town.refused("transporter-1", "change_transporters", "only the generator", **change)
    town.ok("generator", "change_transporters", **change)
    assert town.form(number)["transporters"] == [town.did("transporter-1")] * 2
    town.refused("transporter-2", "take_over", "only transporter 2, who signs next", number=number)
    town.refused("transporter-1", "take_over", "not handed over to you yet", number=number)  # the old offer is void


def test_an_incident_stays_on_the_manifest(town: Town) -> None:
    number = town.at_gate()
    spill = {"number": number, "kind": "spill", "comment": "Two drums leaked."}
    town.refused("generator-2", "report_incident", "only a party", **spill)
    town.refused("transporter-2", "report_incident", "one of spill", **{**spill, "kind": "party"})
    town.ok("transporter-2", "report_incident", **spill)
    assert town.form(number)["incidents"][0]["kind"] == "spill"


# --- arrival: discrepancies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "expected"),
    [(9_000, []), (8_999, [(1, "quantity")]), (11_000, []), (11_001, [(1, "quantity")]), (0, [(1, "quantity")])],
)
def test_bulk_differs_when_it_is_more_than_ten_percent_by_weight(
    town: Town, received: int, expected: list[Any]
) -> None:
    number = town.received(line(quantity=10_000))
    town.ok("facility", "report", number=number, lines=[arrival(received=received, comment="Weighed twice.")])
    assert kinds(town, number) == expected


def test_one_drum_of_forty_missing_is_a_discrepancy_whatever_the_weight(town: Town) -> None:
    number = town.received(drums(containers=40))
    town.ok("facility", "report", number=number, lines=[arrival(1, 7_200, containers=39, comment="One is missing.")])
    assert kinds(town, number) == [(1, "pieces")]
    light = town.received(drums(containers=40))
    town.ok("facility", "report", number=light, lines=[arrival(1, 5_000, containers=40)])
    assert kinds(town, light) == []  # pieces are counted; their weight is not judged under these rules


def test_solvent_received_as_acid_is_a_discrepancy_of_type(town: Town) -> None:
    number = town.received()
    town.ok("facility", "report", number=number, lines=[arrival(same_type=False, comment="The sample is acid.")])
    assert kinds(town, number) == [(1, "type")]


def test_a_comment_is_mandatory_for_a_discrepancy(town: Town) -> None:
    number = town.received()
    town.refused("facility", "report", "comment is mandatory", number=number, lines=[arrival(received=8_999)])
    town.refused("facility", "report", "explain the loss", number=number, lines=[arrival(loss=5)])


def test_mass_is_neither_lost_nor_made(town: Town) -> None:
    number = town.received()
    words = "10000 received, but 9999"
    town.refused("facility", "report", words, number=number, lines=[arrival(accepted=9_999)])
    entry = arrival(rejected=1_000, residue=300, loss=50, comment="Half a tank was off specification.")
    town.ok("facility", "report", number=number, lines=[entry])
    (row,) = town.custody.balance(number)
    assert row["shipped"] == row["accepted"] + row["rejected"] + row["residue"] + row["loss"] + row["difference"]
    assert kinds(town, number) == [(1, "rejected"), (1, "residue")]


def test_litres_are_not_compared_with_kilograms_without_a_density(town: Town) -> None:
    number = town.received(line(quantity=5_000, unit="L"))
    weighed = arrival(received=9_200, unit="K")
    town.refused("facility", "report", "state the density", number=number, lines=[weighed])
    town.ok("facility", "report", number=number, lines=[{**weighed, "density": 1_840}])
    assert town.custody.balance(number)[0]["received"] == 5_000
    pumped = town.received(line(quantity=9_200, unit="K", density=1_840))
    town.ok("facility", "report", number=pumped, lines=[arrival(received=5_000, unit="L")])
    assert town.custody.balance(pumped)[0]["received"] == 9_200


@pytest.mark.parametrize(
    ("quantity", "unit", "received", "weighed", "expected"),
    [
        (2_000, "P", 907, "K", 2_000),
        (10, "T", 9_072, "K", 10),
        (3, "M", 3_000, "K", 3),
        (1_000, "G", 3_785, "L", 1_000),
    ],
)
def test_units_of_one_kind_convert_exactly(
    town: Town, quantity: int, unit: str, received: int, weighed: str, expected: int
) -> None:
    number = town.received(line(quantity=quantity, unit=unit))
    town.ok("facility", "report", number=number, lines=[arrival(received=received, unit=weighed)])
    assert town.custody.balance(number)[0]["received"] == expected


def test_a_report_covers_every_line_with_a_permitted_method(town: Town) -> None:
    number = town.received(line(), drums(2))
    town.refused("facility", "report", "each of the 2 lines", number=number, lines=[arrival()])
    swapped = [arrival(2, 7_200, containers=40), arrival(1)]
    town.refused("facility", "report", "on line 1 in its place", number=number, lines=swapped)
    town.refused("generator", "report", "only the destination", number=number, lines=swapped)
    town.register("small-facility", ["facility"], "OHTESTFAC009", "US-OH", methods=["H040"])
    other = town.received(line(method=""), facility="small-facility")
    town.refused("small-facility", "report", "name a management method", number=other, lines=[arrival()])
    town.ok("small-facility", "report", number=other, lines=[arrival(method="H040")])


def test_a_discrepancy_is_answered_by_the_other_side(town: Town) -> None:
    number = town.received()
    town.ok("facility", "report", number=number, lines=[arrival(received=8_000, comment="Too light.")])
    answer = {"number": number, "line": 1, "kind": "quantity", "answer": "Our scale was wrong."}
    town.refused("facility", "reconcile", "only the generator or a transporter", **answer)
    town.ok("generator", "reconcile", **answer)
    town.refused("generator", "reconcile", "no open discrepancy", **answer)
    assert town.form(number)["discrepancies"][0]["answer"] == "Our scale was wrong."
    assert "reconciled" in town.form(number)["times"]


def test_it_is_signed_once_and_after_the_report(town: Town) -> None:
    number = town.received()
    town.refused("facility", "sign", "report on all its lines first", number=number)
    town.ok("facility", "report", number=number, lines=[arrival()])
    town.ok("facility", "sign", number=number)
    town.refused("facility", "sign", "sign once", number=number)
    town.refused("facility", "report", "before the signature", number=number, lines=[arrival()])


def test_the_holder_certifies_treatment_once(town: Town) -> None:
    number = town.signed()
    args = {"number": number, "kind": "Disposed", "certificate": CERTIFICATE}
    town.refused("generator", "certify", "only the facility that holds", **args)
    town.refused("facility", "certify", "SHA-256", **{**args, "certificate": "none"})
    town.refused("facility", "certify", "Treated or Disposed", **{**args, "kind": "Lost"})
    assert town.ok("facility", "certify", **args) == "Disposed"
    town.refused("facility", "certify", "certified once", **args)


def test_what_is_settled_is_no_longer_watched(town: Town) -> None:
    def watched() -> int:
        return int(town.custody.alarms()["count"])

    before = watched()
    cancelled, treated = town.scheduled(), town.signed()
    rejected = town.signed(reports=[arrival(rejected=10_000, comment="Off specification.")])
    town.ok("generator", "cancel", number=cancelled, reason="No truck.")
    assert watched() == before + 1  # a signed load waits for its treatment, one without anything accepted does not
    town.ok("facility", "certify", number=treated, kind="Treated", certificate=CERTIFICATE)
    assert watched() == before
    assert town.form(rejected)["state"] == "Signed"


# --- rejection ---------------------------------------------------------------------------------------------------


def test_a_full_load_rejected_on_site_continues_on_the_same_manifest_to_the_alternate(town: Town) -> None:
    number = town.received(alternate="alternate")
    town.ok("facility", "reject_on_site", number=number, back_to_generator=False, comment="Our tank is full.")
    form = town.form(number)
    assert (form["state"], form["custodian"]) == ("InTransit", town.did("transporter-2"))
    town.ok("transporter-2", "hand_over", number=number)
    town.refused("facility", "receive", "only the destination", number=number)
    town.ok("alternate", "receive", number=number)
    town.ok("alternate", "report", number=number, lines=[arrival()])
    town.ok("alternate", "sign", number=number)
    assert town.form(number)["outcome"] == "FullyRejected"
    certify = {"number": number, "kind": "Treated", "certificate": CERTIFICATE}
    town.refused("facility", "certify", "only the facility that holds", **certify)
    town.ok("alternate", "certify", **certify)
    assert number in [row["number"] for row in town.custody.manifests_for(town.did("regulator-pa"))["manifests"]]


def test_a_full_load_sent_back_to_its_generator_cannot_be_rejected_again(town: Town) -> None:
    number = town.at_gate()
    town.ok("facility", "reject_on_site", number=number, back_to_generator=True, comment="Not as agreed.")
    town.ok("transporter-2", "hand_over", number=number)
    again = {"number": number, "back_to_generator": True, "comment": "We do not want it."}
    town.refused("generator", "reject_on_site", "cannot be rejected again", **again)
    assert town.ok("generator", "receive", number=number) == "ReturnedToGenerator"
    (row,) = town.custody.balance(number)
    assert (row["rejected"], row["accepted"], row["difference"]) == (10_000, 0, 0)


def test_after_the_report_a_load_is_no_longer_rejected_as_a_whole_on_site(town: Town) -> None:
    number = town.received(alternate="alternate")
    town.ok("facility", "report", number=number, lines=[arrival()])
    reject = {"number": number, "back_to_generator": False, "comment": "Changed our mind."}
    town.refused("facility", "reject_on_site", "is rejected on arrival", **reject)


def rejected_off_site(town: Town, rejected: int = 4_000) -> str:
    """The transporter is gone and the facility keeps what it rejected, until a new manifest takes it away."""
    return town.signed(reports=[arrival(rejected=rejected, comment="Off specification.")])


def continuing(parent: str, quantity: int, part: str = "rejected") -> dict[str, Any]:
    return line(quantity=quantity, origins=[{"manifest": parent, "line": 1, "part": part, "quantity": quantity}])


def test_a_partial_rejection_with_the_transporter_gone_needs_a_new_manifest_that_names_the_old(town: Town) -> None:
    parent = rejected_off_site(town)
    assert town.form(parent)["outcome"] == "PartiallyRejected"
    child = town.at_gate(
        continuing(parent, 4_000),
        by="facility",
        offeror="facility",
        facility="alternate",
        transporters=["transporter-1"],
    )
    assert town.form(child)["previous"] == [parent]
    assert town.form(parent)["next"] == [child]
    assert town.custody.balance(parent)[0]["onward"]["rejected"] == 4_000
    town.ok("alternate", "receive", number=child)
    assert town.form(child)["custodian"] == town.did("alternate")


def test_no_more_is_sent_on_than_was_rejected_and_only_by_its_holder(town: Town) -> None:
    parent = rejected_off_site(town)
    target = {"facility": "alternate", "transporters": ["transporter-1"]}
    much = town.pending(continuing(parent, 4_001), by="facility", offeror="facility", **target)
    town.refused("facility", "schedule", "4000 K rejected are left, not 4001", number=much)
    thief = town.pending(continuing(parent, 100), **target)
    town.refused("generator", "schedule", "is not with you", number=thief)
    first = town.scheduled(continuing(parent, 3_000), by="facility", offeror="facility", **target)
    second = town.pending(continuing(parent, 3_000), by="facility", offeror="facility", **target)
    town.refused("facility", "schedule", "1000 K rejected are left", number=second)
    town.ok("facility", "cancel", number=first, reason="No truck today.")
    town.ok("facility", "schedule", number=second)
    assert town.form(parent)["next"] == [second]


def test_a_new_manifest_back_to_the_original_generator_cannot_itself_be_rejected(town: Town) -> None:
    parent = rejected_off_site(town)
    way = {"generator": "facility", "facility": "generator", "transporters": ["transporter-1"], "by": "facility"}
    number = town.received(continuing(parent, 4_000), **way)
    reject = {"number": number, "back_to_generator": True, "comment": "No room."}
    town.refused("generator", "reject_on_site", "cannot be rejected again", **reject)
    part = [arrival(received=4_000, rejected=1, comment="A litre too much.")]
    town.refused("generator", "report", "cannot be rejected again", number=number, lines=part)
    town.ok("generator", "report", number=number, lines=[arrival(received=4_000)])
    assert town.ok("generator", "sign", number=number) == "ReturnedToGenerator"


def test_fresh_waste_does_not_hide_in_a_return(town: Town) -> None:
    parent = rejected_off_site(town)
    mixed = continuing(parent, 4_000) | {"quantity": 5_000}
    way = {"generator": "facility", "facility": "generator", "transporters": ["transporter-1"], "by": "facility"}
    number = town.pending(mixed, **way)
    town.refused("facility", "schedule", "it continues 4000: ship just that quantity", number=number)


def test_a_full_rejection_after_the_transporter_left_is_signed_and_sent_on(town: Town) -> None:
    parent = rejected_off_site(town, rejected=10_000)
    assert town.form(parent)["outcome"] == "FullyRejected"
    certify = {"number": parent, "kind": "Treated", "certificate": CERTIFICATE}
    town.refused("facility", "certify", "nothing that was accepted is left", **certify)


def test_new_waste_is_shipped_in_nobody_elses_name(town: Town) -> None:
    framed = town.pending(generator="generator-2", offeror="generator")
    town.refused("generator", "schedule", "offered by its own generator", number=framed)
    middle = town.pending(generator="transporter-1", transporters=["transporter-2"], by="transporter-1")
    town.refused("transporter-1", "schedule", "not registered as generator", number=middle)


def test_what_continues_a_manifest_keeps_codes_unit_and_quantity(town: Town) -> None:
    parent = rejected_off_site(town)
    way = {"by": "facility", "offeror": "facility", "facility": "alternate", "transporters": ["transporter-1"]}
    for change, words in (
        ({"codes": ["F003"]}, "keeps its waste codes"),
        ({"unit": "M"}, "is counted in its unit"),
        ({"origins": continuing(parent, 4_000)["origins"] + continuing(parent, 0)["origins"]}, "are left, not 0"),
        ({"quantity": 3_999}, "ship just that quantity"),
    ):
        number = town.pending(continuing(parent, 4_000) | change, **way)
        town.refused("facility", "schedule", words, number=number)
    treated = town.signed()
    town.ok("facility", "certify", number=treated, kind="Treated", certificate=CERTIFICATE)
    number = town.pending(continuing(treated, 10, "accepted"), **way)
    town.refused("facility", "schedule", "is treated already", number=number)


def test_a_new_report_asks_again(town: Town) -> None:
    number = town.received()
    for received in (8_000, 5_000):
        entry = arrival(received=received, comment="Too light.")
        town.ok("facility", "report", number=number, lines=[entry])
        assert "reconciled" not in town.form(number)["times"]
        town.ok("generator", "reconcile", number=number, line=1, kind="quantity", answer="We know.")


def test_a_batch_is_followed_through_a_transfer_station(town: Town) -> None:
    parents = [town.signed(line(quantity=amount), reports=[arrival(received=amount)]) for amount in (3_000, 4_000)]
    origins = [
        {"manifest": parent, "line": 1, "part": "accepted", "quantity": amount}
        for parent, amount in zip(parents, (3_000, 4_000), strict=True)
    ]
    way = {"generator": "facility", "facility": "alternate", "transporters": ["transporter-2"], "by": "facility"}
    batch = town.scheduled(line(quantity=7_000, origins=origins), **way)
    assert town.form(batch)["previous"] == parents
    certify = {"number": parents[0], "kind": "Treated", "certificate": CERTIFICATE}
    town.refused("facility", "certify", "who received it certifies", **certify)


# --- corrections -------------------------------------------------------------------------------------------------


def test_one_correction_at_a_time_and_the_old_version_is_kept(town: Town) -> None:
    number = town.signed()
    change = {"number": number, "changes": [{"line": 1, "quantity": 10_500}], "reason": "Typing error."}
    assert town.ok("generator", "propose_correction", **change) == 1
    assert town.form(number)["state"] == "UnderCorrection"
    town.refused("facility", "propose_correction", "one correction at a time", **change)
    town.refused("generator-2", "sign_correction", "only a party", number=number, attempt=1)
    assert town.ok("facility", "sign_correction", number=number, attempt=1) == "Corrected"
    assert town.form(number)["lines"][0]["quantity"] == 10_500
    assert town.form(number)["version"] == 2
    assert town.custody.version(number, 1)["lines"][0]["quantity"] == 10_000


def test_nobody_signs_a_correction_that_was_exchanged_meanwhile(town: Town) -> None:
    number = town.signed()
    change = {"number": number, "changes": [{"line": 1, "quantity": 10_100}], "reason": "Typing error."}
    town.ok("generator", "propose_correction", **change)
    town.ok("transporter-1", "withdraw_correction", number=number)
    town.ok("generator", "propose_correction", **{**change, "changes": [{"line": 1, "quantity": 10_999}]})
    town.refused("facility", "sign_correction", "is number 2, not 1", number=number, attempt=1)


@pytest.mark.parametrize("field", ["facility", "transporters", "unit", "origins", "onward", "line_number", "state"])
def test_the_facility_and_what_was_signed_cannot_be_corrected(town: Town, field: str) -> None:
    number = town.signed()
    change = [{"line": 1, field: "other"}]
    town.refused(
        "facility", "propose_correction", "cannot be corrected", number=number, changes=change, reason="Why not."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quantity": 0}, "the quantity is 0"),
        ({"received": 9_000}, "9000 received, but 10000"),
        ({"received": 8_000, "accepted": 8_000}, "comment is mandatory"),
        ({"codes": ["XYZ"]}, "does not have the form"),
        ({"line": 7}, "each change names its line"),
    ],
)
def test_a_correction_obeys_the_same_rules_as_the_first_version(town: Town, change: dict[str, Any], words: str) -> None:
    number = town.signed()
    changes = [{"line": 1, **change}]
    town.refused("facility", "propose_correction", words, number=number, changes=changes, reason="Try.")
    town.refused("facility", "propose_correction", "say what changes", number=number, changes=[], reason="Try.")


def test_what_comes_back_during_a_correction_is_not_forgotten(town: Town) -> None:
    parent = rejected_off_site(town)
    way = {"by": "facility", "offeror": "facility", "facility": "alternate", "transporters": ["transporter-1"]}
    child = town.scheduled(continuing(parent, 4_000), **way)
    change = [{"line": 1, "method": "H040"}]
    town.ok("facility", "propose_correction", number=parent, changes=change, reason="Wrong method.")
    town.ok("facility", "cancel", number=child, reason="No truck today.")
    town.ok("facility", "sign_correction", number=parent, attempt=1)
    town.scheduled(continuing(parent, 4_000), **way)


def test_a_load_that_went_back_to_its_generator_can_be_corrected(town: Town) -> None:
    number = town.at_gate()
    town.ok("facility", "reject_on_site", number=number, back_to_generator=True, comment="Not as agreed.")
    town.ok("transporter-2", "hand_over", number=number)
    town.ok("generator", "receive", number=number)
    change = [{"line": 1, "description": "Waste solvent, wet"}]
    town.ok("facility", "propose_correction", number=number, changes=change, reason="Water in it.")
    assert town.ok("generator", "sign_correction", number=number, attempt=1) == "ReturnedToGenerator"


def test_a_correction_cannot_take_back_what_has_left(town: Town) -> None:
    parent = rejected_off_site(town)
    way = {"by": "facility", "offeror": "facility", "facility": "alternate", "transporters": ["transporter-1"]}
    town.scheduled(continuing(parent, 4_000), **way)
    change = [{"line": 1, "rejected": 3_000, "accepted": 7_000}]
    words = "4000 rejected already left"
    town.refused("facility", "propose_correction", words, number=parent, changes=change, reason="Miscounted.")


def test_only_a_signed_manifest_is_corrected_and_its_treatment_stays(town: Town) -> None:
    number = town.received()
    change = {"number": number, "changes": [{"line": 1, "method": "H040"}], "reason": "Wrong method."}
    town.refused("facility", "propose_correction", "only of a signed manifest", **change)
    town.ok("facility", "report", number=number, lines=[arrival()])
    town.ok("facility", "sign", number=number)
    town.ok("facility", "certify", number=number, kind="Treated", certificate=CERTIFICATE)
    town.ok("facility", "propose_correction", **change)
    assert town.ok("generator", "sign_correction", number=number, attempt=1) == "Treated"


# --- deadlines ---------------------------------------------------------------------------------------------------


def test_the_exception_clocks_start_with_the_first_transporter_and_end_on_day_45_and_60(town: Town) -> None:
    number = town.scheduled()
    town.ok("generator", "hand_over", number=number)
    town.box.advance(days=30)
    town.ok("transporter-1", "take_over", number=number)
    start = town.form(number)["times"]["accepted"]
    for at, expected in (
        (45 * DAY_MS, []),
        (45 * DAY_MS + 1, ["exception: ask"]),
        (60 * DAY_MS, ["exception: ask"]),
        (60 * DAY_MS + 1, ["exception: ask", "exception: report"]),
    ):
        town.box.now_ms = start + at
        assert [name for name in late(town, number) if name.startswith("exception")] == expected


def test_a_small_generator_only_reports_on_day_60() -> None:
    town = Town()
    town.register("generator", ["generator"], "VATESTGEN001", "US-VA", category="SQG")
    number = town.scheduled()
    town.ok("generator", "hand_over", number=number)
    town.ok("transporter-1", "take_over", number=number)
    town.box.advance(days=59)
    assert "exception: report" not in late(town, number)
    town.box.advance(days=2)
    assert "exception: report" in late(town, number)
    assert "exception: ask" not in late(town, number)
    town.ok("transporter-1", "hand_over", number=number)
    town.ok("transporter-2", "take_over", number=number)
    assert "exception: report" in late(town, number)  # a further transporter does not start the clock again


def test_a_load_that_the_destination_never_confirms_raises_the_alarm_and_confirming_ends_it(town: Town) -> None:
    number = town.at_gate()
    town.box.advance(days=3)
    concern = town.custody.alarms(town.did("regulator-oh"), limit=500)["alarms"]
    (alarm,) = [entry for entry in concern if entry["number"] == number]
    assert (alarm["id"], alarm["duty"], alarm["custodian"]) == ("not confirmed", "facility", town.did("transporter-2"))
    assert not town.custody.alarms(town.did("regulator-tx"), limit=500)["alarms"]
    town.ok("facility", "receive", number=number)
    assert late(town, number) == []


def test_a_discrepancy_that_nobody_answers_is_late_after_15_days_from_receipt(town: Town) -> None:
    number = town.received()
    received = town.form(number)["times"]["received"]
    town.ok("facility", "report", number=number, lines=[arrival(received=8_000, comment="Too light.")])
    town.ok("facility", "sign", number=number)
    town.box.now_ms = received + 15 * DAY_MS
    assert late(town, number) == []
    town.box.now_ms += 1
    assert late(town, number) == ["discrepancy report"]
    town.ok("transporter-1", "reconcile", number=number, line=1, kind="quantity", answer="We spilled nothing.")
    assert late(town, number) == []


def test_new_rules_do_not_reach_back(town: Town) -> None:
    own = Town()
    old = own.scheduled()
    rules = profile("us_rcra")
    rules["bulk_percent"] = 50
    own.ok("generator", "draft", **own.content(reference="between"))
    own.registry.adopt(rules)
    number = next(own.numbers)
    own.refused("generator", "submit", "rules have changed", reference="between", number=number)
    new = own.received()
    for role, action in (
        *(("generator", "hand_over"), ("transporter-1", "take_over"), ("transporter-1", "hand_over")),
        *(("transporter-2", "take_over"), ("transporter-2", "hand_over"), ("facility", "receive")),
    ):
        own.ok(role, action, number=old)
    for at in (old, new):
        own.ok("facility", "report", number=at, lines=[arrival(received=8_000, comment="Too light.")])
    assert kinds(own, old) == [(1, "quantity")]
    assert kinds(own, new) == []


# --- who sees what -----------------------------------------------------------------------------------------------


def test_authorities_see_the_manifests_from_and_to_their_jurisdiction(town: Town) -> None:
    number = town.scheduled()

    def sees(role: str) -> bool:
        found = town.custody.manifests_for(town.did(role), start=0, limit=500)
        return number in [row["number"] for row in found["manifests"]]

    seen = {role: sees(role) for role in ("regulator-va", "regulator-oh", "regulator-tx", "facility", "generator-2")}
    assert seen == {
        "regulator-va": True,
        "regulator-oh": True,
        "regulator-tx": False,
        "facility": True,
        "generator-2": False,
    }
    assert number in [row["number"] for row in town.custody.manifests_for(limit=500)["manifests"]]


def test_an_unknown_manifest_is_a_plain_refusal(town: Town) -> None:
    town.refused("generator", "hand_over", "there is no manifest 999999999ELC", number="999999999ELC")
    with pytest.raises(MinichainError, match="there is no manifest"):
        town.custody.manifest("999999999ELC")
    town.refused("generator", "draft", "64 small hex digits", **town.content(commitment=COMMITMENT.upper()))


# --- the other profiles ------------------------------------------------------------------------------------------


def test_in_china_the_code_ends_with_its_class_and_the_number_has_14_digits() -> None:
    site = "91330400TEST0000{}1"
    parties = {
        "generator": (["generator"], site.format("A"), "CN-33"),
        "transporter-1": (["transporter"], site.format("B"), "CN-33"),
        "facility": (["facility"], site.format("C"), "CN-33"),
    }
    town = Town("cn_hw", parties)
    rag = line(description="Oily rags", codes=["900-044-49"], waste_class="HW08", unit="M", quantity=3)
    one = {"transporters": ["transporter-1"]}
    words = "code 900-044-49 belongs to class HW49, not to HW08"
    town.refused("generator", "draft", words, **town.content(rag, **one))
    town.ok("generator", "draft", **town.content({**rag, "waste_class": "HW49"}, **one))
    town.refused("generator", "submit", "99999999999999", reference="load", number="000000001ELC")
    assert town.ok("generator", "submit", reference="load", number="20263304000001") == "Pending"


def test_in_a_town_bins_are_weighed_as_well_as_counted() -> None:
    parties = {
        "generator": (["generator"], "S-A", "town-a"),
        "transporter-1": (["transporter"], "T-A", "town-a"),
        "facility": (["facility"], "F-A", "town-b"),
    }
    town = Town("household", parties)
    town.numbers = iter([f"HH-{serial:08}" for serial in range(9)])
    bins = line(description="Kitchen waste", codes=["W-3"], container_type="BIN", containers=10, quantity=1_000)
    for received, expected in ((970, []), (969, [(1, "quantity")])):
        number = town.received(bins, transporters=["transporter-1"])
        entry = arrival(1, received, containers=10, comment="Scale of the station.")
        town.ok("facility", "report", number=number, lines=[entry])
        assert kinds(town, number) == expected
