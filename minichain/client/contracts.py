"""What people do with contracts over a network: put them there, read them, change them, and see what a change is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from msgspec import ValidationError, convert

from minichain.client.client import Client
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import Plain, decode_own
from minichain.contracts import Abi, Deployed, changes, describe
from minichain.contracts.changes import Difference
from minichain.contracts.deployed import Version, version_key
from minichain.contracts.proxy import DeployedContract, default_name, in_units
from minichain.contracts.written import Source, source_of
from minichain.crosschain.proofs import ProvenValue
from minichain.errors import ContractFault, UsageError
from minichain.ledger.genesis import Quota
from minichain.ledger.state import contract_key
from minichain.ledger.types import Call
from minichain.node.messages import AccountState, AskAccount, AskContracts, AskView, Contracts, StateAnswer, Value

DEPLOY_ARGUMENTS: Final = frozenset({"contract", "sender", "name", "setup", "authority"})
UNDER_WAY: Final = ("Draft", "Pending", "Active", "Extended", "Succeeded", "Queued", "ExecutionFailed")
LOOKED_AT: Final = 50  # proposals, the newest: older ones are decided or have lapsed

Ballot = tuple[str, str, int, str]  # name, did, weight; a choice, "recused" or "not yet"
T = TypeVar("T")


class Proposal(Plain):
    """What a contract that decides by vote tells of a proposal.

    Times are block times in milliseconds, or, where `clock` says so, heights; `yes`, `no` and `total` are weights.
    """

    number: int
    title: str
    reason: str
    by: str
    about: list[str]
    status: str
    begun: int
    ends: int
    ready: int
    until: int
    total: int
    yes: int
    no: int
    clock: str = "ms"
    rules: str = ""
    why: str = ""
    clause: str = ""


class _Asked(Plain):
    contract: str
    action: str
    arguments: dict[str, Any]


class ContractVerbs(ABC):
    """The part of a `Network` that is about contracts."""

    @property
    @abstractmethod
    def client(self) -> Client:
        """Return the connection to the nodes."""

    @abstractmethod
    def send(self, sender: Wallet, calls: Sequence[Call], *, gas_limit: int = ...) -> Receipt:
        """Do one or several calls as one transaction."""

    @abstractmethod
    def state(self, key: bytes) -> StateAnswer:
        """Return a state value with its proof."""

    @abstractmethod
    def proven(self, key: bytes) -> ProvenValue:
        """Return a state value whose proof was checked here."""

    # --- putting them there ---

    def deploy(
        self,
        contract: Source,
        *,
        sender: Wallet,
        name: str | None = None,
        setup: Mapping[str, Any] | None = None,
        authority: str | Wallet | None = None,
        **args: Any,
    ) -> DeployedContract[Wallet, Receipt]:
        """Put a contract (a class, a file, or source text) on the chain.

        The arguments of its setup are named here, or in `setup` where their names are taken. `authority`, the sender
        if none is named, may change the contract later: an account, the name of a contract, or "" for nobody ever.
        """
        source = source_of(contract)
        abi = describe(source)
        for parameter in abi.setup:
            if parameter.name in DEPLOY_ARGUMENTS and parameter.name not in (setup or {}):
                raise UsageError(
                    f"deploy itself has an argument {parameter.name}: give that of {abi.name}'s setup in "
                    f"`setup={{{parameter.name!r}: ...}}`"
                )
        address = name or default_name(abi)
        named = in_units(f"{address}.setup", abi.setup, {**(setup or {}), **args})
        calls = [Call("ledger", "deploy", {"name": address, "source": source, "args": named})]
        if authority is not None:
            calls.append(Call("ledger", "entrust", {"name": address, "authority": _who(authority)}))
        self._send_code(sender, calls)
        return self._contract(address, abi, sender)

    def contract(self, name: str, sender: Wallet | None = None) -> DeployedContract[Wallet, Receipt]:
        """Return a contract that is on the chain, as it is now."""
        deployed = self.deployed(name)
        return self._contract(name, describe(deployed.source), sender, deployed.version)

    def _contract(
        self, name: str, abi: Abi, sender: Wallet | None, version: int = 1
    ) -> DeployedContract[Wallet, Receipt]:
        return DeployedContract(name, abi, sender, self.attempt, self._ask, version)

    def _send_code(self, sender: Wallet, calls: Sequence[Call]) -> Receipt:
        """Send what may take much gas: as much as a transaction may use, or as is left of the sender's quota."""
        spec = self.client.genesis.spec
        most = spec.limits.transaction_gas
        if isinstance(spec.policy, Quota):
            found = self.client.ask(AskAccount(sender.account), AccountState, "an account")
            is_now = found.account.window == (found.height + 1) // spec.policy.window
            left = spec.policy.gas - found.account.gas_used * is_now
            most = min(most, left) if left > 0 else most
        return self.send(sender, calls, gas_limit=most)

    # --- calling them ---

    def attempt(self, sender: Wallet, contract: str, action: str, args: dict[str, Any], version: int = 0) -> Receipt:
        """Do one call and return its receipt, also when the contract refuses."""
        call = Call(contract, action, args, version)
        return Receipt(self.client, self.client.send(sender, [call], f"{contract}.{action}"))

    def view(self, contract: str, name: str, args: dict[str, Any], version: int = 0) -> Any:
        """Ask a contract's view at the last final block."""
        return self.client.ask(AskView(contract, name, args, version), Value, f"the view {contract}.{name}").value

    def _ask(self, sender: Wallet | None, contract: str, name: str, args: dict[str, Any], version: int) -> Any:
        return self.view(contract, name, args, version)

    # --- reading them ---

    def contracts(self) -> tuple[tuple[str, str, int], ...]:
        """Return (name, who deployed it, height) of every contract, oldest first."""
        return self.client.ask(AskContracts(), Contracts, "the list of contracts").contracts

    def deployed(self, name: str) -> Deployed:
        """Return what the ledger keeps of a contract: source, version, authority, whether it is frozen, its lists."""
        value = self.state(contract_key(name)).value
        if value is None:
            known = ", ".join(known for known, _, _ in self.contracts()) or "none"
            raise UsageError(f"there is no contract {name!r} on this chain; deployed are: {known}")
        return decode_own(value, Deployed)

    def source(self, name: str, version: int | None = None) -> str:
        """Return the source of a contract, of its present version if none is named, as everybody can read it."""
        return self._version(name, version).source

    def verified(self, name: str) -> tuple[Deployed, ProvenValue]:
        """Return what the ledger keeps of a contract, with its proof checked here; raises `ProofError`."""
        found = self.proven(contract_key(name))
        if found.value is None:
            raise UsageError(f"there is no contract {name!r} on this chain, and that is proven")
        return decode_own(found.value, Deployed), found

    def versions(self, name: str) -> tuple[Version, ...]:
        """Return every version of a contract, the first one first."""
        present = self.deployed(name).present
        return (*(self._version(name, number) for number in range(1, present.number)), present)

    def _version(self, name: str, number: int | None) -> Version:
        present = self.deployed(name).present
        if number is None or number == present.number:
            return present
        value = self.state(version_key(name, number)).value if 1 <= number < present.number else None
        if value is None:
            raise UsageError(f"{name} has no version {number}: it has 1 to {present.number}")
        return decode_own(value, Version)

    def diff(self, name: str, to: Source | int) -> Difference:
        """Show what would differ from the present version: in `to`, or in the proposal of this number.

        A proposal is one of the contract that is the authority.
        """
        present = self.deployed(name)
        new = self.proposed(name, to) if isinstance(to, int) else source_of(to)
        return changes.upgrade(present, new, f"{name}, version {present.version}", f"{name}, proposed")

    # --- what is proposed, where their authority is a contract that decides by vote; told by it, and not proven ---

    def proposed(self, name: str, number: int) -> str:
        """Return the source that a proposal of its authority would put in the place of a contract's."""
        authority = self.deployed(name).authority
        calls = _as(list[_Asked], self.view(authority, "calls", {"number": number})) or []
        sources = [
            call.arguments.get("source")
            for call in calls
            if (call.contract, call.action, call.arguments.get("name")) == ("ledger", "upgrade", name)
        ]
        if not sources or not isinstance(sources[-1], str):
            raise UsageError(f"proposal {number} of {authority} does not upgrade {name}")
        return sources[-1]

    def proposals_on(self, name: str) -> list[Proposal]:
        """Return the proposals on a contract that are open, or have succeeded and are not carried out."""
        authority = self.deployed(name).authority
        if authority not in {known for known, _, _ in self.contracts()}:
            return []
        try:
            start = max(0, (_as(int, self.view(authority, "count_proposals", {})) or 0) - LOOKED_AT)
            found = _as(list[Proposal], self.view(authority, "proposals", {"start": start, "limit": LOOKED_AT})) or []
        except ContractFault:
            return []  # this authority does not vote
        return [one for one in found if one.status in UNDER_WAY and name in one.about]

    def ballots(self, authority: str, number: int) -> list[Ballot]:
        """Return who may vote on a proposal, and who has."""
        return _as(list[Ballot], self.view(authority, "ballots", {"number": number})) or []

    # --- changing them, as their authority ---

    def upgrade(
        self, name: str, contract: Source, *, sender: Wallet, args: Mapping[str, Any] | None = None
    ) -> DeployedContract[Wallet, Receipt]:
        """Put a new version in the place of a contract; `args` are those of its `migrate`."""
        source = source_of(contract)
        abi = describe(source)
        named = in_units(f"{name}.migrate", abi.migrate, dict(args or {}))
        upgrade = Call("ledger", "upgrade", {"name": name, "source": source, "args": named})
        receipt = self._send_code(sender, [upgrade])
        return self._contract(name, abi, sender, receipt.result)

    def freeze(self, name: str, *, sender: Wallet) -> Receipt:
        """Let a contract refuse every action; its views go on."""
        return self.send(sender, [Call("ledger", "freeze", {"name": name})])

    def unfreeze(self, name: str, *, sender: Wallet) -> Receipt:
        """End that."""
        return self.send(sender, [Call("ledger", "unfreeze", {"name": name})])

    def restrict(
        self, name: str, action: str, mode: str, accounts: Iterable[str | Wallet] = (), *, sender: Wallet
    ) -> Receipt:
        """Let only these accounts use an action ("allow"), all but these ("deny"), or everybody again ("open")."""
        args = {"name": name, "action": action, "mode": mode, "accounts": [_who(account) for account in accounts]}
        return self.send(sender, [Call("ledger", "restrict", args)])

    def entrust(self, name: str, authority: str | Wallet, *, sender: Wallet) -> Receipt:
        """Hand a contract over to another authority: an account, the name of a contract, or "" for nobody ever."""
        return self.send(sender, [Call("ledger", "entrust", {"name": name, "authority": _who(authority)})])


def _who(account: str | Wallet) -> str:
    return account.did if isinstance(account, Wallet) else account


def _as(type_: type[T], value: Any) -> T | None:
    """Read what a contract answered as it is expected to be; None if it is something else."""
    try:
        return convert(value, type_)
    except ValidationError:
        return None
