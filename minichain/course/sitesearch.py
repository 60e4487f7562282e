"""Search in Chinese, for Sphinx: a text is found by any two characters that stand side by side in it.

Sphinx itself splits Chinese by a dictionary, and finds a query only that was split alike. Pairs need no dictionary, and
the page splits a query in the same way, without asking any server.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Final

from sphinx.search.zh import SearchChinese

_HAN: Final = re.compile("[\u4e00-\u9fff]+")


class ChineseByPairs(SearchChinese):  # type: ignore[misc, unused-ignore]  # Sphinx need not be installed
    """The index of the Chinese pages; words in Latin letters are treated as in English."""

    language_name = "English"  # names the stemmer on the page: for Chinese, Sphinx 9 names one that there is not
    js_splitter_code = r"""
var splitQuery = (query) => {
  const pairs = (run) => [...run.slice(1)].map((_, at) => run.slice(at, at + 2));
  const runs = query.match(/[\u4e00-\u9fff]{2,}|\w+/gu) || [];
  return runs.flatMap((run) => (/\w/.test(run) ? [run] : pairs(run)));
};
"""

    def split(self, input: str) -> list[str]:
        pairs = [a + b for run in _HAN.findall(input) for a, b in pairwise(run)]
        latin = self.latin1_letters.findall(input)
        self.latin_terms.update(latin)
        return pairs + latin

    def stem(self, word: str) -> str:
        return word if _HAN.fullmatch(word) else str(super().stem(word))  # pairs have no endings to take off


def setup(app: Any) -> dict[str, bool]:
    """Put it in the place of Sphinx's own."""
    app.add_search_language(ChineseByPairs)
    return {"parallel_read_safe": True}
