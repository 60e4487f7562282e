"""What happened, in plain sentences: what a contract announced, or, where that says nothing, what was asked of it.

An account id becomes a name only where somebody told us the name; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minichain.contracts.deployed import NOBODY
from minichain.crypto import did_of
from minichain.ledger.types import Call, Event
from minichain.views.i18n import _, number
from minichain.views.markup import Child, tag
from minichain.views.models import Entry
from minichain.views.parts import State, own_words

Names = Mapping[str, str]  # did -> name


def name_of(did: str, names: Names) -> str:
    """Return an account's name, or enough of its id to tell it from others."""
    return _(names[did]) if did in names else _("account {key}").format(key=f"{did.removeprefix('did:key:'):.12}…")


def whom(authority: str, names: Names) -> str:
    """Return who may be an account, a contract, or nobody."""
    if authority == NOBODY:
        return _("nobody")
    if authority.startswith("did:"):
        return name_of(authority, names)
    return _("the contract {name}").format(name=authority)


def tell(entry: Entry, names: Names) -> tuple[State, Child]:
    """Tell one transaction; a failed one with the contract's reason."""
    who = name_of(did_of(entry.sender), names)
    if not entry.receipt.ok:
        said = _("{who} was refused: {reason}").format(
            who=who, reason=with_names(own_words(entry.receipt.error), names)
        )
        return "warn", said[:1].upper() + said[1:]
    told = [_of_ledger(event, names) or _event(event.name, event.data, who) for event in entry.receipt.events]
    sentences = [words for words in told if words] or [_call(call, who, names) for call in entry.calls]
    return "ok", [tag("span", words[:1].upper() + words[1:], " ") for words in sentences]


def with_names(text: str, names: Names) -> str:
    """Put names in the place of the account ids in a text."""
    for did in names:
        text = text.replace(did, name_of(did, names))
    return text


def _of_ledger(event: Event, names: Names) -> str:
    """Tell what became of a contract, as the ledger itself has announced it; nobody else can."""
    match event:
        case Event("ledger", kind, {"contract": str(name), "by": str(by), "version": int(version), **more}):
            sentences = {
                "Deployed": _("{who} put the contract {name} on the ledger."),
                "Upgraded": _("{who} put version {version} of the contract {name} on the ledger."),
                "Frozen": _("{who} froze the contract {name}: it refuses every action."),
                "Unfrozen": _("{who} ended the freeze of the contract {name}."),
                "Restricted": _("{who} changed who may use “{action}” of the contract {name}."),
                "Entrusted": _("{who} handed the contract {name} over to {authority}."),
            }
            to = whom(more.get("authority", NOBODY), names)
            facts = {"who": whom(by, names), "name": name, "version": number(version), "action": more.get("action", "")}
            return sentences.get(kind, "").format(**facts, authority=to)
    return ""


def _event(name: str, data: Mapping[str, Any], who: str) -> str:
    match name, data:
        case "Manifest", {"number": str(manifest), "act": str(act)}:
            return deed(act, who, manifest)
        case "Drafted", {"reference": str(reference)}:
            return _("{who} drafted a manifest, {reference}.").format(who=who, reference=reference)
        case "PartyRegistered", {"site": str(site)}:
            return _("{who} registered site {site}.").format(who=who, site=site or "-")
    return ""


def _call(call: Call, who: str, names: Names) -> str:
    match call:
        case Call("ledger", "deploy", {"name": str(name)}):
            return _("{who} put the contract {name} on the ledger.").format(who=who, name=name)
        case Call("ledger", "transfer", {"to": str(to), "amount": int(amount)}):
            to = name_of(to, names)
            return _("{who} sent {amount} to {to}.").format(who=who, amount=number(amount), to=to)
        case Call("ledger", "pledge", {"to": str(to), "amount": int(amount)}):
            return _("{who} pledged {amount} units to the contract {to}.").format(who=who, amount=number(amount), to=to)
    return _("{who} used “{action}” of the contract {contract}.").format(
        who=who, contract=call.contract, action=call.action
    )


def deed(act: str, who: str, number: str = "") -> str:
    """Tell what somebody did with a waste manifest, or with this one; `act` is the word its contract keeps."""
    manifest = _("manifest {number}").format(number=number) if number else _("this manifest")
    sentences = {
        "submitted": _("{who} entered {manifest}."),
        "revised": _("{who} revised {manifest}."),
        "scheduled": _("{who} declared {manifest} ready for pickup."),
        "cancelled": _("{who} cancelled {manifest}."),
        "handed over": _("{who} handed over the load of {manifest}."),
        "taken over": _("{who} signed for the load of {manifest}."),
        "transporters changed": _("{who} changed the transporters of {manifest}."),
        "incident": _("{who} reported an incident on {manifest}."),
        "received": _("{who} confirmed that the load of {manifest} arrived."),
        "returned": _("{who} took back the load of {manifest}."),
        "rejected on site": _("{who} rejected the load of {manifest}."),
        "reported": _("{who} reported what arrived on {manifest}."),
        "signed": _("{who} signed {manifest}: it is complete."),
        "reconciled": _("{who} answered a discrepancy of {manifest}."),
        "certified": _("{who} certified the treatment of {manifest}."),
        "correction proposed": _("{who} proposed a correction of {manifest}."),
        "correction signed": _("{who} signed a correction of {manifest}."),
        "correction withdrawn": _("{who} withdrew a correction of {manifest}."),
    }
    return sentences.get(act, _("{who} acted on {manifest}.")).format(who=who, manifest=manifest)
