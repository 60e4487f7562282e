"""Every exception minichain raises. Three kinds are kept apart, because three different people must act.

    MinichainError
    ├── TheirFault                somebody sent something wrong: refuse it and go on
    │   ├── DecodeError           bytes that are not the canonical encoding of what was expected
    │   ├── SignatureError        a signature that does not verify
    │   ├── Refused               a transaction no block may hold (carries a short `code`)
    │   ├── InvalidBlock          a block that breaks a rule of `transition`
    │   ├── ProofError            a proof that does not prove what it claims
    │   ├── LanguageError         contract source outside the contract language (carries `violations`)
    │   ├── DocumentError         an imported document that breaks a rule (carries `field` and `rule`)
    │   └── CredentialError       a credential that does not hold (carries the `clause` that fails)
    ├── ExecutionError            a contract call that failed: rolled back, charged, recorded in its receipt
    │   ├── Reverted              the contract said no
    │   ├── OutOfGas              the meter ran out
    │   ├── ContractFault         the contract broke: a bad argument, a missing key, a limit
    │   └── Crashed               the place where contracts run ended, and ended again, while it did this
    └── YourFault                 minichain was asked for something it cannot do: the message says what to do
        ├── UsageError            a wrong argument or a call at the wrong time
        ├── ConfigError           a chain specification or a file that makes no sense
        ├── NetworkError          the network is not running, already running, or cannot start
        ├── TimedOut              nothing happened in time; names what was waited for
        └── CallFailed            a submitted call is final, and failed (carries `receipt`)

Our own bugs are none of these: they are `AssertionError`, and stop the node that finds them.
A message says what was wrong, where, and what to do next.
"""

from __future__ import annotations

from typing import Any


class MinichainError(Exception):
    """Root of every error minichain raises on purpose."""


class TheirFault(MinichainError):
    """Bad input from outside: refused or kept as evidence, never raised through the core."""


class DecodeError(TheirFault):
    """Bytes that are not the canonical encoding of the expected type."""


class SignatureError(TheirFault):
    """A signature that does not verify under the stated key."""


class Refused(TheirFault):
    """A transaction that no block may hold.

    `code` is one of the short names listed in `minichain.transition.REFUSALS`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class InvalidBlock(TheirFault):
    """A block that breaks a rule of validity."""


class ProofError(TheirFault):
    """A proof that does not prove what it claims."""


class LanguageError(TheirFault):
    """Contract source outside the contract language; `violations` lists each with line, code and explanation."""

    def __init__(self, message: str, violations: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.violations = violations


class DocumentError(TheirFault):
    """An imported document that breaks a rule; names the `field` and the `rule`."""

    def __init__(self, field: str, rule: str, message: str) -> None:
        super().__init__(f"{field}: {message} [rule {rule}]")
        self.field = field
        self.rule = rule


class CredentialError(TheirFault):
    """A credential, or the presentation of one, that does not hold; names the `clause` that fails."""

    def __init__(self, clause: str, message: str) -> None:
        super().__init__(f"{clause}: {message}")
        self.clause = clause


class ExecutionError(MinichainError):
    """A contract call that failed. `outcome` is the word its receipt carries."""

    outcome = "failed"


class Reverted(ExecutionError):
    """The contract refused, with its own words."""

    outcome = "reverted"


class OutOfGas(ExecutionError):
    """The gas limit of the transaction was reached."""

    outcome = "out_of_gas"


class ContractFault(ExecutionError):
    """The contract broke: a bad argument, a missing key, an exceeded limit."""

    outcome = "fault"


class Crashed(ExecutionError):
    """The place where contracts run ended, and ended again, while it executed this."""

    outcome = "crashed"


class YourFault(MinichainError):
    """minichain was asked for something it cannot do."""


class UsageError(YourFault):
    """A wrong argument, or a call at the wrong time."""


class NotKept(UsageError):
    """Something that every node which answers was there too late for: it began with a snapshot."""


class ConfigError(YourFault):
    """A chain specification or configuration file that makes no sense."""


class NetworkError(YourFault):
    """The network is not running, is already running, or cannot start."""


class TimedOut(YourFault):
    """Nothing happened in time; the message names what was waited for."""


class CallFailed(YourFault):
    """A submitted call reached finality and failed; `receipt` says how."""

    def __init__(self, message: str, receipt: Any) -> None:
        super().__init__(message)
        self.receipt = receipt
