"""The rooms, who may import whom, and what stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import molloop

ROOT = Path(molloop.__file__).parent
MOST_LINES = 300
MODULES = sorted(
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
    if path.name != "__main__.py"
)
# values and tables of `simulate` that the configuration is made of
LIGHT = tuple(
    f"simulate.{name}" for name in ("levels", "options", "protocol", "recipes", "simulators")
)
VALUES = (
    *("errors", "texts", "molecule", "geometries", "smiles", "goal", "pareto", "registry"),
    "schema",
)
CHOICE = (*VALUES, "library", "simulate", "surrogate", "search")
RUN = (*CHOICE, "campaign", "store", "files", "limits", "intervals", "processes")
# room -> rooms, or modules of them, that it may import
MAY_IMPORT = {
    "errors": (),
    "start": (),
    "registry": ("errors",),
    "schema": (),
    "intervals": (),
    "files": (),
    "texts": (),
    "limits": ("errors",),
    "processes": ("errors",),
    "molecule": ("errors", "texts"),
    "geometries": ("molecule", "smiles"),
    "smiles": ("texts",),
    "goal": ("errors", "texts"),
    "pareto": ("goal",),
    "library": (*VALUES, "files", "processes"),
    "simulate": VALUES,
    "surrogate": VALUES,
    "sandbox": (),
    "search": (*VALUES, "library", "simulate", "surrogate"),
    "campaign": CHOICE,
    "store": (*VALUES, "files", "simulate", "campaign"),
    "config": (
        *VALUES,
        "library.choices",
        "library.known_names",
        "library.registry",
        "library.sources",
        "search.policy",
        "surrogate.registry",
        *LIGHT,
    ),
    "execution": (*RUN, "sandbox"),
    "replay": (*RUN, "execution", "report.curves", "processes"),
    "report": (*RUN, "config"),
    "results": (*RUN, "report"),
    "assembly": (*RUN, "execution", "replay", "report", "results", "sandbox", "config"),
}
MAY_IMPORT["api"] = (*MAY_IMPORT["assembly"], "assembly")
MAY_IMPORT["cli"] = (*MAY_IMPORT["api"], "api", "start")


def path_of(module):
    path = ROOT.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def nodes_that_run(node):
    """All nodes but those that only a type checker reads."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from nodes_that_run(child)


def imports_of(path, walk=ast.walk):
    for node in walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room_of(module):
    return module.removeprefix("molloop.").split(".")[0]


@pytest.mark.parametrize("module", [name for name in MODULES if name != "molloop"])
def test_imports_follow_the_direction(module):
    room = room_of(module)
    allowed = {*MAY_IMPORT[room], room}
    for name in imports_of(path_of(module)):
        if not name.startswith("molloop."):
            continue
        rest = name.removeprefix("molloop.")
        if rest == "__version__":
            continue
        assert any(rest == one or rest.startswith(f"{one}.") for one in allowed), (
            f"{module} imports {name}"
        )


def circles_of(imports):
    """Return the groups of modules that import each other, directly or through others."""

    def reached(module):
        found, left = set(), [module]
        while left:
            new = imports[left.pop()] - found
            found |= new
            left += new
        return found

    reach = {module: reached(module) for module in imports}
    return {
        tuple(sorted(other for other in reach[module] if module in reach[other]))
        for module in imports
        if module in reach[module]
    }


def test_circles_by_hand():
    assert circles_of({"a": {"b"}, "b": {"c"}, "c": set()}) == set()
    assert circles_of({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}) == {("b", "c"), ("d",)}
    assert circles_of({"a": {"b", "d"}, "b": {"c"}, "c": {"a"}, "d": set()}) == {("a", "b", "c")}


def own_imports(walk):
    """Return the modules that each module imports, of this package."""
    return {
        module: {
            name if name in MODULES else name.rpartition(".")[0]
            for name in imports_of(path_of(module), walk)
        }
        & set(MODULES)
        for module in MODULES
    }


def test_no_module_imports_itself_through_others():
    """Imports within functions count. Those under TYPE_CHECKING do not: nothing runs them."""
    assert circles_of(own_imports(nodes_that_run)) == set()


def test_no_room_imports_itself_through_others():
    """All imports count, those under TYPE_CHECKING too. The package itself names what is public."""
    imports = {}
    for module, others in own_imports(ast.walk).items():
        room = room_of(module)
        rooms = {room_of(other) for other in others} - {room, "molloop"}
        imports[room] = imports.get(room, set()) | rooms
    del imports["molloop"]
    assert circles_of(imports) == set()
    assert "report" in imports["results"]


def test_modules_stay_small():
    """One that has a reason to be longer gets its place here, with the reason."""
    lengths = {module: len(path_of(module).read_text().splitlines()) for module in MODULES}
    assert {module: n for module, n in lengths.items() if n > MOST_LINES} == {}


def test_only_execution_imports_parsl():
    for path in ROOT.rglob("*.py"):
        if room_of(".".join(path.relative_to(ROOT).parts)) != "execution":
            assert not [name for name in imports_of(path) if name.split(".")[0] == "parsl"], path


@pytest.mark.parametrize("module", MODULES)
def test_every_module_imports_alone(module):
    command = [sys.executable, "-W", "error", "-c", f"import {module}"]
    assert subprocess.run(command, check=False, capture_output=True).stderr == b""


@pytest.mark.parametrize(
    "statement", ["import molloop", "from molloop.cli import app; app(['--help'])"]
)
def test_start_loads_nothing_heavy(statement):
    heavy = {"numpy", "rdkit", "parsl", "matplotlib", "sklearn", "tblite", "ase", "scipy", "pyscf"}
    heavy |= {"pydantic", "pyarrow", "tomlkit"}
    code = f"""
import sys
try:
    {statement}
except SystemExit:
    pass
print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_the_page_is_served_without_what_only_libraries_need():
    code = """
import sys
import molloop.report.page.server
print("pyarrow" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_workers_load_what_rankings_need_before_their_first_simulation():
    code = """
import sys
import molloop.execution.tasks
before = set(sys.modules)
import molloop.search.rank
print(sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_there():
    for name in molloop.__all__:
        # a public name may not be a room's: importing the room would take its place
        assert callable(getattr(molloop, name))
        assert name not in {room_of(module) for module in MODULES}
    assert set(molloop.__all__) <= set(dir(molloop))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = molloop.nothing
