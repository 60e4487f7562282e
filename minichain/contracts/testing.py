"""Test a contract with more than the examples its author thought of.

    with reverts("only the owner"):              # the call must be refused, in these words
        pot.with_sender(visitor).empty()

    @given(arguments(pot, "put"))                # values of the types that the action declares
    def test_put(values): ...

    explore(Pot, invariants=[nothing_is_lost])   # many calls by many people; the shortest story that breaks a rule

`reverts`, `faults` and `runs_out_of_gas` work on a sandbox and on a network. The rest draws its values with Hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from inspect import signature
from pathlib import PurePath
from typing import Any, Final, NamedTuple, TypeAlias

from msgspec.structs import replace

from minichain.codec import INT_MAX, INT_MIN
from minichain.contracts.abi import Abi, Method
from minichain.contracts.check import describe
from minichain.contracts.proxy import DeployedContract
from minichain.contracts.report import Report, in_words, with_names
from minichain.contracts.sandbox import START_MS, Outcome, Sandbox, SandboxContract
from minichain.contracts.types import Parameter, Type
from minichain.contracts.written import ContractText, Source, source_of
from minichain.errors import CallFailed, ContractFault, UsageError
from minichain.ledger.state import State

__all__ = ["Explored", "arguments", "explore", "faults", "machine", "reverts", "runs_out_of_gas", "values"]

MAX_ITEMS: Final = 4  # of a list or dict that is drawn
MAX_TRIES: Final = 500  # to find a shorter story
PEOPLE: Final = ("Office A", "Office B", "Office C")
WAITS_MS: Final = (60_000, 3_600_000, 86_400_000, 30 * 86_400_000)  # a minute, an hour, a day, a month
Strategy: TypeAlias = Any  # a SearchStrategy of Hypothesis, which need not be installed
Invariant = Callable[..., Any]
Deploy = Callable[[Sandbox], SandboxContract]


def _hypothesis() -> Any:
    """Return Hypothesis, which only those who test need."""
    try:
        import hypothesis  # noqa: PLC0415
        import hypothesis.stateful  # noqa: PLC0415
        import hypothesis.strategies  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "drawing values needs Hypothesis, which is not installed: run `pip install hypothesis` (or install "
            "minichain with its tests, `pip install minichain[test]`) and start the notebook's kernel again"
        ) from None
    return hypothesis


# --- failures that are expected ----------------------------------------------------------------------------------


class Failure:
    """The failure that happened, for further questions."""

    error: str = ""
    receipt: Any = None  # the outcome or receipt of an action; None for a view


def reverts(words: str = "") -> AbstractContextManager[Failure]:
    """Expect that a call is refused by the contract itself, in words that contain `words`."""
    return _expected("reverted", "refused", words)


def faults(words: str = "") -> AbstractContextManager[Failure]:
    """Expect that a call breaks: a wrong argument, a missing key, a limit."""
    return _expected("fault", "broken off", words)


def runs_out_of_gas() -> AbstractContextManager[Failure]:
    """Expect that a call uses up its gas."""
    return _expected("out_of_gas", "out of gas", "")


@contextmanager
def _expected(outcome: str, said: str, words: str) -> Iterator[Failure]:
    seen = Failure()
    wanted = f"expected a call that is {said}" + (f", saying {words!r}" if words else "")
    try:
        yield seen
    except CallFailed as error:
        seen.receipt, seen.error, found = error.receipt, error.receipt.error, error.receipt.outcome
    except ContractFault as error:  # a view, which does not tell how it failed
        seen.error, found = str(error), outcome
    else:
        raise AssertionError(f"{wanted}, but nothing failed")
    if found != outcome or words not in seen.error:
        raise AssertionError(f"{wanted}, but the outcome is {found}: {seen.error}")


# --- values ------------------------------------------------------------------------------------------------------


def values(type_: Type, accounts: Iterable[str] = ()) -> Strategy:
    """Draw values of a ledger type; text is now and then one of the accounts, and small numbers are common."""
    draw = _hypothesis().strategies
    known = list(accounts)
    if type_.optional:
        return draw.none() | values(replace(type_, optional=False), known)
    if type_.fields:
        fields = {one.name: values(one.type, known) for one in type_.fields}
        needed = {one.name: fields.pop(one.name) for one in type_.fields if one.required}
        return draw.fixed_dictionaries(needed, optional=fields)
    text = draw.text(draw.characters(codec="utf-8"), max_size=20)
    if known:  # mostly one of them, and the first one often, who deployed
        text = draw.one_of(draw.sampled_from(known), draw.sampled_from(known[::-1]), draw.just(known[0]), text)
    inner = values(type_.item, known) if type_.item else draw.booleans() | draw.integers(0, 9) | text
    by_name = {
        "int": draw.one_of(
            draw.integers(0, 3), draw.integers(-2, 20), draw.integers(0, 1_000), draw.integers(INT_MIN, INT_MAX)
        ),
        "str": text,
        "bool": draw.booleans(),
        "bytes": draw.binary(max_size=20),
        "list": draw.lists(inner, max_size=MAX_ITEMS),
        "dict": draw.dictionaries(draw.text("abc", max_size=3), inner, max_size=MAX_ITEMS),
    }
    if type_.scale:  # an amount, as it is on the ledger
        return by_name["int"]
    if type_.name not in by_name:
        raise UsageError(f"there are no values to draw for {type_}: give a strategy of your own for it")
    return by_name[type_.name]


def arguments(
    contract: DeployedContract[Any, Any] | Source, action: str, *, accounts: Iterable[str] = (), **own: Any
) -> Strategy:
    """Draw the arguments of an action or a view, by name; `own` holds strategies or fixed values for some of them."""
    abi = abi_of(contract)
    known = {method.name: method.parameters for method in (*abi.actions, *abi.views)}
    known["setup"] = abi.setup
    if action not in known:
        raise UsageError(f"{abi.name} has no action or view {action!r}; it has: {', '.join(known)}")
    return _hypothesis().strategies.fixed_dictionaries(_drawn(f"{abi.name}.{action}", known[action], accounts, own))


def _drawn(
    where: str, parameters: tuple[Parameter, ...], accounts: Iterable[str], own: Mapping[str, Any]
) -> dict[str, Any]:
    names = [parameter.name for parameter in parameters]
    if strange := [name for name in own if name not in names]:
        raise UsageError(f"{where} has no argument {strange[0]!r}; it takes {', '.join(names) or 'none'}")
    people = list(accounts)
    return {one.name: _strategy(own[one.name]) if one.name in own else values(one.type, people) for one in parameters}


def _strategy(given: Any) -> Any:
    draw = _hypothesis().strategies
    return given if isinstance(given, draw.SearchStrategy) else draw.just(given)


def abi_of(contract: DeployedContract[Any, Any] | Source) -> Abi:
    """Return the interface of a contract, deployed or still to be."""
    return contract.abi if isinstance(contract, DeployedContract) else describe(source_of(contract))


# --- many calls --------------------------------------------------------------------------------------------------


class Explored:
    """What an exploration has seen: how each action ended, the gas it used where it was done, and which lines ran."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.counts: dict[str, dict[str, int]] = {}
        self.gas: dict[str, tuple[int, int]] = {}
        self.people = dict(sandbox.people)
        self._sandbox = sandbox

    def report(self, contract: str | None = None) -> Report:
        """Return how often each line ran, over all calls."""
        return self._sandbox.report(contract)

    def saw(self, action: str, done: Outcome) -> None:
        """Count a call."""
        counts = self.counts.setdefault(action, {})
        counts[done.outcome] = counts.get(done.outcome, 0) + 1
        if done.ok:
            low, high = self.gas.get(action, (done.gas, done.gas))
            self.gas[action] = min(low, done.gas), max(high, done.gas)

    def rows(self) -> list[dict[str, Any]]:
        """Return for each action how its calls ended, and the least and the most gas of one that was done."""
        words = ("ok", "reverted", "fault", "out_of_gas")
        return [
            {"action": action, **{word: counts.get(word, 0) for word in words}}
            | dict(zip(("least_gas", "most_gas"), self.gas.get(action, (None, None)), strict=True))
            for action, counts in sorted(self.counts.items())
        ]

    def __str__(self) -> str:
        total = sum(sum(counts.values()) for counts in self.counts.values())
        lines = [f"{total:,} calls, and every rule held"]
        for action, counts in sorted(self.counts.items()):
            ended = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(counts.items()))
            low, high = self.gas.get(action, (0, 0))
            lines.append(f"  {action}: {ended}" + (f"; {low:,} to {high:,} gas" if high else ""))
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def explore(
    contract: Source | Deploy,
    *,
    invariants: Iterable[Invariant] = (),
    people: Iterable[str] = PEOPLE,
    draw: Mapping[str, Mapping[str, Any]] | None = None,
    examples: int = 50,
    calls: int = 30,
) -> Explored:
    """Let people call the actions of a contract in any order, with any arguments, while time passes.

    After each call every invariant is asked, as `rule(contract)` or `rule(contract, sandbox)`. One that raises
    `AssertionError` or returns False ends it: an `AssertionError` tells the shortest story that leads there.
    `contract` may be a function that deploys in a given sandbox; `draw` holds strategies by action and argument. The
    calls are the same on every run: `examples` times up to `calls` of them.
    """
    found = machine(contract, invariants=invariants, people=people, draw=draw)
    explored: Explored = found.explored
    library = _hypothesis()
    settings = library.settings(
        max_examples=examples,
        stateful_step_count=calls,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        phases=[library.Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(library.HealthCheck),
    )
    try:
        library.stateful.run_state_machine_as_test(found, settings=settings)
    except RuleBrokenError as error:
        raise AssertionError(str(_shortest(found, error))) from None
    return explored


def machine(
    contract: Source | Deploy,
    *,
    invariants: Iterable[Invariant] = (),
    people: Iterable[str] = PEOPLE,
    draw: Mapping[str, Mapping[str, Any]] | None = None,
) -> Any:
    """Make Hypothesis's state machine of a contract, a rule for each action; pytest runs its `TestCase`."""
    stateful, strategies = _hypothesis().stateful, _hypothesis().strategies
    box = Sandbox(steps=True)
    dids = [box.account(name) for name in people]
    abi = _deployed(contract, box, dids[0]).abi
    if not abi.actions:
        raise UsageError(f"{abi.name} has no action, so there is nothing to call")
    own = draw or {}
    if strange := [name for name in own if name not in [action.name for action in abi.actions]]:
        raise UsageError(f"draw names the action {strange[0]!r}, which {abi.name} does not have")
    body: dict[str, Any] = {
        "__init__": _begin(stateful.RuleBasedStateMachine, contract, box, dids[0]),
        "explored": Explored(box),
        "time_passes": stateful.rule(ms=strategies.sampled_from(WAITS_MS))(_pass_time),
        "rules_hold": stateful.invariant()(_rules(list(invariants))),
    }
    for action in abi.actions:
        drawn = _drawn(f"{abi.name}.{action.name}", action.parameters, dids, own.get(action.name, {}))
        rule = stateful.rule(by=strategies.sampled_from(dids), given=strategies.fixed_dictionaries(drawn))
        body[f"call_{action.name}"] = rule(_calling(action))
    return type(f"{abi.name}Machine", (stateful.RuleBasedStateMachine,), body)


def _deployed(contract: Source | Deploy, box: Sandbox, did: str) -> SandboxContract:
    is_text = isinstance(contract, type | str | PurePath | ContractText)
    return box.deploy(contract, sender=did) if is_text else contract(box)  # type: ignore[arg-type, operator]


def _begin(base: Any, contract: Source | Deploy, box: Sandbox, did: str) -> Callable[[Any], None]:
    def begin(self: Any) -> None:
        base.__init__(self)
        box.state, box.now_ms, box.height = State(), START_MS, 1
        self.box, self.done, self.story = box, [], []
        self.contract = _deployed(contract, box, did)

    return begin


def _calling(action: Method) -> Callable[..., None]:
    def call(self: Any, by: str, given: dict[str, Any]) -> None:
        _perform(self, Deed(by, action.name, {one.name: given[one.name] for one in action.parameters}))

    return call


def _pass_time(self: Any, ms: int) -> None:
    _perform(self, Deed("", "", {"ms": ms}))


def _perform(self: Any, deed: Deed) -> None:
    """Call an action, or let time pass, and write it down."""
    box: Sandbox = self.box
    self.done.append(deed)
    if not deed.action:
        box.advance(ms=deed.given["ms"])
        self.story.append(f"{deed.given['ms'] // 60_000:,} minutes pass")
        return
    done = box.call(deed.by, self.contract.name, deed.action, deed.given)
    self.explored.saw(deed.action, done)
    shown = ", ".join(f"{name}={in_words(value, box.people)}" for name, value in deed.given.items())
    self.story.append(f"{box.people[deed.by]}: {deed.action}({shown}) -> {done.outcome}")


def _rules(invariants: list[Invariant]) -> Callable[[Any], None]:
    wants_box = [len(signature(rule).parameters) > 1 for rule in invariants]

    def rules_hold(self: Any) -> None:
        for rule, wants in zip(invariants, wants_box, strict=True):
            try:
                held = rule(self.contract, self.box) if wants else rule(self.contract)
            except AssertionError as error:
                raise RuleBrokenError(self, rule, with_names(str(error), self.box.people)) from None
            if held is False:
                raise RuleBrokenError(self, rule, "")

    return rules_hold


# --- the shortest story ------------------------------------------------------------------------------------------


class Deed(NamedTuple):
    """One call, or a wait if there is no action."""

    by: str
    action: str
    given: dict[str, Any]


class RuleBrokenError(AssertionError):
    """An invariant does not hold; `deeds` led there."""

    def __init__(self, machine: Any, rule: Invariant, words: str) -> None:
        name = getattr(rule, "__name__", "a rule")
        steps = [f"  {number}. {line}" for number, line in enumerate(machine.story, 1)]
        head = f"{name} does not hold after" if steps else f"{name} does not hold at the start"
        super().__init__("\n".join([head, *steps, *([words] if words else [])]))
        self.deeds = tuple(machine.done)


def _shortest(found: Any, error: RuleBrokenError) -> RuleBrokenError:
    """Leave out deeds and take simpler values, as long as a rule is still broken."""
    tries, people = MAX_TRIES, list(found.explored.people)
    is_shorter = True
    while is_shorter:
        is_shorter = False
        for deeds in _simpler(error.deeds, people):
            tries -= 1
            if tries < 0:
                return error
            if broken := _replay(found, deeds):
                error, is_shorter = broken, True
                break
    return error


def _replay(found: Any, deeds: Iterable[Deed]) -> RuleBrokenError | None:
    again = found()
    try:
        again.rules_hold()
        for deed in deeds:
            _perform(again, deed)
            again.rules_hold()
    except RuleBrokenError as error:
        return error
    return None


def _simpler(deeds: tuple[Deed, ...], people: list[str]) -> Iterator[tuple[Deed, ...]]:
    """Yield simpler stories, the boldest first."""
    size = len(deeds)
    while size := size // 2:
        yield from (deeds[:at] + deeds[at + size :] for at in range(0, len(deeds), size))
    for at, other in enumerate(people[1:], 1):
        if any(other in (deed.by, *map(str, deed.given.values())) for deed in deeds):
            yield from (tuple(_recast(deed, other, one) for deed in deeds) for one in people[:at])
    for at, deed in enumerate(deeds):
        plainer = [deed._replace(by=people[0])] if deed.action and deed.by != people[0] else []
        for name, value in deed.given.items():
            plainer += [deed._replace(given=deed.given | {name: less}) for less in _less(value, people)]
        yield from ((*deeds[:at], one, *deeds[at + 1 :]) for one in plainer)


def _recast(deed: Deed, old: str, new: str) -> Deed:
    """Let somebody else play a part."""
    given = {name: new if value == old else value for name, value in deed.given.items()}
    return Deed(new if deed.by == old else deed.by, deed.action, given)


def _less(value: Any, people: list[str]) -> list[Any]:
    """Return values that are simpler than this one, the simplest first."""
    match value:
        case bool():
            return [False] if value else []
        case int():
            return [less for less in (0, 1, value // 2, value - 1) if abs(less) < abs(value)]
        case str() if value in people:
            return people[: people.index(value)]
        case str() | bytes() | list() if value:
            return [value[:0], value[: len(value) // 2]]
        case dict() if value:
            return [{}]
    return []
