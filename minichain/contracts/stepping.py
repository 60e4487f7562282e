"""Watch a contract while it runs, line by line: for its author in a `Sandbox`, never on a network.

A watched contract is compiled with `step!` before each statement. The places follow from the source alone, so the
steps are the same in every Python, and no debugger or coverage tool is in the way; what the contract does and the gas
it uses are those of a ledger. Every unit of gas belongs to one step: what a block is charged when it starts goes to
the lines it is made of, and what it costs to enter a method to the line of its `def`.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from minichain.codec import decode_own
from minichain.contracts.check import Program, read_contract
from minichain.contracts.language import RUN_ONCE
from minichain.contracts.meter import Compiled, Costs, GasMeter, Rewriter, invoke, place
from minichain.contracts.report import Figures, Step, Trace, name_of
from minichain.contracts.runtime import Frame, Runtime
from minichain.contracts.storage import explain_key
from minichain.contracts.values import PLAIN, kind_of
from minichain.ledger.state import Overlay

MAX_STEPS: Final = 5_000  # kept of one call; lines and gas are counted beyond


# --- compiling ---------------------------------------------------------------------------------------------------


class SteppedRewriter(Rewriter):
    """Adds to each function what tells a `Recorder` where it is; charges as the plain one does."""

    def function(self, name: str, node: ast.FunctionDef) -> ast.FunctionDef:
        self._loops: list[int] = []  # the lines of the loops around the present statement
        line, last = node.lineno, node.body[-1].lineno
        made = super().function(name, node)
        made.body = [_tell("enter!", line), *made.body, _tell("end!", last)]
        return made

    def _charge(self, costs: Costs, line: int) -> ast.stmt:
        return place(ast.Expr(invoke("charge lines!", ast.Constant(tuple(costs)))), line)  # type: ignore[arg-type]

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        line = node.lineno
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return super()._statement(node)  # a docstring does nothing
        steps = [_tell("step!", line)]
        if isinstance(node, ast.Continue):
            steps.append(_tell("step!", self._loops[-1]))
        if isinstance(node, ast.For | ast.While):
            self._loops.append(line)
        made = super()._statement(node)
        if isinstance(node, ast.If | ast.While):
            node.test = place(invoke("branch!", ast.Constant(line), node.test), line)
        if isinstance(node, ast.For | ast.While):
            self._loops.pop()
            node.body.append(_tell("step!", line))  # on to the next round
        return [*steps, *made]


def _tell(operation: str, line: int) -> ast.stmt:
    return place(ast.Expr(invoke(operation, ast.Constant(line))), line)


class SteppedCode(Compiled):
    """Compiled functions that tell a recorder what they do."""

    __slots__ = ("_recorder",)

    def __init__(self, compiled: Compiled, recorder: Recorder) -> None:
        super().__init__(compiled.functions, compiled.uses, compiled.operations)
        self._recorder = recorder

    def bind(self, method: str, guards: Any, constants: dict[str, Any]) -> dict[str, Any]:
        recorder = self._recorder
        namespace = super().bind(method, guards, constants)
        namespace |= {
            "enter!": lambda line: recorder.enter(line, sys._getframe(1).f_locals),
            "step!": lambda line: recorder.step(line, sys._getframe(1).f_locals),
            "end!": lambda _line: recorder.note(sys._getframe(1).f_locals),
            "branch!": recorder.branch,
            "charge lines!": recorder.charge,
        }
        for name in ("call!", "call view!"):
            if name in namespace:
                namespace[name] = recorder.around(namespace[name])
        return namespace


# --- running -----------------------------------------------------------------------------------------------------


class SteppedRuntime(Runtime):
    """Runs contracts as any runtime does, and tells a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self._stepped: dict[str, Program] = {}

    def program(self, source: str) -> Program:
        if source not in self._stepped:
            program = copy.copy(read_contract(source, SteppedRewriter))
            program.compiled = SteppedCode(program.compiled, self._recorder)
            self._stepped[source] = program
            self._recorder.sources[program.compiled] = source
        return self._stepped[source]

    def run(self, frame: Frame, contract: str, program: Program, method: str, args: Mapping[str, Any]) -> Any:
        mark = self._recorder.open(contract, program.compiled, is_setup=method in RUN_ONCE)
        result = super().run(frame, contract, program, method, args)
        self._recorder.close(mark)
        return result

    def attempt(self, frame: Frame, work: Callable[[], list[Any]]) -> list[Any]:
        mark = self._recorder.depth
        answer = super().attempt(frame, work)
        if answer[0]:
            self._recorder.close(mark)  # what was running has failed, and its caller goes on
        return answer


class WatchedOverlay(Overlay):
    """A write buffer that tells a recorder what is written."""

    __slots__ = ("_recorder",)

    def __init__(self, read: Callable[[bytes], bytes | None], recorder: Recorder) -> None:
        super().__init__(read)
        self._recorder = recorder

    def put(self, key: bytes, value: bytes | None) -> None:
        super().put(key, value)
        self._recorder.wrote(key, value)


class _Doing:
    """A step under way."""

    __slots__ = ("changed", "contract", "depth", "failed", "gas", "line", "start")

    def __init__(self, contract: str, line: int, start: int, depth: int) -> None:
        self.contract = contract
        self.line = line
        self.start = start  # the line of its function
        self.depth = depth
        self.gas = 0
        self.changed: dict[str, Any] = {}
        self.failed = False


class _Activation:
    """A function under way; `step` is None until its first line."""

    __slots__ = ("contract", "known", "prepaid", "start", "step")

    def __init__(self, contract: str) -> None:
        self.contract = contract
        self.start = 0  # the line of its `def`
        self.known: dict[str, Any] = {}  # its variables at the last step
        self.prepaid: Costs = []  # charged for lines still to come
        self.step: _Doing | None = None


class Recorder:
    """Keeps the steps of one call at a time, and the figures of every line over all calls."""

    def __init__(self) -> None:
        self.sources: dict[Any, str] = {}
        self.figures: dict[str, Figures] = {}
        self.begin(GasMeter(0))

    @property
    def depth(self) -> int:
        """Return how many functions are under way."""
        return len(self._stack)

    # one call

    def begin(self, meter: GasMeter) -> None:
        """Start on a call."""
        self._meter = meter
        self._seen = meter.used  # gas that belongs to some step already
        self._pending = 0  # gas of a method that is being entered
        self._stack: list[_Activation] = []
        self._steps: list[_Doing] = []

    def finish(self, people: Mapping[str, str], *, failed: bool) -> Trace:
        """End the call and return its steps; the last one may be the one that failed."""
        self._settle()
        running = [activation for activation in self._stack if activation.step]
        if failed and running and running[-1].step:
            running[-1].step.failed = True
        self._leave(0)
        kept, gas = [], 0
        for step in self._steps:
            source = self.figures[step.contract].source_of(step.line, step.start)
            gas += step.gas
            kept.append(
                Step(step.contract, step.line, source, step.depth, step.gas, gas, step.changed, failed=step.failed)
            )
        return Trace(kept, people)

    def open(self, contract: str, compiled: Any, *, is_setup: bool) -> int:
        """Note that a contract is entered; returns the mark for `close`."""
        self._settle()
        if is_setup:
            self._pending = 0  # what a deployment costs belongs to no line
        source = self.sources[compiled]
        if contract not in self.figures or self.figures[contract].source != source:
            self.figures[contract] = Figures(contract, source)
        if not self._stack:
            self.figures[contract].calls += 1
        self._stack.append(_Activation(contract))
        return len(self._stack) - 1

    def close(self, mark: int) -> None:
        """Note that a contract has returned."""
        self._settle()
        self._leave(mark)

    def around(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        """Note the return of what an operation calls."""

        def call(function: Any, /, *args: Any, **kwargs: Any) -> Any:
            mark = len(self._stack)
            value = operation(function, *args, **kwargs)
            self._settle()
            self._leave(mark)
            return value

        return call

    # told by the code

    def enter(self, line: int, variables: Mapping[str, Any]) -> None:
        activation = self._stack[-1]
        if activation.step:  # called by a function of the same contract
            self._settle()
            activation = _Activation(activation.contract)
            self._stack.append(activation)
        activation.start = line
        self._begin_step(activation, line)
        self.note(variables)

    def step(self, line: int, variables: Mapping[str, Any]) -> None:
        self._settle()
        self.note(variables)
        activation = self._stack[-1]
        self._retire(activation)
        self._begin_step(activation, line)
        self._take_prepaid(activation, line)

    def note(self, variables: Mapping[str, Any]) -> None:
        """Note which variables the present step has changed."""
        activation = self._stack[-1]
        now = {
            name: _kept(value) for name, value in variables.items() if name.isidentifier() and name not in ("self", "_")
        }
        fresh = {
            name: value for name, value in now.items() if not _same(activation.known.get(name, _Activation), value)
        }
        assert activation.step is not None
        is_entry = not activation.known
        activation.step.changed |= fresh if is_entry else dict(sorted(fresh.items()))
        activation.known = now

    def branch(self, line: int, condition: Any) -> bool:
        taken = bool(condition)
        self.figures[self._stack[-1].contract].took(line, taken)
        return taken

    def charge(self, costs: Costs) -> None:
        self._settle()
        total = sum(cost for _, cost in costs)
        self._meter.charge(total)
        self._seen += total
        activation = self._stack[-1]
        activation.prepaid = list(costs)
        assert activation.step is not None
        if costs[0][0] == activation.step.line:
            self._take_prepaid(activation, costs[0][0])

    def wrote(self, key: bytes, value: bytes | None) -> None:
        """Note that a stored value was written."""
        place = explain_key(key)
        if place is None or not self._stack or self._stack[-1].step is None:
            return
        contract, field, one = place
        owner = "self" if contract == self._stack[-1].contract else contract
        self._stack[-1].step.changed[name_of(owner, field, one)] = None if value is None else decode_own(value, Any)

    # gas

    def _settle(self) -> None:
        """Give the gas used since the last time to the step under way."""
        fresh, self._seen = self._meter.used - self._seen, self._meter.used
        step = self._stack[-1].step if self._stack else None
        if step is None:
            self._pending += fresh
        else:
            step.gas += fresh

    def _begin_step(self, activation: _Activation, line: int) -> None:
        step = activation.step = _Doing(activation.contract, line, activation.start, len(self._stack) - 1)
        self._settle_pending(step)
        if len(self._steps) < MAX_STEPS:
            self._steps.append(step)

    def _settle_pending(self, step: _Doing) -> None:
        self._settle()
        step.gas += self._pending
        self._pending = 0

    def _take_prepaid(self, activation: _Activation, line: int) -> None:
        """Give a step what its line was charged when the block started, and lines before it that do nothing."""
        assert activation.step is not None
        places = [number for number, (at, _) in enumerate(activation.prepaid) if at == line]
        count = places[0] + 1 if places else 0
        activation.step.gas += sum(cost for _, cost in activation.prepaid[:count])
        del activation.prepaid[:count]

    def _retire(self, activation: _Activation) -> None:
        step = activation.step
        if step is not None:
            self.figures[step.contract].ran(step.line, step.gas)

    def _leave(self, mark: int) -> None:
        for activation in reversed(self._stack[mark:]):
            if activation.step is not None:
                activation.step.gas += sum(cost for _, cost in activation.prepaid)
            self._retire(activation)
        del self._stack[mark:]


def _kept(value: Any) -> Any:
    """Copy a value of a contract, so that a later change of it shows."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind is list or kind is tuple:
        return [_kept(item) for item in value]
    if isinstance(value, dict | MappingProxyType):  # or a record
        return {key: _kept(item) for key, item in value.items()}
    return f"<{kind_of(value)}>"


def _same(before: Any, now: Any) -> bool:
    return type(before) is type(now) and bool(before == now)
