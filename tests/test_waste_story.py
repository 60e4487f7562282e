"""Stories told on a real ledger state: every plan works from its first to its last step; no person is on the chain."""

from __future__ import annotations

from typing import Any

import pytest
from wastetown import public_samples, sandbox

from minichain.codec import encode
from minichain.contracts.sandbox import Outcome, SandboxContract
from minichain.errors import UsageError
from minichain.scenarios import Step
from minichain.scenarios.waste import SCENARIO, agents
from minichain.scenarios.waste.document import Document, Line, Rejection, Site
from minichain.scenarios.waste.story import SENTENCES, number_of, profile
from minichain.views import loads

SALT = bytes(range(16))
GAS_OF_A_STEP = 5_000_000


class Stage:
    """A ledger on which stories are played; it keeps everything that a chain would keep."""

    def __init__(self, roles: tuple[str, ...], setup: Any, subject: Any) -> None:
        self.box = sandbox()
        self.dids = {role: self.box.account(role) for role in roles}
        self.names = {did: role for role, did in self.dids.items()}
        self.steps: list[Step] = []
        self.kept: list[Any] = []
        self.contracts: dict[str, SandboxContract] = {}
        arguments = setup(subject, self.dids)
        for name, contract in SCENARIO.contracts.items():
            made = self.box.deploy(contract, sender=self.dids["office"], name=name, **arguments[name])
            self.contracts[name] = made
        self.waste = self.contracts["waste"]

    def play(self, step: Step) -> Outcome:
        self.box.advance(ms=step.wait_ms or 60_000)
        outcome = self.box.call(self.dids[step.role], step.contract, step.action, step.args)
        assert outcome.ok, (step, outcome.error)
        assert outcome.gas < GAS_OF_A_STEP
        self.steps.append(step)
        self.kept += [step.args, outcome.result, outcome.changes, [event.data for event in outcome.events]]
        return outcome

    def form(self, number: str) -> Any:
        return self.waste.manifest(number)


def told(document: Document) -> Stage:
    stage = Stage(SCENARIO.roles(document), SCENARIO.setup, document)
    for step in SCENARIO.plan(document, stage.dids, SALT):
        stage.play(step)
    return stage


@pytest.fixture(scope="module")
def stages() -> dict[str, Stage]:
    return {name: told(SCENARIO.load(path)) for name, path in SCENARIO.samples.items()}


# --- plans -------------------------------------------------------------------------------------------------------

ELECTRONIC = """
office register x6
generator draft
generator submit
generator schedule
generator hand_over
transporter-1 take_over
transporter-1 hand_over
transporter-2 take_over
transporter-2 hand_over
facility receive
facility report
facility sign
facility certify
"""


def test_the_plan_of_a_fully_electronic_manifest(stages: dict[str, Stage]) -> None:
    stage = stages["full_electronic"]
    lines = [f"{step.role} {step.action}" for step in stage.steps if step.action != "register"]
    assert "\n".join(["", f"office register x{len(stage.steps) - len(lines)}", *lines, ""]) == ELECTRONIC
    (row,) = stage.waste.manifests_for()["manifests"]
    assert (row["state"], row["outcome"], row["discrepancies"]) == ("Treated", "", [])


def test_a_draft_gets_a_number_of_the_right_form_and_the_same_each_time() -> None:
    document = SCENARIO.load(SCENARIO.samples["full_electronic"])
    number = number_of(document, SALT)
    assert number.endswith("ELC")
    assert len(number) == 12
    assert number[:9].isdigit()
    assert number == number_of(document, SALT) != number_of(document, SALT[::-1])


def test_a_load_rejected_on_site_ends_at_the_alternate_on_the_same_manifest(stages: dict[str, Stage]) -> None:
    stage = stages["full_reject_on_site"]
    form = stage.form("100200301FLE")
    assert (form["state"], form["outcome"]) == ("Treated", "FullyRejected")
    assert form["custodian"] == stage.dids["alternate"]
    assert len(stage.waste.manifests_for()["manifests"]) == 1


def test_a_part_that_was_rejected_returns_on_a_new_manifest(stages: dict[str, Stage]) -> None:
    stage = stages["partial_reject"]
    old, new = stage.form("100200302FLE"), stage.form("100200303FLE")
    assert (old["outcome"], new["state"]) == ("PartiallyRejected", "ReturnedToGenerator")
    assert (old["next"], new["previous"]) == (["100200303FLE"], ["100200302FLE"])
    assert {entry["kind"] for entry in old["discrepancies"]} == {"pieces", "rejected", "residue"}
    assert not [entry for entry in old["discrepancies"] if entry["open"]]
    sent = {row["line"]: row["onward"]["rejected"] for row in stage.waste.balance("100200302FLE")}
    assert sent == {row["line"]: row["shipped"] for row in stage.waste.balance("100200303FLE")}


def test_a_corrected_document_has_two_versions(stages: dict[str, Stage]) -> None:
    stage = stages["corrected"]
    assert stage.form("100200304ELC")["version"] == 2
    assert stage.waste.version("100200304ELC", 1)["version"] == 1
    assert "broker" in SCENARIO.roles(SCENARIO.load(SCENARIO.samples["corrected"]))


def site(role: str, place: str = "VA") -> Site:
    return Site(f"{place}TEST{role:>06}".replace(" ", "0"), f"US-{place}")


def document(**changes: Any) -> Document:
    parts: dict[str, Any] = {
        "profile": "us_rcra",
        "generator": site("GEN"),
        "transporters": (site("TRN"),),
        "facility": site("FAC", "OH"),
        "lines": (Line(1, "Solvent", 900, "K", 5, "DM", hazardous=True, codes=("D001",)),),
        "number": "000000001ELC",
    }
    return Document(**(parts | changes))


@pytest.mark.parametrize(
    ("changes", "state", "outcome"),
    [
        ({}, "Treated", ""),
        ({"rejection": Rejection(True, True, back_to_generator=True)}, "ReturnedToGenerator", "ReturnedToGenerator"),
        ({"rejection": Rejection(True, False, back_to_generator=True)}, "Signed", "FullyRejected"),
        ({"rejection": Rejection(True, False, alternate=site("ALT", "PA"))}, "Signed", "FullyRejected"),
        ({"rejection": Rejection(False, False, alternate=site("ALT", "PA"))}, "Treated", "PartiallyRejected"),
        ({"transporters": (site("GEN"),)}, "Treated", ""),
        ({"broker": site("GEN")}, "Treated", ""),
        ({"lines": ()}, "Pending", ""),
        (
            {"rejection": Rejection(True, True, alternate=site("TRN"))},  # the carrier runs a facility too
            *("Treated", "FullyRejected"),
        ),
        ({"transporters": (site("TRN"), site("TRO"), site("TRN"))}, "Treated", ""),
    ],
)
def test_every_kind_of_document_has_a_plan_that_works(changes: dict[str, Any], state: str, outcome: str) -> None:
    stage = told(document(**changes))
    form = stage.form("000000001ELC")
    assert (form["state"], form["outcome"]) == (state, outcome)
    for row in stage.waste.manifests_for()["manifests"]:
        for line in stage.waste.balance(row["number"]):
            assert line["received"] == line["accepted"] + line["rejected"] + line["residue"] + line["loss"]


def test_every_sentence_is_its_own_message_id(stages: dict[str, Stage]) -> None:
    said = {step.sentence for stage in stages.values() for step in stage.steps}
    assert said <= set(SENTENCES.values())
    assert not any(char in sentence for sentence in SENTENCES.values() for char in "{}%")


def test_a_plan_needs_a_did_for_each_role() -> None:
    made = document()
    with pytest.raises(UsageError, match="make a wallet"):
        SCENARIO.plan(made, {"office": "did:key:z1"}, SALT)
    with pytest.raises(UsageError, match="choose one of"):
        profile("mars")


def test_the_public_samples_are_played_from_end_to_end() -> None:
    for path in sorted(public_samples().glob("emanifest-save-valid-*.json")):
        stage = told(SCENARIO.load(path))
        assert stage.waste.manifests_for()["manifests"][0]["state"] == "Treated"


# --- no person on the chain --------------------------------------------------------------------------------------


def test_nothing_private_is_anywhere_on_the_chain(stages: dict[str, Stage]) -> None:
    """Search arguments, results, events and stored values for each private text of the document."""
    for name, stage in stages.items():
        made = SCENARIO.load(SCENARIO.samples[name])
        sites = {made.generator.number, made.facility.number, *(leg.number for leg in made.transporters)}
        chain = encode(stage.kept) + repr(stage.kept).encode()
        secrets = {str(value) for value in made.private.values() if len(str(value)) > 4} - sites
        assert len(secrets) > 10
        assert [secret for secret in secrets if secret.encode() in chain] == []
        assert b"555-01" not in chain


# --- a population ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["household", "industrial"])
def population(request: pytest.FixtureRequest) -> Stage:
    stage = Stage(agents.roles(request.param), agents.setup, request.param)
    for step in agents.stream(7, 25, stage.dids, request.param):
        stage.play(step)
    return stage


def summaries(stage: Stage) -> list[Any]:
    rows: list[Any] = stage.waste.manifests_for(limit=500)["manifests"]
    return rows


def test_a_population_is_the_same_for_the_same_seed() -> None:
    dids = {role: f"did:key:{role}" for role in agents.roles("household")}
    told_once = [encode([*step.args.values(), step.wait_ms]) for step in agents.stream(3, 12, dids)]
    assert told_once == [encode([*step.args.values(), step.wait_ms]) for step in agents.stream(3, 12, dids)]
    assert told_once != [encode([*step.args.values(), step.wait_ms]) for step in agents.stream(4, 12, dids)]
    with pytest.raises(UsageError, match="choose one of"):
        agents.roles("space")


def test_a_population_has_its_misfortunes(population: Stage) -> None:
    population.box.advance(days=40)
    rows = summaries(population)
    assert len(rows) >= 25
    assert any(row["discrepancies"] for row in rows)
    late = population.waste.alarms(limit=500)["alarms"]
    assert {alarm["id"] for alarm in late} & {"not confirmed", "in transit too long"}
    assert all(alarm["days"] > 0 and alarm["custodian"] in population.names for alarm in late)
    shown = [alert for row in rows for alert in loads.alerts(population.form(row["number"]), population.names)]
    assert sum(alert.state == "bad" for alert in shown) >= len(late)


def test_a_batch_is_opened_down_to_its_collections(population: Stage) -> None:
    forms = {row["number"]: population.form(row["number"]) for row in summaries(population)}
    origins = [(n, o) for n, form in forms.items() for line in form["lines"] for o in line["origins"]]
    assert origins
    assert {origin["part"] for _, origin in origins} <= {"accepted", "rejected"}
    for child, origin in origins:
        parent = forms[origin["manifest"]]
        assert child in parent["next"]
        assert origin["manifest"] in forms[child]["previous"]
        assert parent["lines"][0]["onward"][origin["part"]] == origin["quantity"]


def test_the_contract_balances_every_line(population: Stage) -> None:
    lines = [line for row in summaries(population) for line in population.waste.balance(row["number"])]
    reported = [line for line in lines if line["received"]]
    assert reported
    for line in reported:
        assert line["shipped"] == line["received"] + line["difference"]
        assert line["received"] == sum(line[part] for part in ("accepted", "rejected", "residue", "loss"))


def test_a_route_shows_who_has_rejected_and_who_is_silent(population: Stage) -> None:
    forms = [population.form(row["number"]) for row in summaries(population)]
    for form in forms:
        stops = loads.stops(form, population.names)
        assert len(stops) == 2 + len(form["transporters"]) + len(form["rejections"])
        assert [stop.word for stop in stops].count("rejected the load") == len(form["rejections"])
        assert [stop.word for stop in stops].count("signature missing") == bool(form["offered"])
    assert any(form["rejections"] or form["offered"] for form in forms)
