"""Slips that are tried on right answers: also in the text of a contract, which a learner hands in as text."""

import ast

from minichain.course.mutation import mutants

CONTRACT = '''from minichain.contracts.api import Contract, Value, action


class Counter(Contract):
    """Count."""

    total = Value(int)

    @action
    def add(self, amount: int) -> None:
        """Add an amount."""
        self.total += amount + 1
'''


def test_the_text_of_a_contract_is_changed_in_one_place_and_stays_a_program():
    found = list(mutants(CONTRACT))
    assert all(ast.parse(text).body[-1].name == "Counter" for text in found)
    assert any("amount - 1" in text for text in found)
    assert any("amount + 2" in text for text in found)
    assert not any("Add an" in text for text in found), "a slip in a docstring changes nothing"


def test_any_other_text_is_data():
    assert set(mutants("yes")) == {"yes-"}
