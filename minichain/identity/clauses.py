"""What was checked about a credential, clause by clause. A result is never a bare True: it says what, and against what.

A clause that rests on one that failed is `unchecked`, not passed. `require` turns the first failure into an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from minichain.codec import Plain
from minichain.errors import CredentialError, MinichainError, UsageError

# In the order in which they are checked.
CLAUSES: Final = ("form", "signature", "issuer", "time", "status", "disclosure", "holder", "challenge")

State = Literal["held", "failed", "unchecked"]


class Clause(Plain):
    """One thing that was checked: its name, what came of it, and in words against what."""

    name: str
    state: State
    said: str


class Report(Plain):
    """What was checked about one credential, and what it says of its subject (nothing unless everything held)."""

    clauses: tuple[Clause, ...]
    claims: dict[str, Any]
    issuer: str = ""
    types: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Tell whether every clause that was asked for held."""
        return all(clause.state == "held" for clause in self.clauses)

    @property
    def failure(self) -> Clause | None:
        """Return the first clause that did not hold."""
        return next((clause for clause in self.clauses if clause.state == "failed"), None)

    def clause(self, name: str) -> Clause:
        """Return a clause by its name."""
        found = next((clause for clause in self.clauses if clause.name == name), None)
        if found is None:
            raise UsageError(
                f"the clause {name!r} was not asked for; there are: {', '.join(c.name for c in self.clauses)}"
            )
        return found

    def require(self) -> Report:
        """Return this report; raises `CredentialError` with the first clause that failed."""
        if failed := self.failure:
            raise CredentialError(failed.name, failed.said)
        return self

    def __bool__(self) -> bool:
        raise UsageError("a report is not a yes or no: ask for .holds, or read its clauses")

    def __str__(self) -> str:
        return "\n".join(f"{clause.state:9}  {clause.name:10}  {clause.said}" for clause in self.clauses)


class Checklist:
    """Clauses that are checked one after the other; after a failure the rest stays unchecked."""

    def __init__(self) -> None:
        self.clauses: list[Clause] = []
        self.has_failed = False

    def check(self, name: str, check: Callable[[], str]) -> None:
        """Check a clause: `check` returns what held, in words, or raises why not."""
        if self.has_failed:
            self.clauses.append(Clause(name, "unchecked", "not checked: an earlier clause failed"))
            return
        try:
            said = check()
        except MinichainError as error:
            self.has_failed = True
            text = str(error).removeprefix(f"{name}: ") if isinstance(error, CredentialError) else str(error)
            self.clauses.append(Clause(name, "failed", text))
        else:
            self.clauses.append(Clause(name, "held", said))
