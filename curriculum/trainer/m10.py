"""M10: what stays with the trainer."""

from hashlib import sha256

from minichain.course.trainer import Bot, Key
from minichain.identity.jcs import canonical
from minichain.identity.vault import Content, commitment

EXPECTED = {
    "neighbour": "reads it",
    "two_visits": "the key",
    "blocks": 1,
    "erased": "the number stays, untraceable",
}


# --- a lost card


def after_loss(town, lost):
    town.cards.revoke(lost.number)
    town.cards.issue("Resident 1", "Town Library")
    question = town.cards.ask("Town Library", "Resident 1", "overEighteen")
    return town.cards.answer(question.number).number


def after_loss_by_what_is_known(town, lost):
    new = town.cards.issue(lost.resident, lost.verifier)
    question = town.cards.ask(new.verifier, new.resident, "overEighteen")
    town.cards.answer(question.number)
    town.cards.revoke(lost.number)
    return question.number


def reset(town, lost):
    town.cards.issue(lost.resident, lost.verifier)
    question = town.cards.ask(lost.verifier, lost.resident, "overEighteen")
    return town.cards.answer(question.number).number


def only_revoked(town, lost):
    question = town.cards.ask(lost.verifier, lost.resident, "overEighteen")
    town.cards.answer(question.number)
    town.cards.revoke(lost.number)
    return question.number


def all_of_the_card(town, lost):
    town.cards.revoke(lost.number)
    town.cards.issue(lost.resident, lost.verifier)
    question = town.cards.ask(lost.verifier, lost.resident, "overEighteen", "name", "document")
    return town.cards.answer(question.number).number


def all_cards(town, lost):
    for one in town.cards.issued():
        town.cards.revoke(one.number)
    town.cards.issue(lost.resident, lost.verifier)
    question = town.cards.ask(lost.verifier, lost.resident, "overEighteen")
    return town.cards.answer(question.number).number


# --- an entry that tells nothing


def to_chain(record, fresh):
    salt, data = fresh(32), canonical(record)
    return {"commitment": commitment(salt, data)}, {"salt": salt, "data": data}


def to_chain_as_a_vault_does(record, fresh):
    content = Content(fresh(32), canonical({**record}))
    public = {"commitment": content.commitment}
    return public, {"data": content.data, "salt": content.salt}


def as_it_is(record, fresh):
    return {"visit": dict(record)}, {"data": canonical(record)}


def in_hexadecimal(record, fresh):
    return {"visit": canonical(record).hex()}, {"data": canonical(record)}


def fingerprint(record, fresh):
    return {"card": sha256(record["card"].encode()).hexdigest()}, {"data": canonical(record)}


def salt_for_all(record, fresh):
    salt, data = bytes(32), canonical(record)
    return {"commitment": commitment(salt, data)}, {"salt": salt, "data": data}


def salt_beside_it(record, fresh):
    public, kept = to_chain(record, fresh)
    return {**public, "salt": kept["salt"]}, kept


def pseudonym(record, fresh):
    public, kept = to_chain(record, fresh)
    return {**public, "who": sha256(b"a secret of the office" + record["name"].encode()).hexdigest()}, kept


def nothing(record, fresh):
    return {"commitment": fresh(32)}, {}


# --- shown, taken back, erased


def visit(town):
    share = town.data.share("Resident 1", "Riverside Clinic", "treatment")
    town.data.look("Riverside Clinic", share.number, "treatment")
    town.data.take_back(share.number)
    town.data.look("Riverside Clinic", share.number, "treatment")
    town.data.erase(share.number)


def visit_of_another(town):
    number = town.data.share("Resident 3", "Riverside Clinic", "treatment", days=1).number
    if town.data.look("Riverside Clinic", number, "treatment").allowed:
        town.data.take_back(number)
    if town.data.look("Riverside Clinic", number, "treatment").why == "revoked":
        town.data.erase(number)


def never_read(town):
    share = town.data.share("Resident 1", "Riverside Clinic", "treatment")
    town.data.take_back(share.number)
    town.data.look("Riverside Clinic", share.number, "treatment")
    town.data.erase(share.number)


def for_the_bill(town):
    for purpose in ("treatment", "billing"):
        share = town.data.share("Resident 1", "Riverside Clinic", purpose)
        town.data.look("Riverside Clinic", share.number, purpose)
        town.data.take_back(share.number)
        town.data.look("Riverside Clinic", share.number, purpose)
        town.data.erase(share.number)


def never_taken_back(town):
    share = town.data.share("Resident 1", "Riverside Clinic", "treatment")
    town.data.look("Riverside Clinic", share.number, "treatment")
    town.data.erase(share.number)


def for_ever(town):
    share = town.data.share("Resident 1", "Riverside Clinic", "treatment")
    town.data.look("Riverside Clinic", share.number, "treatment")
    town.data.take_back(share.number)
    town.data.look("Riverside Clinic", share.number, "treatment")


def only_the_file(town):
    for_ever(town)
    town.data.vault.erase(town.data.shares()[0].record)


KEYS = {
    "m10.p1": Key(
        solutions=(EXPECTED, dict(reversed(EXPECTED.items()))),
        bots=(
            Bot({**EXPECTED, "neighbour": "sees noise"}, "not_encrypted"),
            Bot({**EXPECTED, "two_visits": "nothing"}, "not_anonymous"),
            Bot({**EXPECTED, "blocks": 0}, "noticed_when"),
            Bot({**EXPECTED, "erased": "it leads back"}, "cannot_erase"),
        ),
    ),
    "m10.e1": Key(
        solutions=(after_loss, after_loss_by_what_is_known),
        bots=(
            Bot(reset, "old_card_works"),
            Bot(only_revoked, "not_shown"),
            Bot(all_of_the_card, "shown_too_much"),
            Bot(all_cards, "others_hurt"),
        ),
    ),
    "m10.e2": Key(
        solutions=(to_chain, to_chain_as_a_vault_does),
        bots=(
            Bot(as_it_is, "readable"),
            Bot(in_hexadecimal, "readable"),
            Bot(fingerprint, "guessable"),
            Bot(salt_for_all, "guessable"),
            Bot(salt_beside_it, "guessable"),
            Bot(pseudonym, "linked"),
            Bot(nothing, "cannot_be_shown"),
        ),
    ),
    "m10.e3": Key(
        solutions=(visit, visit_of_another),
        equivalent=("days=2",),
        bots=(
            Bot(never_read, "nobody_read"),
            Bot(for_the_bill, "other_purpose"),
            Bot(never_taken_back, "never_refused"),
            Bot(for_ever, "not_erased"),
            Bot(only_the_file, "traced"),
        ),
    ),
}
