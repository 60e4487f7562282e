"""What the page of cards and data knows: who has which card, who asked what, who may read what, and who looked.

`DeskReader` looks at a town (see `scenarios.residents`) again and again; `Desk` holds what it saw and what is chosen.
Words for what the chain and the checks keep in English are here, so that the catalogues have them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_
from datetime import date
from typing import Any, Final

import traitlets as T  # noqa: N812 - beside W in the other pages

from minichain.views.i18n import _, day, moment
from minichain.views.models import ChainReader, Entry
from minichain.views.parts import State

OWN: Final = frozenset({"status", "grants", "accreditation"})  # contracts
SHOWN_CALLS: Final = 6
DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one look at the town showed. `logs` are the accesses to each share, by its number, oldest first."""

    height: int = 0
    is_founded: bool = False
    issued: tuple[Any, ...] = ()
    cards: tuple[Any, ...] = ()
    questions: tuple[Any, ...] = ()
    shares: tuple[Any, ...] = ()
    logs: Mapping[int, tuple[Mapping[str, Any], ...]] = field_(default_factory=dict)
    calls: tuple[Entry, ...] = ()


class DeskReader:
    """Look at a town again and again; ask the chain only when it has a new block."""

    def __init__(self) -> None:
        self._chain = ChainReader()
        self._seen = b""
        self._founded = False
        self._calls: tuple[Entry, ...] = ()
        self._logs: dict[int, tuple[Mapping[str, Any], ...]] = {}

    def __call__(self, town: Any) -> Snapshot:
        """Ask; raises what the client raises."""
        chain = self._chain(town.place.net)
        head = chain.blocks[-1].id if chain.blocks else b""
        shares = tuple(town.data.shares())
        if head != self._seen or {share.number for share in shares} != self._logs.keys():
            self._founded = {name for name, _deployer, _height in chain.contracts} >= OWN
            self._logs = {share.number: tuple(town.data.log(share.number)) for share in shares if self._founded}
            entries = [entry for block in reversed(chain.blocks) for entry in reversed(block.entries)]
            self._calls = tuple(one for one in entries if OWN & {call.contract for call in one.calls})[:SHOWN_CALLS]
            self._seen = head
        issued, questions = tuple(town.cards.issued()), tuple(town.cards.questions())
        cards = tuple(card for resident in town.residents for card in town.cards.wallet(resident))
        return Snapshot(chain.height, self._founded, issued, cards, questions, shares, dict(self._logs), self._calls)


class Desk(T.HasTraits):
    """The town as last seen, and what is chosen on each screen."""

    height = T.Int(-1)
    is_founded = T.Bool(False)
    issued: Any = T.Tuple()
    cards: Any = T.Tuple()
    questions: Any = T.Tuple()
    shares: Any = T.Tuple()
    logs: Any = T.Dict()
    calls: Any = T.Tuple()
    resident = T.Unicode("")
    question = T.Unicode("")  # that the resident looks at, by number
    share = T.Unicode("")
    card = T.Unicode("")  # of the office's register
    verifier = T.Unicode("")
    asked = T.Unicode("")  # the question that the verifier looks at
    wanted: Any = T.Any(frozenset())
    party = T.Unicode("")
    supervisor = T.Unicode("")
    record = T.Unicode("")  # the share that a party looks at
    report: Any = T.Any(None)
    looked: Any = T.Any(None)
    done: Any = T.Any(frozenset())

    def show(self, snapshot: Snapshot) -> None:
        """Take over what a look showed."""
        with self.hold_trait_notifications():
            for name in Snapshot.__dataclass_fields__:
                value = getattr(snapshot, name)
                setattr(self, name, dict(value) if name == "logs" else value)
        self._choose_first()

    def _choose_first(self) -> None:
        """Open what somebody has to do, until somebody chooses."""
        waiting = self.waiting
        if not self.question and waiting:
            self.question = str(waiting[0].number)
        if not self.share and self.own_shares:
            self.share = str(self.own_shares[-1].number)
        if not self.asked and self.asked_by:
            self.asked = str(self.asked_by[0].number)
        if not self.record and self.shared_with:
            self.record = str(self.shared_with[0].number)

    @T.observe("resident")
    def _another_resident(self, _change: Any) -> None:
        self.question = self.share = ""
        self._choose_first()

    @T.observe("verifier")
    def _another_verifier(self, _change: Any) -> None:
        self.asked, self.report = "", None
        self._choose_first()

    @T.observe("party")
    def _another_party(self, _change: Any) -> None:
        self.record, self.looked = "", None
        self._choose_first()

    @T.observe("asked")
    def _another_question(self, _change: Any) -> None:
        self.report = None

    @T.observe("record")
    def _another_record(self, _change: Any) -> None:
        self.looked = None

    # --- what is chosen

    @property
    def waiting(self) -> list[Any]:
        """Return the questions to the resident without an answer, newest first."""
        return [one for one in reversed(self.questions) if one.resident == self.resident and not one.answer]

    @property
    def own_cards(self) -> list[Any]:
        """Return the resident's cards, newest first."""
        return [card for card in reversed(self.cards) if card.resident == self.resident]

    @property
    def own_shares(self) -> list[Any]:
        """Return what the resident shares or shared."""
        return [share for share in self.shares if share.resident == self.resident]

    @property
    def asked_by(self) -> list[Any]:
        """Return what the verifier asked, newest first."""
        return [one for one in reversed(self.questions) if one.verifier == self.verifier]

    @property
    def shared_with(self) -> list[Any]:
        """Return the records that a party may ask for: those shared with it, or, for supervision, all."""
        is_supervisor = self.party == self.supervisor
        return [one for one in reversed(self.shares) if one.record and (is_supervisor or one.party == self.party)]

    def chosen(self, kind: str) -> Any:
        """Return what is chosen of a kind (question, share, card, asked or record), or None."""
        lists = {
            "question": self.questions,
            "asked": self.questions,
            "share": self.shares,
            "record": self.shares,
            "card": self.issued,
        }
        return next((one for one in lists[kind] if str(one.number) == getattr(self, kind)), None)

    def has_card_for(self, question: Any) -> bool:
        """Tell whether a resident can answer a question."""
        return any(card.resident == question.resident and card.verifier == question.verifier for card in self.cards)

    def is_revoked(self, card: Any) -> bool:
        """Tell whether the office has revoked a card."""
        return any(one.number == card.number and one.revoked for one in self.issued)

    @property
    def refused(self) -> int:
        """Count the attempts to read that were refused."""
        return sum(not entry["allowed"] for log in self.logs.values() for entry in log)

    @property
    def attempts(self) -> int:
        """Count the attempts to read."""
        return sum(map(len, self.logs.values()))


# --- words -------------------------------------------------------------------------------------------------------


def role_names() -> tuple[str, ...]:
    """Return the roles of the town, so that the catalogues have them."""
    return (
        _("Residents' Office"),
        _("Town Library"),
        _("Sports Hall"),
        _("Riverside Clinic"),
        _("Audit Office"),
        _("Training Court"),
        _("Resident 1"),
        _("Resident 2"),
        _("Resident 3"),
    )


def claim_names() -> dict[str, str]:
    """Name each claim of a card, and each entry of a record."""
    return {
        "name": _("name"),
        "document": _("document number"),
        "birthDate": _("date of birth"),
        "overEighteen": _("over eighteen"),
        "address.district": _("district"),
        "address.street": _("street"),
        "phone": _("telephone"),
        "allergy": _("allergy"),
    }


def purpose_names() -> dict[str, str]:
    """Say what a record may be asked for."""
    return {
        "treatment": _("treatment"),
        "billing": _("billing"),
        "statistics": _("statistics"),
        "supervision": _("supervision under an order"),
    }


def reasons() -> dict[str, str]:
    """Say why somebody may not read."""
    return {
        "not granted": _("not granted for this purpose"),
        "revoked": _("the grant was taken back"),
        "expired": _("the grant is over"),
        "no order": _("there is no order"),
        "order ended": _("the order is over"),
        "erased": _("the record was erased"),
        "not registered": _("no such record"),
    }


def clause_names() -> dict[str, str]:
    """Name what is checked."""
    return {
        "form": _("Form"),
        "signature": _("Signature"),
        "disclosure": _("What is shown"),
        "issuer": _("Issuer"),
        "time": _("Validity in time"),
        "status": _("Revocation"),
        "holder": _("Holder"),
        "challenge": _("This question"),
    }


def clause_words(name: str, state: str) -> str:
    """Say in a sentence what a check found."""
    held = {
        "form": _("Every part is of a kind this program knows; nothing was fetched from elsewhere."),
        "signature": _("The office's key signed exactly this."),
        "disclosure": _("Each shown fact fits a digest the office signed."),
        "issuer": _("The list of accredited offices on the ledger names it."),
        "time": _("Between its first and its last day, by the clock of the last block."),
        "status": _("Its place on the list is clear, proved from the last block."),
        "holder": _("The key it was issued to has signed this answer."),
        "challenge": _("It answers this question of this verifier, just now."),
    }
    failed = {
        "form": _("Something in it is of a kind that is not known here."),
        "signature": _("It was changed, or somebody else signed it."),
        "disclosure": _("Something is shown that the office did not sign."),
        "issuer": _("The ledger does not name this office for this kind of card."),
        "time": _("It is not valid yet, or not any more."),
        "status": _("The office has revoked it; the last block says so."),
        "holder": _("Whoever shows it does not have its key."),
        "challenge": _("It was made for another question, another verifier or another time."),
    }
    if state == "unchecked":
        return _("Not checked: something before it failed.")
    return (held if state == "held" else failed)[name]


def clause_state(state: str) -> State:
    """Return how a check's result looks."""
    states: dict[str, State] = {"held": "ok", "failed": "bad"}
    return states.get(state, "plain")


def value_words(value: Any) -> str:
    """Write a claim's value for people."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return day(date.fromisoformat(value)) if DATE.fullmatch(str(value)) else str(value)


def flat(claims: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Return claims by their paths."""
    found: dict[str, Any] = {}
    for name, value in claims.items():
        path = f"{start}{name}"
        found |= flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return found


def share_state(share: Any) -> tuple[State, str]:
    """Say what has become of a share."""
    if not share.record:
        return "plain", _("erased")
    if share.taken_back:
        return "warn", _("taken back")
    return "ok", _("until {day}").format(day=moment(share.until))


def log_line(entry: Mapping[str, Any]) -> tuple[State, str, str]:
    """Tell one attempt to read: how it ended, a sentence, and when."""
    words = (
        _("{who} read it for {purpose}.")
        if entry["allowed"]
        else _("{who} asked for {purpose} and got nothing: {why}.")
    )
    purpose = purpose_names().get(entry["purpose"], entry["purpose"])
    why = reasons().get(entry["why"], entry["why"])
    party = entry["party"]
    told = words.format(who=_(party), purpose=purpose, why=why)
    return ("ok" if entry["allowed"] else "warn"), told, moment(entry["at"])


def raw_call(entry: Entry) -> Sequence[str]:
    """Write what a transaction asks for as the chain keeps it, long bytes and keys cut short."""
    return [f"{call.contract}.{call.action}({', '.join(map(_argument, call.args.items()))})" for call in entry.calls]


def _argument(item: tuple[str, Any]) -> str:
    name, value = item
    if isinstance(value, bytes):
        value = f"{value.hex():.10}…"
    elif isinstance(value, str):
        value = f"{value.removeprefix('did:key:'):.12}…" if value.startswith("did:") else value
    return f"{name}={value}"
