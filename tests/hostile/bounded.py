"""Contracts that are in the language and try to cost more than they pay for, in time or in memory.

A case is the lines of an action (or a whole source), the outcome, and a part of the error. Each runs with all the gas
that a transaction can have.
"""

from __future__ import annotations

from typing import Final

from hostile.refused import HEAD

OUT: Final = ("out_of_gas", "the gas limit of 50000000 is reached")


def action(*lines: str, above: str = "", fields: tuple[str, ...] = ()) -> str:
    """Return a contract with an action `go`, and `fill`, which puts a large list into the state."""
    body = "".join(f"        {line}\n" for line in lines)
    own = "".join(f"    {field}\n" for field in ("kept = Value(list)", "m = Map(int, int)", *fields))
    return (
        f"{HEAD}{above}\nclass C(Contract):\n{own}"
        "    @action\n    def fill(self, empty: bool) -> None:\n        self.kept = ([{}] if empty else [[]]) * 60_000\n"
        "    @action\n    def page(self) -> None:\n        for i in range(600):\n            self.m[i] = i\n"
        f"    def nothing(self) -> None:\n        pass\n    @action\n    def go(self) -> None:\n{body}"
    )


def forever(
    *lines: str, first: tuple[str, ...] = (), above: str = "", fields: tuple[str, ...] = ()
) -> tuple[str, str, str]:
    """Return the case of an action that repeats lines until its gas is used up."""
    return (action(*first, "while True:", *(f"    {line}" for line in lines), above=above, fields=fields), *OUT)


def fault(words: str, *lines: str, above: str = "", fields: tuple[str, ...] = ()) -> tuple[str, str, str]:
    return (action(*lines, above=above, fields=fields), "fault", words)


TREES: Final = ("a = []", "b = []", "for i in range(13):", "    a = [a, a]", "    b = [b, b]")

# Python leaves a hole in a dict for each key that is taken out of it.
SHRUNK: Final = (
    "a = {str(i): i for i in range(9_000)}",
    "b = a.copy()",
    "for k in a:",
    "    if k != '8999':",
    "        del a[k]",
    "    if k != '8998':",
    "        b.pop(k)",
    "c = [b] * 999",
)

POINTS: Final = (
    "from minichain.contracts.api import ballot_fault, combine_points, knows_secret\nP = b'X" + "f" * 31 + "'\n"
)
RECORD: Final = "class N(Record):\n" + "".join(f"    f{i}: int = 0\n" for i in range(60))

CASES: Final[dict[str, tuple[str, str, str]]] = {
    # time
    "an endless loop": forever("pass"),
    "a call in a loop": forever("self.nothing()"),
    "loops in loops": (action("for a in range(10**9):", "    for b in range(10**9):", "        pass"), *OUT),
    "a comprehension of loops": (action("[0 for a in range(9**9) for b in range(9**9)]"), *OUT),
    "a loop that feeds itself": (action("a = [1]", "for x in a:", "    a.append(x)"), *OUT),
    "products of large numbers": forever("x * x", first=("x = 2**127",)),
    "powers": forever("3 ** 160"),
    "powers of one": forever("1 ** x", first=("x = 2**255",)),
    "divisions": forever("divmod(x, y)", first=("x = 2**255", "y = 2**99 - 1")),
    "shifts": forever("1 << 255 >> 255"),
    "numbers as text": forever("f'{x}{x}{x}{x}'", first=("x = 2**255",)),
    "text as numbers": forever("int(x)", first=("x = '9' * 76",)),
    "a search that goes wrong": forever("t.find(p)", first=("t = 'a' * 30_000", "p = 'a' * 15_000 + 'b'")),
    "a count that goes wrong": forever("t.count(p)", first=("t = 'ab' * 15_000", "p = 'a' + 'b' * 99")),
    "in a text": forever("p in t", first=("t = 'a' * 30_000", "p = 'a' * 15_000 + 'b'")),
    "in bytes": forever("p in t", first=("t = b'a' * 30_000", "p = b'a' * 15_000 + b'b'")),
    "replacing": forever("t.replace('a', 'b')", first=("t = 'a' * 100_000",)),
    "stripping": forever("t.strip(p)", first=("t = 'a' * 100_000", "p = 'bcdefgh' * 10 + 'a'")),
    "in a list of long texts": forever("t + 'z' in c", first=("t = 'x' * 300_000", "c = [t + 'y'] * 99")),
    "sorting": forever("t.sort()", "t.reverse()", first=("t = ['x' * 99 + str(i) for i in range(5_000)]",)),
    "sorting trees": forever("sorted(c)", first=("a = []", "b = []", "for i in range(9):", "    a = [a, a]", "    b = [b, b]", "c = [a, b] * 99")),
    "comparing trees": forever("a == b", first=TREES),
    "ordering trees": forever("a < b", first=TREES),
    "the least of trees": forever("min(a, b)", first=TREES),
    "a tree in a list": forever("a in c", first=(*TREES, "c = [b] * 99")),
    "comparing dicts": forever("a == b", first=("a = {str(i): i for i in range(5_000)}", "b = a.copy()")),
    "dicts that were large": forever("a in c", first=SHRUNK),
    "a dict in a loop": forever("for k in a:", "    break", first=("a = {str(i): i for i in range(5_000)}",)),
    "unpacking": forever("(" + ",".join(f"a{i}" for i in range(60)) + ") = t", first=("t = [0] * 60",)),
    "arguments": forever("f(" + ",".join(["1"] * 64) + ")", above="def f(" + ",".join(f"a{i}" for i in range(64)) + "):\n    pass\n"),
    "defaults of parameters": forever("f()", above="def f(" + ",".join(f"a{i}=1" for i in range(64)) + "):\n    pass\n"),
    "a long list of types": forever("isinstance(x, (" + "int, " * 2_000 + "str))", first=("x = b''",)),
    "a zip of many": forever("zip(" + ", ".join(["t"] * 60) + ")", first=("t = []",)),
    "long conditions": forever("x = " + " or ".join(["0"] * 5_000)),
    "numbers that share a slot": forever("99 << 40 in S", above="S = frozenset({" + "".join(f"{i << 40}," for i in range(1, 999)) + "})\n"),
    "reading": forever("self.m.get(1, 0)"),
    "writing": (action("for i in range(10**9):", "    self.m[i] = i"), *OUT),
    "writing and deleting": forever("self.m[1] = 1", "del self.m[1]"),
    "sums of a long range": (action("sum(range(2**61))"), *OUT),
    "the largest of a long range": (action("max(range(2**61))"), *OUT),
    "any of a long range": (action("any(range(2**61))"), *OUT),
    "joining a long range": (action("','.join(range(2**61))"), *OUT),
    "bytes of a long range": fault("bytes takes a list of integers", "bytes(range(2**61))"),
    # memory
    "a long text": (action("'x' * 2**62"), *OUT),
    "long bytes": (action("b'x' * 2**62"), *OUT),
    "a long list": (action("[0] * 2**62"), *OUT),
    "a long tuple": (action("(0,) * 2**62"), *OUT),
    "an empty text, often": fault("a number is too large for this operation", "'' * 2**200"),
    "text that doubles": forever("t = t + t", first=("t = '\U0001f600'",)),
    "a list that doubles": forever("t += t", first=("t = [0]",)),
    "a list in itself": forever("t = [t, t, t]", first=("t = []",)),
    "a wide text": (action("'x'.ljust(10**12)"), *OUT),
    "a wide text of wide characters": forever("out.append('x'.rjust(99_999, '\U0001f600'))", first=("out = []",)),
    "zeros": (action("'1'.zfill(2**62)"), *OUT),
    "a list of a range": (action("list(range(2**61))"), *OUT),
    "large numbers in a list": forever("pass", first=("x = list(range(2**60, 2**60 + 1_600_000))",)),
    "characters in a list": forever("pass", first=("x = list('\u5b57' * 1_500_000)",)),
    "pairs of characters": forever("pass", first=("x = enumerate('\u5b57' * 780_000)",)),
    "triples of characters": forever("pass", first=("t = '\U0001f600' * 400_000", "x = zip(t, t, t)")),
    "pieces": forever("pass", first=("x = ('\u5b57, ' * 500_000).split(',')",)),
    "copies of a list": forever("out.append(t[:])", first=("t = [0] * 999", "out = []")),
    "copies of a dict": forever("out.append(t.copy())", first=("t = {str(i): i for i in range(999)}", "out = []")),
    "items of a dict": forever("out.append(t.items())", first=("t = {str(i): i for i in range(999)}", "out = []")),
    "empty lists": forever("out.append([])", first=("out = []",)),
    "empty dicts": (action("out = [{} for _ in range(10**9)]"), *OUT),
    "a growing dict": forever("t['x' * 60 + str(i)] = i", "i += 1", first=("t = {}", "i = 0")),
    "a joined text": forever("t = ','.join([t, t, t])", first=("t = 'x'",)),
    "an encoded text": forever("out.append(t.encode())", first=("t = '\U0001f600' * 9_999", "out = []")),
    "hexadecimal": forever("out.append(t.hex())", first=("t = b'x' * 9_999", "out = []")),
    "a stored list, often": forever("out.append(self.kept)", first=("self.fill(False)", "out = []")),
    "a stored list of dicts, often": forever("out.append(self.kept)", first=("self.fill(True)", "out = []")),
    "a start that is a list": forever("out.append(self.v)", first=("out = []",), fields=("v = Value(list, [" + "[]," * 5_000 + "])",)),
    "a start that is a text": forever("out.append(self.v)", first=("out = []",), fields=("v = Value(str, '" + "x" * 20_000 + "')",)),
    "records": forever("out.append(N())", first=("out = []",), above=RECORD),
    "a record whose field starts with a list": forever(
        "out.append(N())", first=("out = []",), above="class N(Record):\n    a: list = [" + "[]," * 5_000 + "]\n"
    ),
    "stored records, often": forever(
        "out.append(self.v[1])", first=("self.v[1] = [N()] * 200", "out = []"), above=RECORD, fields=("v = Map(int, list[N])",)
    ),
    "records of defaults": fault(
        "self.v[200000] must be N, not int", "a = [{}] * 200_000", "a.append(1)", "self.v = a", above=RECORD, fields=("v = Value(list[N])",)
    ),
    "records compared": forever("a == b", first=("a = N()", "b = N()"), above=RECORD),
    "shares of large numbers": forever("portion(x, x, x)", first=("x = 2**255",)),
    "multiples of points": forever("combine_points([2**200] * 9, [P] * 9)", above=POINTS),
    "proofs about points": forever("knows_secret(P, [P] * 9, [P] * 9, P + P)", above=POINTS),
    "proofs about much": forever("knows_secret(c, [P], [P], P + P)", first=("c = P * 300_000",), above=POINTS),
    "ballots of any size": forever("ballot_fault(32, 1, 32, P, P, b)", first=("b = P * 3_000",), above=POINTS),
    "points that are none": fault("point 2 is not a point of the group", "combine_points([1, 2], [P, P[:31]])", above=POINTS),
    "factors that are none": fault("combine_points takes int here, not bool", "combine_points([True], [P])", above=POINTS),
    "pages": forever("out.append(self.m.items(0, 1_000))", first=("self.page()", "out = []")),
    "what holds itself": (action("t = '\U0001f600' * 20_000_000", "u = [t]", "u.append(u)", "require(False, 'left behind')"), "reverted", "left behind"),
    "what a failure holds": (action("t = '\U0001f600' * 20_000_000", "require(False, 'dropped')"), "reverted", "dropped"),
    "a long refusal": (action("require(False, 'x' * 1_000_000)"), "reverted", "x" * 500),
    # limits
    "a number that grows": fault("beyond 256 bits", "x = 3", "while True:", "    x = x * x"),
    "a large power": fault("beyond 256 bits", "2 ** 2**200"),
    "a large shift": fault("from 0 to 256", "1 << 2**200"),
    "a number of many digits": fault("80 digits", "int('9' * 81)"),
    "a large result": (HEAD + "class C(Contract):\n    @action\n    def go(self) -> list:\n        return [[]] * 10**9\n", *OUT),
    "a large number stored": fault("must fit in 64 bits", "self.m[2**64] = 1"),
    "a large value stored": fault("at most 65536 bytes", "self.kept = ['x' * 70_000]"),
    "a deep value stored": fault("deeper than 16 levels", "a = []", "for i in range(99):", "    a = [a]", "self.kept = a"),
    "a value that holds itself stored": fault("deeper than 16 levels", "a = []", "a.append(a)", "self.kept = a"),
    "deep values compared": fault("deeper than 16 levels", "a = []", "b = []", "for i in range(99_999 // 9):", "    a = [a]", "    b = [b]", "a == b"),
    "a deep value sought": fault("deeper than 16 levels", "a = []", "for i in range(9_999):", "    a = [a]", "a in [a, [a]]"),
    "a deep value ordered": fault("deeper than 16 levels", "a = []", "for i in range(9_999):", "    a = [a]", "sorted([a, [a]])"),
    "a deep value dropped": forever("a = [a]", first=("a = []",)),
    "a long page": fault("at most 1000 keys", "self.m.keys(0, 10**9)"),
    "a page far away": fault("starts at 0 or later", "self.m.keys(-1)"),
    "a loop over a map": fault("cannot loop over Map", "for k in self.m:", "    pass"),
    "events": fault("at most 1000 events", "for i in range(10**9):", "    emit('E')"),
    "large events": forever("emit('E', t=t)", first=("t = 'x' * 9_999",)),
    "recursion": fault("deeper than 48", "f(1)", above="def f(n):\n    return f(n + 1)\n"),
    "recursion of two": fault("deeper than 48", "f(1)", above="def f(n):\n    return g(n)\ndef g(n):\n    return f(n)\n"),
    "recursion in comprehensions": fault(
        "deeper than 48", "f(1)", above="def f(n):\n    return " + "[" * 10 + "f(n)" + " for a in [1]]" * 10 + "\n"
    ),
    "re-entrancy": fault("cannot be entered again", "self.call('c', 'go')"),
    "a ladder of contracts": fault("more than 8 contracts call each other", "self.call('rung-0', 'climb')"),
    "a call of nobody": fault("there is no contract", "self.call('x' * 9_999, 'go')"),
    "a method of nobody": fault("has no method", "self.call('rung-0', 'y' * 9_999)"),
    "a call of the machinery": fault("has no method", "self.call('rung-0', '__init__')"),
    "a hidden method called": fault("has no method", "self.call('rung-0', 'hidden')"),
    "nothing before a value": fault("before it has a value", "if False:", "    x = 1", "x"),
}  # fmt: skip

RUNG: Final = (
    HEAD
    + "class Rung(Contract):\n    @action\n    def climb(self) -> None:\n        self.call('rung-{next}', 'climb')\n"
    "    def hidden(self) -> None:\n        pass\n"
)
