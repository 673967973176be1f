"""What every notebook must have, read from its file; nbval runs them."""

import ast
import json
import re
from pathlib import Path

import pytest

from labkit.exercises.core import all_exercises, find

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NAMES = [
    "00_start_here", "01_derivation", "02_data", "03_model", "04_training", "05_evaluation",
    "06_open_lab",
]  # fmt: skip
NOTEBOOKS = {
    name: json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")) for name in NAMES
}


def cells(name, kind):
    return [c for c in NOTEBOOKS[name]["cells"] if c["cell_type"] == kind]


def text(cell):
    return "".join(cell["source"])


def prose(name):
    return "\n\n".join(text(cell) for cell in cells(name, "markdown"))


def test_the_folder_holds_these_notebooks_only():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_code_cell_has_been_run_in_order_without_error(name):
    code = cells(name, "code")
    assert [c["execution_count"] for c in code] == list(range(1, len(code) + 1))
    for cell in code:
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr", text(cell)
    assert "widgets" not in NOTEBOOKS[name]["metadata"]


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_alt_text(name):
    for cell in cells(name, "code"):
        for output in cell["outputs"]:
            if "image/png" in output.get("data", {}):
                alt = output["metadata"].get("image/png", {}).get("alt", "")
                assert len(alt) > 30, text(cell)


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short(name):
    for cell in cells(name, "code"):
        assert sum(bool(line.strip()) for line in text(cell).splitlines()) <= 25
    for cell in cells(name, "markdown"):
        assert len(text(cell).split()) <= 260, text(cell)[:80]


@pytest.mark.parametrize("name", NAMES)
def test_parts_in_their_order(name):
    all_text = prose(name).lower()
    wanted = ["minutes", "objectives", "predict", "takeaways", "self-test", "further reading"]
    if name == "00_start_here":
        wanted = ["minutes"]
    # Any of these may also be mentioned early; what counts is where the last mention stands.
    places = [all_text.find(w) if w in wanted[:3] else all_text.rfind(f"# {w}") for w in wanted]
    assert all(place >= 0 for place in places), dict(zip(wanted, places, strict=True))
    assert places[:2] == sorted(places[:2])
    assert places[-3:] == sorted(places[-3:])
    index = NAMES.index(name)
    last = text(cells(name, "markdown")[-1])
    for neighbour in NAMES[max(0, index - 1) : index + 2]:
        if neighbour != name:
            assert f"{neighbour}.ipynb" in last


def test_links_lead_somewhere():
    anchors = {name: set(re.findall(r'<a id="([^"]+)"', prose(name))) for name in NAMES}
    for name in NAMES:
        for target in re.findall(r"\]\(([^)]+)\)", prose(name)):
            if "://" in target:
                continue
            file, _, anchor = target.partition("#")
            page = Path(file).stem if file else name
            assert not file or (FOLDER / file).exists(), (name, target)
            if anchor and page in anchors:
                assert anchor in anchors[page], (name, target)


def test_every_question_of_students_has_its_place():
    places = {}
    for name in NAMES:
        for number in re.findall(r'<a id="q(\d+)"', prose(name)):
            places.setdefault(int(number), []).append(name)
    assert set(places) == set(range(1, 17))
    table = prose("00_start_here")
    for number, names in places.items():
        assert any(f"({name}.ipynb#q{number})" in table for name in names), number


def starters():
    """(exercise, source) of each cell that ends in check("N.k", …)."""
    for name in NAMES:
        for cell in cells(name, "code"):
            for id in re.findall(r'^check\("([^"]+)"', text(cell), flags=re.MULTILINE):
                yield pytest.param(id, name, text(cell), id=id)


def test_every_exercise_has_its_cell():
    placed = [parameter.values[0] for parameter in starters()]
    assert sorted(placed) == sorted(e.id for e in all_exercises())
    assert len(placed) == len(set(placed))


@pytest.mark.parametrize(("id", "name", "source"), list(starters()))
def test_starter_and_solution_do_not_drift(id, name, source):
    """The starter is blank, and the solution fits the starter: same name, same arguments."""
    assert id.split(".")[0] == str(int(name[:2]))
    exercise = find(id)
    assert exercise is not None and exercise.starter.strip() in source
    assert re.search(rf'^check\("{id}", {exercise.name}\)', source, flags=re.MULTILINE)
    stored = next(
        "".join(output["text"])
        for cell in cells(name, "code")
        if text(cell) == source
        for output in cell["outputs"]
        if output["output_type"] == "stream"
    )
    assert f"{id} not attempted" in stored
    if not exercise.answer_is_value:
        function = ast.parse(exercise.starter).body[-1]  # behind what it may call
        assert isinstance(function, ast.FunctionDef)
        assert [argument.arg for argument in function.args.args] == exercise.parameters
        assert function.name == exercise.solution.__name__
    following = "\n".join(text(cell) for cell in cells(name, "code"))
    for call in (f'# hint("{id}")', f'# hint("{id}", 2)', f'# solution("{id}")'):
        assert call in following, call
