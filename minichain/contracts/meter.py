"""Gas: every piece of work is charged before it is done.

Two rules. What a block of statements costs is counted on its syntax tree and charged when the block starts; what
depends on the size of data is charged by the operation that touches the data. Both are counted from the source and
from lengths, never from bytecode or time, so gas is the same on every validator.

`compile_metered` rewrites the functions of a contract. The names it writes hold a character that no name in a source
can (`charge!`), so a contract cannot reach or replace them. RestrictedPython then compiles the result under its own
unchanged policy; its hooks (`_getattr_`, `_getitem_`, ...) are operations of `guards` too.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any, Final, TypeVar

from RestrictedPython.compile import compile_restricted_exec
from RestrictedPython.transformer import RestrictingNodeTransformer

from minichain.errors import OutOfGas

FILENAME: Final = "<contract>"
Costs = list[tuple[int, int]]  # (line, gas) of each statement of a block
Node = TypeVar("Node", bound=ast.AST)

# One unit of gas is about one nanosecond of work on an ordinary machine of 2020, rounded up, and at most four bytes of
# memory. Only compiling costs more than it charges (up to eight times, for the densest source): it happens once.
GAS: Final = {
    # counted on the syntax tree
    "statement": 40,
    "function": 200,  # entering one
    "call": 250,  # a builtin, a method or a function, before the size of its data
    "operation": 180,  # an operator, a comparison, an item, an attribute
    "item": 25,  # written out in a list, a tuple, a dict, or an f-string
    "round": 120,  # one round of a loop or a comprehension
    # counted on data
    "byte": 2,  # of text or bytes that is made or copied (a character counts as one)
    "copied_item": 30,  # of a list, tuple or dict that is made or copied
    "compared_item": 160,  # looked at one by one: to compare, add up, join
    "hash": 600,  # one SHA-256
    "hash_byte": 4,
    "multiplication": 120_000,  # of a point of Ed25519's group, and the additions around it
    "opened_item": 60,  # in a list or a dict that is read from the storage
    "left_item": 150,  # that leaves the contract: stored, returned, announced, passed on
    # counted by `runtime`
    "contract": 15_000,  # entering a contract
    "account": 15_000,  # reading the did:key of an account
    "bound_function": 1_500,  # each function that the called method may reach
    "source_byte": 1_000,  # checking and compiling one byte of source, once, at deployment
    "read": 2_500,  # one stored value
    "read_byte": 8,
    "write": 12_000,  # one stored value: the state tree is hashed again along its path
    "write_byte": 40,  # kept by every validator for ever
    "event": 2_000,
    "receipt_byte": 40,  # of an event, or of what a transaction returns: kept by every validator for ever
}


class GasMeter:
    """Count the gas of one transaction, and how deep its calls are nested; note whether values may hold each other."""

    __slots__ = ("depth", "has_knots", "limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.depth = 0
        self.has_knots = False

    def charge(self, amount: int) -> None:
        """Use gas; raises `OutOfGas` when the limit is passed, and then all of it is used."""
        used = self.used + amount
        if used > self.limit:
            self.used = self.limit
            raise OutOfGas(f"the gas limit of {self.limit} is reached: allow more gas, or do less in one call")
        self.used = used


# --- compiling ---------------------------------------------------------------------------------------------------

_COST_OF_NODE: Final[dict[type[ast.AST], int]] = {
    ast.Call: GAS["call"],
    ast.BinOp: GAS["operation"],
    ast.UnaryOp: GAS["operation"],
    ast.Attribute: GAS["operation"],
    ast.Subscript: GAS["operation"],
    ast.Slice: GAS["operation"],
    ast.FormattedValue: GAS["call"],
    ast.JoinedStr: GAS["operation"],
    ast.Name: GAS["item"],
    ast.comprehension: GAS["call"],
}
_OPERATORS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in!",
    ast.NotIn: "not in!",
}
# What rewritten code calls -> the operation of `guards`, or of the runtime that extends it.
CHARGE: Final = "charge!"
OPERATIONS: Final[dict[str, str]] = {
    CHARGE: "charge",
    "round!": "round",
    "call!": "call",
    "call view!": "call_view",
    "call contract!": "call_contract",
    "call with!": "call_with",
    "attempt!": "attempt",
    "method!": "method",
    "call declared!": "call_declared",
    "record!": "make_record",
    "set attribute!": "set_attribute",
    "hold!": "hold",
    "held!": "held",
    "text!": "text",
    "text key!": "text_key",
    "set item!": "set_item",
    "set field!": "set_field",
    "delete item!": "delete_item",
    "in place!": "in_place",
    "in!": "contains",
    "not in!": "absent",
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "//": "floor_divide",
    "%": "remainder",
    "**": "power",
    "<<": "shift_left",
    ">>": "shift_right",
    "&": "bit_and",
    "|": "bit_or",
    "^": "bit_xor",
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    # hooks of RestrictedPython
    "_getattr_": "get_field",
    "_getitem_": "get_item",
    "_getiter_": "iterate",
    "_unpack_sequence_": "unpack",
    "_iter_unpack_sequence_": "iterate_unpacking",
    # the builtins and the interface
    "require": "require",
    "emit": "emit",
    "portion": "portion",
    "sha256": "sha256_of",
    "ballot_fault": "ballot_fault",
    "combine_points": "combine_points",
    "is_did_key": "is_did_key",
    "knows_secret": "knows_secret",
    "abs": "absolute",
    "all": "all_true",
    "any": "any_true",
    "bool": "to_bool",
    "bytes": "to_bytes",
    "dict": "to_dict",
    "divmod": "divide_with_rest",
    "enumerate": "enumerated",
    "int": "to_int",
    "isinstance": "is_instance",
    "len": "length",
    "list": "to_list",
    "max": "largest",
    "min": "smallest",
    "range": "range_of",
    "reversed": "reversed_list",
    "sorted": "sorted_list",
    "str": "text_of",
    "sum": "total",
    "tuple": "to_tuple",
    "zip": "zipped",
}
RESTRICTED_HOOKS: Final = frozenset(name for name in OPERATIONS if name.startswith("_"))


def compile_metered(
    methods: dict[str, tuple[ast.FunctionDef, bool]],
    helpers: dict[str, ast.FunctionDef],
    records: Collection[str],
    interfaces: Collection[str],
    rewriter_class: type[Rewriter],
) -> Compiled:
    """Compile the functions of a contract with gas; consumes their syntax trees.

    `methods` says of each method whether it is a view. A method `m` becomes the function `self.m`.
    Raises `SyntaxError` with RestrictedPython's words if it refuses.
    """
    views = {name: is_view for name, (_, is_view) in methods.items()}
    rewriter = rewriter_class(views, helpers, records, interfaces)
    body = [rewriter.function(f"self.{name}", node) for name, (node, _) in methods.items()]
    body += [rewriter.function(name, node) for name, node in helpers.items()]
    module = ast.Module(list[ast.stmt](body), type_ignores=[])
    result = compile_restricted_exec(module, filename=FILENAME, policy=RestrictingNodeTransformer)
    if result.errors or result.code is None:
        raise SyntaxError("; ".join(result.errors))
    namespace: dict[str, Any] = {"__builtins__": {}}
    exec(result.code, namespace)
    functions = {name: value for name, value in namespace.items() if isinstance(value, FunctionType)}
    return Compiled(
        {name: (value.__code__, value.__defaults__) for name, value in functions.items()},
        rewriter.uses,
        tuple(sorted((set(result.used_names) | RESTRICTED_HOOKS) & OPERATIONS.keys())),
    )


class Compiled:
    """The functions of a contract as code, which functions each of them names, and the operations they use."""

    __slots__ = ("functions", "operations", "uses")

    def __init__(
        self,
        functions: dict[str, tuple[CodeType, tuple[Any, ...] | None]],
        uses: dict[str, list[str]],
        operations: tuple[str, ...],
    ) -> None:
        self.functions = functions
        self.uses = uses
        self.operations = operations

    def bind(self, method: str, guards: Any, constants: dict[str, Any]) -> dict[str, Any]:
        """Make a fresh namespace, with the functions that a method may reach and these operations."""
        namespace: dict[str, Any] = {**constants, "__builtins__": {}}
        for name in self.operations:
            namespace[name] = getattr(guards, OPERATIONS[name])
        for name in self._reach(method):
            code, defaults = self.functions[name]
            namespace[name] = FunctionType(code, namespace, name, defaults)
        return namespace

    def gas_to_bind(self, method: str) -> int:
        """Return what a call of a method is charged for the functions it may reach."""
        return GAS["bound_function"] * len(self._reach(method))

    def _reach(self, method: str) -> dict[str, None]:
        """List the functions that a method may reach, itself first."""
        reached: dict[str, None] = {}
        waiting = [method]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached[name] = None
                waiting += self.uses[name]
        return reached


def invoke(operation: str, *args: ast.expr, keywords: Iterable[ast.keyword] = ()) -> ast.Call:
    return ast.Call(ast.Name(operation, ast.Load()), list(args), list(keywords))


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Visit every node of a tree, in no particular order, in half the time of `ast.walk`."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        for name in node._fields:
            value = getattr(node, name, None)
            if type(value) is list:
                waiting += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)


def place(node: Node, line: int) -> Node:
    """Give a whole statement one line: positions inside expressions differ between Pythons."""
    for inner in walk(node):
        if "lineno" in inner._attributes:
            inner.lineno = inner.end_lineno = line  # type: ignore[attr-defined]
            inner.col_offset = inner.end_col_offset = 0  # type: ignore[attr-defined]
    return node


def _cost(node: ast.AST) -> int:
    """Count what one expression or one simple statement costs, apart from the size of its data."""
    total = 0
    for inner in walk(node):
        total += _COST_OF_NODE.get(type(inner), 0)
        if isinstance(inner, ast.Compare):
            total += len(inner.ops) * GAS["operation"]
        elif isinstance(inner, ast.List | ast.Tuple):
            total += GAS["operation"] + len(inner.elts) * GAS["item"]
        elif isinstance(inner, ast.Dict):
            total += GAS["operation"] + len(inner.keys) * 3 * GAS["item"]
    return total


def _cost_of_statement(node: ast.stmt) -> int:
    match node:
        case ast.If() | ast.While():
            return GAS["statement"] + _cost(node.test)
        case ast.For():
            return GAS["statement"] + _cost(node.iter) + _cost(node.target)
        case _:
            return GAS["statement"] + _cost(node)


class Rewriter(ast.NodeTransformer):
    """Rewrites trees that `check` accepted; it relies on what `check` has excluded."""

    def __init__(
        self, views: dict[str, bool], helpers: Collection[str], records: Collection[str], interfaces: Collection[str]
    ) -> None:
        self.uses: dict[str, list[str]] = {}  # of each function: the functions it names
        self._views = views
        self._helpers = helpers
        self._records = records
        self._interfaces = interfaces
        self._used: list[str] = []

    def function(self, name: str, node: ast.FunctionDef) -> ast.FunctionDef:
        self._used = self.uses[name] = []
        node.name, node.decorator_list, node.returns = name, [], None
        for argument in node.args.args:
            argument.annotation = None
        node.body = self._block(node.body, [(node.lineno, GAS["function"])])
        return node

    def _block(self, statements: list[ast.stmt], costs: Costs) -> list[ast.stmt]:
        """Charge for each run of statements that is entered only at its top."""
        block: list[ast.stmt] = []
        start, line = 0, statements[0].lineno
        for statement in statements:
            costs.append((statement.lineno, _cost_of_statement(statement)))
            block += self._statement(statement)
            if isinstance(statement, ast.If | ast.For | ast.While):  # it may leave the block early
                block.insert(start, self._charge(costs, line))
                start, line, costs = len(block), statement.lineno, []
        if costs:
            block.insert(start, self._charge(costs, line))
        return block

    def _charge(self, costs: Costs, line: int) -> ast.stmt:
        return place(ast.Expr(invoke(CHARGE, ast.Constant(sum(cost for _, cost in costs)))), line)

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        line = node.lineno
        match node:
            case ast.If():
                node.test = self._expression(node.test, line)
                node.body = self._block(node.body, [])
                node.orelse = self._block(node.orelse, []) if node.orelse else []
                return [node]
            case ast.While():
                again = GAS["round"] + _cost(node.test)
                node.test = self._expression(node.test, line)
                node.body = self._block(node.body, [(line, again)])
                return [node]
            case ast.For():
                again = GAS["round"] + _cost(node.target)
                node.iter = self._expression(node.iter, line)
                node.body = self._block(node.body, [(line, again)])
                return [node]
        made = self.visit(node)
        block = made if isinstance(made, list) else [made]
        return [place(statement, line) for statement in block]

    def _expression(self, node: ast.expr, line: int) -> ast.expr:
        made: ast.expr = self.visit(node)
        return place(made, line)

    # statements

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        value: ast.expr = self.visit(node.value)
        return self._assign(node.targets[0], value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        assert node.value is not None
        value: ast.expr = self.visit(node.value)
        return self._assign(node.target, value)

    def _assign(self, target: ast.expr, value: ast.expr) -> ast.stmt:
        match target:
            case ast.Subscript():
                where, key = self.visit(target.value), self.visit(target.slice)
                return ast.Expr(invoke("set item!", value, where, key))
            case ast.Attribute(value=ast.Name(id="self"), attr=attr):
                return ast.Expr(invoke("set field!", ast.Constant(attr), value))
            case ast.Attribute(value=owner, attr=attr):
                return ast.Expr(invoke("set attribute!", value, self.visit(owner), ast.Constant(attr)))
            case _:
                return ast.Assign([target], value)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt | list[ast.stmt]:
        """RestrictedPython refuses `a.b += c` and `a[b] += c`, so they are written out."""
        operator = ast.Constant(_OPERATORS[type(node.op)] + "=")
        value: ast.expr = self.visit(node.value)
        match node.target:
            case ast.Name(id=name):
                old: ast.expr = ast.Name(name, ast.Load())
                return ast.Assign([node.target], invoke("in place!", operator, old, value))
            case ast.Attribute(value=ast.Name(id="self") as owner, attr=attr):
                old = ast.Attribute(owner, attr, ast.Load())
                return ast.Expr(invoke("set field!", ast.Constant(attr), invoke("in place!", operator, old, value)))
            case ast.Attribute(value=owner, attr=attr):
                keep = [ast.Assign([ast.Name("where!", ast.Store())], self.visit(owner))]
                where = ast.Name("where!", ast.Load())
                new = invoke("in place!", operator, ast.Attribute(where, attr, ast.Load()), value)
                return [*keep, ast.Expr(invoke("set attribute!", new, where, ast.Constant(attr)))]
            case ast.Subscript(value=where, slice=key):
                keep = [
                    ast.Assign([ast.Name("where!", ast.Store())], self.visit(where)),
                    ast.Assign([ast.Name("key!", ast.Store())], self.visit(key)),
                ]
                where, key = ast.Name("where!", ast.Load()), ast.Name("key!", ast.Load())
                old = ast.Subscript(where, key, ast.Load())
                new = invoke("in place!", operator, old, value)
                return [*keep, ast.Expr(invoke("set item!", new, where, key))]

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        return [
            ast.Expr(invoke("delete item!", self.visit(target.value), self.visit(target.slice)))
            for target in node.targets
            if isinstance(target, ast.Subscript)
        ]

    # expressions

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left: ast.expr = self.visit(node.left)
        right: ast.expr = self.visit(node.right)
        return invoke(_OPERATORS[type(node.op)], left, right)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        operand: ast.expr = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            return ast.UnaryOp(ast.Not(), operand)
        if isinstance(operand, ast.Constant) and type(operand.value) is int:
            return ast.Constant(-operand.value)
        return invoke("-", ast.Constant(0), operand)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Turn `a < b < c` into `a < hold(b) and held() < c`: b is evaluated once, c only if needed."""
        if isinstance(node.ops[0], ast.Is | ast.IsNot):
            self.generic_visit(node)
            return node
        left: ast.expr = self.visit(node.left)
        terms: list[ast.expr] = []
        for number, (operator, comparator) in enumerate(zip(node.ops, node.comparators, strict=True), 1):
            right: ast.expr = self.visit(comparator)
            if number < len(node.ops):
                right = invoke("hold!", right)
            terms.append(invoke(_OPERATORS[type(operator)], left, right))
            left = invoke("held!")
        return terms[0] if len(terms) == 1 else ast.BoolOp(ast.And(), terms)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        args: list[ast.expr] = [self.visit(argument) for argument in node.args]
        keywords = [ast.keyword(keyword.arg, self.visit(keyword.value)) for keyword in node.keywords]
        match node.func:
            case ast.Name(id="isinstance"):
                return invoke("isinstance", args[0], _type_names(node.args[1]))
            case ast.Name(id=name):
                operation, first = self._called_by_name(name)
                return invoke(operation, *first, *args, keywords=keywords)
            case ast.Attribute(value=ast.Name(id="self"), attr="call" | "call_with" | "attempt" as attr):
                operation = {"call": "call contract!", "call_with": "call with!", "attempt": "attempt!"}[attr]
                return invoke(operation, *args, keywords=keywords)
            case ast.Attribute(value=ast.Name(id="self") as owner, attr=attr) if attr in self._views:
                operation = "call view!" if self._views[attr] else "call!"
                return invoke(operation, self._function(f"self.{attr}"), owner, *args, keywords=keywords)
            case ast.Attribute(value=ast.Call(func=ast.Name(id=name), args=[contract]), attr=attr) if (
                name in self._interfaces
            ):
                declared = [ast.Constant(name), self.visit(contract), ast.Constant(attr)]
                return invoke("call declared!", *declared, *args, keywords=keywords)
            case ast.Attribute(value=owner, attr=attr):
                return invoke("method!", self.visit(owner), ast.Constant(attr), *args, keywords=keywords)
        raise AssertionError("check lets nothing else be called")

    def _called_by_name(self, name: str) -> tuple[str, list[ast.expr]]:
        if name in self._records:
            return "record!", [ast.Constant(name)]
        return ("call!", [self._function(name)]) if name in self._helpers else (name, [])

    def _function(self, name: str) -> ast.expr:
        self._used.append(name)
        return ast.Name(name, ast.Load())

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        return invoke("text!", *(self.visit(part) for part in parts))

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        self.generic_visit(node)
        node.keys = [_text_key(key) for key in node.keys if key is not None]
        return node

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        self._meter_rounds(node, node.generators)
        node.key = _text_key(node.key)
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        self._meter_rounds(node, node.generators)
        return node

    def _meter_rounds(self, node: ast.ListComp | ast.DictComp, generators: list[ast.comprehension]) -> None:
        cost = GAS["round"] + GAS["copied_item"] + _cost(node)
        self.generic_visit(node)
        for generator in generators:
            generator.ifs.insert(0, invoke("round!", ast.Constant(cost)))


def _type_names(node: ast.expr) -> ast.expr:
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    return ast.Tuple([ast.Constant(name.id) for name in names if isinstance(name, ast.Name)], ast.Load())


def _text_key(key: ast.expr) -> ast.expr:
    return key if isinstance(key, ast.Constant) and isinstance(key.value, str) else invoke("text key!", key)
