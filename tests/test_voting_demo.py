"""An alliance decides in secret on a fifth validator: the same story in both worlds, and what it depends on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from minichain.cli import main
from minichain.client.network import Network
from minichain.crypto import digest
from minichain.errors import UsageError
from minichain.scenarios.voting import alliance, demo
from minichain.scenarios.voting.alliance import asked, member
from minichain.scenarios.voting.elections import record
from minichain.scenarios.voting.elections.contract import Elections


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The demo of each world, as the command prints it for machines."""
    folder, found = tmp_path_factory.mktemp("voting"), {}
    for world in ("sim", "live"):
        asked_for = ["demo", "voting", "--world", world, "--seed", "5", "--json", "--record", str(folder / world)]
        done = CliRunner().invoke(main, asked_for)
        assert done.exit_code == 0, done.output
        found[world] = json.loads(done.stdout)
    return found


def test_both_worlds_give_the_same_receipts_roots_and_record(told: dict[str, dict[str, Any]]):
    sim, live = (dict(told[world]) for world in ("sim", "live"))
    records = [Path(one.pop("record")).read_bytes() for one in (sim, live)]
    assert sim == live
    assert len(set(sim["state_roots"].values())) == 1
    assert list(sim["state_roots"]) == ["node-0", "node-1", "node-2", "node-3", "node-4"]
    counted = [record.audit(record.read(one), bytes.fromhex(sim["genesis"])).recount for one in records]
    assert counted[0] == counted[1]


def test_every_state_is_passed_and_the_fifth_really_signs(told: dict[str, dict[str, Any]]):
    found = told["live"]
    assert found["states"] == [
        *("Preparing", "Voting", "Closed", "Counted"),
        *("Pending", "Active", "Succeeded", "Queued", "Executed"),
    ]
    assert found["result"] == {"yes": 3, "no": 1, "abstain": 0}
    assert found["missing_trustee"] == "chamber"
    opened = [
        event["data"]["trustee"]
        for receipt in found["receipts"]
        for event in receipt["events"]
        if event["name"] == "Decrypted"
    ]
    assert len(opened) == 2, "one trustee was missing"
    assert found["members"] == ["node-0", "node-1", "node-2", "node-3", "node-4"]
    assert len(found["signed_by_newcomer"]) == demo.BLOCKS
    assert found["recount"]["ballot"] == 4


def test_for_people_it_says_what_came_of_it(tmp_path: Path):
    path = tmp_path / "election.json"
    done = CliRunner().invoke(main, ["demo", "voting", "--world", "sim", "--record", str(path)])
    assert done.exit_code == 0, done.output
    assert "Counted -> Pending" in done.output
    assert "node-4 has signed blocks" in done.output
    assert CliRunner().invoke(main, ["verify", str(path)]).exit_code == 0
    with pytest.raises(UsageError, match="there is no world 'moon'"):
        demo.run("moon", 1, path, print)


def test_a_decision_that_depends_on_a_ballot_fails_while_the_ballot_does_not_carry_it():
    """An open ballot says no: the admission, though all members vote for it, is not carried out."""
    with Network.simulated(4, seed=2, **alliance.SETTINGS) as net:
        names = list(net.nodes)
        list(alliance.found(net, names))
        elections = net.deploy(Elections, sender=member(net, names[0]), name="elections", authority="")
        head = net.head()
        assert head is not None
        rules = {
            "title": "Admit one more?",
            "text": digest("wording", b"").hex(),
            "choices": ["yes", "no"],
            "least": 1,
            "most": 1,
            "secrecy": "open",
            "opens": head.time_ms + 1_000,
            "closes": head.time_ms + 10**6,
        }
        elections.announce(rules=rules, voters=[{"did": member(net, name).did, "weight": 1} for name in names])
        demands = [{"number": 1, "choice": "yes", "among": ["yes", "no"], "part": 1, "whole": 2}]
        early = elections.attempt("require_share", **demands[0])
        assert "ballot 1 is Voting: decide on it when it is counted" in early.error
        for place, name in enumerate(names):
            elections.with_sender(member(net, name)).vote(number=1, votes=[[1, 0], [0, 1]][place % 2])
        elections.close(number=1)
        strange = elections.attempt("require_share", **{**demands[0], "choice": "maybe"})
        assert "maybe is not one of choices" in strange.error
        calls = [asked("elections", "require_share", **demands[0]), alliance.admission(net, "node-4")]
        *_, (_, last) = alliance.decide(
            net, "Admit node-4", "if the ballot says so", calls, dict.fromkeys(names, "yes")
        )
        stages = [event.data for event in last.events if event.name == "Stage"]
        assert stages[-1]["state"] == "ExecutionFailed"
        assert "in ballot 1 yes got 2 of 4, which is not more than 1/2" in stages[-1]["why"]
        assert [one.name for one in net.members()] == names
