"""M2: what stays with the trainer."""

from hashlib import sha256
from itertools import product

from minichain import merkle
from minichain.course.exercise import Exercise, miss
from minichain.course.exercises.m02 import fingerprint
from minichain.course.trainer import Bot, Key


def verify_proof(entry, place, size, proof, root):
    last, result = size - 1, sha256(b"\0" + entry).digest()
    if place > last:
        return False
    for other in proof:
        if place & 1 or place == last:
            result = sha256(b"\1" + other + result).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            result = sha256(b"\1" + result + other).digest()
        place, last = place >> 1, last >> 1
    return last == 0 and result == root


def by_the_library(entry, place, size, proof, root):
    return merkle.verify_inclusion(entry, place, size, proof, root)


def trusting(entry, place, size, proof, root):
    return True


def without_the_entry(entry, place, size, proof, root):
    return merkle.verify_inclusion(entry, place, size, proof, root) or merkle.verify_inclusion(
        entry[:-1], place, size, proof, root
    )


def any_path(entry, place, size, proof, root):
    return len(proof) > 0 and len(root) == 32 and not entry.endswith(b"!")


def any_place(entry, place, size, proof, root):
    return place < size and any(merkle.verify_inclusion(entry, at, size, proof, root) for at in range(size))


def never(entry, place, size, proof, root):
    return False


def find(wanted, digits):
    for number in range(10**digits):
        card = f"{number:0{digits}}"
        if sha256(card.encode()).hexdigest() == wanted:
            return card
    return None


def find_by_table(wanted, digits):
    cards = map("".join, product("0123456789", repeat=digits))
    return {fingerprint(card): card for card in cards}.get(wanted)


def give_up(wanted, digits):
    return None


def without_zeros(wanted, digits):
    return next((str(number) for number in range(10**digits) if fingerprint(str(number)) == wanted), None)


def any_card(wanted, digits):
    return find(wanted, digits) or "0" * digits


E1_HIDDEN = Exercise("m02.e1", expects=callable)


@E1_HIDDEN.part
def a_list_of_one(verify):
    entry = b"only one"
    return None if verify(entry, 0, 1, [], merkle.root([entry])) is True else miss("true_refused", place=0, size=1)


@E1_HIDDEN.part
def a_place_outside(verify):
    entries = [b"a", b"b", b"c"]
    proof = list(merkle.inclusion_proof(0, entries))
    return None if verify(b"a", 4, 3, proof, merkle.root(entries)) is False else miss("place_ignored", place=4, size=3)


BROKEN = {"edited": {3}, "resealed": {4}, "owner": set(), "quorum": set()}

KEYS = {
    "m02.p1": Key(
        solutions=(BROKEN, {name: sorted(blocks) for name, blocks in BROKEN.items()}),
        bots=(
            Bot(BROKEN | {"edited": set(), "resealed": set()}, "nothing_breaks"),
            Bot(BROKEN | {"edited": {3, 4, 5, 6}, "resealed": {4, 5, 6}}, "all_after"),
            Bot(BROKEN | {"resealed": set()}, "sealed_is_fine"),
            Bot(BROKEN | {"resealed": {3, 4, 5, 6}}, "link_forgotten"),
            Bot(BROKEN | {"owner": {3, 4, 5, 6}}, "owner_is_stopped"),
            Bot(BROKEN | {"quorum": {3}}, "quorum_is_stopped"),
        ),
    ),
    "m02.e1": Key(
        solutions=(verify_proof, by_the_library),
        bots=(
            Bot(never, "true_refused"),
            Bot(trusting, "entry_ignored"),
            Bot(without_the_entry, "entry_ignored"),
            Bot(any_path, "path_ignored"),
            Bot(any_place, "place_ignored"),
        ),
        hidden=E1_HIDDEN,
    ),
    "m02.e2": Key(
        solutions=(find, find_by_table),
        bots=(Bot(give_up, "not_found"), Bot(without_zeros, "zeros"), Bot(any_card, "invented")),
    ),
}
