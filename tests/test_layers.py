"""The map in labkit/__init__.py is true: what there is, and what may import what."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import labkit

PACKAGE = Path(labkit.__file__).parent
LONGEST = 300  # lines of a module; exercises hold long texts, and are read a task at a time
UNITS = ("plots", "widgets", "exercises")  # packages that are one entry of the map
FIRST = {"plots": ["style", "drawing", "curves"]}  # what the other modules of a unit may import
ENGLISH = {"ALPHABET", "SOS", "EOS", "TENSES", "TENSE_NAMES"}

MAP = re.findall(
    r"^    ([a-z_0-9]+(?:\.[a-z_0-9]+)?)  +\S", labkit.__doc__ or "", flags=re.MULTILINE
)


def name_of(path: Path) -> str:
    """A module's dotted name within labkit: "measures.latent", "" for labkit itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
del MODULES["__main__"]  # `python -m labkit`: the command line under another name


def imports(path: Path) -> set[str]:
    """The modules of labkit that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write labkit's modules out in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name == "labkit" or name.startswith("labkit."):
                rest = name.removeprefix("labkit").removeprefix(".").split(".")
                while ".".join(rest) not in MODULES:  # the last name is something in a module
                    rest.pop()
                found.add(".".join(rest))
    return found - {""}


def entry(module: str) -> str:
    """The map's entry that a module belongs to."""
    first = module.split(".")[0]
    return first if first in UNITS else module


def test_the_map_can_be_read() -> None:
    assert {"errors", "measures.catalogue", "plots", "cli"} <= set(MAP)
    assert len(MAP) == len(set(MAP))


def test_the_map_names_every_module_and_no_other() -> None:
    there = {entry(name) for name in MODULES} - {"", "measures"}
    assert there == set(MAP)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_stands_above_it(module: str) -> None:
    own = entry(module)
    if own in ("", "measures"):  # the map itself, and a package that only holds others
        assert imports(MODULES[module]) == set()
        return
    above = MAP[: MAP.index(own)]
    for other in imports(MODULES[module]):
        if entry(other) == own:  # two modules of one package
            continue
        assert entry(other) in above, f"labkit.{module} imports labkit.{other}, which stands below"


@pytest.mark.parametrize(("unit", "first"), FIRST.items())
def test_within_a_unit_the_common_modules_come_first(unit: str, first: list[str]) -> None:
    order = [f"{unit}.{name}" for name in first if f"{unit}.{name}" in MODULES]
    for place, name in enumerate(order):
        within = {other for other in imports(MODULES[name]) if entry(other) == unit}
        assert within <= set(order[:place])


@pytest.mark.parametrize("unit", UNITS)
def test_no_unit_imports_in_a_circle(unit: str) -> None:
    left = {
        name: {other for other in imports(path) if entry(other) == unit and other != name}
        for name, path in MODULES.items()
        if entry(name) == unit and name != unit
    }
    while left:
        ready = {name for name, needs in left.items() if not needs & left.keys()}
        assert ready, f"these import one another: {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in ready}


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_about_english_but_defaults(module: str) -> None:
    """Another language has other letters and forms: functions ask the one they were given."""
    if entry(module) in ("language", "exercises"):
        return
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    defaults = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.arguments)
        for default in [*node.defaults, *node.kw_defaults]
        if default is not None
        for inner in ast.walk(default)
    }
    used = {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in defaults
    }
    assert not used & ENGLISH, f"labkit.{module} should ask its language"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_can_be_read_in_one_go(module: str) -> None:
    if re.fullmatch(r"exercises\.nb\d+", module):
        return
    lines = len(MODULES[module].read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"labkit.{module} has {lines} lines"


def run(code: str, folder: Path) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, timeout=120)


def test_the_package_itself_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, labkit; sys.exit(bool({'torch', 'matplotlib.pyplot'} & sys.modules.keys()))"
    run(code, tmp_path)


def test_importing_the_training_changes_nothing(tmp_path: Path) -> None:
    """No seed is set, no folder made, and nothing drawn: an import is not the place."""
    code = """
import random, sys, numpy, torch
before = random.getstate(), repr(numpy.random.get_state()), torch.get_rng_state().tolist()
threads = torch.get_num_threads()
import labkit.training
after = random.getstate(), repr(numpy.random.get_state()), torch.get_rng_state().tolist()
assert before == after
assert threads == torch.get_num_threads()
assert "matplotlib.pyplot" not in sys.modules
"""
    run(code, tmp_path)
    assert list(tmp_path.iterdir()) == []
