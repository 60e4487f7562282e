"""What an alliance has agreed on, in figures: everybody may read them, and only its own decision changes them."""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

MAX_TERMS = 50
MAX_NAME = 60  # characters
MAX_FIGURE = 1_000_000_000


class Terms(Contract):
    """Terms of an alliance: whole numbers with names, changed by the contract in which its members decide.

    zh: 联盟共同条款：带名称的整数，仅凭成员决定方可更改。
    """

    house = Value(str)
    figures = Map(str, int)

    def setup(self, house: str, figures: dict[str, int]) -> None:
        require(1 <= len(figures) <= MAX_TERMS, f"an alliance begins with 1 to {MAX_TERMS} terms")
        self.house = house
        for name, figure in figures.items():
            self.put(name, figure)

    def put(self, name: str, figure: int) -> None:
        require(name.strip() != "" and len(name) <= MAX_NAME, f"a term has a name of 1 to {MAX_NAME} characters")
        is_figure = isinstance(figure, int) and not isinstance(figure, bool) and 0 <= figure <= MAX_FIGURE
        require(is_figure, f"{name}: a term is a whole number from 0 to {MAX_FIGURE}")
        self.figures[name] = figure

    @action
    def set_term(self, name: str, figure: int) -> int:
        """Change a term that there is, by decision of the members; returns what it was.

        zh: 经成员决定更改一项条款；返回原值。
        """
        require(self.caller == self.house, "only a decision of the members changes a term: propose it")
        require(name in self.figures, f"there is no term {name}")
        before = self.figures[name]
        self.put(name, figure)
        emit("TermChanged", name=name, before=before, after=figure)
        return before

    @view
    def all_terms(self) -> dict[str, int]:
        """Show all terms.

        zh: 显示全部条款。
        """
        return {name: self.figures[name] for name in self.figures.keys(0, MAX_TERMS)}
