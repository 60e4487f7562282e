"""A scheme on a stage: its contracts in a sandbox, everybody with their tasks, and the ways that things usually go.

Here nothing costs time, and the clock moves when it is told to. Only here a contract may stand in for another one that
lacks a safeguard: see `laboratory`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from random import Random
from typing import Any

from minichain.contracts import Outcome, Sandbox
from minichain.contracts import system as of_the_chain
from minichain.errors import UsageError
from minichain.scenarios.points.consents import Consents
from minichain.scenarios.points.presets import DAY_MS, Preset, preset, rules_of
from minichain.scenarios.points.story import (
    ACCOUNTS,
    APPEALS,
    ASSISTED,
    AUTHORITIES,
    CASES,
    CATALOGUE,
    CHAIR,
    CONTRACTS,
    DESK,
    GIVING,
    IDENTITY,
    INTAKE,
    LEDGER,
    MEMBER,
    OWNER,
    PANEL,
    RECORDER,
    REDEMPTION,
    RESIDENT,
    REVIEWER,
    TASKS,
    TREASURER,
    VERIFIER,
    arguments,
    named,
)


class Stage:
    """A scheme with the rules of a preset, in force from the first moment, and one resident who takes part.

    `instead` gives the source of a contract in the place of the ordinary one, by its address.
    """

    def __init__(
        self, made: Preset | str = "training", instead: Mapping[str, str] | None = None, seed: int = 1
    ) -> None:
        self.preset = preset(made) if isinstance(made, str) else made
        self.box = Sandbox()
        self.kept: dict[str, bytes] = {}
        self.consents = Consents(self.kept, Random(seed).randbytes)
        self._numbers = count(1)
        owner = self.did(OWNER)
        self.box.deploy(of_the_chain.IDENTITY, sender=owner, name=IDENTITY)
        given = arguments(self.preset, owner, self.box.now_ms)
        scheme = given[CATALOGUE]["scheme"]
        self._quiet_ms = scheme["quiet_ms"]
        self._days_called = max(scheme["objection_ms"], scheme["appeal_ms"]) // self._quiet_ms
        for name, contract in CONTRACTS.items():
            source = (instead or {}).get(name)
            self.box.deploy(source or contract, sender=self.did(AUTHORITIES[name]), name=name, **given[name])
        for role, task in (*TASKS, (APPEALS, "appeals"), *((member, "panellist") for member in PANEL)):
            self.grant(role, task)
        for rule in rules_of(self.preset, self.box.now_ms):
            self.adopt(rule)
        self.join(RESIDENT)

    def did(self, role: str) -> str:
        """Return the account of a role."""
        return self.box.account(role)

    # --- calls

    def attempt(self, role: str, contract: str, action: str, /, **args: Any) -> Outcome:
        """Let a role try something, and return what became of it."""
        return self.box.call(self.did(role), contract, action, args)

    def do(self, role: str, contract: str, action: str, /, **args: Any) -> Any:
        """Let a role do something, and return its result; raises `UsageError` where the contract refuses."""
        outcome = self.attempt(role, contract, action, **args)
        if not outcome.ok:
            raise UsageError(f"{role}: {contract}.{action} {outcome.outcome}: {outcome.error}")
        return outcome.result

    def ask(self, contract: str, view: str, /, **args: Any) -> Any:
        """Ask a view; raises `UsageError` where the contract refuses."""
        outcome = self.box.view("", contract, view, args)
        if not outcome.ok:
            raise UsageError(outcome.error)
        return outcome.result

    def wait(self, days: int = 0, minutes: int = 0, ms: int = 0) -> None:
        """Let time pass on a ledger that somebody calls each day, until the longest time to object is over."""
        left = days * DAY_MS + minutes * 60_000 + ms
        for _ in range(self._days_called):
            if left > self._quiet_ms:
                self.stand_still(self._quiet_ms)
                self.do(OWNER, LEDGER, "beat")
                left -= self._quiet_ms
        self.stand_still(left)

    def stand_still(self, ms: int) -> None:
        """Let time pass in which nobody calls the ledger."""
        self.box.advance(ms=ms)

    # --- what is usually done

    def grant(self, role: str, task: str) -> None:
        """Give a role a task."""
        self.do(OWNER, CATALOGUE, "grant_role", role=task, account=self.did(role))

    def adopt(self, rule: Mapping[str, Any]) -> int:
        """Adopt a rule by two members of the committee; returns its version."""
        number = self.do(CHAIR, CATALOGUE, "propose", rule=dict(rule))
        version: int = self.do(MEMBER, CATALOGUE, "adopt", number=number)
        return version

    def rule(self, **changes: Any) -> dict[str, Any]:
        """Return a rule to propose: the first one of the preset, changed, from now on."""
        return {**rules_of(self.preset, self.box.now_ms)[0], "code": f"rule-{next(self._numbers)}", **changes}

    def join(self, role: str, *, offers: bool = False, is_adult: bool = True, guardian: str = "") -> None:
        """Let a resident take part, with a consent that is kept here."""
        consent = self.consents.keep({"consent": role})
        person = self.did(guardian) if guardian else ""
        self.do(role, ACCOUNTS, "open", consent=consent, offers=offers, guardian=person)
        if guardian:
            agreed = self.consents.keep({"guardian": guardian, "of": role})
            self.do(guardian, ACCOUNTS, "agree", account=self.did(role), consent=agreed)
        self.do(DESK, ACCOUNTS, "confirm", account=self.did(role), is_adult=is_adult)

    def assist(self, role: str, *, offers: bool = False) -> None:
        """Let a resident without a device take part, through the desk."""
        consent = self.consents.keep({"consent": role})
        self.do(ASSISTED, ACCOUNTS, "open_assisted", account=self.did(role), consent=consent, offers=offers)
        self.do(DESK, ACCOUNTS, "confirm", account=self.did(role), is_adult=True)

    def event(self, code: str = "service-hour", amount: int = 60, role: str = RESIDENT, **more: Any) -> dict[str, Any]:
        """Return the arguments of something that just happened, with evidence of its own."""
        number = next(self._numbers)
        told = {"event": f"event-{number}", "account": self.did(role), "code": code, "amount": amount}
        return {**told, "occurred_at": self.box.now_ms, "evidence": named(f"evidence {number}"), **more}

    def recorded(self, code: str = "service-hour", amount: int = 60, role: str = RESIDENT, **more: Any) -> int:
        """Record something; returns the number of the entry."""
        number: int = self.do(RECORDER, INTAKE, "record", **self.event(code, amount, role, **more))
        return number

    def verified(self, code: str = "service-hour", amount: int = 60, role: str = RESIDENT, **more: Any) -> int:
        """Record something and have it verified, with a decision where one is needed."""
        number = self.recorded(code, amount, role, **more)
        decision = named(f"decision {number}") if self.entry(number)["severity"] else ""
        self.do(VERIFIER, INTAKE, "verify", number=number, decision=decision)
        return number

    def notified(self, code: str = "service-hour", amount: int = 60, role: str = RESIDENT, **more: Any) -> int:
        """Record something, have it verified and tell the resident."""
        number = self.verified(code, amount, role, **more)
        self.do(RECORDER, INTAKE, "notify", number=number, notice=named(f"notice {number}"))
        return number

    def effective(self, code: str = "service-hour", amount: int = 60, role: str = RESIDENT, **more: Any) -> int:
        """Record something and wait until it has taken effect."""
        number = self.notified(code, amount, role, **more)
        self.wait_until(self.entry(number)["closes_at"])
        self.do(role, LEDGER, "settle", number=number)
        return number

    def objected(self, number: int, role: str = RESIDENT, **more: Any) -> int:
        """Object to an entry; returns the number of the case."""
        told = {"grounds": "facts", "evidence": named(f"objection to {number}"), **more}
        case: int = self.do(role, CASES, "object", entry=number, **told)
        return case

    def rejected(self, code: str = "service-hour", amount: int = 60, role: str = RESIDENT, **more: Any) -> int:
        """Record something and have it rejected, with reasons."""
        number = self.recorded(code, amount, role, **more)
        self.do(VERIFIER, INTAKE, "reject", number=number, reasons=named(f"rejection {number}"))
        return number

    def decided(self, case: int, outcome: str, role: str = REVIEWER, **more: Any) -> str:
        """Decide on a case, with reasons; returns its state."""
        state: str = self.do(role, CASES, "decide", number=case, outcome=outcome, reasons=named("reasons"), **more)
        return state

    def stocked(self, points: int = 10, price: int = 500, money: int = 10_000) -> str:
        """Put money into the pool and one item on the list; returns its code."""
        if money:
            self.do(TREASURER, REDEMPTION, "fund", amount=money, reference=named("budget"))
        self.do(TREASURER, REDEMPTION, "list_item", code="thing", points=points, price=price, use="goods")
        return "thing"

    def ordered(self, item: str = "thing", role: str = RESIDENT) -> int:
        """Ask for an item; returns the number of the order."""
        number: int = self.do(role, REDEMPTION, "request", account=self.did(role), item=item)
        return number

    def caused(self, count: int = 1) -> str:
        """Let points be given for the item of `stocked`; returns the code of the cause."""
        item, until = self.stocked(), self.box.now_ms + 30 * DAY_MS
        self.do(TREASURER, GIVING, "open_cause", code="help", item=item, count=count, until=until)
        return "help"

    def given(self, cause: str, points: int, role: str = RESIDENT) -> int:
        """Give points for a cause; returns the number of the gift."""
        number: int = self.do(role, GIVING, "give", account=self.did(role), cause=cause, points=points)
        return number

    def wait_until(self, time_ms: int) -> None:
        """Let time pass until then, if it is still to come."""
        self.wait(ms=max(0, time_ms - self.box.now_ms))

    # --- what is usually asked

    def entry(self, number: int) -> dict[str, Any]:
        """Return an entry."""
        found: dict[str, Any] = self.ask(LEDGER, "entry", number=number)
        return found

    def balance(self, role: str = RESIDENT) -> int:
        """Return what a resident has to spend."""
        points: int = self.ask(LEDGER, "balance", account=self.did(role))
        return points
