"""Tells mypy what `Yuan = Decimal(2)` declares: another name for int. It is named in `plugins` of mypy's configuration.

Nothing else of minichain imports this file; mypy does.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import GDEF, SymbolTableNode, TypeAlias
from mypy.plugin import DynamicClassDefContext, Plugin

DECIMAL = "minichain.contracts.api.Decimal"


class ContractPlugin(Plugin):
    """Knows the one declaration of the contract language that Python's types have no words for."""

    def get_dynamic_class_hook(self, fullname: str) -> Callable[[DynamicClassDefContext], None] | None:
        """Return what handles `name = Decimal(...)`."""
        return _declare if fullname == DECIMAL else None


def _declare(context: DynamicClassDefContext) -> None:
    name = context.api.qualified_name(context.name)
    place = context.call
    alias = TypeAlias(context.api.named_type("builtins.int"), name, name.rpartition(".")[0], place.line, place.column)
    context.api.add_symbol_table_node(context.name, SymbolTableNode(GDEF, alias))


def plugin(_version: str) -> type[Plugin]:
    """Return the plugin: the name mypy asks for."""
    return ContractPlugin
