"""Parts of contracts: who may do what, and when everything stops, told so that an auditor can follow it."""

from __future__ import annotations

import ast
import hashlib
import linecache
from typing import Any

import pytest

from minichain.contracts import Sandbox, check, describe, source_of
from minichain.contracts.explain import explain
from minichain.contracts.language import API, HELPERS, MAX_SOURCE_BYTES, PARTS
from minichain.contracts.mixing import PARTS_SOURCE, part
from minichain.contracts.sandbox import SandboxContract
from minichain.errors import CallFailed, ContractFault

SCALE = '''"""A weighbridge."""

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view
from minichain.contracts.parts import Pausable, Roles

ROLES = ("weigher", "auditor", "supervisor")
PAUSED_BY = "supervisor"


class Scale(Contract, Roles, Pausable):
    """Keep what was weighed."""

    site = Value(str)
    loads = Map(str, int)

    def setup(self, site: str) -> None:
        require(self.has_role("admin", self.caller), "the deployer is an admin before anything else happens")
        self.site = site

    @action
    def weigh(self, load: str, kilograms: int) -> None:
        """Keep the weight of a load."""
        self.require_running()
        self.require_role("weigher")
        self.loads[load] = kilograms

    @view
    def weight(self, load: str) -> int:
        """Tell the weight of a load."""
        return self.loads.get(load, 0)

    @action
    def odd(self) -> None:
        self.require_role("wayfarer")
'''

BOX = Sandbox()
ANNA, BEN, CARL = (BOX.account(name) for name in ("anna", "ben", "carl"))


def weighbridge() -> tuple[Sandbox, SandboxContract]:
    box = Sandbox()
    return box, box.deploy(SCALE, sender=ANNA, site="north")


def events(outcome: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, event.data) for event in outcome.events]


# --- roles -------------------------------------------------------------------------------------------------------


def test_the_deployer_grants_a_role_and_takes_it_back_on_record() -> None:
    _, scale = weighbridge()
    refused = scale.with_sender(BEN).attempt("weigh", "l-1", 900)
    assert refused.error == "scale.weigh, line 24: only the role weigher may do this: an admin grants it"
    granted = scale.grant_role("weigher", BEN, "trained on 2 March")
    told = {"role": "weigher", "account": BEN, "by": ANNA}
    assert events(granted) == [("RoleGranted", {**told, "reason": "trained on 2 March"})]
    scale.with_sender(BEN).weigh("l-1", 900)
    assert (scale.weight("l-1"), scale.has_role("weigher", BEN)) == (900, True)
    assert events(scale.revoke_role("weigher", BEN)) == [("RoleRevoked", {**told, "reason": ""})]
    assert not scale.with_sender(BEN).attempt("weigh", "l-2", 1).ok


def test_an_auditor_reads_who_holds_what_since_when_and_why_page_by_page() -> None:
    box, scale = weighbridge()
    started = box.now_ms
    box.advance(minutes=5)
    for name in ("ben", "carl"):
        scale.grant_role("weigher", box.account(name), f"{name} was trained")
    first = scale.role_holders(0, 1)
    assert first == [
        {"role": "admin", "account": ANNA, "by": ANNA, "since": started, "reason": "deployed the contract"}
    ]
    assert [(grant["account"], grant["reason"]) for grant in scale.role_holders(1)] == [
        (BEN, "ben was trained"),
        (CARL, "carl was trained"),
    ]
    assert scale.role_holders(1)[0]["since"] == started + 5 * 60_000
    assert scale.role_names() == ["admin", "weigher", "auditor", "supervisor"]


@pytest.mark.parametrize(
    ("who", "action", "args", "words"),
    [
        (BEN, "grant_role", ("weigher", BEN), "only the role admin may do this: an admin grants it"),
        (BEN, "revoke_role", ("admin", ANNA), "only the role admin may do this"),
        (
            ANNA,
            "grant_role",
            ("wayer", BEN),
            "there is no role wayer; this contract has: admin, weigher, auditor",
        ),
        (ANNA, "revoke_role", ("wayer", BEN), "there is no role wayer"),
        (ANNA, "odd", (), "there is no role wayfarer"),
        (ANNA, "grant_role", ("admin", ANNA), "holds the role admin already"),
        (ANNA, "revoke_role", ("weigher", BEN), "does not hold the role weigher"),
        (ANNA, "revoke_role", ("admin", ANNA), "the last admin stays: grant the role to somebody else first"),
        (ANNA, "grant_role", ("weigher", ""), "a role is held by a did or by the name of a contract"),
        (ANNA, "grant_role", ("weigher", "x" * 101), "a role is held by a did or by the name of a contract"),
        (ANNA, "grant_role", ("weigher", BEN, "x" * 501), "a reason has at most 500 characters"),
        (ANNA, "revoke_role", ("admin", ANNA, "x" * 501), "a reason has at most 500 characters"),
    ],
)
def test_what_must_not_happen_to_roles_is_refused_by_name(who: str, action: str, args: Any, words: str) -> None:
    box, scale = weighbridge()
    root = box.state.root
    outcome = scale.with_sender(who).attempt(action, *args)
    assert outcome.outcome == "reverted"
    assert words in outcome.error
    assert box.state.root == root


def test_admins_hand_over_and_the_last_one_stays() -> None:
    _, scale = weighbridge()
    scale.grant_role("admin", BEN)
    scale.with_sender(BEN).revoke_role("admin", ANNA, "left the office")
    assert not scale.attempt("grant_role", "weigher", CARL).ok
    assert "the last admin stays" in scale.with_sender(BEN).attempt("revoke_role", "admin", BEN).error
    scale.with_sender(BEN).grant_role("weigher", CARL)


def test_whoever_holds_a_role_may_give_it_up() -> None:
    _, scale = weighbridge()
    scale.grant_role("weigher", BEN)
    scale.grant_role("admin", BEN)
    scale.with_sender(BEN).revoke_role("weigher", BEN, "moved")
    scale.with_sender(BEN).revoke_role("admin", BEN)
    assert [grant["account"] for grant in scale.role_holders()] == [ANNA]


# --- pausing -----------------------------------------------------------------------------------------------------


def test_a_supervisor_stops_the_contract_says_why_and_lets_it_go_on() -> None:
    box, scale = weighbridge()
    scale.grant_role("weigher", BEN)
    scale.grant_role("supervisor", CARL)
    supervisor, weigher = scale.with_sender(CARL), scale.with_sender(BEN)
    assert scale.pause_state() is None
    assert events(supervisor.pause("the scale drifts")) == [("Paused", {"by": CARL, "reason": "the scale drifts"})]
    assert scale.pause_state() == {"by": CARL, "since": box.now_ms, "reason": "the scale drifts"}
    assert weigher.attempt("weigh", "l", 1).error == (
        f"scale.weigh, line 23: this contract is paused by {CARL}: the scale drifts"
    )
    assert scale.weight("l") == 0
    assert events(supervisor.resume("calibrated")) == [("Resumed", {"by": CARL, "reason": "calibrated"})]
    assert weigher.attempt("weigh", "l", 1).ok


def test_pausing_needs_the_role_and_a_reason_and_happens_once() -> None:
    _, scale = weighbridge()
    assert "only the role supervisor" in scale.attempt("pause", "why not").error
    scale.grant_role("supervisor", ANNA)
    assert "say why" in scale.attempt("pause", "  ").error
    assert "at most 500 characters" in scale.attempt("pause", "x" * 501).error
    assert "this contract is not paused" in scale.attempt("resume", "x").error
    scale.pause("drift")
    assert f"paused by {ANNA}" in scale.attempt("pause", "again").error
    assert "line 1" not in scale.attempt("resume", "").error
    assert " of the parts: say why" in scale.attempt("resume", "").error


def test_a_role_that_may_pause_must_be_one_of_the_contract() -> None:
    source = SCALE.replace('PAUSED_BY = "supervisor"', 'PAUSED_BY = "boss"')
    with pytest.raises(CallFailed, match=r"scale\.setup.*there is no role boss; this contract has: admin, weigher"):
        Sandbox().deploy(source, sender=ANNA, site="north")


def test_without_settings_the_admin_does_everything() -> None:
    source = SCALE.replace('ROLES = ("weigher", "auditor", "supervisor")\nPAUSED_BY = "supervisor"\n', "")
    source = source.replace('require_role("weigher")', 'require_role("admin")')
    scale = Sandbox().deploy(source, sender=ANNA, site="north")
    scale.weigh("l", 5)
    scale.pause("closed")
    assert scale.role_names() == ["admin"]


def test_a_contract_without_a_setup_gets_that_of_its_parts() -> None:
    start, rest = SCALE.split("    def setup", 1)
    source = start + "    @action\n" + rest.split("    @action\n", 1)[1]
    scale = Sandbox().deploy(source, sender=BEN)
    assert scale.has_role("admin", BEN)
    with pytest.raises(ContractFault, match='scale has no view "setup_roles"'):
        scale._ask(None, "scale", "setup_roles", {})


# --- how parts are mixed in --------------------------------------------------------------------------------------


def test_a_contract_says_which_methods_come_from_which_part() -> None:
    abi = describe(SCALE)
    assert abi.parts == ("Roles", "Pausable")
    assert [(method.name, method.part) for method in abi.actions] == [
        ("weigh", ""),
        ("odd", ""),
        ("grant_role", "Roles"),
        ("revoke_role", "Roles"),
        ("pause", "Pausable"),
        ("resume", "Pausable"),
    ]
    assert {field.name: field.part for field in abi.fields} == {
        "role_grants": "Roles",
        "admin_count": "Roles",
        "pause_note": "Pausable",
        "site": "",
        "loads": "",
    }
    assert abi.events == ("RoleRevoked", "RoleGranted", "Paused", "Resumed")
    assert [parameter.name for parameter in abi.setup] == ["site"]
    lines = list(explain(abi))
    assert "  pause(reason: str)   [from Pausable]" in lines
    for method in (*abi.actions, *abi.views):
        assert not method.part or {"en", "zh"} == method.sentences.keys()


def test_the_parts_are_in_the_contract_language() -> None:
    """They are merged without being judged again, so they are judged here, as the text of one contract."""
    parts = {name: part(name) for name in (*PARTS, *HELPERS)}
    definitions = {name: node for one in parts.values() for name, node in one.definitions.items()}
    settings = {name: value for one in parts.values() for name, value in one.settings.items()}
    lines = [f"from minichain.contracts.api import {', '.join(API)}"]
    lines += [f"{name} = {ast.unparse(value)}" for name, value in settings.items()]
    lines += [ast.unparse(definitions[name]) for name in sorted(definitions)]
    lines.append("class Whole(Contract):\n    pass")
    for name, one in parts.items():
        for node in (*one.members, *one.hooks.values()):
            lines.append("    " + ast.unparse(node).replace("\n", "\n    "))
        assert not one.needs or name == "Pausable"
    assert check("\n".join(lines)) == []
    assert len(PARTS_SOURCE) < MAX_SOURCE_BYTES


def test_every_function_of_the_parts_can_be_imported() -> None:
    tree = ast.parse(PARTS_SOURCE)
    assert [node.name for node in tree.body if isinstance(node, ast.FunctionDef)] == list(HELPERS)


def test_parts_do_not_clash_with_each_other() -> None:
    names = [
        getattr(node, "name", None) or ast.unparse(node).split(" =")[0] for name in PARTS for node in part(name).members
    ]
    assert len(names) == len(set(names))


def test_the_text_of_the_parts_is_part_of_the_language() -> None:
    """Whoever changes it changes what contracts do that are on a chain already: then this is a new language."""
    golden = "232a8dbdb2ef94cf70b95b40bf8415f377f222ce8f247f03aee2630c61694ef6"
    assert hashlib.sha256(PARTS_SOURCE.encode()).hexdigest() == golden


def test_a_part_costs_nothing_where_it_is_not_used() -> None:
    def gas_of_weight(source: str) -> int:
        box = Sandbox()
        box.deploy(source, sender=ANNA, name="scale", site="north")
        return box.view(ANNA, "scale", "weight", {"load": "l"}).gas

    alone = SCALE.replace(", Roles, Pausable)", ")").replace("self.require_running()", "pass")
    alone = alone.replace('self.require_role("weigher")', "pass").replace('self.require_role("wayfarer")', "pass")
    alone = alone.replace('self.has_role("admin", self.caller)', "True")
    assert gas_of_weight(alone) == gas_of_weight(SCALE)


# --- functions that are imported ---------------------------------------------------------------------------------

BOARD = '''"""A board of trustees."""

from minichain.contracts.api import Contract, Value, action, require
from minichain.contracts.parts import check_founders

MAX_MEMBERS = 2


class Board(Contract):
    """Who sits on the board."""

    seats = Value(list)

    @action
    def seat(self, members: list) -> None:
        """Give the board its members."""
        check_founders(members)
        self.seats = members
'''


def written_out(source: str) -> str:
    """Return a contract with the text in place of the import, as its author might have written it."""
    text = PARTS_SOURCE[PARTS_SOURCE.index("MAX_NAME =") :]
    return source.replace("from minichain.contracts.parts import check_founders\n", "").replace(
        "MAX_MEMBERS = 2\n", f"MAX_MEMBERS = 2\n{text}"
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([["north", ANNA, 1], ["south", BEN, 2]], ""),
        ([["north", ANNA, 1], ["south", BEN, 2], ["east", CARL, 1]], "there are 1 to 2 founders"),
        ([["north", ANNA, 1], ["south", ANNA, 2]], "south: each founder has a name and a key of its own"),
        ([[" north", ANNA, 1]], "a member's name neither begins nor ends with a space"),
        ([["no/rth", ANNA, 1]], "a member's name is letters, digits and usual signs, no slashes"),
        ([["north", "did:key:z6Mk", 1]], "a member is named by its did:key: ask the member for it"),
        ([["north", ANNA, 0]], "a weight is a whole number from 1 to 1099511627776"),
    ],
)
def test_an_imported_function_does_and_costs_what_its_text_would_in_the_contract(members: Any, words: str) -> None:
    own, imported = (
        Sandbox().deploy(source, name="board", sender=ANNA).attempt("seat", members)
        for source in (written_out(BOARD), BOARD)
    )
    assert (imported.outcome, imported.gas) == (own.outcome, own.gas)
    assert imported.error == (f"board.seat, line 17: {words}" if words else "")
    assert own.error.endswith(words)


def test_what_comes_with_a_function_is_not_the_contracts_own_and_not_one_of_its_parts() -> None:
    assert describe(BOARD).parts == ()
    unknown = BOARD.replace("        check_founders", "        check_name('north')\n        check_founders")
    (found,) = check(unknown)
    assert (found.code, found.line) == ("MC202", 17)
    assert found.suggestion == "write `from minichain.contracts.parts import check_name`"
    (found,) = check(BOARD.replace("MAX_MEMBERS", "MAX_NAME"))
    assert (found.code, found.construct) == ("MC315", "MAX_NAME of check_founders")
    (found,) = check(BOARD.replace("import check_founders", "import check_founders, BASE58"))
    assert found.suggestion.startswith("minichain.contracts.parts has Participant, Pausable, Roles, check_founders")


def test_names_of_these_functions_are_free_where_they_are_not_imported() -> None:
    own = BOARD.replace("from minichain.contracts.parts import check_founders\n", "")
    assert [found.code for found in check(own)] == ["MC202"]
    own = own.replace("\n\nclass", '\n\ndef check_founders(who):\n    require(who, "nobody sits here")\n\n\nclass')
    assert check(own) == []


# --- in a notebook -----------------------------------------------------------------------------------------------


def in_cell(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> type:
    """Return a class as a notebook defines it."""
    cell = "<cell 7>"
    monkeypatch.setitem(linecache.cache, cell, (len(text), None, text.splitlines(keepends=True), cell))
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, cell, "exec"), namespace)
    found: type = namespace[name]
    return found


def test_a_class_of_a_notebook_cell_takes_functions_along_unless_it_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = source_of(in_cell("Board", BOARD, monkeypatch))
    assert "from minichain.contracts.parts import check_founders\n" in source
    assert "MAX_MEMBERS = 2" in source
    assert check(source) == []
    own = BOARD.replace("\n\nclass", "\n\ndef check_founders(who):\n    require(who, 'nobody')\n\n\nclass")
    own = own.replace("from minichain.contracts.parts import check_founders\n", "")
    assert "parts" not in source_of(in_cell("Board", own, monkeypatch))


def test_a_class_of_a_notebook_cell_takes_its_parts_and_their_settings_along(monkeypatch: pytest.MonkeyPatch) -> None:
    text = SCALE.replace("class Scale", "UNUSED = 5\n\n\nclass Scale")
    source = source_of(in_cell("Scale", text, monkeypatch))
    assert "from minichain.contracts.parts import Roles, Pausable" in source
    assert "PAUSED_BY" in source
    assert "UNUSED" not in source
    assert describe(source).parts == ("Roles", "Pausable")
