"""What is true after any sequence of actions by anybody: one custodian, an unbroken chain of signatures, mass in
balance, time that runs forward. The actions are chosen by Hypothesis, most of them out of turn.
"""

from __future__ import annotations

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from wastetown import CERTIFICATE, Town, arrival, line

ROLES = ("generator", "transporter-1", "transporter-2", "facility", "alternate")
TOWN: list[Town] = []

# Each move: which action, by whom it would be right to try it, and the arguments besides the number.
MOVES = st.one_of(
    st.tuples(st.sampled_from(ROLES), st.sampled_from(["hand_over", "take_over", "receive", "sign"]), st.just({})),
    st.tuples(
        st.sampled_from(["facility", "alternate", "generator"]),
        st.just("reject_on_site"),
        st.fixed_dictionaries({"back_to_generator": st.booleans(), "comment": st.just("Not as agreed.")}),
    ),
    st.tuples(
        st.sampled_from(["facility", "alternate"]),
        st.just("report"),
        st.builds(
            lambda received, rejected, residue, loss: {
                "lines": [arrival(received=received, rejected=rejected, residue=residue, loss=loss, comment="Weighed.")]
            },
            *(st.integers(-1, 12_000) for _ in range(2)),
            *(st.integers(0, 300) for _ in range(2)),
        ),
    ),
    st.tuples(
        st.sampled_from(ROLES),
        st.sampled_from(["propose_correction"]),
        st.builds(
            lambda quantity: {
                "changes": [{"line": 1, "quantity": quantity, "comment": "Corrected."}],
                "reason": "Typo.",
            },
            st.integers(0, 12_000),
        ),
    ),
    st.tuples(
        st.sampled_from(ROLES), st.just("sign_correction"), st.fixed_dictionaries({"attempt": st.integers(1, 3)})
    ),
    st.tuples(
        st.sampled_from(["facility", "alternate"]),
        st.just("certify"),
        st.just({"kind": "Treated", "certificate": CERTIFICATE}),
    ),
)

NEXT = {  # the move that leads on, so that runs reach the end of a manifest's life
    "Scheduled": ["hand_over", "take_over"],
    "InTransit": ["hand_over", "take_over", "receive"],
    "Received": ["report"],
    "ReadyForSignature": ["sign"],
    "Signed": ["certify", "propose_correction"],
    "UnderCorrection": ["sign_correction"],
}


def town() -> Town:
    if not TOWN:
        TOWN.append(Town())
    return TOWN[0]


def check_invariants(form: dict[str, Any], before: dict[str, Any], action: str, actor: str) -> None:
    on_it = {form["offeror"], form["destination"], *form["transporters"], form["facility"]}
    assert form["custodian"] in on_it  # exactly one, and it is a party
    if form["custodian"] != before["custodian"]:  # custody moves by the signature of the one who takes it ...
        taken = action in ("take_over", "receive") and form["custodian"] == actor and before["offered"] > 0
        refused = action == "reject_on_site" and form["custodian"] == form["transporters"][-1]  # ... or is given back
        assert taken or refused
    if action == "hand_over":
        assert actor == before["custodian"]
    signatures = form["signatures"]
    assert signatures[: len(before["signatures"])] == before["signatures"]  # nothing signed is ever taken away
    times = [entry["at"] for entry in signatures]
    assert times == sorted(times)
    assert [entry["at"] for entry in form["log"]] == sorted(entry["at"] for entry in form["log"])
    legs = [entry["order"] for entry in signatures if entry["role"] == "transporter"]
    assert legs == list(range(1, len(legs) + 1))  # in order, each once
    assert [form["transporters"][order - 1] for order in legs] == [
        entry["who"] for entry in signatures if entry["role"] == "transporter"
    ]
    assert sum(entry["role"] == "facility" for entry in signatures) <= 1
    for row in form["lines"]:
        parts = [row[part] for part in ("accepted", "rejected", "residue", "loss")]
        assert row["received"] == sum(parts)
        assert min(parts) >= 0
        assert all(row["onward"][part] <= row[part] for part in ("accepted", "rejected", "residue"))
    if "UnderCorrection" in (form["state"], before["state"]):
        assert form["facility"] == before["facility"]
        assert form["version"] - before["version"] in (0, 1)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_sequence_of_actions_keeps_custody_mass_and_time(data: st.DataObject) -> None:
    own = town()
    number = own.scheduled(line(container_ids=[]), alternate="alternate")
    form = own.form(number)
    for _ in range(data.draw(st.integers(4, 14), label="moves")):
        role, action, args = data.draw(MOVES, label="move")
        if data.draw(st.integers(0, 3), label="in turn") and form["state"] in NEXT:
            role, action, args = in_turn(own, form, data)
        outcome = own.attempt(role, action, number=number, **args)
        assert outcome.outcome in ("ok", "reverted"), outcome.error  # never a fault of the contract
        after = own.form(number)
        if not outcome.ok:
            assert ": " in outcome.error
            assert after == {**form, "late": after["late"]}
        else:
            event(f"{action} -> {after['state']}")
            check_invariants(after, form, action, own.did(role))
        form = after


def in_turn(own: Town, form: dict[str, Any], data: st.DataObject) -> tuple[str, str, dict[str, Any]]:
    """Choose a move that may well succeed."""
    names = {own.did(role): role for role in ROLES}
    action = data.draw(st.sampled_from(NEXT[form["state"]]), label="next")
    legs, position = form["transporters"], form["position"]
    actors = {
        "hand_over": form["custodian"],
        "take_over": legs[position] if position < len(legs) else legs[-1],
        "propose_correction": form["generator"],
        "sign_correction": form["facility"],
        "certify": form["custodian"],
    }
    received, rejected = data.draw(st.integers(0, 12_000)), data.draw(st.integers(0, 200))
    entry = arrival(received=max(received, rejected), rejected=rejected, comment="Weighed.")
    args: dict[str, dict[str, Any]] = {
        "report": {"lines": [entry]},
        "certify": {"kind": "Treated", "certificate": CERTIFICATE},
        "propose_correction": {"changes": [{"line": 1, "method": "H040"}], "reason": "Typo."},
        "sign_correction": {"attempt": form["attempts"]},
    }
    return names[actors.get(action, form["destination"])], action, args.get(action, {})


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 6_000), min_size=1, max_size=5), st.integers(1, 10_000))
def test_what_is_sent_on_never_exceeds_what_is_there(shares: list[int], rejected: int) -> None:
    """Ask for shares of a rejected part, one manifest each: they are granted exactly while something is left."""
    own = town()
    parent = own.signed(reports=[arrival(rejected=rejected, comment="Off specification.")])
    left = rejected
    way = {"offeror": "facility", "facility": "alternate", "transporters": ["transporter-1"]}
    for share in shares:
        origin = {"manifest": parent, "line": 1, "part": "rejected", "quantity": share}
        child = own.pending(line(quantity=share, origins=[origin]), by="facility", **way)
        outcome = own.attempt("facility", "schedule", number=child)
        assert outcome.ok == (share <= left)
        left -= share if outcome.ok else 0
        assert own.custody.balance(parent)[0]["onward"]["rejected"] == rejected - left
