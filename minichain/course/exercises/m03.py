"""M3, keys and signatures: what counts on a ledger, what a signature has to cover, and a plan for a lost key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from minichain.client.network import Network
from minichain.client.wallet import Wallet
from minichain.contracts.sandbox import Outcome, Sandbox
from minichain.contracts.system import IDENTITY
from minichain.course.exercise import Exercise, Miss, miss, seeds
from minichain.crypto import KeyPair, commitment, digest, is_valid_signature
from minichain.ledger.types import Call, Transaction, sign_transaction

# --- m03.p1: which of six payments does the ledger execute? ----------------------------------------------------------

EVENTS: Final = ("again", "edited", "colleague", "thief", "elsewhere", "old_key")

P1 = Exercise("m03.p1", expects=lambda answer: isinstance(answer, set | frozenset | list | tuple))


@cache
def executed() -> frozenset[str]:
    """Return the events after which the shop has more, each tried on four validators."""
    found = set[str]()
    with Network.simulated(validators=4, seed=7) as net:
        office, shop = net.wallet("Street office A", units=100), net.wallet("Repair shop")
        for name, raw in _offers(net, office, shop):
            before = net.account(shop).balance
            net.offer(raw)
            net.pass_time(3_000)
            if name in EVENTS and net.account(shop).balance > before:
                found.add(name)
    return frozenset(found)


def _offers(net: Network, office: Wallet, shop: Wallet) -> Iterator[tuple[str, bytes]]:
    """Yield what is handed to a node, one after the other; the first is the office's own payment, and counts."""

    def pays(signer: Wallet, chain: bytes = net.genesis.hash) -> bytes:
        calls = (Call("ledger", "transfer", {"to": shop.did, "amount": 10}),)
        name, nonce, expires = net.genesis.spec.chain_id, net.account(office).nonce, net.height() + 100
        body = Transaction(name, chain, office.account, nonce, calls, 100_000, expires, signer.signing_key)
        return sign_transaction(body, signer.key).raw

    first = pays(office)
    yield "first", first
    yield "again", first
    yield "edited", pays(office).replace(b"\xa6amount\x0a", b"\xa6amount\x5a")
    yield "colleague", pays(office)  # the program signs for whoever sits in front of it
    yield "thief", pays(Wallet("Thief", office.key, office.account))
    yield "elsewhere", pays(office, chain=digest("genesis", b"another town"))
    net.identity.rotate(office)
    yield "old_key", pays(Wallet("Finder of the old phone", office.key, office.account))


@P1.part
def a_key_acts_and_no_person(answer: Collection[str]) -> Miss | None:
    """Judge by the payment that a colleague made on the clerk's computer."""
    return miss("person") if "colleague" in executed() - set(answer) else None


@P1.part
def a_stolen_key_works(answer: Collection[str]) -> Miss | None:
    """Judge by the payment that was signed with a copy of the key."""
    return miss("unhackable") if "thief" in executed() - set(answer) else None


@P1.part
def the_others_are_refused(answer: Collection[str]) -> Miss | None:
    """Judge by the payments that nothing came of."""
    wrong = set(answer) - executed()
    return miss("no_guard", said=", ".join(sorted(wrong))) if wrong else None


# --- m03.e1: what does a signature have to cover? --------------------------------------------------------------------

Order = dict[str, Any]  # to, amount, nonce, chain_id
Words = Callable[[Order, str, int], "bytes | None"]  # order, ledger's chain, next nonce -> what to sign

E1 = Exercise("m03.e1", expects=callable)


def order_of(number: int, **changes: Any) -> Order:
    """Return an order to pay, a different one for each number."""
    usual = {"to": f"account {number}", "amount": 10 + number, "nonce": number % 3, "chain_id": "town"}
    return usual | changes


def accepts(words: Words, shown: Order, signed: Order, *, chain_id: str = "town", next_nonce: int) -> bool:
    """Tell whether a ledger takes the order it is shown, with the signature that was made for another one.

    The wallet asks the same function what to sign, for the chain and the nonce that it means.
    """
    key = KeyPair.derive(digest("m03", b""), "Street office A")
    to_sign = words(dict(signed), signed["chain_id"], signed["nonce"])
    if to_sign is None:
        return False
    wanted = words(dict(shown), chain_id, next_nonce)
    return wanted is not None and is_valid_signature(key.public, "order", wanted, key.sign("order", to_sign))


ORDERS: Final = 4


@E1.part
def a_true_order_is_taken(words: Words) -> Miss | None:
    """Judge by orders that are as they were signed, and are next."""
    for order in map(order_of, seeds(ORDERS)):
        if not accepts(words, order, order, next_nonce=order["nonce"]):
            return miss("true_refused", amount=order["amount"])
    return None


def refusal(check: Callable[[Words], Miss | None]) -> Callable[[Words], Miss | None]:
    """Add a part about what is refused; that counts only where true orders are taken."""
    return E1.part(lambda words: a_true_order_is_taken(words) or check(words))


@refusal
def a_replay_is_refused(words: Words) -> Miss | None:
    """Judge by orders that are sent again, as they are or under the next number; and by one that comes too early."""
    for order in map(order_of, seeds(ORDERS)):
        later = order["nonce"] + 1
        renumbered = order | {"nonce": later}
        if any(accepts(words, shown, order, next_nonce=later) for shown in (order, renumbered)):
            return miss("replayed", amount=order["amount"])
        if accepts(words, renumbered, renumbered, next_nonce=order["nonce"]):
            return miss("too_early", nonce=later)
    return None


@refusal
def another_payee_is_refused(words: Words) -> Miss | None:
    """Judge by orders whose receiver was changed on the way, and by letters that were pushed into the next field."""
    for order in map(order_of, seeds(ORDERS)):
        if accepts(words, order | {"to": "the thief"}, order, next_nonce=order["nonce"]):
            return miss("payee_changed", amount=order["amount"])
        spread = order | {"to": f"{order['to']}7", "amount": 5}, order | {"amount": 75}
        if accepts(words, *spread, next_nonce=order["nonce"]):
            return miss("run_together", to=order["to"])
    return None


@refusal
def another_amount_is_refused(words: Words) -> Miss | None:
    """Judge by orders whose amount was changed on the way."""
    for order in map(order_of, seeds(ORDERS)):
        if accepts(words, order | {"amount": order["amount"] * 10}, order, next_nonce=order["nonce"]):
            return miss("amount_changed", amount=order["amount"])
    return None


@refusal
def another_chain_is_refused(words: Words) -> Miss | None:
    """Judge by orders for a training chain that are shown to the town's, with and without another name on them."""
    for order in map(order_of, seeds(ORDERS)):
        training = order | {"chain_id": "training"}
        if any(accepts(words, shown, training, next_nonce=order["nonce"]) for shown in (training, order)):
            return miss("elsewhere")
    return None


# --- m03.e2: a plan for a lost key -----------------------------------------------------------------------------------

DAY_MS: Final = 86_400_000
AWAY: Final = 3  # days without a look at the account: a long weekend
DEADLINE: Final = 4  # days until the office has to be able to sign again
YEAR: Final = 366  # days: nobody is in a hurry
PLACES: Final = {  # who could help -> where their key is kept
    "own tablet": "the clerk's bag",
    "deputy": "street office A",
    "colleague": "street office A",
    "city archive": "the archive",
    "notary": "the notary's office",
    "hospital": "the hospital",
}
CHOICES: Final = ("rotate", "recover", "nothing")
BAG: Final = "the clerk's bag"

Plan = Mapping[str, Any]  # guardians: three names of PLACES, threshold, wait_days, if_stolen: one of CHOICES

E2 = Exercise("m03.e2", expects=dict)


@dataclass(slots=True)
class Story:
    """The clerk's account on the contract that keeps keys, guarded by a plan; people by their names."""

    plan: Plan
    box: Sandbox = field(default_factory=Sandbox)
    contract: Any = field(init=False)
    is_guarded: bool = field(init=False)

    def __post_init__(self) -> None:
        self.contract = self.box.deploy(IDENTITY, sender="ledger", name="identity")
        slips = [commitment(self._salt(name), self.box.account(name).encode()) for name in self.plan["guardians"]]
        wait = {"threshold": self.plan["threshold"], "wait_ms": self.plan["wait_days"] * DAY_MS}
        self.is_guarded = self.act("clerk", "guard", guardians=slips, **wait).ok

    def act(self, who: str, action: str, **args: Any) -> Outcome:
        """Let somebody call the contract."""
        return self.box.call(self.box.account(who), "identity", action, args)

    def help(self, *guardians: str, key: str) -> None:
        """Let guardians ask that the account gets a key, until there are enough of them."""
        clerk, wanted = self.box.account("clerk"), self.box.account(key)
        for name in guardians[: self.plan["threshold"]]:
            self.act(name, "support", did=clerk, key=wanted, salt=self._salt(name))

    def has(self, key: str, days: int = 0) -> bool:
        """Let days pass, finish what was asked for, and tell whether the account has this key."""
        self.box.advance(days=days)
        clerk, wanted = self.box.account("clerk"), self.box.account(key)
        self.act("anybody", "recover", did=clerk, key=wanted)
        return bool(self.contract.record(clerk)["key"] == wanted)

    def _salt(self, name: str) -> bytes:
        return digest("slip", name.encode())


def without(plan: Plan, *places: str) -> list[str]:
    """Return the guardians whose keys are in none of these places."""
    return [name for name in plan["guardians"] if PLACES[name] not in places]


@E2.part
def the_phone_is_lost(plan: Plan) -> Miss | None:
    """Mishap 1: the bag with the phone in it is gone; the office has to sign again four days later."""
    if unknown := set(plan["guardians"]) - PLACES.keys():
        return miss("nobody_there", name=min(unknown, key=str))
    story = Story(plan)
    if not story.is_guarded:
        return miss("locked_out")
    story.help(*without(plan, BAG), key="new phone")
    if story.has("new phone", days=DEADLINE):
        return None
    return miss("too_late", days=DEADLINE) if story.has("new phone", days=YEAR) else miss("in_the_bag")


@E2.part
def a_guardian_cannot_be_reached(plan: Plan) -> Miss | None:
    """Mishap 2: the bag is gone, and one guardian, whichever, is ill."""
    for ill in plan["guardians"]:
        story = Story(plan)
        story.help(*(name for name in without(plan, BAG) if name != ill), key="new phone")
        if not story.has("new phone", days=YEAR):
            return miss("all_needed", name=ill)
    return None


@E2.part
def a_guardian_is_deceived(plan: Plan) -> Miss | None:
    """Mishap 3: somebody talks one guardian, whichever, into helping, and nobody looks for a year."""
    for deceived in plan["guardians"]:
        story = Story(plan)
        story.help(deceived, key="stranger")
        if story.has("stranger", days=YEAR):
            return miss("one_is_enough", name=deceived)
    return None


@E2.part
def a_house_burns(plan: Plan) -> Miss | None:
    """Mishap 4: whichever house burns, the bag is in it, and the keys that are kept there are gone."""
    for house in dict.fromkeys(PLACES.values()):
        story = Story(plan)
        story.help(*without(plan, house, BAG), key="new phone")
        if not story.has("new phone", days=YEAR):
            return miss("same_place", house=house)
    return None


@E2.part
def all_are_deceived_while_the_clerk_is_away(plan: Plan) -> Miss | None:
    """Mishap 5: guardians believe a stranger while the clerk is away, who refuses on the first day back."""
    story = Story(plan)
    story.help(*plan["guardians"], key="stranger")
    return miss("no_time", days=AWAY) if story.has("stranger", days=AWAY) else _refused_in_time(story)


def _refused_in_time(story: Story) -> Miss | None:
    story.act("clerk", "refuse")
    return miss("no_time", days=AWAY) if story.has("stranger", days=YEAR) else None


@E2.part
def the_key_is_stolen(plan: Plan) -> Miss | None:
    """Mishap 6: a thief has a copy of the key, the clerk notices, and the thief looks at the account each day."""
    story = Story(plan)
    match plan["if_stolen"]:
        case "rotate":
            story.act("clerk", "rotate", key=story.box.account("new phone"))
        case "recover":
            story.help(*plan["guardians"], key="new phone")
            story.act("clerk", "refuse")  # the thief has this key, too, and so may say no
        case "nothing":
            return miss("unhackable_plan")
        case other:
            return miss("nothing_like_that", said=other)
    return None if story.has("new phone", days=YEAR) else miss("thief_refuses")


EXERCISES: Final = {one.id: one for one in (P1, E1, E2)}
