"""Gas: allowed Python means what Python means, every attack ends soon, and the same call costs the same everywhere."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import subprocess
import sys
import textwrap
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain.bench.hostile import ATTACKS, HEAD, trial
from minichain.contracts import GasMeter, Sandbox, api
from minichain.contracts.guards import MAX_DEPTH, MAX_RANGE
from minichain.contracts.language import INT_BITS
from minichain.contracts.meter import GAS
from minichain.contracts.sandbox import Outcome
from minichain.crypto import KeyPair, did_of
from minichain.elgamal import ballots, group, proofs
from minichain.elgamal.ballots import Form
from minichain.errors import OutOfGas


def run(body: str, gas_limit: int = 5_000_000, **args: Any) -> Outcome:
    return trial(body, gas_limit).attempt("go", **args)


# --- the meter ---------------------------------------------------------------------------------------------------


def test_a_meter_stops_at_its_limit_and_then_all_gas_is_used() -> None:
    meter = GasMeter(100)
    meter.charge(60)
    meter.charge(40)
    assert meter.used == 100
    with pytest.raises(OutOfGas, match="limit of 100"):
        meter.charge(1)
    assert meter.used == 100


def test_gas_grows_with_the_rounds_of_a_loop_and_nothing_else() -> None:
    contract = trial("for i in range(a):\n    x = i + 1\nreturn 0")
    gas = [contract.go(rounds).gas for rounds in (10, 20, 30)]
    assert gas[1] - gas[0] == gas[2] - gas[1] >= 10 * GAS["round"]


def test_a_branch_that_does_not_run_is_not_charged() -> None:
    contract = trial("if a:\n    x = [1, 2, 3]\n    y = x + x + x\nreturn 0")
    assert contract.go(1).gas > contract.go(0).gas


def test_what_follows_an_early_return_is_not_charged() -> None:
    short = trial("if a:\n    return 1\nreturn 0").go(1).gas
    assert trial("if a:\n    return 1\nx = [1, 2, 3] + [4]\nreturn 0").go(1).gas == short


@given(size=st.integers(0, 3_000))
@settings(max_examples=20, deadline=None)
def test_data_is_charged_by_its_size(size: int) -> None:
    contract = trial("x = 'a' * a\nreturn 0")
    assert contract.go(size).gas - contract.go(0).gas == size * GAS["byte"]


def test_a_digest_is_that_of_sha256_and_is_charged_by_the_length_of_what_it_is_of() -> None:
    assert run("return sha256('abc'.encode()).hex()").result == hashlib.sha256(b"abc").hexdigest()
    contract = trial("x = sha256(bytes([0] * a))\nreturn 0")
    made = trial("x = bytes([0] * a)\nreturn 0")
    costs = [contract.go(size).gas - made.go(size).gas for size in (0, 1_000)]
    assert costs[1] - costs[0] == 1_000 * GAS["hash_byte"]
    assert costs[0] >= GAS["hash"]
    assert "sha256 is of bytes, not of str: write text.encode()" in run("return sha256('abc')").error


def asked(body: str) -> Outcome:
    """Run statements that may ask about points; P is the base point."""
    imports = "from minichain.contracts.api import ballot_fault, combine_points, is_did_key, knows_secret\n"
    source = imports + HEAD + textwrap.indent(f"P = b'X' + b'f' * 31\n{body}", " " * 8)
    return Sandbox().deploy(source, sender="did:key:zSomebody").attempt("go")


def test_points_are_charged_by_how_often_they_are_multiplied() -> None:
    once = GAS["multiplication"]
    assert asked("return combine_points([2, 3, -5], [P, P, P])").result == group.IDENTITY
    assert asked("return combine_points([7], [P])").result == group.multiply(7)
    for line, times in (
        ("combine_points([1], [P])", 1),  # whether it is a point
        ("combine_points([9], [P])", 2),
        ("combine_points([9] * 5, [P] * 5)", 10),
        ("is_did_key('')", 1),
        ("knows_secret(P, [P], [P], P + P)", 4),
        ("knows_secret(P, [P, P], [P, P], P + P)", 8),
        ("ballot_fault(3, 1, 1, P, P, P)", 1 + Form(3, 1, 1).multiplications),
    ):
        outcome = asked(f"x = {line}\nreturn 0")
        assert times * once <= outcome.gas < times * once + 40_000, line


def test_proofs_and_ballots_are_looked_at_as_outside_a_ledger() -> None:
    proof = proofs.prove(b"c", 5, [group.BASE])
    key, ballot = group.multiply(5), ballots.close(Form(2, 1, 1), group.multiply(5), b"c", [1, 0], bytes(32))
    head = f"key = {key!r}\n"
    assert asked(f"{head}return knows_secret(b'c', [P], [key], {proof!r})").result is True
    assert asked(f"{head}return knows_secret(b'd', [P], [key], {proof!r})").result is False
    assert asked(f"{head}return ballot_fault(2, 1, 1, key, b'c', {ballot!r})").result == ""
    assert "another voter" in asked(f"{head}return ballot_fault(2, 1, 1, key, b'd', {ballot!r})").result
    assert "1 to 32 choices" in asked("return ballot_fault(99, 1, 1, P, P, P)").result
    assert api.combine_points([7], [group.BASE]) == group.multiply(7)
    assert api.knows_secret(b"c", [group.BASE], [key], proof)
    assert api.ballot_fault(2, 1, 1, key, b"c", ballot) == ""


def test_a_key_is_one_that_somebody_can_own() -> None:
    """Half of all texts that look like a did:key name no point, and a few name one of small order."""
    own, small, none = KeyPair.derive(bytes(32), "a").did, did_of(bytes(32)), did_of(b"\2" + bytes(31))
    texts = [own, small, none, own + "1", own[:-1], "x" * 1_000, ""]
    for did, is_one in zip(texts, [True] + [False] * 6, strict=True):
        assert asked(f"return is_did_key({did!r})").result is api.is_did_key(did) is is_one, did[:60]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("combine_points(1, [P])", "combine_points takes a list of int, not int"),
        ("combine_points([1], P)", "combine_points takes a list of bytes, not bytes"),
        ("combine_points(['1'], [P])", "combine_points takes int here, not str"),
        ("combine_points([1, 2], [P])", "2 factors do not fit 1 points"),
        ("combine_points([1], [b''])", "point 1 is not a point of the group"),
        ("is_did_key(P)", "is_did_key takes str here, not bytes"),
        ("knows_secret('', [P], [P], P)", "knows_secret takes bytes here, not str"),
        ("knows_secret(P, [1], [P], P)", "knows_secret takes bytes here, not int"),
        ("ballot_fault(3, 1, '1', P, P, P)", "ballot_fault takes int here, not str"),
        ("ballot_fault(3, 1, 1, P, P, None)", "ballot_fault takes bytes here, not None"),
    ],
)
def test_what_is_no_point_and_no_proof_is_a_fault_in_words(line: str, words: str) -> None:
    outcome = asked(f"x = {line}")
    assert (outcome.outcome, words in outcome.error) == ("fault", True), outcome.error


# --- the meaning -------------------------------------------------------------------------------------------------

SAME_AS_PYTHON = [
    "1 + 2 * 3 - 4 // 3 % 2",
    "-7 // 2, -7 % 3, 7 % -3, 2 ** 10, -2 ** 2, 1 << 5, -9 >> 1, 6 & 3, 6 | 3, 6 ^ 3",
    "True + True, sum([True, 2]), -True, not 0",
    "'ab' + 'c', 'ab' * 3, 2 * 'ab', b'a' + b'b', [1] + [2], (1,) + (2,), [0] * 3, 'a' * -1",
    "1 < 2 <= 2 < 3, 1 < 2 > 3, 'a' < 'b', (1, 'a') < (1, 'b'), [1, 2] >= [1], 3 != 4",
    "1 in [1, 2], 'b' in 'abc', 'k' in {'k': 1}, 5 not in range(3), 'one' in WORDS, 'six' in WORDS, 1 in WORDS",
    "None is None, KINDS is not None, 1 == True, [1, [2]] == [1, [2]], {'a': 1} == {'a': 1}, 'a' == 1",
    "'a,b,,c'.split(','), ' a  b '.split(), 'abc'.split('b', 1), '-'.join(['a', 'b']), 'abcabc'.replace('bc', 'x')",
    "'abc'.find('c'), 'abc'.find('z'), 'aXbX'.count('X'), 'abc'.startswith('ab'), 'abc'.endswith('bc'), '7'.zfill(3)",
    "' x '.strip(), 'xxaxx'.strip('x'), 'xa'.lstrip('x'), 'ax'.rstrip('x'), 'a'.rjust(3, '.'), 'a'.ljust(3)",
    "'aB'.lower(), 'aB'.upper(), '12'.isdigit(), 'ab'.isalpha(), 'a1'.isalnum(), 'ab'.isascii(), '登'.isascii()",
    "'abc'.removeprefix('a'), 'abc'.removesuffix('c'), '登记'.encode(), '登记'.encode().decode(), b'\\x01\\xff'.hex()",
    "b'abc'.startswith(b'a'), b'abc'[1], b'abc'[1:], bytes([1, 2]), bytes(b'a')",
    "[3, 1, 2][1:], 'abcdef'[::-2], (1, 2, 3)[-1], list(range(10)[2:8:3]), [1, 2][5:], 'abc'[-2:]",
    "len('ab'), len([]), len({}), len(range(5)), len(TABLE), max(1, 2), min([3, 1]), max('ab'), max([], default=0)",
    "sorted([3, 1, 2]), sorted('cab', reverse=True), sorted({'b': 1, 'a': 2}), sorted([(1, 'b'), (1, 'a')])",
    "sorted(WORDS), list(zip([1, 2], 'ab')), list(enumerate('ab')), list(enumerate('ab', 1)), list(reversed([1, 2]))",
    "any([0, 1]), all([1, 0]), sum([1, 2, 3]), sum(range(101)), abs(-3), divmod(-7, 2), int('-12'), int(True), str(5)",
    "str(None), str(True), bool(''), bool([0]), list('ab'), tuple([1]), dict({'a': 1}), list({'b': 1, 'a': 2})",
    "isinstance(1, int), isinstance(True, int), isinstance('a', (int, str)), isinstance(TABLE, dict)",
    "[x * y for x in range(3) for y in range(3) if x != y], {str(k): v for k, v in [(1, 2), (3, 4)]}",
    "[[y for y in range(x)] for x in range(3)], [a for a, (b, c) in [(1, (2, 3))]]",
    "1 if [] else 2, [] or 'x', 1 and 2, None or 0, not [1]",
    "f'a{1 + 1}b{None}{True}{KINDS[0]}{{}}', f''",
    "TABLE['b']['c'][1], TABLE.get('z', 9), list(TABLE.keys()), TABLE.get('a'), KINDS[0], KINDS.index('y')",
    "{'a': 1}.get('b'), list({'a': 1, 'b': 2}.items()), {'a': 1}.get('a', 5), [1, 2, 1].count(1), (1, 2).count(2)",
    "twice(4), twice('ab'), twice(x=3)",
]


@pytest.mark.parametrize("expression", SAME_AS_PYTHON)
def test_an_expression_means_what_it_means_in_python(expression: str) -> None:
    namespace = {"TABLE": {"a": 1, "b": {"c": (1, 2)}}, "KINDS": ("x", "y"), "WORDS": frozenset({"one", "two"})}
    namespace["twice"] = lambda x: x * 2
    expected = eval(expression, namespace)
    assert run(f"return {expression}").result == as_ledger(expected)


def as_ledger(value: Any) -> Any:
    """A tuple leaves a contract as a list."""
    if isinstance(value, list | tuple):
        return [as_ledger(item) for item in value]
    return {key: as_ledger(item) for key, item in value.items()} if isinstance(value, dict) else value


PROGRAMS = [
    "x = [1, 2]\ny = x\ny += [3]\ny *= 2\nx.append(4)\nreturn [x, y]",
    "x = [1, 2, 3]\nx[0] = 9\nx[-1] += 1\ndel x[1]\nx.insert(1, 7)\nx.insert(-100, 0)\nreturn [x, x.pop(), x.pop(0)]",
    "d = {'a': 1}\nd['b'] = 2\nd['a'] += 5\ndel d['b']\nd.setdefault('c', []).append(1)\nd.update({'e': 2})\nreturn d",
    "d = {'a': [1]}\ne = d.copy()\ne['a'].append(2)\ne['z'] = 1\nreturn [d, e, d.pop('a'), d.pop('q', 3)]",
    "a, (b, c) = 1, (2, 3)\na, b = b, a\nreturn [a, b, c]",
    "n, total = 0, 0\nwhile True:\n    n += 1\n    if n % 2:\n        continue\n    if n > 10:\n        break\n"
    "    total += n\nreturn total",
    "out = []\nfor i in range(3):\n    for j in 'ab':\n        if i == 1:\n            break\n"
    "        out.append([i, j])\nreturn out",
    "x = [3, 1, 2]\nx.sort()\nx.reverse()\nx.remove(2)\nx.extend((5, 6))\ny = x.copy()\nx.clear()\nreturn [x, y]",
    "x: int = 5\nx -= 1\nx //= 2\nx **= 3\nx <<= 2\nx |= 1\nreturn x",
    "order = []\nd = {'k': 0}\nd[order.append('key') or 'k'] = order.append('value') or 1\nreturn order",
    "order = []\nd = {'k': 1}\nd[order.append('key') or 'k'] += order.append('value') or 1\nreturn [order, d]",
    "seen = []\nok = 1 < (seen.append('b') or 2) < (seen.append('c') or 3)\nno = 2 < (seen.append('d') or 1) < 1 // 0\n"
    "return [seen, ok, no]",
    "if a == 0:\n    x = 'zero'\nelif a == 1:\n    x = 'one'\nelse:\n    x = 'many'\nreturn x",
    "s = 'x'\nfor _ in range(3):\n    s += s\nreturn s",
    "pass",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_means_what_it_means_in_python(program: str) -> None:
    namespace: dict[str, Any] = {}
    exec("def go(a=0):\n" + textwrap.indent(program, "    "), namespace)
    assert run(program).result == as_ledger(namespace["go"]())


def test_a_loop_may_change_the_dict_it_runs_over() -> None:
    assert run("d = {'a': 1, 'b': 2}\nfor k in d:\n    del d[k]\n    d[k + k] = 0\nreturn d").result == {
        "aa": 0,
        "bb": 0,
    }


NOT_AS_PYTHON = [
    ("return 'É'.lower()", "ASCII"),
    ("return '登'.upper()", "ASCII"),
    ("return str([1])", "list has no text"),
    ("return f'{[1]}'", "list has no text"),
    ("return int('\uff11')", "digits"),
    ("return int(' 1')", "digits"),
    ("return int('1_0')", "digits"),
    ("return '%s' % a", "% does not work on str and int"),
    ("return {1: 2}", "keys of a dict are text"),
    ("d = {}\nd[1] = 2", "keys of a dict are text"),
    ("return {i: i for i in range(3)}", "keys of a dict are text"),
    ("return 1 in {'a': 1}", "keys of a dict are text"),
    ("return bytes(10)", "list of integers"),
    ("return bytes([256])", "0 to 255"),
    ("for x in self.notes:\n    pass", "cannot loop over Map"),
    ("TABLE['z'] = 1", "dict\\(...\\)"),
    ("TABLE['b'].update({})", "no method update"),
    ("x = TABLE\nx['a'] = 2", "constant dict cannot be changed"),
    ("for x in WORDS:\n    pass", "cannot loop over frozenset"),
    ("return 2 ** -1", "negative power"),
    ("return 1 // 0", "division by zero"),
    ("return 1 % 0", "division by zero"),
    ("return divmod(1, 0)", "division by zero"),
    ("return [1][5]", "item 5 is outside a list of length 1"),
    ("return [].pop()", "outside"),
    ("return {'a': 1}['b']", 'no key "b"'),
    ("d = {}\ndel d['b']", 'no key "b"'),
    ("return {}.pop('b')", 'no key "b"'),
    ("return [1].index(2)", "not in the list"),
    ("return 1 < 'a'", "int and str have no order"),
    ("return {} < {}", "no order"),
    ("return sorted([1, 'a'])", "do not go together"),
    ("return max([])", "max of nothing"),
    ("return max([1, 'a'])", "no order"),
    ("return max([1], key=1)", "at most a default"),
    ("return sorted([WORDS, WORDS])", "frozenset cannot be compared"),
    ("return [WORDS] < [WORDS]", "frozenset cannot be compared"),
    ("return max([[WORDS], [WORDS]])", "frozenset cannot be compared"),
    ("return sum(['a'])", "sum adds integers"),
    ("return ','.join([1])", "list of text"),
    ("return 'a'.find(None)", "takes text and integers"),
    ("return 'a'.startswith(('a', 'b'))", "startswith takes str, not tuple"),
    ("return 'a'.split('')", "does not work on this value"),
    ("return b'\\xff'.decode()", "not UTF-8"),
    ("return [1, 2][:'a']", "bounds of a slice"),
    ("return [1, 2][::0]", "step of a slice"),
    ("return range(1, 2, 0)", "step of a range"),
    (f"return range({MAX_RANGE + 1})", "bounds of a range"),
    ("return range(1, 2, 3, 4)", "one to three"),
    ("x, y = [1, 2, 3]", "3 values do not fit 2 names"),
    ("x, (y, z) = 1, 2", "cannot loop over int"),
    ("return y\ny = 1", "before it has a value"),
    ("return twice()", "do not go together"),
    ("return twice(1, 2)", "do not go together"),
    ("return twice(y=1)", "do not go together"),
    ("return 5[0]", "int has no items"),
    ("return len(5)", "int has no length"),
    ("x = (1, 2)\nx[0] = 5", "tuple cannot be changed"),
    ("x = 'ab'\ndel x[0]", "str cannot be deleted"),
    ("return (5).get('a')", "int has no method get"),
    ("return 'abc'.append(1)", "str has no method append"),
    ("return KINDS.append(1)", "tuple has no method append"),
    ("return [1] + (2,)", "does not work on list and tuple"),
    ("return 'a' - 'b'", "does not work on str and str"),
    ("return 'a' * 'b'", "does not work on str and str"),
    ("return -'a'", "does not work on int and str"),
    ("return 1 << 300", "a shift is from 0 to"),
    ("return 1 >> -1", "a shift is from 0 to"),
    ("require(a)", "do not go together"),
    ("require(False, 5)", "5"),
]


@pytest.mark.parametrize(("program", "words"), NOT_AS_PYTHON)
def test_what_the_language_refuses_at_run_time_it_explains(program: str, words: str) -> None:
    outcome = run(program)
    assert not outcome.ok
    assert re.search(rf"^trial\.go, line \d+: .*{words}", outcome.error)


def test_the_line_of_an_error_is_the_line_of_its_statement() -> None:
    lines = HEAD.count("\n")
    outcome = run("x = 1\ny = [\n    1,\n    x // 0,\n]")
    assert f"line {lines + 2}:" in outcome.error
    assert "line 9:" in run("twice(None)").error
    assert f"line {lines + 2}:" in run("while True:\n    a += 'x'").error
    assert f"line {lines + 1}:" in run("while a < 'x':\n    a += 1").error


# --- attacks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_ends_soon_and_takes_little_memory(attack: str) -> None:
    contract = trial(attack)
    tracemalloc.start()
    outcome = contract.attempt("go")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert outcome.outcome in ("out_of_gas", "fault")
    assert outcome.gas <= 5_000_000
    assert peak < 4 * outcome.gas + 2**20


def test_a_contract_of_many_functions_costs_what_it_binds() -> None:
    """Each call gets functions of its own: only those it can reach are made, and they are charged."""
    many = "".join(f"    def a{i}(self):\n        return self.a{i + 1}()\n" for i in range(100))
    source = HEAD + "        return self.a90()\n" + many + "    def a100(self):\n        return 0\n"
    contract = Sandbox().deploy(source, sender="did:key:zSomebody")
    assert contract.go().gas - trial("return 0").go().gas > 11 * GAS["bound_function"]
    alone = HEAD + "        return 0\n" + many + "    def a100(self):\n        return 0\n"
    assert Sandbox().deploy(alone, sender="did:key:zSomebody").go().gas == trial("return 0").go().gas


def test_numbers_may_grow_up_to_their_bound_and_no_further() -> None:
    assert run(f"x = 2 ** {INT_BITS - 1}\nreturn x + (x - 1) > x").result is True
    assert "beyond 256 bits" in run(f"x = 2 ** {INT_BITS - 1}\nreturn (x + x) > 0").error
    assert "64 bits" in run("return 2 ** 64").error
    assert run("return 2 ** 64 - 1").result == 2**64 - 1
    assert run("return -2 ** 63").result == -(2**63)


def test_calls_may_be_nested_up_to_their_bound_and_no_further() -> None:
    body = "return self.down(a)"
    down = "\n\n    def down(self, n):\n        return 0 if n == 0 else 1 + self.down(n - 1)\n"
    contract = Sandbox().deploy(HEAD + textwrap.indent(body, " " * 8) + down, sender="did:key:zSomebody")
    assert contract.go(MAX_DEPTH - 2).result == MAX_DEPTH - 2
    assert f"nested deeper than {MAX_DEPTH}" in contract.attempt("go", MAX_DEPTH - 1).error


# --- the same everywhere -----------------------------------------------------------------------------------------

EVERYWHERE = '''
from pathlib import Path
from minichain.contracts import Sandbox
SOURCE = """
from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

WORDS = frozenset({"one", "two", "three", "four"})


class Mixed(Contract):
    notes = Map(str, dict)

    @action
    def go(self, n: int) -> list:
        \\"\\"\\"Do a little of everything.\\"\\"\\"
        out = []
        for i in range(n):
            key = f"k{i * 7919 % 13}"
            note = self.notes.get(key, {"all": [], "n": 0})
            note["n"] += i
            note["all"].append(str(i))
            self.notes[key] = note
            if i % 5 == 4:
                del self.notes[key]
            out.append([key, key in WORDS, 0 < i < 9, sorted(note["all"]), ",".join(sorted(WORDS))])
        emit("Done", keys=self.notes.keys(), out={k: len(v) for k, v in self.notes.items()})
        return out

    @action
    def fail(self) -> None:
        self.notes["k1"]["z"]
"""
box = Sandbox()
contract = box.deploy(SOURCE, sender=box.account("alice"))
done = contract.go(40)
failed = contract.attempt("fail")
print(done.gas, done.result, done.events, failed.gas, failed.error, box.state.root.hex())

REGISTRY = """
from minichain.contracts.api import Contract, view


class Registry(Contract):
    @view
    def is_permitted(self, carrier: str, code: str) -> bool:
        return carrier != "smuggler"
"""
anna = box.account("anna")
box.deploy(REGISTRY, sender=anna)
bridge = box.deploy(Path(WEIGHBRIDGE), sender=anna, registry="registry", price="80.05")
bridge.grant_role("weigher", anna, "trained")
for number in ("zebra", "apple", "mango"):
    bridge.arrive(number, "hauler")
    fees = [bridge.weigh(number, {"kilograms": weight}) for weight in (3125, 4150)]
    print([(fee.result, fee.gas, fee.changes, fee.events) for fee in fees])
for refused in (bridge.attempt("arrive", "x", "smuggler"), bridge.attempt("weigh", "zebra", {"kilograms": "1"})):
    print(refused.error, refused.gas)
print(bridge.load("zebra"), bridge.role_holders(), box.state.root.hex())
'''
EVERYWHERE = EVERYWHERE.replace("WEIGHBRIDGE", repr(str(Path(__file__).with_name("weighbridge.py"))))


@pytest.mark.parametrize(("seed", "flags"), [("0", []), ("1", ["-O"]), ("4242", ["-OO"])])
def test_gas_results_and_state_do_not_depend_on_the_process(seed: str, flags: list[str]) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, *flags, "-c", EVERYWHERE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == here()


def here() -> str:
    """Run the same program in this process."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(EVERYWHERE, {})
    return out.getvalue()
