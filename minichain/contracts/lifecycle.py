"""The life of a contract: deployed, upgraded, frozen, restricted, entrusted. These are actions of the ledger itself;
what a contract may do with units that were pledged to it is in `contracts/pledges.py`.

Whoever deploys a contract is its authority; only the authority changes anything about it, and it may be a contract,
such as one that governs by vote, which asks with `self.call("ledger", ...)`. A contract of the authority `NOBODY` never
changes; that is so for every contract the ledger deployed itself. A running contract cannot be upgraded, not even by
itself: the code that is half-way through must be the code that the storage belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from minichain.codec import decode_own, encode
from minichain.contracts import pledges, system
from minichain.contracts.check import Program
from minichain.contracts.deployed import (
    NOBODY,
    Deployed,
    Restriction,
    fingerprint,
    first_version,
    upgraded,
    version_key,
)
from minichain.contracts.meter import GAS
from minichain.contracts.values import fault
from minichain.crypto import public_of
from minichain.errors import DecodeError, LanguageError
from minichain.ledger.state import contract_key
from minichain.ledger.types import Event

if TYPE_CHECKING:
    from minichain.contracts.runtime import Frame, Runtime

CONTRACT_NAME: Final = re.compile(r"[a-z0-9-]{1,40}")
RESERVED_NAMES: Final = frozenset({"ledger"})
KEPT_NAMES: Final = {  # the ledger acts on what these contracts announce, so it alone deploys them
    "members": "the contract that governs who the members are",
    "identity": "the contract that says which key belongs to an account",
    "bridge": "the contract that keeps the books of what crosses to other chains",
}
ATOMIC: Final = "atomic"  # other chains rely on what it is: anybody deploys it, and nobody changes it
MODES: Final = ("allow", "deny", "open")
MAX_LISTED: Final = 256  # accounts on all lists of one contract; roles of many people belong into the contract itself


def perform(runtime: Runtime, frame: Frame, action: str, args: Mapping[str, Any]) -> Any:
    """Do one of `ACTIONS` for whoever asks: the signer, or the contract that is running."""
    if action not in ACTIONS:
        fault(
            f"a contract cannot ask the ledger for this action, only for {', '.join(ACTIONS)}: what gives units away "
            "or speaks for a member is asked by an account, in a transaction"
        )
    act, arguments = ACTIONS[action]
    if sorted(args) != sorted(arguments):
        fault(f"ledger.{action} takes the arguments {', '.join(arguments)}, all of them")
    return act(runtime, frame, **args)


def install(runtime: Runtime, frame: Frame, name: Any, source: Any, args: Any) -> Deployed:
    """Put a contract on the ledger under a free name and run its setup."""
    if not isinstance(name, str) or not CONTRACT_NAME.fullmatch(name) or name in RESERVED_NAMES:
        fault("a contract's name is 1 to 40 of a-z, 0-9 and dash, and not `ledger`")
    if frame.overlay.get(contract_key(name)) is not None:
        fault(f"the name {name} is taken: choose another name")
    program, by = _read(runtime, frame, name, source, args, "setup"), frame.asking
    deployed = first_version(source, by, frame.height, authority=NOBODY if by == "ledger" else by)
    _keep(frame, contract_key(name), deployed)
    _run_once(runtime, frame, name, program, "setup", args)
    return deployed


# --- the actions -------------------------------------------------------------------------------------------------


def _deploy(runtime: Runtime, frame: Frame, *, name: Any, source: Any, args: Any) -> str:
    if not isinstance(args, dict):
        fault("ledger.deploy takes `args`, a dictionary of the arguments of setup")
    if isinstance(name, str) and name in KEPT_NAMES:
        fault(f"the name {name} is kept for {KEPT_NAMES[name]}")
    if name == ATOMIC and source != system.ATOMIC:
        fault(
            f"the name {ATOMIC} is kept for the coordinator of deals, which comes with the ledger: deploy that source"
        )
    deployed = install(runtime, frame.asked_by("ledger") if name == ATOMIC else frame, name, source, args)
    _announce(frame, "Deployed", name, deployed)
    return str(name)


def _upgrade(runtime: Runtime, frame: Frame, *, name: Any, source: Any, args: Any) -> int:
    """Put a new version in the place of a contract's source, keep its storage, and run its `migrate`, if it has one.

    Returns the number of the new version.
    """
    before, old = _own(runtime, frame, "upgrade", name)
    if name in frame.stack:
        fault(f"{name} is running in this call: upgrade it in a call that does not pass through it")
    new = _read(runtime, frame, name, source, args, "migrate")
    if source == before.source:
        fault(f"this is the source that {name} has already: there is nothing to upgrade")
    after = upgraded(before, old.abi, new.abi, source, frame.asking, frame.height)
    _keep(frame, version_key(name, before.version), before.present)
    _keep(frame, contract_key(name), after)
    _run_once(runtime, frame, name, new, "migrate", args)
    _announce(frame, "Upgraded", name, after)
    return after.version


def _freeze(runtime: Runtime, frame: Frame, *, name: Any) -> None:
    """Refuse every action of a contract until it is unfrozen; its views go on."""
    _set_frozen(runtime, frame, "freeze", name, is_frozen=True)


def _unfreeze(runtime: Runtime, frame: Frame, *, name: Any) -> None:
    _set_frozen(runtime, frame, "unfreeze", name, is_frozen=False)


def _set_frozen(runtime: Runtime, frame: Frame, verb: str, name: Any, *, is_frozen: bool) -> None:
    before, _ = _own(runtime, frame, verb, name)
    if before.is_frozen == is_frozen:
        fault(f"{name} is frozen already" if is_frozen else f"{name} is not frozen")
    after = replace(before, is_frozen=is_frozen)
    _keep(frame, contract_key(name), after)
    _announce(frame, "Frozen" if is_frozen else "Unfrozen", name, after)


def _restrict(runtime: Runtime, frame: Frame, *, name: Any, action: Any, mode: Any, accounts: Any) -> None:
    """Let only some accounts use an action ("allow"), or all but some ("deny"), or everybody again ("open").

    A list judges who signed the transaction, not who calls: it names people and organisations, and nobody gets past it
    by going through another contract, nor is kept out because a contract stands in between. It stays when the contract
    is upgraded, also while a version does without the action.
    """
    before, program = _own(runtime, frame, "restrict", name)
    if not isinstance(action, str) or (action not in program.actions and action not in before.access):
        fault(f"{name} has no such action to restrict; it has: {', '.join(program.actions) or 'none'}")
    if mode not in MODES or not isinstance(accounts, list):
        fault("ledger.restrict takes `mode`, allow, deny or open, and `accounts`, a list of did:key")
    if mode == "open" and (accounts or action not in before.access):
        fault(f"ledger.restrict: open lifts the list of an action, and names nobody; restricted are: {_these(before)}")
    if mode == "deny" and not accounts:
        fault("ledger.restrict: a deny list names somebody")
    access = {key: value for key, value in before.access.items() if key != action}
    if mode != "open":
        access[action] = Restriction(mode, _accounts(frame, accounts))
    if sum(len(restriction.accounts) for restriction in access.values()) > MAX_LISTED:
        fault(f"the lists of a contract name at most {MAX_LISTED} accounts: keep a role of so many in the contract")
    after = replace(before, access=access)
    _keep(frame, contract_key(name), after)
    _announce(frame, "Restricted", name, after, action=action, mode=mode, accounts=accounts)


def _entrust(runtime: Runtime, frame: Frame, *, name: Any, authority: Any) -> None:
    """Hand a contract over to another authority: an account, a contract, or nobody for ever."""
    before, _ = _own(runtime, frame, "entrust", name)
    if not isinstance(authority, str):
        fault("ledger.entrust takes `authority`, the did:key of an account or the name of a contract")
    if authority != NOBODY and not _is_contract(frame, authority) and not _is_account(frame, authority):
        fault("ledger.entrust: `authority` is neither the did:key of an account nor the name of a contract there is")
    after = replace(before, authority=authority)
    _keep(frame, contract_key(name), after)
    _announce(frame, "Entrusted", name, after, authority=authority)


def _version(runtime: Runtime, frame: Frame, *, name: Any) -> int:
    """Tell by how many versions of its code a contract has gone; 0 where there is none of this name."""
    frame.meter.charge(GAS["contract"])
    stored = frame.overlay.get(contract_key(name)) if isinstance(name, str) else None
    return decode_own(stored, Deployed).version if stored else 0


ACTIONS: Final[dict[str, tuple[Callable[..., Any], tuple[str, ...]]]] = {
    "deploy": (_deploy, ("name", "source", "args")),
    "upgrade": (_upgrade, ("name", "source", "args")),
    "freeze": (_freeze, ("name",)),
    "unfreeze": (_unfreeze, ("name",)),
    "restrict": (_restrict, ("name", "action", "mode", "accounts")),
    "entrust": (_entrust, ("name", "authority")),
    "version": (_version, ("name",)),
    **pledges.ACTIONS,
}
QUESTIONS: Final = frozenset({"version"})  # they change nothing, so a view may ask them too

# --- their parts -------------------------------------------------------------------------------------------------


def _own(runtime: Runtime, frame: Frame, verb: str, name: Any) -> tuple[Deployed, Program]:
    """Return what is kept of a contract, if whoever asks is its authority."""
    loaded = runtime.load(frame, name)
    authority = loaded.deployed.authority
    if authority == NOBODY:
        fault(f"{name} has no authority: nobody can {verb} it, now or later")
    if frame.asking != authority:
        fault(f"only the authority of {name}, which is {authority}, can {verb} it")
    return loaded.deployed, loaded.program


def _read(runtime: Runtime, frame: Frame, name: str, source: Any, args: Any, method: str) -> Program:
    if not isinstance(source, str) or not isinstance(args, Mapping):
        fault(f"the source of a contract is text, and the arguments of its {method} are named values")
    frame.meter.charge(GAS["source_byte"] * len(source))
    try:
        source.encode()
        return runtime.program(source)
    except (LanguageError, UnicodeError):
        # Two Pythons may explain a broken source differently, so the receipt does not explain it.
        fault(f"the source of {name} is not in the contract language: check it with `minichain contract check`")


def _run_once(
    runtime: Runtime, frame: Frame, name: str, program: Program, method: str, args: Mapping[str, Any]
) -> None:
    if f"self.{method}" not in program.compiled.functions:
        if args:
            fault(f'{name}.{method}: there is no argument "{str(next(iter(args)))[:60]}"; it takes no arguments')
    else:
        runtime.run(frame, name, program, method, args)


def _keep(frame: Frame, key: bytes, record: Any) -> None:
    stored = encode(record)
    frame.meter.charge(GAS["write"] + len(stored) * GAS["write_byte"])
    frame.overlay.put(key, stored)


def _announce(frame: Frame, event: str, name: str, deployed: Deployed, **more: Any) -> None:
    what = {"contract": name, "version": deployed.version, "source": fingerprint(deployed.source)}
    frame.announce(Event("ledger", event, {"by": frame.asking, **what, **more}))


def _these(deployed: Deployed) -> str:
    return ", ".join(deployed.access) or "none"


def _accounts(frame: Frame, accounts: list[Any]) -> tuple[str, ...]:
    if len(accounts) > MAX_LISTED:
        fault(f"a list names at most {MAX_LISTED} accounts: keep a role of so many in the contract itself")
    for account in accounts:
        if not isinstance(account, str) or not _is_account(frame, account):
            fault("ledger.restrict: each of `accounts` is the did:key of an Ed25519 key")
    return tuple(sorted(set(accounts)))


def _is_account(frame: Frame, text: str) -> bool:
    frame.meter.charge(GAS["account"])
    try:
        return bool(public_of(text))
    except DecodeError:
        return False


def _is_contract(frame: Frame, text: str) -> bool:
    frame.meter.charge(GAS["read"])
    return frame.overlay.get(contract_key(text)) is not None
