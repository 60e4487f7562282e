"""M0: what stays with the trainer."""

from minichain.client.network import Network
from minichain.course.exercises.m00 import TOO_LONG
from minichain.course.exercises.notes import Notes
from minichain.course.trainer import Bot, Key
from minichain.ledger.types import Call

NOTE = "Street office A was here."


def handed(wallet, note, receipt):
    return {"account": wallet.did, "note": note, "proof": receipt.proof().to_bytes()}


with Network.simulated(validators=4, seed=11) as net:
    mine, other = net.wallet("Street office A"), net.wallet("Street office B")
    notes = net.deploy(Notes, sender=other)
    first = notes.with_sender(mine).write(NOTE)
    neighbours = notes.write(NOTE)
    too_long = notes.with_sender(mine).attempt("write", TOO_LONG)
    RIGHT, REFUSED = handed(mine, NOTE, first), handed(mine, TOO_LONG, too_long)
    NEIGHBOURS = handed(mine, NOTE, neighbours)

with Network.simulated(validators=3, seed=12, profile="private") as net:
    mine, other = net.wallet("Clerk", units=5), net.wallet("Another clerk")
    paid = net.send(mine, [Call("ledger", "transfer", {"to": other.did, "amount": 1})])
    ELSEWHERE = handed(mine, other.did, paid)

middle = len(RIGHT["proof"]) // 2
DAMAGED = RIGHT | {"proof": RIGHT["proof"][:middle] + b"0" + RIGHT["proof"][middle + 1 :]}

KEYS = {
    "m00.p1": Key(
        solutions=({"signer", "words", "block", "accepted"}, ["accepted", "block", "signer", "words"]),
        bots=(
            Bot({"signer", "words", "block", "accepted", "true"}, "agreed_so_true"),
            Bot({"signer", "words", "block", "accepted", "all"}, "everybody"),
            Bot({"block"}, "too_little"),
        ),
    ),
    "m00.e1": Key(
        solutions=(RIGHT, ELSEWHERE),
        bots=(
            Bot(RIGHT | {"proof": b""}, "not_final"),
            Bot(DAMAGED, "not_final"),
            Bot(NEIGHBOURS, "another_signed"),
            Bot(RIGHT | {"note": "Another note."}, "another_note"),
            Bot(REFUSED, "refused"),
        ),
    ),
}
