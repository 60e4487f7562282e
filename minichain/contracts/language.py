"""The contract language: one allow-list. What is not named here is not in the language.

Each entry says why it may be there. The tables of explanations only choose words for what is missing; they forbid
nothing by themselves. Every entry behaves the same on Python 3.11 and later, under any hash seed and with or without
optimisation, because every validator must reach the same result.
"""

from __future__ import annotations

import ast
from types import MappingProxyType
from typing import Any, Final, NamedTuple

MAX_SOURCE_BYTES: Final = 32 * 1024  # about 800 lines; a contract is read by people
MAX_NODES: Final = 16_000  # of the syntax tree: about as many as that much ordinary source has
MAX_NESTING: Final = 60  # levels of the syntax tree, and of brackets; far from the limits of any Python
MAX_LOOPS: Final = 10  # loops and comprehensions inside each other; Pythons stop at different numbers from 20 on
MAX_NAME: Final = 64  # characters of a name in the source
MAX_PARAMETERS: Final = 64  # of one function: each call handles all of them
MAX_STORED_BYTES: Final = 64 * 1024  # one stored value, and what it starts with
MAX_FIELDS: Final = 64  # of a record, with those of the records inside: a type is looked at whole
INT_BITS: Final = 256  # of an intermediate result; what is stored, returned or announced has 64

NODES: Final[dict[type[ast.AST], str]] = {
    # the module and its parts; where each may stand is decided in `check`
    ast.Module: "a contract is one module",
    ast.ImportFrom: "the contract interface, the parts, and `from __future__ import annotations`",
    ast.alias: "part of that import; no `as`, so that a name means one thing everywhere",
    ast.ClassDef: "at the top of the module: exactly one contract, and above it records and interfaces",
    ast.FunctionDef: "methods of the contract and helper functions of the module, never nested",
    ast.arguments: "plain parameters only",
    ast.arg: "plain parameters only",
    # statements
    ast.Expr: "a call for its effect, or a docstring",
    ast.Assign: "one target: a name, names in a tuple, an item, or a Value of the contract",
    ast.AnnAssign: "as an assignment, the annotation is for the reader; in a record, one field",
    ast.AugAssign: "as an assignment; the operation is guarded like any other",
    ast.Return: "ends a function",
    ast.If: "each branch is charged when it runs",
    ast.For: "over a finite value; each round is charged",
    ast.While: "each round is charged, so that it ends",
    ast.Break: "ends a loop",
    ast.Continue: "ends a round",
    ast.Pass: "does nothing",
    ast.Delete: "removes an item, never a name",
    # expressions
    ast.Constant: "None, True, False, integers, text, bytes; no floats",
    ast.Name: "a parameter, a variable, a constant or a function of the module",
    ast.Attribute: "what `self` offers, the fields of a record, and the methods listed below",
    ast.Subscript: "an item; guarded at run time",
    ast.Slice: "a part of a list, tuple, text or bytes; charged by its length",
    ast.Call: "a function of this list by its name, or a method of this list",
    ast.keyword: "a named argument",
    ast.List: "in the order written",
    ast.Tuple: "in the order written",
    ast.Dict: "in the order written; keys are text",
    ast.ListComp: "a loop; each round is charged",
    ast.DictComp: "a loop; each round is charged",
    ast.comprehension: "part of a comprehension",
    ast.IfExp: "both branches are charged",
    ast.JoinedStr: "f-strings of text, integers, booleans and None, each in its only form",
    ast.FormattedValue: "part of an f-string",
    ast.BoolOp: "stops early, as in Python",
    ast.And: "stops early, as in Python",
    ast.Or: "stops early, as in Python",
    ast.UnaryOp: "`not` and `-`",
    ast.Not: "the truth of every value is decided in constant time",
    ast.USub: "guarded: integers only",
    ast.Compare: "guarded: charged by the size of what is compared",
    ast.Eq: "compares by content",
    ast.NotEq: "compares by content",
    ast.Lt: "an order that both sides share",
    ast.LtE: "an order that both sides share",
    ast.Gt: "an order that both sides share",
    ast.GtE: "an order that both sides share",
    ast.In: "guarded: charged by the size of what is searched",
    ast.NotIn: "guarded: charged by the size of what is searched",
    ast.Is: "only `is None`: the identity of other values differs between Pythons",
    ast.IsNot: "only `is not None`",
    ast.BinOp: "guarded: charged by the size of the result, before it is made",
    ast.Add: "integers; joining text, bytes, lists, tuples",
    ast.Sub: "integers",
    ast.Mult: "integers; repeating text, bytes, lists, tuples",
    ast.FloorDiv: "integers; division that stays exact",
    ast.Mod: "integers, never text formatting",
    ast.Pow: "integers, the size is checked first",
    ast.LShift: "integers, the size is checked first",
    ast.RShift: "integers",
    ast.BitAnd: "integers",
    ast.BitOr: "integers",
    ast.BitXor: "integers",
    # how the parser marks a name; carries no meaning of its own
    ast.Load: "reading",
    ast.Store: "assigning",
    ast.Del: "removing an item",
}

API: Final = {
    "Contract": "the base of the contract",
    "Value": "one stored value",
    "Map": "stored values by key",
    "action": "marks what a transaction may call",
    "view": "marks what anybody may ask",
    "require": "refuses with words of the contract",
    "emit": "announces an event",
    "Record": "the base of a record: a value whose fields have names and types, which its maker cannot add to",
    "Decimal": "names a type of amounts: whole numbers of 10**-digits, so that nothing is ever rounded unseen",
    "portion": "a part of an amount, exact and then rounded half to even; on integers of bounded size",
    "Interface": "the base of an interface: what is expected of another contract, so that calls can be checked",
    "sha256": "of bytes, charged by length: compares what is revealed with what was committed to",
    "ballot_fault": "why an encrypted ballot may not be counted; charged by the statements of its proof",
    "combine_points": "adds up multiples of points of Ed25519's group, charged by their number",
    "is_did_key": "whether a did:key names a key that somebody can own; charged as a multiplication of a point",
    "knows_secret": "whether a proof shows that its maker knows one secret behind several points, charged likewise",
}
PARTS: Final = {
    "Roles": "who may do what, granted and revoked on record",
    "Pausable": "stops and resumes a contract, on record",
    "Participant": "holds and lets go what a deal over several contracts and chains needs, as its coordinator decides",
}
HELPERS: Final = {  # functions, of the same module
    "check_reason": "why somebody does something, said and not too long",
    "check_name": "a name of a member of a committee, legible and the same in every Python",
    "check_key": "a member's did:key",
    "check_weight": "a member's weight",
    "check_founders": "a first committee, as [name, did, weight] each",
}
RULEBOOK: Final = {  # functions, of the module `rulebook`
    "at_time": "how a proposal stands at a time",
    "blank": "a tally before anybody has voted",
    "check_pack": "a rule pack that is written in full and can be explained",
    "check_seat": "a kind of seat",
    "conclude": "writes down how a vote ended",
    "count": "ballots, counted from the beginning",
    "delegations": "who votes in whose place",
    "heard": "what somebody's vote says, by own ballot or by delegation",
    "in_full": "members with seat and population",
    "is_quorate": "whether enough take part",
    "may_take_back": "whether a proposal is still its maker's",
    "out_of_reach": "why some members could never decide by a rule pack",
    "outcome": "what a tally decides, and by which clause",
    "put": "one vote, into a tally or out of it",
    "resource": "what a call changes",
    "row_of": "one of the members",
    "standing": "what can still happen in a vote",
    "subject": "which contract a call is about",
    "verdict": "whether a vote is decided, how, and by which clause",
}
API_MODULE: Final = "minichain.contracts.api"
PARTS_MODULE: Final = "minichain.contracts.parts"
RULEBOOK_MODULE: Final = "minichain.contracts.rulebook"
SHARED: Final = {  # name -> the module it is imported from, and becomes a part of the contract
    **dict.fromkeys((*PARTS, *HELPERS), PARTS_MODULE),
    **dict.fromkeys(RULEBOOK, RULEBOOK_MODULE),
}
IMPORTS: Final = {
    API_MODULE: frozenset(API),
    PARTS_MODULE: frozenset(PARTS) | frozenset(HELPERS),
    RULEBOOK_MODULE: frozenset(RULEBOOK),
    "__future__": frozenset({"annotations"}),
}
CALLABLE_API: Final = frozenset(
    {"require", "emit", "portion", "sha256", "ballot_fault", "combine_points", "is_did_key", "knows_secret"}
)

BUILTINS: Final = {
    "abs": "constant time",
    "all": "charged by length",
    "any": "charged by length",
    "bool": "constant time",
    "bytes": "from a list of integers; never `bytes(n)`, which would allocate n bytes",
    "dict": "an empty or a copied dict",
    "divmod": "guarded like // and %",
    "enumerate": "a list of pairs, charged by length",
    "int": "from an integer, a boolean, or ASCII digits",
    "isinstance": "with the types int, str, bool, bytes, list, dict, tuple",
    "len": "constant time",
    "list": "charged by length",
    "max": "charged by size",
    "min": "charged by size",
    "range": "lazy; the loop over it is charged",
    "reversed": "a list, charged by length",
    "sorted": "charged by n log n and the size of the items",
    "str": "of text, integers, booleans and None, whose text is the same in every Python",
    "sum": "of integers, charged by length",
    "tuple": "charged by length",
    "zip": "a list of tuples, charged by length",
}

METHODS: Final[dict[Any, dict[str, str]]] = {
    str: {
        "count": "charged as a search",
        "encode": "UTF-8 only",
        "endswith": "charged by length",
        "find": "charged as a search",
        "isalnum": "ASCII only: Unicode tables differ between Pythons",
        "isalpha": "ASCII only",
        "isascii": "constant time",
        "isdigit": "ASCII only",
        "join": "charged by the length of the result",
        "ljust": "charged by the length of the result",
        "lower": "ASCII only",
        "lstrip": "charged by length",
        "removeprefix": "charged by length",
        "removesuffix": "charged by length",
        "replace": "charged by the length of the result",
        "rjust": "charged by the length of the result",
        "rstrip": "charged by length",
        "split": "charged by length",
        "startswith": "charged by length",
        "strip": "charged by length",
        "upper": "ASCII only",
        "zfill": "charged by the length of the result",
    },
    bytes: {
        "decode": "UTF-8 only",
        "endswith": "charged by length",
        "hex": "charged by length",
        "startswith": "charged by length",
    },
    list: {
        "append": "constant time",
        "clear": "charged by length when it was filled",
        "copy": "charged by length",
        "count": "charged as a search",
        "extend": "charged by length",
        "index": "charged as a search",
        "insert": "charged by the items that move",
        "pop": "charged by the items that move",
        "remove": "charged as a search",
        "reverse": "charged by length",
        "sort": "charged by n log n and the size of the items; stable, so there is one result",
    },
    tuple: {"count": "charged as a search", "index": "charged as a search"},
    dict: {
        "clear": "charged by length when it was filled",
        "copy": "charged by length",
        "get": "constant time",
        "items": "a list, charged by length",
        "keys": "a list, charged by length",
        "pop": "constant time",
        "setdefault": "constant time",
        "update": "charged by length",
        "values": "a list, charged by length",
    },
    MappingProxyType: {  # a dict that is a constant of the module
        "get": "constant time",
        "items": "a list, charged by length",
        "keys": "a list, charged by length",
        "values": "a list, charged by length",
    },
    "Map": {
        "get": "reads one stored value",
        "items": "reads one page, in the order of insertion",
        "keys": "reads one page, in the order of insertion",
        "values": "reads one page, in the order of insertion",
    },
}
CHANGING: Final = frozenset(  # methods that change the value itself
    {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "setdefault", "sort", "update"}
)
METHOD_NAMES: Final = frozenset(name for methods in METHODS.values() for name in methods)

SELF: Final = {
    "caller": "the account, or the contract, that called",
    "signer": "the account that signed the transaction",
    "now": "block time in milliseconds since 1970; agreed by the validators",
    "height": "height of the block",
    "chain": "id of the chain",
    "address": "name of this contract",
    "call": "calls another contract, or the ledger itself",
    "call_with": "the same, with the arguments in a dict: for contracts that carry out what was decided",
    "attempt": "makes such calls, all or none, and goes on if they fail; running out of gas ends it all the same",
}
CALLS: Final = ("call", "call_with", "attempt")
RUN_ONCE: Final = ("setup", "migrate")  # by the ledger: when a contract is deployed, and after each upgrade to it

TYPES: Final = {
    "int": "64 bit when stored",
    "str": "text",
    "bool": "True or False",
    "bytes": "bytes",
    "list": "values in order",
    "dict": "values by text",
}
KEY_TYPES: Final = frozenset({"int", "str", "bool", "bytes"})
TEST_TYPES: Final = frozenset(TYPES) | {"tuple"}  # what `isinstance` may ask for

# RestrictedPython gives these names a meaning of its own, so no contract may use them for something else.
TAKEN_BY_RESTRICTED_PYTHON: Final = frozenset({"print", "printed", "builtins", "breakpoint"})


class Rule(NamedTuple):
    """Why something is not in the language, and what to write instead."""

    explanation: str
    suggestion: str


RULES: Final[dict[str, Rule]] = {
    # MC0: the file
    "MC001": Rule("this is not a Python program", "correct the syntax"),
    "MC002": Rule(
        f"a contract has at most {MAX_SOURCE_BYTES} bytes and {MAX_NODES} names, values and operations",
        "split it into contracts that call each other",
    ),
    "MC003": Rule(
        "the source must be plain UTF-8 text that shows what it does: no control characters, no hidden text direction, "
        "no byte order mark",
        "save the file as UTF-8 and remove the character",
    ),
    "MC004": Rule(
        f"the source is nested too deeply: at most {MAX_NESTING} levels, and {MAX_LOOPS} loops inside each other",
        "use a variable or a helper function",
    ),
    "MC005": Rule(
        "the names of characters differ between Pythons", "write the character itself, or \\u and its number"
    ),
    # MC1: syntax
    "MC100": Rule("this construct is not in the contract language", "use assignments, if, for, while and calls"),
    "MC101": Rule(
        "a contract can import nothing but the contract interface: files, network, clock and chance differ on each "
        "validator",
        "write `from minichain.contracts.api import ...` or `from minichain.contracts.parts import ...` at the top",
    ),
    "MC102": Rule(
        "a failure cannot be caught: it undoes the whole call, and running out of gas must end it",
        "test the condition first, with `if` or `in`",
    ),
    "MC103": Rule("a contract refuses in one way only", "write require(condition, 'why it is refused')"),
    "MC104": Rule("there is nothing to open or close in a contract", "leave out `with`"),
    "MC105": Rule("functions stand at the top of the module or in the contract", "move it out of the function"),
    "MC106": Rule(
        "generators keep code waiting half-way, where it cannot be charged", "use a list comprehension: [ ... ]"
    ),
    "MC107": Rule("a call runs from start to end without waiting", "use a plain function"),
    "MC108": Rule("a contract is one class without classes inside", "write a record above it: class Note(Record)"),
    "MC109": Rule("nothing but the ledger remembers anything between calls", "store it in a Value or a Map"),
    "MC110": Rule(
        "a set has no order of its own, so each validator would see another one",
        "use a tuple or a list; as a constant of the module, frozenset({...}) may be asked with `in`",
    ),
    "MC111": Rule("arguments are written out, so that they can be checked", "name each argument"),
    "MC112": Rule("an assignment is a statement of its own", "assign on the line before"),
    "MC113": Rule("patterns reach into objects by name", "use if and elif"),
    "MC114": Rule("only an item can be deleted", "write `del values[key]`"),
    "MC115": Rule(
        "floating-point and complex numbers round, and `...` means nothing here",
        "count in the smallest unit, as an integer: cents, grams, milliseconds",
    ),
    "MC116": Rule("this operator is not in the contract language; `/` would make a float", "use // for division"),
    "MC117": Rule("the identity of values differs between Pythons", "use == ; `is` only with None"),
    "MC118": Rule(
        "an f-string stands on one line and holds plain expressions, without text, {}, conversion (!r) or format (:05)",
        "prepare the text in a variable; use .zfill() or .rjust() for width",
    ),
    "MC119": Rule("an assignment has one target: a name, (a, b), an item, or self.value", "write two assignments"),
    "MC120": Rule("a loop has no `else`", "use a variable that says how the loop ended"),
    "MC121": Rule("an item is assigned or deleted one by one", "write values[index] = item"),
    "MC122": Rule("dict keys are written out, each a text", "write {'key': value}"),
    "MC123": Rule(
        "what a contract reads from its storage is a copy, so this change would be lost",
        "keep the copy in a variable, change it there, and write it back: self.notes[key] = note",
    ),
    # MC2: names
    "MC201": Rule("names that begin with an underscore lead into the machinery of Python", "choose another name"),
    "MC202": Rule("this name is not known in the contract language", "use a parameter, a variable or a constant"),
    "MC203": Rule("this name is taken: a name means the same in every place", "choose another name"),
    "MC204": Rule(
        "only `self` and records have attributes, and only those that are declared", "use a field that is declared"
    ),
    "MC205": Rule("this method is not in the contract language", "see the methods listed in the language page"),
    "MC206": Rule("`self` is used only as self.name", "pass the value that is needed"),
    "MC207": Rule("a function is only called, by its own name", "write its name followed by its arguments"),
    "MC208": Rule(
        f"names have 1 to {MAX_NAME} ASCII letters, digits and underscores: others look alike",
        "write the name in ASCII; text in quotes may be in any language",
    ),
    "MC209": Rule("this part of self cannot be assigned", "assign to a Value; set items of a Map with self.map[key]"),
    "MC210": Rule("isinstance asks for a type by name", f"use one of {', '.join(sorted(TEST_TYPES))}"),
    # MC3: the shape of a contract
    "MC301": Rule("a module holds exactly one contract", "write `class Name(Contract):` once"),
    "MC302": Rule(
        "a module holds the imports, constants, records, interfaces, helper functions and the contract",
        "move it into a method",
    ),
    "MC303": Rule("a contract holds a docstring, fields and methods", "move it into a method or above the class"),
    "MC304": Rule(
        "a field is Value(type, default) or Map(key type, value type) of ledger types",
        "for example `notes = Map(str, dict)`",
    ),
    "MC305": Rule(
        "a method is marked @action, @view, or not at all; setup and migrate are run by the ledger",
        "leave out the mark",
    ),
    "MC306": Rule(
        f"parameters are plain names, at most {MAX_PARAMETERS}, the first one of a method is self",
        "write def name(self, a: int)",
    ),
    "MC307": Rule(
        "what people may call must say the type of each parameter, so that it can be checked",
        "annotate with int, str, bool, bytes, list, dict, list[T], dict[str, T], T | None, or a record or a decimal "
        "declared above",
    ),
    "MC308": Rule("this name is defined twice or belongs to the contract interface", "choose another name"),
    "MC309": Rule("an event has a name in quotes and named values", "write emit('Written', who=self.caller)"),
    "MC310": Rule(
        f"a record holds 1 to {MAX_FIELDS} fields, with those inside it, each a name and a type declared above",
        "write `stars: int = 0`; a default is a constant of the type",
    ),
    "MC311": Rule("a record is made by naming its fields: each that has no default, and no other", "name each field"),
    "MC312": Rule("a decimal says how many digits it has after the point, 1 to 12", "write `Yuan = Decimal(2)`"),
    "MC313": Rule(
        "an interface holds what is called in another contract: methods marked @action or @view with the types of all "
        "parameters and of the result, and no code but a docstring",
        "write `@view`, `def balance(self, who: str) -> int:` and a docstring",
    ),
    "MC314": Rule(
        "another contract is called as its interface declares it: a method, with its arguments",
        "write Registry('name').method(argument)",
    ),
    "MC315": Rule(
        "this name belongs to a part of the contract, or comes with a function it imports",
        "choose another name, or leave that import out",
    ),
    "MC316": Rule(
        f"a contract is made of Contract and then of parts, each once, with what they need; the parts are "
        f"{', '.join(PARTS)}, imported from {PARTS_MODULE}",
        "write `class Custody(Contract, Roles, Pausable):`",
    ),
    "MC317": Rule("this is a setting of a part, and has a type", "write it as the part does"),
    "MC318": Rule("a part calls this method, which the contract writes, unmarked", "write it as the part names it"),
    # MC4: values
    "MC401": Rule(f"an integer has at most {INT_BITS} bits", "use a smaller number"),
    "MC402": Rule("text must be valid Unicode", "remove the surrogate"),
    "MC403": Rule(
        "a constant is a number, text, bytes, True, False, None, or a tuple, dict or frozenset of them; a number in a "
        "frozenset fits in 64 bits",
        "compute it in a method; write a list as a tuple",
    ),
    "MC404": Rule(
        "a default is a number, text, bytes, True, False or None, and of the type of its parameter",
        "write `x: T | None = None` and set it in the body",
    ),
    # MC9: the second opinion
    "MC900": Rule("RestrictedPython refuses this", "write it in a simpler way"),
}

# Words for what is missing from NODES. A construct without words of its own is MC100.
RULE_OF_NODE: Final = {
    "Import": "MC101",
    "Try": "MC102",
    "TryStar": "MC102",
    "ExceptHandler": "MC102",
    "Raise": "MC103",
    "Assert": "MC103",
    "With": "MC104",
    "Lambda": "MC105",
    "Yield": "MC106",
    "YieldFrom": "MC106",
    "GeneratorExp": "MC106",
    "AsyncFunctionDef": "MC107",
    "AsyncFor": "MC107",
    "AsyncWith": "MC107",
    "Await": "MC107",
    "Global": "MC109",
    "Nonlocal": "MC109",
    "Set": "MC110",
    "SetComp": "MC110",
    "Starred": "MC111",
    "NamedExpr": "MC112",
    "Match": "MC113",
    "Div": "MC116",
    "MatMult": "MC116",
    "Invert": "MC116",
    "UAdd": "MC116",
}

# Words for names people try first.
HINTS: Final = {
    "print": "announce it with emit, or return it from a view",
    "float": "count in the smallest unit, as an integer, or in a decimal: Yuan = Decimal(2)",
    "round": "use // or portion(amount, numerator, denominator)",
    "set": "use a list or a dict",
    "frozenset": "only as a constant of the module, asked with `in`",
    "map": "use a list comprehension",
    "filter": "use a list comprehension with `if`",
    "open": "a contract has no files",
    "input": "a contract is given its input as arguments",
    "time": "use self.now",
    "datetime": "use self.now",
    "random": "chance differs on each validator; commit to a value first and reveal it later",
    "hash": "differs in each process",
    "id": "differs in each process",
    "repr": "use str on text and integers",
    "format": "use an f-string",
    "type": "use isinstance",
    "getattr": "write self.name",
    "pow": "use **",
    "Any": "use int, str, bool, bytes, list or dict",
    **{name: f"write `from {module} import {name}`" for name, module in SHARED.items() if name not in PARTS},
}
