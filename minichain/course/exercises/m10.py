"""M10, identity and data: a lost card, an entry that tells nothing, a record that is shown, taken back and erased."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from minichain.client.exposure import blocks, exposed
from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import decode
from minichain.contracts.proxy import DeployedContract
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.course.exercises.register import Register
from minichain.crypto import commitment
from minichain.identity import disclosure
from minichain.identity.clauses import Report
from minichain.identity.disclosure import SdJwt
from minichain.identity.jcs import canonical
from minichain.identity.traces import find_secret
from minichain.identity.vault import pairwise
from minichain.scenarios.residents import Town
from minichain.scenarios.residents.cards import PURPOSE, Card
from minichain.scenarios.residents.data import Share
from minichain.scenarios.residents.people import AUDITOR, CLINIC, HALL, LIBRARY, PEOPLE, PURPOSES

ADULT: Final = "overEighteen"


def network(seed: int) -> Network:
    """Start a small chain."""
    net = Network.simulated(validators=1, seed=seed)
    net.start()
    return net


def town(seed: int) -> Town:
    """Open a town on a chain of its own."""
    return Town.open(network(seed), {}, random.Random(seed).randbytes)


# --- m10.p1: who finds out what? -------------------------------------------------------------------------------------

RESIDENTS: Final = 20
VISITS: Final = 5
PLACES: Final = ("library", "sports hall", "clinic", "swimming bath", "market", "school")

Visit = tuple[str, str, int]  # the key that signed, the place, the hour


def register(net: Network) -> DeployedContract[Wallet, Receipt]:
    """Put the register on a chain."""
    return net.deploy(Register, sender=net.wallet("Data Office"), name="register")


@cache
def visits(seed: int = 7) -> tuple[Visit, ...]:
    """Let residents without names sign five visits each, and return what everybody can read in the blocks."""
    net, draw = network(seed), random.Random(seed)
    book = register(net)
    keys = [net.wallet(f"key {number}") for number in range(RESIDENTS)]
    for key in keys * VISITS:
        book.with_sender(key).enter({"place": draw.choice(PLACES), "hour": draw.randint(8, 20)})
    events = [event for height in range(2, net.height() + 1) for event in net.block(height).receipts[0].events]
    return tuple((event.data["by"], event.data["entry"]["place"], event.data["entry"]["hour"]) for event in events)


def keys_seen(*sightings: tuple[str, int], seed: int = 7) -> list[str]:
    """Return the keys that signed a visit at each of these places and hours."""
    signed = set(visits(seed))
    return sorted({by for by, _, _ in signed if all((by, *sighting) in signed for sighting in sightings)})


@cache
def what_happens() -> dict[str, Any]:
    """Play it: what a neighbour reads and finds out, when a revocation is noticed, what erasure leaves."""
    read, places = visits(), visits()[::RESIDENTS]  # all visits of the first key
    place = town(7)
    card = place.cards.issue("Resident 1", LIBRARY)
    question = place.cards.ask(LIBRARY, "Resident 1", ADULT)
    place.cards.answer(question.number)
    before = place.place.net.height()
    place.cards.revoke(card.number)
    noticed = None if place.cards.check(question.number).holds else place.place.net.height() - before
    share = place.data.share("Resident 1", CLINIC, "treatment")
    place.data.look(CLINIC, share.number, "treatment")
    place.data.erase(share.number)
    return {
        "neighbour": "reads it" if read[0][1] in PLACES else "sees noise",
        "two_visits": "the key" if len(keys_seen(*(visit[1:] for visit in places[:2]))) == 1 else "nothing",
        "blocks": noticed,
        "erased": "the number stays, untraceable" if chain_holds(place) and not traced(place) else "it leads back",
    }


P1 = Exercise("m10.p1", expects=dict)


@P1.part
def entries_are_read(answer: Mapping[str, Any]) -> Miss | None:
    """Judge what a neighbour sees of an entry."""
    return None if answer.get("neighbour") == what_happens()["neighbour"] else miss("not_encrypted")


@P1.part
def keys_are_recognised(answer: Mapping[str, Any]) -> Miss | None:
    """Judge what two sightings tell of a key without a name."""
    return None if answer.get("two_visits") == what_happens()["two_visits"] else miss("not_anonymous")


@P1.part
def revoked_at_once(answer: Mapping[str, Any]) -> Miss | None:
    """Judge after how many blocks a verifier notices."""
    said = answer.get("blocks")
    return None if said == what_happens()["blocks"] else miss("noticed_when", said=said)


@P1.part
def erasure_leaves_a_number(answer: Mapping[str, Any]) -> Miss | None:
    """Judge what is left on the chain of a record that was erased."""
    return None if answer.get("erased") == what_happens()["erased"] else miss("cannot_erase")


# --- m10.e1: a lost card ---------------------------------------------------------------------------------------------


class Lost(NamedTuple):
    """What came of a lost card: what the library was shown, what it says to the finder, and to everybody else."""

    shown: Report
    finder: Report
    others: bool


AfterLoss = Callable[[Town, Card], int]


@lru_cache(maxsize=4)
def played(after_loss: AfterLoss, seed: int) -> Lost:
    """Let somebody lose a card in a town where others have cards, and do what an answer does about it."""
    place = town(seed)
    place.cards.issue("Resident 2", LIBRARY)
    lost = place.cards.issue("Resident 1", LIBRARY)
    place.cards.issue("Resident 1", HALL)
    number = after_loss(place, lost)
    others = (_shown(place, "Resident 2", LIBRARY), _shown(place, "Resident 1", HALL))
    return Lost(place.cards.check(number), finder_shows(place, lost), all(report.holds for report in others))


def _shown(place: Town, resident: str, verifier: str) -> Report:
    question = place.cards.ask(verifier, resident, ADULT)
    place.cards.answer(question.number)
    return place.cards.check(question.number)


def finder_shows(place: Town, card: Card) -> Report:
    """Let a finder, who has the card and its key, answer a fresh question of the library."""
    wallets = place.place.wallets
    key = pairwise(wallets[card.resident].key, wallets[LIBRARY].did, PURPOSE)
    question = place.cards.ask(LIBRARY, card.resident, ADULT)
    made: SdJwt = disclosure.split(card.text)
    now, who = place.place.now_ms(), wallets[LIBRARY].did
    shown = disclosure.present(made, [f"credentialSubject.{ADULT}"], key, now, question.nonce, who)
    place.cards.hand_in(question.number, str(shown))
    return place.cards.check(question.number)


E1 = Exercise("m10.e1", expects=callable)


@E1.part
def the_finder_is_refused(after_loss: AfterLoss) -> Miss | None:
    """Judge whether the lost card opens the door."""
    return miss("old_card_works") if any(played(after_loss, seed).finder.holds for seed in seeds(1)) else None


@E1.part
def the_new_card_is_shown(after_loss: AfterLoss) -> Miss | None:
    """Judge whether the library has a valid answer in the end."""
    for seed in seeds(1):
        shown = played(after_loss, seed).shown
        if shown.failure:
            return miss("not_shown", clause=shown.failure.name)
    return None


@E1.part
def one_fact_is_shown(after_loss: AfterLoss) -> Miss | None:
    """Judge whether it was shown what it needs, and nothing else."""
    for seed in seeds(1):
        claims = played(after_loss, seed).shown.claims
        if claims and set(claims) != {ADULT}:
            return miss("shown_too_much", shown=", ".join(sorted(claims)))
    return None


@E1.part
def other_cards_are_valid(after_loss: AfterLoss) -> Miss | None:
    """Judge whether anybody else was hurt."""
    return None if all(played(after_loss, seed).others for seed in seeds(1)) else miss("others_hurt")


# --- m10.e2: an entry that tells nothing -----------------------------------------------------------------------------

Record = Mapping[str, str]
Fresh = Callable[[int], bytes]
ToChain = Callable[[Record, Fresh], tuple[dict[str, Any], dict[str, Any]]]
SALT: Final = 32  # bytes
GUESSES: Final = 1000  # the last three digits of a card's number

E2 = Exercise("m10.e2", expects=callable)


def record(seed: int, number: int = 0) -> Record:
    """Return a made-up person's record; its card has a number that only differs in its last digits from others."""
    draw = random.Random(f"{seed} {number}")
    digits = f"{draw.randrange(GUESSES):03}"
    return {"name": f"Person Example-{seed}-{number}", "card": f"TD-4711-{digits}", "allergy": "wasp stings"}


def _guesses(of: Record) -> Iterator[Record]:
    """Yield what somebody tries who knows all of a record but three digits."""
    return ({**of, "card": f"TD-4711-{digits:03}"} for digits in range(GUESSES))


@lru_cache(maxsize=4)
def entered(to_chain: ToChain, seed: int) -> tuple[Network, tuple[Any, ...]]:
    """Enter two visits of one person and one of another; returns the chain, and what is public and kept of each."""
    net, draw = network(seed), random.Random(seed)
    book = register(net)
    made = [to_chain(record(seed, number), draw.randbytes) for number in (0, 0, 1)]
    for public, _ in made:
        book.enter(public)
    return net, tuple(made)


@E2.part
def nothing_is_read(to_chain: ToChain) -> Miss | None:
    """Judge by a search of all blocks."""
    for seed in seeds(1):
        net, _ = entered(to_chain, seed)
        values = {value for number in (0, 1) for value in record(seed, number).values()}
        for trace in exposed(net, sorted(values)):
            return miss("guessable" if "digest" in trace.form else "readable", value=trace.value, form=trace.form)
    return None


@E2.part
def nothing_is_guessed(to_chain: ToChain) -> Miss | None:
    """Judge by an attacker who runs the same program on all numbers, and tries all that is public as a salt."""
    for seed in seeds(1):
        net, made = entered(to_chain, seed)
        shown = [value for value in made[0][0].values() if isinstance(value, bytes)]
        tries = [canonical(dict(guess)) for guess in _guesses(record(seed))]
        attacker = random.Random("attacker").randbytes
        is_same = any(to_chain(guess, attacker)[0] == made[0][0] for guess in _guesses(record(seed)))
        if is_same or any(len(salt) == SALT and find_secret(blocks(net), salt, tries) for salt in shown):
            return miss("guessable", value=record(seed)["card"], form="a guess that fits")
    return None


@E2.part
def visits_are_not_linked(to_chain: ToChain) -> Miss | None:
    """Judge by whatever two visits of one person have in common, and another person's has not."""
    for seed in seeds(1):
        first, second, other = (set(map(str, public.values())) for public, _ in entered(to_chain, seed)[1])
        if first & second - other:
            return miss("linked", value=min(first & second - other)[:24])
    return None


@E2.part
def the_office_can_show_it(to_chain: ToChain) -> Miss | None:
    """Judge whether what is kept fits what is public, so that a later doubt can be settled."""
    for seed in seeds(1):
        public, kept = entered(to_chain, seed)[1][0]
        is_kept = kept.get("data") == canonical(dict(record(seed))) and len(kept.get("salt", b"")) == SALT
        if not is_kept or public.get("commitment") != commitment(kept["salt"], kept["data"]):
            return miss("cannot_be_shown")
    return None


# --- m10.e3: shown, taken back, erased -------------------------------------------------------------------------------

Visiting = Callable[[Town], Any]

E3 = Exercise("m10.e3", expects=callable)


@lru_cache(maxsize=4)
def visited(visiting: Visiting, seed: int) -> Town:
    """Let an answer act in a town, and return it."""
    place = town(seed)
    visiting(place)
    return place


def registered(place: Town) -> list[tuple[bytes, str]]:
    """Return the numbers that stand for records on the chain, each with the key of its subject."""
    net = place.place.net
    receipts = (receipt for height in range(1, net.height() + 1) for receipt in net.block(height).receipts)
    events = (event for receipt in receipts for event in receipt.events if event.name == "Registered")
    return [(event.data["record"], event.data["subject"]) for event in events if "record" in event.data]


def chain_holds(place: Town) -> bool:
    """Tell whether the chain still shows what was registered: erasure takes nothing from a block."""
    return bool(registered(place))


def traced(place: Town) -> str:
    """Attack with all that is left beside the chain, and a resident's own root key; returns whose record was found."""
    wallets, subjects = place.place.wallets, {subject for _, subject in registered(place)}
    left = [decode(data, Share).nonce for name, data in place.place.storage.items() if name.startswith("shares/")]
    for resident in PEOPLE:
        for party in (CLINIC, AUDITOR):
            for purpose in PURPOSES:
                for nonce in {b"", *left}:
                    key = pairwise(wallets[resident].key, wallets[party].did, purpose, nonce)
                    if key.did in subjects:
                        return resident
    return ""


def _accesses(place: Town) -> list[Mapping[str, Any]]:
    net = place.place.net
    return [entry for number, _ in registered(place) for entry in net.view("grants", "log", {"record": number})]


@E3.part
def the_clinic_reads(visiting: Visiting) -> Miss | None:
    """Judge whether the clinic read the record to treat the person."""
    for seed in seeds(1):
        place = visited(visiting, seed)
        clinic = place.place.wallets[CLINIC].did
        if not any(one["allowed"] and one["party"] == clinic for one in _accesses(place)):
            return miss("nobody_read")
    return None


@E3.part
def only_for_treatment(visiting: Visiting) -> Miss | None:
    """Judge whether a record was open for anything else."""
    for seed in seeds(1):
        for one in _accesses(visited(visiting, seed)):
            if one["allowed"] and one["purpose"] != "treatment":
                return miss("other_purpose", purpose=one["purpose"])
    return None


@E3.part
def withdrawal_stops_access(visiting: Visiting) -> Miss | None:
    """Judge whether the clinic was refused after the grant was taken back, and before all was erased."""
    for seed in seeds(1):
        entries = _accesses(visited(visiting, seed))
        if not any(one["why"] == "revoked" for one in entries):
            return miss("never_refused", reasons=", ".join(one["why"] for one in entries if one["why"]) or "-")
    return None


@E3.part
def nothing_is_kept(visiting: Visiting) -> Miss | None:
    """Judge whether closed records are left beside the chain."""
    for seed in seeds(1):
        place = visited(visiting, seed)
        if any(name.startswith("records/") for name in place.place.storage):
            return miss("not_erased")
    return None


@E3.part
def nobody_is_traced(visiting: Visiting) -> Miss | None:
    """Judge by an attack with all that is left."""
    for seed in seeds(1):
        if whose := traced(visited(visiting, seed)):
            return miss("traced", whose=whose)
    return None


EXERCISES: Final = {one.id: one for one in (P1, E1, E2, E3)}
