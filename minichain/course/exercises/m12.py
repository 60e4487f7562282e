"""M12, between chains: a transfer that is stuck, a swap by two locks, what is trusted in addition, and stolen keys.

Transfers are stories of real simulated chains; a swap is played on the ledger's own locks in every order of its steps;
a forged header is shown to the light client that follows the first chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, Final

from minichain.codec import Plain
from minichain.contracts.meter import GasMeter
from minichain.contracts.runtime import Frame
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.crosschain.light import Trust
from minichain.crosschain.locks import ACTIONS
from minichain.crypto import DIGEST_SIZE, KeyPair, did_of
from minichain.errors import ExecutionError, ProofError
from minichain.ledger.certificate import PRECOMMIT, QuorumCertificate, in_order, sign_vote, vote_statement
from minichain.ledger.committee import Committee, Member
from minichain.ledger.local import root_of, validator_key, wallet_key
from minichain.ledger.state import Overlay
from minichain.ledger.types import Header
from minichain.scenarios.crossings import stories
from minichain.scenarios.crossings.staging import A, B, Step, Story


@cache
def story(pair: str, *failures: str) -> Story:
    """Play the crossing of 300 units, once."""
    return stories.tell("units", pair, failures)


# --- m12.p1: where is it stuck? --------------------------------------------------------------------------------------

STUCK: Final = {  # the story, and the step at which one looks
    "the relayer is away": (("shards", "late"), "offline"),
    "the second chain stands still": (("shards", "paused"), "unanswered"),
    "it came too late and was declined": (("shards", "late"), "declined"),
    "the block has no others on top": (("work",), "mined"),
}
HELPS: Final = {  # what came next in the story
    "replacing": "carry the message",
    "resumed": "wake the offices",
    "answered": "carry the answer",
    "final": "wait for blocks",
}


def _place(step: Step) -> str:
    """Return who has the 300 units, counted from final blocks."""
    units = {place.who: place.amount for place in step.places}
    if units["on the way"]:
        return "on the way"
    return "A" if units[A] >= units[B] else "B"


def diagnosis(name: str) -> tuple[str, str]:
    """Return where the units are in a situation, and what helped in its story."""
    (pair, *failures), kind = STUCK[name]
    steps = story(pair, *failures).steps
    at = next(number for number, step in enumerate(steps) if step.kind == kind)
    return _place(steps[at]), HELPS[steps[at + 1].kind]


def what_happens() -> Mapping[str, tuple[str, str]]:
    """Play all that is to be predicted, and return what happened."""
    return {name: diagnosis(name) for name in STUCK}


P1 = Exercise("m12.p1", expects=dict)


@P1.each(STUCK)
def a_stuck_transfer_is_diagnosed(answer: Mapping[str, tuple[str, str]], name: str) -> Miss | None:
    """Judge where the units are expected, and what is expected to help."""
    said, (place, helps) = tuple(answer.get(name, ("", ""))), diagnosis(name)
    if said == (place, helps):
        return None
    if said[0] != place:
        cause = {"B": "moved_already", "relayer": "relayer_holds_them"}.get(said[0], "other_place")
        return miss(cause, name=name, said=said[0])
    return miss("taken_back" if said[1:] == ("take it back",) else "other_help", name=name)


# --- m12.e1: a swap by two locks -------------------------------------------------------------------------------------

Times = Callable[[int], tuple[int, int]]
GIVES, GETS, PURSE = 300, 200, 1_000
SECRET: Final = b"known to A alone"
MINUTE_MS: Final = 60_000
DELAYS: Final = (1, 2, 3)  # minutes
MOST_DELAYS: Final = 12  # that a lock may last: longer ones are not played
KEYS: Final = {name: wallet_key(root_of(0), name) for name in (A, B)}

E1 = Exercise("m12.e1", expects=callable)


class Locks:
    """The accounts of A and B on one chain, and the ledger's own locks; time is in minutes."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes | None] = {}
        overlay = Overlay(self._values.get)
        for key in KEYS.values():
            overlay.add_units(key.public, PURSE)
        self._values |= overlay.writes

    def do(self, now: int, who: str, action: str, **args: Any) -> Any:
        """Ask the ledger for something; returns its result, or None for what is refused."""
        overlay, key = Overlay(self._values.get), KEYS[who]
        frame = Frame(
            overlay=overlay,
            meter=GasMeter(10**6),
            events=[],
            signer=key.did,
            height=1,
            now_ms=now * MINUTE_MS,
            chain="",
        )
        try:
            result = ACTIONS[action][0](None, None, frame, key.public, **args)
        except ExecutionError:
            return None
        self._values |= overlay.writes
        return result

    def lock(self, now: int, giver: str, taker: str, amount: int, minutes: int) -> bytes:
        """Lock units under the digest of the secret."""
        terms = {"to": did_of(KEYS[taker].public), "amount": amount, "digest": sha256(SECRET).digest()}
        number: bytes = self.do(now, giver, "lock", **terms, within_ms=minutes * MINUTE_MS)
        return number

    def balance(self, who: str) -> int:
        """Return the units of somebody that are not locked."""
        return Overlay(self._values.get).account(KEYS[who].public).balance


class Swap(Plain):
    """When what is done, in minutes from A's lock on: B locks, A claims (None: never), B has claimed."""

    b_locks: int
    a_claims: int | None
    b_claims: int


def loser(first: int, second: int, swap: Swap) -> str:
    """Play a swap on two real ledgers; return who has neither the own units nor those of the other, or "".

    A's lock lasts `first` minutes, B's `second`. Each takes back what is over, if it is still there; when, changes
    nothing, as nobody can claim from a lock that is over.
    """
    east, west = Locks(), Locks()
    ours, theirs = east.lock(0, A, B, GIVES, first), west.lock(swap.b_locks, B, A, GETS, second)
    if swap.a_claims is not None:
        west.do(swap.a_claims, A, "claim", lock=theirs, secret=SECRET)  # even if it fails, B has seen the secret
        east.do(swap.b_claims, B, "claim", lock=ours, secret=SECRET)
    over = first + swap.b_locks + second + 1
    east.do(over, A, "reclaim", lock=ours)
    west.do(over, B, "reclaim", lock=theirs)
    if east.balance(A) < PURSE and west.balance(A) == PURSE:
        return A
    return B if west.balance(B) < PURSE and east.balance(B) == PURSE else ""


def swaps(first: int, second: int, late: int) -> Iterator[Swap]:
    """Yield every order of the steps in which B needs at most `late` minutes for each, and A does as A likes."""
    for b_locks in range(late + 1):
        yield Swap(b_locks, None, 0)
        for a_claims in range(b_locks, max(first, b_locks + second) + 2):
            for needs in range(late + 1):
                yield Swap(b_locks, a_claims, a_claims + needs)


@cache
def harmed(first: int, second: int, late: int) -> tuple[str, Swap] | None:
    """Return who loses though in time, and how, in the first order that is found; None if nobody does."""
    for swap in swaps(first, second, late):
        who = loser(first, second, swap)
        is_late = who == A and swap.a_claims is not None and swap.a_claims > swap.b_locks + late
        if who and not is_late:
            return who, swap
    return None


def _are_times(said: Any) -> bool:
    return isinstance(said, tuple | list) and len(said) == 2 and all(type(one) is int and one > 0 for one in said)


def _swapped(times: Times, late: int) -> Miss | None:
    """Judge the locks for one delay: nobody who is in time loses, and no shorter locks do."""
    said = times(late)
    if not _are_times(said):
        return miss("no_times", said=repr(said))
    first, second = said
    too_long = miss("too_long", first=first, second=second, late=late)
    if max(first, second) > MOST_DELAYS * late:
        return too_long
    found = harmed(first, second, late)
    if found is None:
        is_long = harmed(first - 1, second, late) is None or (second > 1 and harmed(first, second - 1, late) is None)
        return too_long if is_long else None
    who, swap = found
    told = {"first": first, "second": second, "b": swap.b_locks, "a": swap.a_claims, "c": swap.b_claims}
    if who == A:
        return miss("a_too_late", **told)
    if first <= second:
        return miss("wrong_order", **told)
    return miss("lock_takes_time" if first == second + late else "b_too_late", **told)


@E1.each(DELAYS)
def nobody_in_time_loses(times: Times, late: int) -> Miss | None:
    """Judge by all orders of the steps."""
    return _swapped(times, late)


@E1.part
def for_any_delay(times: Times) -> Miss | None:
    """Judge by the delay of the class."""
    return _swapped(times, 4 + seeds(0)[-1] % 2)


# --- m12.e2: what is trusted in addition -----------------------------------------------------------------------------

LIES: Final = ("altered", "forged", "replay")
PARTIES: Final = {  # what goes wrong in the story
    "a relayer who lies": LIES,
    "a relayer who goes away": ("late",),
    "who has the key of one office of the first chain": LIES,  # the forged header is signed with one
    "who has the keys of three offices of the first chain": ("stolen",),
}
NOTHING, DELAY, MADE = "nothing", "a delay", "units from nothing"
SOON_MS: Final = 5_000

E2 = Exercise("m12.e2", expects=dict)


def harm(party: str) -> str:
    """Play what a party can do, and return what it costs."""
    found = story("shards", *PARTIES[party])
    if any(step.total > found.total for step in found.steps):
        return MADE
    return DELAY if found.steps[-1].ms > SOON_MS else NOTHING


@E2.each(PARTIES)
def harm_is_named(answer: Mapping[str, str], party: str) -> Miss | None:
    """Judge what somebody between two chains is expected to be able to do."""
    said, truth = answer.get(party, ""), harm(party)
    if said == truth:
        return None
    if truth == MADE:
        return miss("as_safe_as_the_chains", party=party)
    return miss("carrier_is_trusted" if said == MADE else "delay_misjudged", party=party)


# --- m12.e3: break it, then set the quorum ---------------------------------------------------------------------------

SEVEN: Final = 7
MOST_OFFICES: Final = 16

E3 = Exercise("m12.e3", expects=dict)


def names(chain: str, offices: int) -> tuple[str, ...]:
    """Return the names of a chain's offices: north 0, north 1 and so on."""
    return tuple(f"{chain} {number}" for number in range(offices))


@cache
def _north(offices: int) -> tuple[Committee, Mapping[str, KeyPair]]:
    keys = {name: validator_key(root_of(1), number) for number, name in enumerate(names("north", offices))}
    return Committee(Member(name, key.public) for name, key in keys.items()), keys


def believed(thief: Sequence[str], offices: int = SEVEN) -> str:
    """Forge a header of the northern chain with stolen keys, and show it to the light client that the south has of it.

    Return "" if it is believed, and otherwise why it is not.
    """
    committee, keys = _north(offices)
    nought, chain = bytes(DIGEST_SIZE), bytes([1]) * DIGEST_SIZE
    roots = {"tx_root": nought, "receipt_root": sha256(b"units from nothing").digest(), "state_root": nought}
    proposer, own = committee.members[0].public, committee.hash
    header = Header(
        chain, 5, 0, parent=nought, proposer=proposer, tx_count=1, **roots, committee=own, next_committee=own
    )
    statement = vote_statement(chain, PRECOMMIT, header.height, 0, header.id)
    signatures = {keys[name].public: sign_vote(keys[name], statement) for name in thief if name in keys}
    try:
        certificate = QuorumCertificate(header.height, 0, header.id, in_order(committee, signatures))
        Trust(chain, "bft", committee).require_final(header, certificate)
    except ProofError as error:
        return str(error)
    return ""


def _stolen(answer: Mapping[str, Any]) -> list[str]:
    return sorted(set(answer.get("keys", ())))


@E3.part
def a_lie_is_believed(answer: Mapping[str, Any]) -> Miss | None:
    """Judge whether the south believes a header that these keys have signed."""
    thief = _stolen(answer)
    if any(name in names("south", SEVEN) for name in thief):
        return miss("keys_of_the_south")
    error = believed(thief)
    if not error:
        return None
    return miss("majority" if 2 * len(thief) > SEVEN else "too_few_keys", count=len(thief), error=error)


@E3.part
def by_the_fewest_keys(answer: Mapping[str, Any]) -> Miss | None:
    """Judge whether one key fewer would be enough."""
    thief = _stolen(answer)
    return miss("too_many_keys", count=len(thief)) if thief and not believed(thief[1:]) else None


@E3.part
def enough_offices(answer: Mapping[str, Any]) -> Miss | None:
    """Judge how many offices bear as many stolen keys as broke seven."""
    offices, count = answer.get("offices", 0), _fewest()
    if not SEVEN <= offices <= MOST_OFFICES:
        return miss("other_offices", said=offices)
    if not believed(names("north", count), offices):
        return miss("too_few_offices", said=offices, count=count)
    return None if not believed(names("north", count), offices - 1) else miss("more_than_needed", said=offices)


def _fewest() -> int:
    """Return how many keys are enough to be believed in the name of seven offices."""
    return next(count for count in range(SEVEN + 1) if not believed(names("north", count)))


EXERCISES: Final = {one.id: one for one in (P1, E1, E2, E3)}
