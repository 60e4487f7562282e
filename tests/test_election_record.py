"""An election on a network: trustees who open one sum only, a device that is asked to open, and the file that leaves.

The network is simulated; what is proved is read from the file alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from minichain.cli import main
from minichain.client.network import Network
from minichain.client.wallet import Wallet
from minichain.codec import to_json
from minichain.contracts import source_of
from minichain.contracts.proxy import DeployedContract
from minichain.crypto import digest
from minichain.elgamal.group import IDENTITY, ORDER, combine, pack
from minichain.errors import CallFailed, ProofError, UsageError
from minichain.ledger.genesis import Work
from minichain.scenarios.voting.alliance import pass_blocks
from minichain.scenarios.voting.elections import record as records
from minichain.scenarios.voting.elections import trustees
from minichain.scenarios.voting.elections.booth import Booth
from minichain.scenarios.voting.elections.contract import Elections
from minichain.scenarios.voting.elections.record import ElectionRecord, audit, is_record, read, take
from minichain.scenarios.voting.elections.recount import opened_counts, recount
from minichain.scenarios.voting.elections.trustees import Trustee

VOTERS = {"Port": 3, "Railway": 2, "Street office": 1}
TRUSTEES = ("Auditor", "Chamber", "University")


def seeded(name: str) -> Any:
    return lambda size: digest("seed", name.encode())[:size]


class Poll:
    """One secret ballot on a simulated network, to its close."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.wallets = net.wallets([*VOTERS, *TRUSTEES, "Clerk"])
        self.elections = net.deploy(Elections, sender=self.wallets["Clerk"], name="elections", authority="")
        self.announce()

    def announce(self, **changed: Any) -> int:
        head = self.net.head()
        assert head is not None
        rules = {
            "title": "Admit the water board",
            "text": "5d" * 32,
            "choices": ["yes", "no"],
            "least": 1,
            "most": 1,
            "secrecy": "secret",
            "opens": head.time_ms + 2_000,
            "closes": head.time_ms + 1_000_000,
            "fewest": 2,
            "trustees": [self.wallets[name].did for name in TRUSTEES],
            "threshold": 2,
            "step_ms": 100_000,
        }
        voters = [{"did": self.wallets[name].did, "weight": weight} for name, weight in VOTERS.items()]
        number: int = self.elections.announce(rules={**rules, **changed}, voters=voters).result
        return number

    def trustee(self, name: str, number: int = 1) -> Trustee:
        return Trustee(self.net, self.wallets[name], number)

    def make_key(self, number: int = 1) -> None:
        for name in TRUSTEES:
            self.trustee(name, number).deal()
        assert [self.trustee(name, number).check_shares() for name in TRUSTEES] == [[], [], []]
        self.elections.fix_key(number=number)

    def vote(self, votes: dict[str, list[int]], number: int = 1) -> None:
        for name, one in votes.items():
            booth = Booth(self.net, self.wallets[name], number, chance=seeded(name))
            booth.prepare(one)
            booth.cast()

    def tally(self, number: int = 1) -> list[int]:
        election = self.elections.election(number=number)
        parts = {place: self.elections.opened(number=number, place=place) for place in election["decrypted"]}
        counts = opened_counts(election["sums"], parts, election["weight"])
        self.elections.tally(number=number, counts=counts)
        return [count for count in counts if count is not None]


@pytest.fixture(scope="module")
def poll() -> Iterator[Poll]:
    """A ballot that is closed: yes 4, no 2, and nobody has opened anything yet."""
    with Network.simulated(seed=3, clock="logical", chain_id="body") as net:
        poll = Poll(net)
        poll.make_key()
        poll.vote({"Port": [1, 0], "Railway": [0, 1], "Street office": [1, 0]})
        poll.elections.close(number=1)
        yield poll


@pytest.fixture(scope="module")
def file(poll: Poll) -> bytes:
    """The record of that ballot, counted while one trustee is missing."""
    poll.trustee("Auditor").open()
    poll.trustee("University").open()
    assert poll.tally() == [4, 2]
    return take(poll.net, 1).to_bytes()


# --- trustees and voters -----------------------------------------------------------------------------------------


def test_trustees_refuse_to_open_anything_but_the_sum_of_all_ballots(poll: Poll):
    trustee, election = poll.trustee("Auditor"), poll.elections.election(number=1)
    ballots = [
        entry.data["ballot"]
        for entry in records.entries_of(take(poll.net, 1), poll.net.genesis.hash)
        if entry.name == "Cast"
    ]
    halves = [[[ballot[:32], ballot[32:64]], [ballot[64:96], ballot[96:128]]] for ballot in ballots]
    subset = [
        [combine([1, 1], [one[half], other[half]]) for half in range(2)]
        for one, other in zip(halves[0], halves[1], strict=True)
    ]
    for asked in (halves[0], subset, election["sums"][::-1], [[IDENTITY, IDENTITY]] * 2, []):
        with pytest.raises(UsageError, match="open one sum only, that of all 3 ballots"):
            trustee.part_of(asked)
    shares, _ = trustee.part_of(election["sums"])
    assert len(shares) == 2


def test_trustees_open_nothing_before_the_close_nor_with_another_key(poll: Poll):
    number = poll.announce()
    with pytest.raises(UsageError, match="the ballot is Preparing: its trustees open the sum once it is closed"):
        poll.trustee("Auditor", number).open()
    key = poll.wallets["Port"].key
    changed = Wallet("Auditor", key, poll.wallets["Auditor"].account)
    with pytest.raises(UsageError, match="the account of this trustee has got another key"):
        Trustee(poll.net, changed, number)


def test_a_trustee_complains_of_a_wrong_share_and_opens_with_the_one_that_was_shown(poll: Poll):
    number = poll.announce()
    liar = poll.trustee("Chamber", number)
    dealt = trustees.deal(poll.wallets["Chamber"].key, liar.ceremony)
    poll.elections.with_sender(poll.wallets["Chamber"]).deal(
        number=number, commitments=dealt.commitments, proofs=dealt.proofs, shares=[pack(1), *dealt.shares[1:]]
    )
    for name in ("Auditor", "University"):
        poll.trustee(name, number).deal()
    accused = poll.wallets["Chamber"].did
    assert poll.trustee("Auditor", number).check_shares() == [accused]
    assert poll.trustee("University", number).check_shares() == []
    assert liar.check_shares() == []
    with pytest.raises(CallFailed, match="have time yet"):
        poll.elections.fix_key(number=number)
    secrets = trustees.polynomial(poll.wallets["Chamber"].key, liar.ceremony)
    second = (trustees.value_at(secrets, 1) + ORDER).to_bytes(32, "little")  # the same number in another form
    chamber = poll.elections.with_sender(poll.wallets["Chamber"])
    chamber.answer(number=number, by=poll.wallets["Auditor"].did, share=second)
    assert liar.answer() == []
    assert poll.trustee("Auditor", number).check_shares() == [], "what was shown fits"
    poll.elections.fix_key(number=number)
    poll.vote({"Port": [0, 1], "Railway": [0, 1], "Street office": [1, 0]}, number)
    poll.elections.close(number=number)
    poll.trustee("Auditor", number).open()
    poll.trustee("Chamber", number).open()
    assert poll.tally(number) == [1, 5]
    assert recount(poll.net, number).checks["answer"] == 1


def test_a_trustee_who_was_interrupted_complains_of_the_others_too(poll: Poll):
    number = poll.announce()
    for name in ("Auditor", "University"):
        liar = poll.trustee(name, number)
        dealt = trustees.deal(poll.wallets[name].key, liar.ceremony)
        poll.elections.with_sender(poll.wallets[name]).deal(
            number=number, commitments=dealt.commitments, proofs=dealt.proofs, shares=[pack(1)] * 3
        )
    liars = [poll.wallets[name].did for name in ("Auditor", "University")]
    poll.elections.with_sender(poll.wallets["Chamber"]).complain(number=number, dealer=liars[0])
    assert poll.trustee("Chamber", number).check_shares() == liars
    complaints = [poll.elections.dealing(number=number, trustee=did)["complaints"] for did in liars]
    assert complaints == [[poll.wallets["Chamber"].did]] * 2


def test_a_dealer_shows_what_was_complained_of_wrongly(poll: Poll):
    number = poll.announce()
    for name in TRUSTEES:
        poll.trustee(name, number).deal()
    poll.elections.with_sender(poll.wallets["University"]).complain(number=number, dealer=poll.wallets["Auditor"].did)
    assert poll.trustee("Auditor", number).answer() == [poll.wallets["University"].did]
    assert [poll.trustee(name, number).check_shares() for name in TRUSTEES] == [[], [], []]
    assert len(poll.elections.fix_key(number=number).result) == 3


def test_a_dealer_shows_no_share_because_a_node_says_that_it_was_complained_of(
    poll: Poll, monkeypatch: pytest.MonkeyPatch
):
    """A node that could make a dealer show the shares of all would know its part of the key."""
    number = poll.announce()
    dealer = poll.trustee("Auditor", number)
    dealer.deal()
    lie = {"complaints": [poll.wallets[name].did for name in TRUSTEES]}
    monkeypatch.setattr(DeployedContract, "__getattr__", made_up("dealing", lie))
    assert dealer.answer() == []


def made_up(view: str, answer: Any) -> Any:
    """Let one view of every contract answer as a lying node would."""
    honest = DeployedContract.__getattr__
    return lambda contract, name: (lambda **_: answer) if name == view else honest(contract, name)


BOTH = '''
from minichain.contracts.api import Contract, action


class Both(Contract):
    """Fix the keys of two elections in one transaction."""

    @action
    def fix(self, one: int, other: int) -> None:
        """Fix both."""
        self.call("elections", "fix_key", number=one)
        self.call("elections", "fix_key", number=other)
'''


def test_trustees_hear_of_their_own_election_only_where_one_transaction_tells_of_two(poll: Poll):
    """Anybody may fix keys; who did it for two at once could make all trustees of the second unable to open it."""
    poll.net.deploy(BOTH, sender=poll.wallets["Clerk"], name="both", authority="")
    few, number = poll.announce(step_ms=10_000), poll.announce(step_ms=10_000)
    for name in TRUSTEES:
        poll.trustee(name, number).deal()
        if name != "Chamber":
            poll.trustee(name, few).deal()
    for name in TRUSTEES:
        poll.trustee(name, number).check_shares()
    assert poll.trustee("Auditor", few).check_shares() == [], "one has not dealt: no reason to agree"
    pass_blocks(poll.net, 30)
    poll.net.contract("both", sender=poll.wallets["Clerk"]).fix(one=few, other=number)
    poll.vote({"Port": [0, 1], "Railway": [0, 1], "Street office": [1, 0]}, number)
    poll.elections.close(number=number)
    for name in TRUSTEES[:2]:
        poll.trustee(name, number).open()
    assert poll.tally(number) == [1, 5]


def test_neither_voter_nor_trustee_believes_a_contract_that_only_looks_like_it(poll: Poll):
    """One that says what it likes could name a key whose secret somebody has, or have a trustee deal for it."""
    source = source_of(Elections).replace('require(is_known, f"commitment', 'require(True, f"commitment')
    lookalike = poll.net.deploy(source, sender=poll.net.wallet("Impostor"), name="elections-3", authority="")
    real, poll.elections = poll.elections, lookalike
    try:
        poll.announce()
    finally:
        poll.elections = real
    with pytest.raises(ProofError, match="check 'code' fails: the contract is another one"):
        Booth(poll.net, poll.wallets["Port"], 1, "elections-3")
    with pytest.raises(ProofError, match="check 'code' fails: the contract is another one"):
        Trustee(poll.net, poll.wallets["Auditor"], 1, "elections-3").deal()


def test_a_voter_asks_the_device_to_open_and_then_votes(poll: Poll):
    number = poll.announce()
    with pytest.raises(UsageError, match="it has no key to close a vote with"):
        Booth(poll.net, poll.wallets["Port"], number)
    poll.make_key(number)
    booth = Booth(poll.net, poll.wallets["Port"], number)
    first = booth.prepare([1, 0])
    opened = booth.open()
    port, found = poll.wallets["Port"].did, recount(poll.net, number)
    assert opened.shows(found, port, [1, 0], first)
    assert not opened.shows(found, port, [0, 1], first), "not what the voter had chosen"
    assert not opened.shows(found, poll.wallets["Railway"].did, [1, 0], first), "a ballot that would be refused"
    assert not opened.shows(recount(poll.net, 1), port, [1, 0], first), "closed under another key"
    with pytest.raises(UsageError, match="a ballot is cast or opened once"):
        booth.cast()
    second = booth.prepare([1, 0])
    assert not opened.shows(found, port, [1, 0], second), "not the ballot of which the number was shown"
    assert second != first, "chance is drawn anew"
    assert booth.cast().result == second
    with pytest.raises(UsageError, match="nothing is prepared"):
        booth.open()
    assert recount(poll.net, number).trackers == {poll.wallets["Port"].did: second}


def test_an_open_ballot_has_a_record_too(poll: Poll):
    secret = {"fewest": 1, "trustees": [], "threshold": 0, "step_ms": 0}
    number = poll.announce(secrecy="open", **secret)
    pass_blocks(poll.net, 2)
    for name, votes in {"Port": [1, 0], "Railway": [0, 1], "Street office": [0, 1]}.items():
        poll.elections.with_sender(poll.wallets[name]).vote(number=number, votes=votes)
    assert poll.elections.close(number=number).result == "Counted"
    found = audit(read(take(poll.net, number).to_bytes()), poll.net.genesis.hash)
    assert (found.recount.result, found.recount.exposed) == ({"yes": 3, "no": 3}, [])
    assert found.checks["votes"] == 3
    assert found.checks["ballot"] == 0


# --- the file ----------------------------------------------------------------------------------------------------


def test_the_file_alone_is_counted_again_and_names_what_was_checked(poll: Poll, file: bytes):
    found = audit(read(file), poll.net.genesis.hash)
    assert found.recount.result == {"yes": 4, "no": 2} == recount(poll.net, 1).result
    assert (found.standing.chain_id, found.authority) == ("body", "")
    assert {"chain", "final", "order", "code", "ballot", "all ballots", "sum", "opening", "count"} <= {
        name for name, times in found.checks.items() if times
    }
    assert set(found.checks) == set(records.MEANINGS)


def test_a_changed_byte_anywhere_is_refused(file: bytes):
    refused = 0
    for place in range(3, len(file), len(file) // 40):
        damaged = file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]
        try:
            audit(read(damaged))
        except ProofError:
            refused += 1
        else:
            pytest.fail(f"byte {place} was changed, and nobody noticed")
    assert refused >= 40


def without(record: ElectionRecord, place: int) -> ElectionRecord:
    return ElectionRecord(
        record.contract, record.number, record.code, record.proofs[:place] + record.proofs[place + 1 :]
    )


def test_a_record_from_which_something_is_left_out_is_refused_by_name(poll: Poll, file: bytes):
    record = read(file)
    names = [entry.name for entry in records.entries_of(record, poll.net.genesis.hash)]
    with pytest.raises(ProofError, match="check 'all ballots'"):
        audit(without(record, names.index("Cast")))
    with pytest.raises(ProofError, match="check 'dealing'"):
        audit(without(record, names.index("Dealt")))
    with pytest.raises(ProofError, match="check 'opening'"):
        audit(without(record, names.index("Decrypted")))
    with pytest.raises(ProofError, match="check 'announcement'"):
        audit(without(record, 0))
    turned = ElectionRecord(record.contract, record.number, record.code, record.proofs[::-1])
    with pytest.raises(ProofError, match="check 'order'"):
        audit(turned)
    twice = ElectionRecord(record.contract, record.number, record.code, (*record.proofs[:6], *record.proofs[5:]))
    with pytest.raises(ProofError, match="check 'order'"):
        audit(twice)
    other = ElectionRecord(record.contract, 9, record.code, record.proofs)
    with pytest.raises(ProofError, match="no election 9 of elections"):
        audit(other)
    with pytest.raises(ProofError, match="check 'code' fails: the proof is about the chain with genesis"):
        audit(record, bytes(32))


def test_a_contract_that_only_looks_like_it_is_noticed(poll: Poll, file: bytes):
    source = source_of(Elections).replace('require(why_not == "", why_not)', 'require(why_not != "!", why_not)')
    poll.net.deploy(source, sender=poll.wallets["Clerk"], name="elections-2")
    record = read(file)
    lookalike = ElectionRecord("elections-2", 1, take(poll.net, 1, "elections-2").code, record.proofs)
    with pytest.raises(ProofError, match="check 'code' fails: the contract is another one"):
        audit(lookalike)
    foreign = ElectionRecord("elections", 1, poll.net.value_proof(b"nothing"), record.proofs)
    with pytest.raises(ProofError, match="check 'code' fails"):
        audit(foreign)


def test_on_a_chain_of_work_no_secret_is_given_to_a_contract_that_may_be_another_one():
    """Whoever mines one block can show any contract in it; and where the chain turns back, a sum is opened twice."""
    work = Work(difficulty=2, confirmations=1, block_ms=500)
    with Network.simulated(1, seed=4, chain_id="mined", engine="pow", work=work) as net:
        mined = Poll(net)
        with pytest.raises(ProofError, match="check 'code' fails: on a chain of work the newest state may be made up"):
            mined.trustee("Auditor").deal()
        assert recount(net, 1).state == "Preparing", "whoever follows all blocks can count"


def test_what_is_no_record_is_refused_in_words(file: bytes, monkeypatch: pytest.MonkeyPatch):
    assert is_record(file)
    assert not is_record(b'[3,["transaction"]]')
    with pytest.raises(ProofError, match="this is not an election record"):
        read(b'["minichain election record",1]')
    with pytest.raises(ProofError, match="version 2: this program reads version 1"):
        read(to_json((records.KIND, 2, read(file))))
    monkeypatch.setattr(records, "MAX_FILE_BYTES", 10)
    with pytest.raises(ProofError, match="at most 10 bytes"):
        read(file)


def test_minichain_verify_counts_a_record_again(poll: Poll, file: bytes, tmp_path: Path):
    path = tmp_path / "election.json"
    path.write_bytes(file)
    genesis = poll.net.genesis.hash.hex()
    told = CliRunner().invoke(main, ["verify", str(path), "--genesis", genesis])
    assert told.exit_code == 0, told.output
    assert "Admit the water board: Counted; yes 4, no 2" in told.output
    assert "all ballots" in told.output
    found = json.loads(CliRunner().invoke(main, ["verify", str(path), "--json"]).output)
    assert (found["valid"], found["kind"], found["election"]["result"]) == (True, "election", {"yes": 4, "no": 2})
    path.write_bytes(to_json((records.KIND, 1, without(read(file), 0))))
    refused = CliRunner().invoke(main, ["verify", str(path), "--json"])
    assert refused.exit_code == 1
    assert "check 'announcement'" in json.loads(refused.output)["reason"]
    wrong = CliRunner().invoke(main, ["verify", str(path), "--passport", str(tmp_path / "page.html")])
    assert wrong.exit_code == 2
    assert "the record of a vote has no page of its own" in wrong.output
