"""The custody dashboard knows where each load is, who is waited for and what went wrong; driven without a browser."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest
from wasteday import act, played

import minichain as mc
from minichain.contracts import describe
from minichain.errors import CallFailed, UsageError
from minichain.scenarios import examples
from minichain.scenarios.waste import day, story
from minichain.views import chainwords, garbage_custody, i18n, loads, renewed
from minichain.views.garbage_custody import Custody, CustodyReader, Order, sign

WASTE = ("contract", "registry")
BURNER_LOAD, MARKET_LOAD, SCHOOL_LOAD = "HH-20260105", "HH-20260103", "HH-20260109"


@pytest.fixture(autouse=True)
def _own_language():
    yield
    i18n.use("en")


@pytest.fixture
def model():
    made = Custody()
    made.show(CustodyReader()(played()))
    return made


def load(model: Custody, number: str):
    return next(manifest for manifest in model.manifests if manifest["number"] == number)


# --- reading -----------------------------------------------------------------------------------------------------


def test_every_load_of_the_day_is_known_newest_first(model):
    numbers = [manifest["number"] for manifest in model.manifests]
    assert numbers == [document.number for document, _end in reversed(day.LOADS)]


def test_a_false_first_weighing_passes_every_check_and_only_another_scale_shows_it(model):
    weighed = {number: load(model, number) for number in day.SPOT_CHECKS}
    assert [loads.alerts(form, model.names) for form in weighed.values()] == [[], [], []]
    written = {number: form["lines"][0]["quantity"] for number, form in weighed.items()}
    tolerance = story.profile("household")["bulk_percent"]
    off = [number for number, kg in day.SPOT_CHECKS.items() if abs(kg - written[number]) * 100 > kg * tolerance]
    assert off == ["HH-20260102"]


def test_a_reader_asks_in_full_only_for_what_changed(monkeypatch):
    network, read, asked = played(), CustodyReader(), []
    view = network.view

    def counted(contract, name, args):
        asked.append(name)
        return view(contract, name, args)

    monkeypatch.setattr(network, "view", counted)
    read(network)
    assert asked.count("manifest") == len(day.LOADS)
    asked.clear()
    read(network)
    assert asked == []
    act(network, day.OFFICE_A, "report_incident", number="HH-20260108", kind="other", comment="a broken lid")
    read(network)
    assert asked.count("manifest") == 1


def test_one_may_sign_as_everybody_whose_wallet_is_here(model):
    assert set(day.people()) - {"office", "regulator-origin"} == set(model.people)


def test_a_chain_without_a_waste_ledger_has_none():
    class Empty:
        genesis = played().genesis
        status, block, headers = played().status, played().block, played().headers

        def contracts(self):
            return ()

    assert CustodyReader()(Empty()).manifests is None


# --- meaning -----------------------------------------------------------------------------------------------------


def test_everybody_is_waiting_for_whoever_comes_next(model):
    steps = {manifest["number"]: loads.next_step(manifest) for manifest in model.manifests}
    who = {number: step and (model.names[step.did], step.act) for number, step in steps.items()}
    assert who == {
        "HH-20260101": None,
        "HH-20260102": None,
        "HH-20260103": ("Vegetable market", "reconcile"),
        "HH-20260104": None,
        "HH-20260105": ("Incineration plant", "receive"),
        "HH-20260106": ("Street office B", "receive"),
        "HH-20260107": ("Incineration plant", "report"),
        "HH-20260108": ("Collection truck 9", "take_over"),
        "HH-20260109": ("School kitchen", "hand_over"),
    }


def test_the_planted_faults_are_found_and_nothing_else(model):
    found = {(alert.number, alert.state) for alert in model.alerts if alert.state != "info"}
    assert found == {
        ("HH-20260103", "warn"),  # another weight, unanswered
        ("HH-20260105", "bad"),  # handed over, never confirmed
        ("HH-20260106", "bad"),  # on its way back, never confirmed
        ("HH-20260106", "warn"),  # rejected
        ("HH-20260108", "bad"),  # handed over, never taken over
    }
    assert [alert.state for alert in model.alerts] == sorted(
        [alert.state for alert in model.alerts], key=("bad", "warn", "info").index
    )


def test_what_is_overdue_is_an_alert_with_its_day(model):
    late = {"id": "missed pickup", "due": 1_767_225_600_000, "days": 3, "since": 0}
    manifest = {**load(model, SCHOOL_LOAD), "late": [late]}
    words = [alert.words for alert in loads.alerts(manifest, model.names) if alert.state == "bad"]
    assert len(words) == 1
    assert words[0].startswith("Missed pickup: due ")
    assert words[0].endswith("3 days ago.")


def test_a_correction_by_one_party_alone_is_seen_and_one_by_two_is_not(model):
    with mc.Network.simulated(validators=1, seed=7) as network:
        examples.load(network, lambda text: None)
        signed = next(manifest for manifest in model.manifests if manifest["state"] == "Signed")
        number, (one, other) = signed["number"], (model.names[signed[role]] for role in ("offeror", "destination"))
        change = {"number": number, "changes": [{"line": 1, "method": "H141"}], "reason": "Weighed again."}

        def corrected(signer: str) -> list[str]:
            attempt = act(network, one, "propose_correction", **change).result
            act(network, signer, "sign_correction", number=number, attempt=attempt)
            found = loads.alerts(network.contract("waste").manifest(number=number), model.names)
            return [alert.words for alert in found if "alone corrected" in alert.words]

        assert corrected(other) == []
        assert corrected(one) == [f"{one} alone corrected what was signed: Weighed again. The earlier version is kept."]


def test_a_missing_signature_breaks_the_line_from_hand_to_hand(model):
    states = [(stop.place, stop.state) for stop in loads.stops(load(model, BURNER_LOAD), model.names)]
    assert states == [
        ("Street office A", "ok"),
        ("Collection truck 7", "ok"),
        ("Transfer station", "ok"),
        ("Incineration plant", "bad"),
    ]


def test_no_mass_is_made_or_lost_on_the_picture(model):
    flows, unweighed = loads.mass_flows(model.manifests, model.names)
    assert unweighed == 0
    into, out = Counter(), Counter()
    for flow in flows:
        out[flow.source] += flow.amount
        into[flow.target] += flow.amount
    between = set(into) & set(out)
    arriving = {place for place in between if place not in (day.COMPOST, day.BURNER)}
    assert {place: into[place] for place in arriving} == {place: out[place] for place in arriving}
    sent = sum(line["quantity"] for manifest in model.manifests for line in manifest["lines"])
    assert sum(mass for place, mass in out.items() if place not in into) == sent
    assert into["did not arrive"] == 2_150 - 2_150 * 85 // 100


@pytest.mark.parametrize(
    ("unit", "density", "quantity", "kg"),
    [
        *(("K", 0, 7, 7), ("M", 0, 2, 2_000), ("P", 0, 1_000, 454), ("T", 0, 1, 907)),
        *(("L", 800, 100, 80), ("N", 500, 3, 1_500), ("G", 1_000, 1, 4), ("Y", 1_000, 1, 765), ("L", 0, 100, None)),
    ],
)
def test_quantities_become_kilograms_or_are_left_out(unit, density, quantity, kg):
    assert loads.mass_kg({"unit": unit, "density": density}, quantity) == kg


# --- acting ------------------------------------------------------------------------------------------------------


def test_the_most_urgent_load_is_open_until_somebody_opens_another(model):
    assert any(alert.state == "bad" and alert.number == model.chosen for alert in model.alerts)
    model.open(SCHOOL_LOAD)
    model.show(CustodyReader()(played()))
    assert model.chosen == SCHOOL_LOAD
    assert (model.who, model.act) == ("School kitchen", "hand_over")


def test_the_load_that_somebody_signs_for_stays_open(model):
    seen = CustodyReader()(played())
    turned = dataclasses.replace(seen, manifests=seen.manifests[::-1])
    first = model.chosen
    model.show(turned)
    assert model.chosen != first, "another load is the most urgent one now"
    second = model.chosen
    model.order([1] * len(model.manifest["lines"]), "It was weighed twice.")
    model.show(seen)
    assert model.chosen == second


def test_what_came_of_a_signature_is_forgotten_where_another_load_is_opened(model):
    model.who = ""
    send = next(child for child in garbage_custody._signing(model, None).children if hasattr(child, "progress"))
    send.start()
    assert "Choose who signs" in send.progress.value
    model.open(SCHOOL_LOAD)
    assert send.progress.value == ""


def test_nothing_is_signed_for_nobody(model):
    model.open(SCHOOL_LOAD)
    model.who = ""
    with pytest.raises(UsageError, match="Choose who signs"):
        model.order([], "")
    with pytest.raises(UsageError, match="Choose a load"):
        Custody().order([], "")


def test_a_load_is_signed_from_hand_to_hand_to_its_end(model):
    said: list[int] = []
    model.open("HH-20260107")
    for act_, received in (("report", [900]), ("sign", [980]), ("reconcile", [980])):
        assert model.act == act_
        order = model.order(received, "the rest stayed in the truck")
        proof = sign(order, model.names, played(), lambda step, sentence="": said.append(step))
        assert proof.header.height == played().height()
        model.show(CustodyReader()(played()))
    assert loads.state_of(model.manifest) == ("ok", "complete")
    assert model.step is None
    assert said == [0, 1] * 3


def test_the_wrong_party_is_refused_with_names_instead_of_keys(model):
    order = Order("Vegetable market", "hand_over", {"number": BURNER_LOAD})
    with pytest.raises(CallFailed, match="Transfer station") as refused:
        sign(order, model.names, played(), lambda *news: None)
    assert "did:key" not in str(refused.value)


@pytest.mark.parametrize("act_name", loads.act_names())
def test_every_act_asks_the_contract_with_arguments_it_takes(model, act_name):
    abi = played().contract("waste").abi
    method = next(method for method in abi.actions if method.name == act_name)
    arguments = loads.arguments(act_name, load(model, MARKET_LOAD), [1_800], "why")
    needed = {parameter.name for parameter in method.parameters if parameter.required}
    assert needed <= set(arguments) <= {parameter.name for parameter in method.parameters}


# --- words -------------------------------------------------------------------------------------------------------


def test_the_words_of_the_chain_are_in_the_catalogue():
    profiles = [json.loads(Path(path).read_text("utf-8")) for path in story.profiles().values()]
    described = {line.description for document, _end in day.LOADS for line in document.lines}
    assert set(day.people()) | described <= {*chainwords.names(), "regulator-origin"}
    assert {clock["id"] for profile in profiles for clock in profile["clocks"]} == set(chainwords.deadlines())
    assert set(story.SENTENCES.values()) == set(chainwords.steps())
    assert (story.PRIVATE,) == (loads.PRIVATE,) == chainwords.remarks()
    contracts = [describe((Path(day.__file__).parent / f"{name}.py").read_text("utf-8")) for name in WASTE]
    told = {one.sentences["en"] for abi in contracts for one in (abi, *abi.actions, *abi.views)}
    assert told == set(chainwords.rules())


def test_an_example_is_told_in_the_viewers_language():
    i18n.use("zh")
    assert loads.remark(story.PRIVATE) == "在文件的非公开部分已作说明。"
    assert loads.remark("Close") == "Close", "what somebody signed is shown as it is, though a button is called so"
    heard: list[str] = []
    told = f"{day.TRUCK_7}: {story.SENTENCES['take over']}"
    garbage_custody.aloud(lambda client, tell: tell(told), None, lambda *news: heard.append(news[-1]))
    assert heard[1].startswith("7号收运车: 运输方签名")


def test_the_page_offers_the_example_only_where_there_is_nothing():
    page = garbage_custody.page(played, examples.load)
    page.live._arrived(garbage_custody.Snapshot(3))
    offered = [button.description for button in inside(page, "Button")]
    assert "Play the example day" in offered
    assert "Sign and send" not in offered
    page.live._arrived(CustodyReader()(played()))
    assert "Sign and send" in [button.description for button in inside(page, "Button")]


def test_a_choice_survives_when_somebody_new_is_registered(model):
    box = garbage_custody._signing(model, None)
    shown = inside(box, "Dropdown")[0]
    model.people = (*model.people, "New party")
    model.who = "Vegetable market"
    model.people = (*model.people, "Newer party")
    assert (model.who, shown.value) == ("Vegetable market", "Vegetable market")
    assert "Newer party" in [value for _words, value in shown.options]


def test_a_weight_that_was_typed_is_the_one_that_is_signed_whatever_is_drawn_anew(model, monkeypatch):
    monkeypatch.setattr(renewed, "GRACE_S", 0)
    model.open("HH-20260108")
    model.act = "report"
    box = garbage_custody._signing(model, None)
    [scale] = inside(box, "BoundedIntText")
    scale.value = 907
    model.step = None  # somebody signed meanwhile
    assert inside(box, "BoundedIntText") == [scale]
    assert (scale.value, scale.comm is None) == (907, False)

    for deed in ("sign", "receive", "report"):  # gone long enough to be closed
        model.act = deed
    assert [one.comm is None for one in inside(box, "BoundedIntText")] == [False]
    model.open("HH-20260109")
    model.act = "report"
    assert [one.value for one in inside(box, "BoundedIntText")] == [205]


def test_a_hand_over_is_seen_though_no_summary_tells_it():
    network, model, read = played(), Custody(), CustodyReader()
    model.show(read(network))
    model.open(SCHOOL_LOAD)
    act(network, "School kitchen", "hand_over", number=SCHOOL_LOAD)
    model.show(read(network))
    assert (model.who, model.act) == ("Collection truck 7", "take_over")


def inside(widget, kind: str) -> list:
    """List the widgets of a kind inside a widget."""
    found = [widget] if type(widget).__name__ == kind else []
    return found + [one for child in getattr(widget, "children", ()) for one in inside(child, kind)]
