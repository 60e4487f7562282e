"""Contracts whose outcome could depend on the Python, its options or the process that runs them, and must not."""

from __future__ import annotations

from typing import Final

from hostile.refused import HEAD


def answer(*lines: str, above: str = "") -> str:
    body = "".join(f"        {line}\n" for line in lines)
    return f"{HEAD}{above}\nclass C(Contract):\n    m = Map(str, int)\n    @action\n    def go(self) -> list:\n{body}"


CASES: Final[dict[str, str]] = {
    "the order of a dict": answer("d = {str(i * 7919 % 31): i for i in range(31)}", "return [d, d.keys(), d.values()]"),
    "the order of a frozenset": answer("return [sorted(S), len(S), 'b' in S]", above="S = frozenset({'c', 'a', 'b', 'd'})\n"),
    "a frozenset in a loop": answer("return [x for x in S]", above="S = frozenset({'c', 'a', 'b'})\n"),
    "a frozenset compared": answer("return [S == S]", above="S = frozenset({'c', 'a', 'b'})\n"),
    "one and true in a frozenset": answer("return sorted(S)", above="S = frozenset({1, True, 0, False})\n"),
    "the order of equals": answer("return sorted([True, 1, 0, False, 1, True])"),
    "what has no order": answer("return sorted([[1, 'a'], [0], [1, 2], [3]])"),
    "what has an order by luck": answer("return sorted([[2, 'a'], [1, 2], [0]])"),
    "long runs with equals": answer("return sorted([[9 - i // 4, i] for i in range(40)])"),
    "runs of equal dicts": answer("return sorted([[{}], [{}]])"),
    "None among numbers": answer("return sorted([1, None])"),
    "text and bytes": answer("return ['a' == b'a', b'' == '']"),
    "true and one": answer("return [True == 1, True + True, True // 1, str(True), [True] == [1]]"),
    "division of negatives": answer("return [-7 // 2, -7 % 2, 7 // -2, 7 % -2, -8 >> 1]"),
    "division by zero": answer("return [1 // 0]"),
    "powers of negatives": answer("return [(-2) ** 3, (-1) ** 99, 0 ** 0]"),
    "a negative power": answer("return [2 ** -1]"),
    "large numbers as text": answer("return [str(2 ** 255), str(-(2 ** 255)), f'{2 ** 200}']"),
    "spaces of all kinds": answer("return [' \\u3000a\\u00a0\\u2003'.strip(), ' \\u3000a\\u180eb\\x85c '.split()]"),
    "letters of all kinds": answer("return ['\u00df'.isalpha(), '\u0663'.isdigit(), 'A1'.isalnum()]"),
    "capitals of all kinds": answer("return ['\u00df'.upper()]"),
    "a Turkish i": answer("return ['I'.lower(), 'i'.upper()]"),
    "a number in other digits": answer("return [int('\u0663')]"),
    "a number with a sign": answer("return [int('-0'), int('-12'), int('+1')]"),
    "a number with spaces": answer("return [int(' 1')]"),
    "characters beyond sixteen bits": answer("t = '\U0001f600\u00e9'", "return [len(t), t[0], t.encode(), t[::-1], t.find('\u00e9')]"),
    "bytes that are no text": answer("return [b'\\xff'.decode()]"),
    "bytes of a surrogate": answer("return [b'\\xed\\xa0\\x80'.decode()]"),
    "the arguments of a call": answer("return [max(1, 2, 3, 4, key=1)]"),
    "too many arguments": answer("return [f(1, 2)]", above="def f(a):\n    return a\n"),
    "an unknown argument": answer("return [f(b=1)]", above="def f(a):\n    return a\n"),
    "the arguments of a method": answer("return ['a'.split('a', 'b')]"),
    "a count beyond a word": answer("return ['a,b'.split(',', 2 ** 100)]"),
    "an index beyond a word": answer("return [[1][2 ** 100]]"),
    "a slice beyond a word": answer("return [[1, 2, 3][-(2 ** 100):2 ** 100]]"),
    "a list that changes under a loop": answer("a = [1, 2, 3]", "for x in a:", "    if len(a) < 9:", "        a.append(x + 1)", "return a"),
    "a dict that changes under a loop": answer("d = {'a': 1}", "for k in d:", "    d[k + 'a'] = 1", "    d.pop(k)", "return [d]"),
    "the order of evaluation": answer(
        "a = [0]", "f(a, 1)[f(a, 2)[0] - f(a, 3)[0]] += f(a, 4)[-1]", "return [a, f(a, 5)[0] < f(a, 6)[-1] < f(a, 7)[-2]]",
        above="def f(a, n):\n    a.append(n)\n    return a\n",
    ),
    "a function of the parts": answer(
        "for name in ['A', '\u4e2d\u6587', '\u00e9 b.']:", "    check_name(name)", "check_founders([])",
        above="from minichain.contracts.parts import check_founders, check_name\nMAX_MEMBERS = 3\n",
    ),
    "a name in the parts that has another form": answer(
        "check_name('e\u0301')", "return []", above="from minichain.contracts.parts import check_name\n"
    ),
    "a page of a map": answer(
        "for i in range(70):", "    self.m[str(i * 31 % 71)] = i", "for i in range(0, 70, 3):", "    del self.m[str(i * 31 % 71)]",
        "return [self.m.items(5, 20), len(self.m)]",
    ),
    "the call itself": answer("return [self.now // 2**50, self.height > 0, self.chain, self.address, self.caller == self.signer]"),
}  # fmt: skip
