"""The shape of the house, checked: who may import whom, and what keeps every node deterministic.

The table is the picture of the design, read from the bottom up; a room that is not in it has no place yet.
"""

from __future__ import annotations

import ast
import gc
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from statistics import median

import minichain

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "minichain"

FOUNDATIONS = frozenset({"errors", "codec", "crypto", "merkle", "elgamal"})
LEDGER = FOUNDATIONS | {"ledger"}
RULES = LEDGER | {"contracts", "transition", "membership", "sharding", "crosschain", "identity"}
CORE = RULES | {"consensus", "store", "node"}
FAULTS = CORE | {"faults"}
WORLDS = FAULTS | {"sim", "live"}
CLIENT = WORLDS | {"client"}

# room -> the rooms it may import
MAY_IMPORT = {
    "errors": frozenset[str](),
    "codec": FOUNDATIONS,
    "crypto": FOUNDATIONS,
    "merkle": FOUNDATIONS,
    "catalogue": frozenset[str](),
    "elgamal": FOUNDATIONS,
    "ledger": FOUNDATIONS,
    "contracts": LEDGER,
    "consensus": LEDGER,
    "identity": LEDGER,
    "transition": LEDGER | {"contracts", "consensus", "crosschain"},
    "membership": LEDGER,
    "sharding": LEDGER | {"membership"},
    "crosschain": LEDGER | {"membership", "consensus", "contracts"},
    "store": LEDGER,
    "node": CORE,
    "faults": CORE,
    "sim": FAULTS,
    "live": FAULTS,
    "client": WORLDS,
    "scenarios": CLIENT,
    "agents": CLIENT | {"scenarios"},
    "views": CLIENT | {"agents", "catalogue"},
    "course": CLIENT | {"agents", "scenarios", "catalogue"},
    "bench": CLIENT | {"agents", "scenarios", "course", "views"},
    "cli": CLIENT | {"agents", "scenarios", "views", "course", "bench", "catalogue"},
    "__main__": {"cli"},
}
FACE = "minichain"  # the package itself only shows names of the rooms below

# Below the worlds there is no clock, network, disk, process or chance; a seeded Random is handed in.
AMBIENT = frozenset(
    {
        "asyncio",
        "multiprocessing",
        "os",
        "random",
        "secrets",
        "socket",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "uuid",
    }
)
ONLY_IN = {"sqlite3": "store", "zmq": "live", "distributed": "live"}
EMPTY_NAMES = frozenset({"utils", "util", "common", "manager", "helper", "helpers", "misc"})
LONGEST = 60  # lines of one function


@cache
def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py"))


@cache
def trees() -> dict[Path, ast.Module]:
    """Read everything at once: it stays to the end, so nobody need look through it for garbage."""
    gc.disable()
    found = {path: ast.parse(path.read_text(encoding="utf-8")) for path in modules()}
    gc.freeze()
    gc.enable()
    return found


def tree(path: Path) -> ast.Module:
    return trees()[path]


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(name: str) -> str:
    return [*name.split("."), FACE][1]


def imports(node: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a tree imports, each with its last part."""
    for found in ast.walk(node):
        if isinstance(found, ast.Import):
            yield from (alias.name for alias in found.names)
        elif isinstance(found, ast.ImportFrom):
            assert not found.level, "imports are absolute"
            yield from (f"{found.module}.{alias.name}" for alias in found.names)


@cache
def imported(path: Path) -> frozenset[str]:
    return frozenset(imports(tree(path)))


def every_module(faults: Callable[[Path], Iterator[str]]) -> Callable[[], None]:
    """Make one test of what has to hold for every module, which names all those that it does not hold for."""

    def test() -> None:
        assert len(modules()) > 400, "this is not the whole package"
        found = [f"{name_of(path)}: {fault}" for path in modules() for fault in faults(path)]
        assert not found, "\n".join(found)

    return test


@every_module
def test_imports_point_down(path: Path) -> Iterator[str]:
    room = room_of(name_of(path))
    if room == FACE:
        return
    if room not in MAY_IMPORT:
        yield f"the room {room} is not in the table of the design"
        return
    own = {name for name in imported(path) if name.startswith("minichain.") and name != "minichain.__version__"}
    if forbidden := {name for name in own if room_of(name) not in MAY_IMPORT[room] | {room}}:
        yield f"{room} may not import {sorted(forbidden)}"


def test_the_table_has_no_cycle() -> None:
    reached: dict[str, set[str]] = {}

    def below(room: str) -> set[str]:
        if room not in reached:
            reached[room] = set()
            for other in MAY_IMPORT[room] - {room}:
                reached[room] |= {other} | below(other)
        return reached[room]

    siblings = FOUNDATIONS | {"sim", "live", "node"}
    assert [room for room in MAY_IMPORT if room in below(room) and room not in siblings] == []
    assert MAY_IMPORT["consensus"] == LEDGER, "an engine does not know which chain it serves"
    assert "live" not in MAY_IMPORT["sim"]
    assert "sim" not in MAY_IMPORT["live"]


def test_no_module_imports_itself_through_others() -> None:
    """Imports inside functions do not count: they are there to put off a cost."""
    names = {name_of(path) for path in modules()}

    def targets(path: Path) -> set[str]:
        top = ast.Module([node for node in tree(path).body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        found = set()
        for name in imports(top):
            found |= {known for known in (name, name.rpartition(".")[0]) if known in names}
        return found - {"minichain"}

    graph = {name_of(path): targets(path) for path in modules()}
    done: set[str] = set()

    def walk(name: str, under_way: tuple[str, ...]) -> None:
        assert name not in under_way, f"import cycle: {' -> '.join((*under_way, name))}"
        if name not in done:
            for other in sorted(graph[name]):
                # A package that shows a name of its own module is no cycle for that module.
                if not name.startswith(other + "."):
                    walk(other, (*under_way, name))
            done.add(name)

    for name in graph:
        walk(name, ())


@every_module
def test_clock_network_disk_and_chance_stay_in_the_worlds(path: Path) -> Iterator[str]:
    room, found = room_of(name_of(path)), imported(path)
    tops = {name.split(".")[0]: name for name in found if name != "random.Random"}
    for package, owner in ONLY_IN.items():
        if package in tops and room != owner:
            yield f"only {owner} imports {package}"
    if room in FAULTS and AMBIENT & tops.keys():
        yield f"{room} reaches for {sorted(AMBIENT & tops.keys())}"
    if room in FAULTS | {"sim", "agents", "scenarios"} and "random" in tops:
        yield "chance is a seeded random.Random that is handed in"


@every_module
def test_chance_is_seeded(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        is_random = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Random"
        if is_random and not node.args:
            yield f"line {node.lineno}: Random() without a seed"


@every_module
def test_nothing_that_reaches_the_chain_is_a_float(path: Path) -> Iterator[str]:
    if room_of(name_of(path)) not in CORE:
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield f"line {node.lineno}: a float"
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"line {node.lineno}: a division whose result is a float"


@every_module
def test_a_file_opens_with_its_rules_and_has_a_name_that_says_something(path: Path) -> Iterator[str]:
    if not ast.get_docstring(tree(path)):
        yield "no docstring"
    if empty := EMPTY_NAMES & set(path.relative_to(ROOT).with_suffix("").parts):
        yield f"{sorted(empty)} says nothing"
    if path.name != "__init__.py" and "__future__.annotations" not in imported(path):
        yield "annotations are not those of __future__"


def functions() -> list[tuple[int, str]]:
    return sorted(
        (node.end_lineno - node.lineno + 1, f"{name_of(path)}.{node.name}")
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    )


def test_functions_are_short() -> None:
    lengths = [length for length, _ in functions()]
    print(f"\n{len(lengths)} functions, median {median(lengths)} lines; the longest:")
    for length, name in functions()[:-6:-1]:
        print(f"  {length:3} {name}")
    assert lengths[-1] <= LONGEST, functions()[-1]
    assert median(lengths) <= 10


def test_people_are_roles() -> None:
    """No example has a person's first name, and the usual ones of this field least of all."""
    names = re.compile(r"\b(alice|bob|ann|bea|carol|dora|eve|mallory|trent)\b|小明|小红|张三|李四|王五", re.IGNORECASE)
    folders = (PACKAGE, *(ROOT / name for name in ("apps", "curriculum", "docs", "notebooks")))
    kinds = {".py", ".ipynb", ".po", ".md", ".yaml", ".toml"}
    files = [path for folder in folders for path in folder.rglob("*.*") if path.suffix in kinds]
    assert [path.name for path in files if names.search(path.read_text(encoding="utf-8"))] == []


def test_the_version_is_one() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    changelog = ROOT / "CHANGELOG.md"
    if changelog.exists():
        newest = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", changelog.read_text(encoding="utf-8"), re.MULTILINE)
        assert newest, "CHANGELOG.md: each version has a heading `## 1.2.3`"
        assert newest[1] == declared
    assert minichain.__version__ in {declared, "0+unknown"}, "installed from another version"
