"""The contract `identity`, told as stories in a sandbox: lost phones, laboratories, scales that are no longer true."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.codec import encode
from minichain.contracts import Sandbox, check
from minichain.contracts.language import MAX_SOURCE_BYTES
from minichain.contracts.sandbox import Outcome
from minichain.contracts.system import IDENTITY
from minichain.crypto import commitment
from minichain.errors import CallFailed, ContractFault

DAY = 86_400_000
FAR = 4_000_000_000_000  # a time that no test reaches
SALTS = {name: bytes([number]) * 32 for number, name in enumerate(("Ann", "Bob", "Cem", "Dan"), 1)}


class Office:
    """A sandbox with the contract, and people in it by name."""

    def __init__(self) -> None:
        self.box = Sandbox()
        self.contract: Any = self.box.deploy(IDENTITY, sender="ledger", name="identity")

    def did(self, name: str) -> str:
        return self.box.account(name)

    def by(self, name: str) -> Any:
        return self.contract.with_sender(self.did(name))

    @property
    def now(self) -> int:
        return self.box.now_ms

    def refused(self, name: str, action: str, /, **args: Any) -> str:
        """Try what must be refused; return the words, which begin with the argument they are about."""
        before = self.box.state.root
        outcome: Outcome = self.by(name).attempt(action, **args)
        assert outcome.outcome == "reverted", outcome
        assert self.box.state.root == before
        return outcome.error.split(": ", 1)[1]

    # --- guardians

    def slip(self, guardian: str) -> bytes:
        return commitment(SALTS[guardian], self.did(guardian).encode())

    def guard(self, owner: str = "Eve", threshold: int = 2, wait_ms: int = 2 * DAY) -> None:
        self.by(owner).guard([self.slip(name) for name in SALTS], threshold, wait_ms)

    def support(self, guardian: str, key: str = "new phone", owner: str = "Eve") -> int:
        outcome: Outcome = self.by(guardian).support(self.did(owner), self.did(key), SALTS[guardian])
        return int(outcome.result)

    def recover(self, key: str = "new phone", owner: str = "Eve") -> Outcome:
        outcome: Outcome = self.by("anybody").recover(self.did(owner), self.did(key))
        return outcome

    # --- devices

    def found(self, *names: str) -> None:
        for name in names:
            self.by(name).found(name, [])

    def enrol(self, device: str = "scale") -> None:
        """A weighing office enrols a device, whose laboratories the metrology office accredits."""
        self.found("office", "metrology")
        self.by("metrology").grant_role(self.did("lab"), "laboratory", self.now, FAR)
        self.by("office").enrol(self.did(device), "W-200", bytes(32), self.did("metrology"))
        self.by(device).join(self.did("office"))

    def state(self, at: int = 0) -> str:
        return str(self.contract.device_state(self.did("scale"), at)["state"])


@pytest.fixture
def office() -> Office:
    return Office()


def test_it_is_in_the_contract_language_and_one_page_fits() -> None:
    assert check(IDENTITY) == []
    assert len(IDENTITY.encode()) < MAX_SOURCE_BYTES


# --- keys ------------------------------------------------------------------------------------------------------------


def test_keys_come_and_go_and_each_is_known_by_its_heights(office: Office) -> None:
    eve, first = office.did("Eve"), office.box.height
    (said,) = office.by("Eve").rotate(office.did("second")).events
    assert (said.name, said.data["key"], said.data["before"]) == ("KeyChanged", office.did("second"), eve)
    office.box.advance(blocks=10)
    office.by("Eve").rotate(office.did("third"))
    held = {
        name: [h for h in (0, first, first + 1, first + 10, first + 11) if office.contract.was_key(eve, did, h)]
        for name, did in {"first": eve, **{n: office.did(n) for n in ("second", "third", "never")}}.items()
    }
    assert held == {
        "first": [0, first],
        "second": [first, first + 1, first + 10],
        "third": [first + 10, first + 11],
        "never": [],
    }, "both sign in the block of a change"
    assert [record["key"] for record in office.contract.history(eve)] == [office.did("second"), office.did("third")]
    assert [office.contract.version_at(eve, h) for h in (first - 1, first, first + 9, first + 10)] == [0, 1, 1, 2]
    assert office.contract.was_key(office.did("nobody"), office.did("nobody"), 5), "nobody has spoken of this one"


def test_a_key_that_was_left_never_comes_back(office: Office) -> None:
    office.by("Eve").rotate(office.did("second"))
    for key in ("Eve", "second"):
        assert office.refused("Eve", "rotate", key=office.did(key)).startswith("key: this account has or had")
    office.guard("Bob", threshold=1)
    office.by("Bob").rotate(office.did("second"))  # another account may: nobody can reserve a key against it


def test_what_is_deactivated_stays_so(office: Office) -> None:
    office.found("office")
    office.by("office").grant_role(office.did("Eve"), "driver", office.now, FAR)
    office.guard()
    (said,) = office.by("Eve").deactivate().events
    assert (said.name, said.data["key"]) == ("KeyChanged", "")
    assert not office.contract.has_role(office.did("office"), office.did("Eve"), "driver")
    assert office.refused("Eve", "rotate", key=office.did("x")) == "caller: this did is deactivated"
    words = office.refused("Ann", "support", did=office.did("Eve"), key=office.did("x"), salt=SALTS["Ann"])
    assert words == "did: this did is deactivated"
    assert not office.contract.was_key(office.did("Eve"), office.did("Eve"), office.box.height + 1)


# --- guardians -------------------------------------------------------------------------------------------------------


def test_two_of_four_guardians_give_an_account_another_key_after_a_wait(office: Office) -> None:
    office.guard()
    assert office.support("Ann") == 1
    with pytest.raises(CallFailed, match="key: 1 of the 2 guardians needed have asked for it"):
        office.recover()
    office.box.advance(days=30)
    assert office.support("Cem") == 2
    with pytest.raises(CallFailed, match="key: the owner may refuse until"):
        office.recover()
    office.box.advance(days=2)
    (said,) = office.recover().events
    assert (said.name, said.data["did"], said.data["key"]) == ("KeyChanged", office.did("Eve"), office.did("new phone"))
    with pytest.raises(CallFailed, match="key: no guardian asks for this key"):
        office.recover()


def test_the_owner_refuses_and_guardians_begin_anew(office: Office) -> None:
    office.guard()
    assert office.refused("Eve", "refuse") == "caller: no guardian of this account asks for anything"
    for guardian in ("Ann", "Bob"):
        office.support(guardian, "thief's phone")
    office.by("Eve").refuse()
    office.box.advance(days=3)
    with pytest.raises(CallFailed, match="key: no guardian asks for this key"):
        office.recover("thief's phone")
    assert office.support("Ann") == 1


@pytest.mark.parametrize("change", ["rotate", "guard"])
def test_what_the_owner_does_with_the_present_key_ends_what_guardians_have_begun(office: Office, change: str) -> None:
    office.guard()
    office.support("Ann")
    office.support("Bob")
    office.box.advance(days=3)
    office.guard() if change == "guard" else office.by("Eve").rotate(office.did("own phone"))
    with pytest.raises(CallFailed, match="key: no guardian asks for this key"):
        office.recover()


def test_a_guardian_who_changes_its_mind_is_counted_once(office: Office) -> None:
    office.guard()
    office.support("Ann", "wrong phone")
    office.support("Bob", "wrong phone")
    assert office.support("Bob", "new phone") == 1
    office.box.advance(days=3)
    with pytest.raises(CallFailed, match="key: 1 of the 2 guardians needed"):
        office.recover("wrong phone")
    asked = office.contract.recovery(office.did("Eve"))["asked"]
    assert {key: (case["by"], case["ready"] > 0) for key, case in asked.items()} == {
        office.did("wrong phone"): ([office.did("Ann")], False),
        office.did("new phone"): ([office.did("Bob")], False),
    }
    assert office.support("Ann", "new phone") == 2
    assert list(office.contract.recovery(office.did("Eve"))["asked"]) == [office.did("new phone")]


def test_nobody_reads_who_the_guardians_are_until_they_help(office: Office) -> None:
    office.guard()
    stored = b"".join(key + value for key, value in office.box.state.values.items())
    for name in SALTS:
        assert office.did(name).encode() not in stored
        assert commitment(bytes(32), office.did(name).encode()) not in stored, (
            "and none can be guessed without its salt"
        )
    office.support("Ann")
    stored = encode(office.contract.recovery(office.did("Eve")))
    assert [name for name in SALTS if office.did(name).encode() in stored] == ["Ann"]


ACTS = st.one_of(
    st.tuples(st.just("support"), st.sampled_from(sorted(SALTS)), st.sampled_from(["one", "two"])),
    st.tuples(st.just("refuse")),
    st.tuples(st.just("wait"), st.integers(1, 3)),
    st.tuples(st.just("recover"), st.sampled_from(["one", "two"])),
)


@given(st.integers(1, 4), st.lists(ACTS, max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_key_comes_when_enough_guardians_want_it_long_enough_and_never_else(threshold: int, acts: list[Any]) -> None:
    """Beside a model: what each guardian wants, and since when enough of them want the same."""
    office = Office()
    office.guard(threshold=threshold, wait_ms=2 * DAY)
    wants: dict[str, str] = {}
    since: dict[str, int] = {}
    for act in acts:
        outcome: Outcome
        match act:
            case ("support", guardian, key):
                args = (office.did("Eve"), office.did(key), SALTS[guardian])
                outcome = office.by(guardian).attempt("support", *args)
                assert outcome.ok == (wants.get(guardian) != key)
                wants[guardian] = key
            case ("refuse",):
                assert office.by("Eve").attempt("refuse").ok == bool(wants)
                wants = {}
            case ("wait", days):
                office.box.advance(days=days)
            case ("recover", key):
                outcome = office.by("anybody").attempt("recover", office.did("Eve"), office.did(key))
                assert outcome.ok == (key in since and office.now >= since[key] + 2 * DAY)
                if outcome.ok:
                    assert office.contract.record(office.did("Eve"))["key"] == office.did(key)
                    return
        enough = {key for key in ("one", "two") if [*wants.values()].count(key) >= threshold}
        since = {key: since.get(key, office.now) for key in enough}
    assert office.contract.record(office.did("Eve"))["key"] == office.did("Eve")


# --- organisations ---------------------------------------------------------------------------------------------------


def test_a_role_is_held_for_a_time_and_what_was_done_with_it_stands(office: Office) -> None:
    office.found("office")
    begin = office.now
    office.by("office").grant_role(office.did("Eve"), "weigher", begin + DAY, begin + 30 * DAY)

    def has(at: int = 0, role: str = "weigher", who: str = "Eve") -> bool:
        return bool(office.contract.has_role(office.did("office"), office.did(who), role, at))

    assert [has(), has(begin + DAY), has(begin + 30 * DAY - 1), has(begin + 30 * DAY)] == [False, True, True, False]
    assert not has(begin + DAY, "auditor")
    assert not has(begin + DAY, who="Bob")
    office.box.advance(days=10)
    office.by("office").revoke_role(office.did("Eve"), "weigher")
    assert [has(), has(begin + 5 * DAY)] == [False, True]
    assert office.refused("office", "revoke_role", did=office.did("Eve"), role="weigher").startswith("role: this did")
    office.by("office").grant_role(office.did("Eve"), "weigher", office.now, FAR)
    assert has()
    assert len(office.contract.role_holders(office.did("office"))) == 1, "the same seat"


def test_a_later_grant_takes_nothing_from_an_earlier_one_and_gives_nothing_back(office: Office) -> None:
    """Who asks later whether somebody might do something gets the answer that was true then."""
    office.found("office")
    begin, eve = office.now, office.did("Eve")

    def held(*days: int) -> list[bool]:
        return [office.contract.has_role(office.did("office"), eve, "weigher", begin + day * DAY) for day in days]

    office.by("office").grant_role(eve, "weigher", begin, begin + 30 * DAY)
    office.box.advance(days=10)
    office.by("office").grant_role(eve, "weigher", begin + 30 * DAY, begin + 60 * DAY)
    assert held(0, 9, 11, 29, 30, 59, 60) == [True] * 6 + [False], "renewed ahead, and held until then"
    office.by("office").revoke_role(eve, "weigher")
    assert held(0, 9, 10, 29, 30, 59) == [True, True, False, False, False, False], "the coming one is taken too"
    office.box.advance(days=10)
    office.by("office").grant_role(eve, "weigher", begin, begin + 40 * DAY)
    assert held(9, 10, 19, 20, 39, 40) == [True, False, False, True, True, False], "nobody was a weigher after the fact"
    for _ in range(47):
        office.by("office").grant_role(eve, "weigher", office.now, FAR)
    words = office.refused("office", "grant_role", did=eve, role="weigher", valid_from=0, valid_until=FAR)
    assert words.startswith("role: this did was given it 50 times already")
    words = office.refused("office", "grant_role", did=eve, role="guest", valid_from=begin, valid_until=office.now)
    assert words == "valid_until: later than now"


def test_roles_are_listed_page_by_page(office: Office) -> None:
    office.found("office", "other")
    for number in range(7):
        office.by("office").grant_role(office.did(f"driver {number}"), "driver", office.now, FAR)
        office.by("other").grant_role(office.did(f"driver {number}"), "guest", office.now, FAR)
    pages = [office.contract.role_holders(office.did("office"), start, 3) for start in (0, 3, 6, 9)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert [entry[0] for page in pages for entry in page] == [office.did(f"driver {number}") for number in range(7)]
    assert {entry[1] for page in pages for entry in page} == {"driver"}


def test_an_organisation_has_one_name_and_services_that_can_change(office: Office) -> None:
    office.by("office").found("Street Office A", [["status", "LinkedDomains", "https://example.org/"]])
    office.by("office").publish([])
    first, second = office.contract.history(office.did("office"))
    assert (first["services"], second["services"], second["name"]) == (
        [["status", "LinkedDomains", "https://example.org/"]],
        [],
        "Street Office A",
    )


# --- devices ---------------------------------------------------------------------------------------------------------


def test_a_scale_from_its_enrolment_to_its_end(office: Office) -> None:
    office.enrol()
    begin = office.now
    assert office.state() == "not yet calibrated"
    assert office.by("lab").certify(office.did("scale"), b"c" * 32, begin + DAY, begin + 100 * DAY).result == 1
    assert office.state() == "not yet calibrated", "its certificate begins tomorrow"
    office.box.advance(days=1)
    assert office.contract.device_state(office.did("scale")) == {
        "state": "active",
        "reason": "calibrated",
        "certificate": 1,
    }
    office.by("office").suspend(office.did("scale"), "it fell from a lorry")
    office.box.advance(days=1)
    assert office.contract.device_state(office.did("scale"))["reason"] == "it fell from a lorry"
    office.by("office").reinstate(office.did("scale"))
    assert office.state() == "active"
    assert office.state(begin + DAY + DAY // 2) == "suspended", "what it measured on that day does not count"
    office.box.advance(days=100)
    assert office.contract.device_state(office.did("scale"))["reason"].startswith("its calibration ended at ")
    office.by("lab").certify(office.did("scale"), b"d" * 32, office.now, office.now + DAY)
    assert office.state() == "active"
    office.by("office").revoke_device(office.did("scale"), "scrapped")
    assert office.state() == "revoked"
    assert office.state(begin + 3 * DAY) == "active", "what it measured before stands"
    assert [found["digest"] for found in office.contract.device_certificates(office.did("scale"))] == [
        b"c" * 32,
        b"d" * 32,
    ]
    assert office.contract.fleet(office.did("office")) == [office.did("scale")]


def test_at_the_very_millisecond(office: Office) -> None:
    office.enrol()
    begin = office.now
    office.by("lab").certify(office.did("scale"), b"c" * 32, begin + DAY, begin + 2 * DAY)
    edges = [office.state(begin + at) for at in (DAY - 1, DAY, 2 * DAY - 1, 2 * DAY)]
    assert edges == ["not yet calibrated", "active", "active", "expired"]
    office.box.advance(days=1)
    office.by("office").suspend(office.did("scale"), "moved")
    office.box.advance(hours=12)
    office.by("office").reinstate(office.did("scale"))
    office.by("office").revoke_device(office.did("scale"), "sold")
    ended = office.now
    states = [office.state(at) for at in (begin + DAY - 1, begin + DAY, ended - 1, ended)]
    assert states == ["not yet calibrated", "suspended", "suspended", "revoked"]


def test_a_laboratory_that_lost_its_accreditation_certifies_no_more(office: Office) -> None:
    office.enrol()
    office.by("lab").certify(office.did("scale"), b"c" * 32, office.now, FAR)
    office.by("metrology").revoke_role(office.did("lab"), "laboratory")
    args = {"device": office.did("scale"), "digest": b"c" * 32, "valid_from": 0, "valid_until": FAR}
    assert office.refused("lab", "certify", **args).startswith("caller: this did is not a laboratory")
    assert office.state() == "active", "what it said before stands"


def test_the_devices_of_a_closed_organisation_do_not_count(office: Office) -> None:
    office.enrol()
    office.by("lab").certify(office.did("scale"), b"c" * 32, office.now, FAR)
    office.by("office").deactivate()
    assert office.state() == "revoked"


def test_no_organisation_takes_a_device_that_has_not_joined_it(office: Office) -> None:
    office.found("greedy")
    office.enrol("meter")
    office.by("greedy").enrol(office.did("scale"), "W", bytes(32), office.did("greedy"))
    with pytest.raises(ContractFault, match="device: this did is not that of an enrolled device"):
        office.state()
    assert office.contract.record(office.did("scale"))["controller"] == office.did("scale")
    office.by("office").enrol(office.did("scale"), "W-200", bytes(32), office.did("metrology"))
    office.by("scale").join(office.did("office"))
    assert office.contract.device(office.did("scale"))["organisation"] == office.did("office")
    assert office.refused("scale", "join", organisation=office.did("greedy")).startswith("caller: this account is that")


# --- what is wrong, in which words -----------------------------------------------------------------------------------

D = b"d" * 32
WRONG: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "no did": ("Eve", "rotate", {"key": "did:web:example.org"}, "key: this is not the did:key"),
    "no key at all": ("Eve", "rotate", {"key": ""}, "key: this is not the did:key"),
    "no guardian": ("Eve", "guard", {"guardians": [], "threshold": 1, "wait_ms": 1}, "guardians: 1 to 16, not 0"),
    "too many": ("Eve", "guard", {"guardians": [D] * 17, "threshold": 1, "wait_ms": 1}, "guardians: 1 to 16, not 17"),
    "threshold 0": ("Eve", "guard", {"guardians": [D], "threshold": 0, "wait_ms": 1}, "threshold: 1 to 1, the number"),
    "threshold n + 1": ("Eve", "guard", {"guardians": [D], "threshold": 2, "wait_ms": 1}, "threshold: 1 to 1, the"),
    "no wait": ("Eve", "guard", {"guardians": [D], "threshold": 1, "wait_ms": 0}, "wait_ms: 1 to"),
    "twice": ("Eve", "guard", {"guardians": [D, D], "threshold": 1, "wait_ms": 1}, "guardians: one is named twice"),
    "short": ("Eve", "guard", {"guardians": [b"d"], "threshold": 1, "wait_ms": 1}, "guardians: a digest of 32 bytes"),
    "own guardian": ("Eve", "support", {"did": "Eve", "key": "Bob", "salt": D}, "caller: nobody is the guardian of"),
    "no guardian of hers": (
        "Zoe",
        "support",
        {"did": "Eve", "key": "Bob", "salt": D},
        "salt: with this",
    ),
    "another's salt": ("Bob", "support", {"did": "Eve", "key": "new", "salt": SALTS["Ann"]}, "salt: with this salt"),
    "a short salt": ("Ann", "support", {"did": "Eve", "key": "new", "salt": b"s"}, "salt: the 32 bytes"),
    "her own key": (
        "Ann",
        "support",
        {"did": "Eve", "key": "Eve", "salt": SALTS["Ann"]},
        "key: this account has or had",
    ),
    "no case": ("Ann", "recover", {"did": "Eve", "key": "new"}, "key: no guardian asks for this key"),
    "a person's role": (
        "Eve",
        "grant_role",
        {"did": "Bob", "role": "r", "valid_from": 0, "valid_until": 1},
        "caller: ",
    ),
    "a loud role": (
        "office",
        "grant_role",
        {"did": "Bob", "role": "R", "valid_from": 0, "valid_until": 1},
        "role: 1 to",
    ),
    "no role": ("office", "grant_role", {"did": "Bob", "role": "", "valid_from": 0, "valid_until": 1}, "role: 1 to"),
    "no time": (
        "office",
        "grant_role",
        {"did": "Bob", "role": "r", "valid_from": 5, "valid_until": 5},
        "valid_until: ",
    ),
    "early": ("office", "grant_role", {"did": "Bob", "role": "r", "valid_from": -1, "valid_until": 5}, "valid_from: "),
    "never granted": ("office", "revoke_role", {"did": "Bob", "role": "r"}, "role: this did does not have it here"),
    "a taken name": ("Eve", "found", {"name": "office", "services": []}, "name: another organisation has it"),
    "twice founded": ("office", "found", {"name": "again", "services": []}, "caller: this account is that of an organ"),
    "no name": ("Eve", "found", {"name": " ", "services": []}, "name: 1 to 64 characters"),
    "odd signs": ("Eve", "found", {"name": "a\u202eb", "services": []}, "name: letters, digits and usual signs"),
    "a plain link": ("office", "publish", {"services": [["a", "b", "http://x"]]}, "services: an address begins with"),
    "one name twice": ("office", "publish", {"services": [["a", "b", "https://x"]] * 2}, "services: each has a name"),
    "a loud service": ("office", "publish", {"services": [["A", "b", "https://x"]]}, "services: 1 to 64 of a-z"),
    "half a service": ("office", "publish", {"services": [["a", "b"]]}, "services: each is [name, type, address]"),
    "many services": ("office", "publish", {"services": [["a", "b", "https://x"]] * 9}, "services: at most 8"),
    "no accreditor": (
        "office",
        "enrol",
        {"device": "new", "model": "m", "serial": D, "accreditor": "Bob"},
        "accreditor: this did is not that of an organisation",
    ),
    "an organisation as device": (
        "office",
        "enrol",
        {"device": "metrology", "model": "m", "serial": D, "accreditor": "metrology"},
        "device: this did has a place already",
    ),
    "a bare serial": (
        "office",
        "enrol",
        {"device": "new", "model": "m", "serial": b"W-1", "accreditor": "metrology"},
        "serial: a digest of 32 bytes",
    ),
    "no model": (
        "office",
        "enrol",
        {"device": "new", "model": "", "serial": D, "accreditor": "metrology"},
        "model: 1 to 64 characters",
    ),
    "not offered": ("new", "join", {"organisation": "office"}, "organisation: it has offered this device no place"),
    "somebody else's device": ("metrology", "suspend", {"device": "scale", "reason": "r"}, "caller: only the organis"),
    "no reason": ("office", "suspend", {"device": "scale", "reason": ""}, "reason: 1 to 255 characters"),
    "not suspended": ("office", "reinstate", {"device": "scale"}, "device: it is not suspended"),
    "no device": ("office", "revoke_device", {"device": "Bob", "reason": "r"}, "device: this did is not that of"),
    "no laboratory": (
        "Bob",
        "certify",
        {"device": "scale", "digest": D, "valid_from": 0, "valid_until": 1},
        "caller: this did is not a laboratory",
    ),
    "no digest": (
        "lab",
        "certify",
        {"device": "scale", "digest": b"", "valid_from": 0, "valid_until": 1},
        "digest: a digest of 32 bytes",
    ),
}
_DIDS = ("did", "device", "accreditor", "organisation", "key")


@pytest.fixture(scope="module")
def settled() -> Office:
    """Eve has guardians, an office has a scale, a metrology office accredits a laboratory."""
    office = Office()
    office.guard()
    office.enrol()
    return office


@pytest.mark.parametrize("what", WRONG)
def test_every_wrong_argument_is_one_clear_error_that_names_it(settled: Office, what: str) -> None:
    who, action, args, words = WRONG[what]
    is_name = {name: name in _DIDS and isinstance(value, str) and value.isalpha() for name, value in args.items()}
    named = {name: settled.did(value) if is_name[name] else value for name, value in args.items()}
    assert settled.refused(who, action, **named).startswith(words)


@pytest.mark.parametrize(
    ("view", "args", "words"),
    [
        ("device_state", {"did": "did:key:z6Mk"}, "device: this is not the did:key"),
        ("device_state", {"did": "scale", "at": 1}, "at: the device was not enrolled then"),
        ("has_role", {"organisation": "x", "did": "Eve", "role": "r"}, "organisation: this is not the did:key"),
        ("role_holders", {"organisation": "office", "limit": 101}, "limit: a page starts at 0"),
        ("history", {"did": "Eve", "start": -1}, "limit: a page starts at 0"),
        ("history", {"did": 5}, "argument did must be str, not int"),
    ],
)
def test_a_wrong_question_is_told_so(settled: Office, view: str, args: dict[str, Any], words: str) -> None:
    known = ("Eve", "scale", "office")
    named = {name: settled.did(value) if value in known else value for name, value in args.items()}
    with pytest.raises(ContractFault, match=words):
        getattr(settled.contract, view)(**named)
