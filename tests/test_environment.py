"""pyproject.toml, requirements.lock, environment.yml and the notices agree with one another."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIRECT = [
    Requirement(line) for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
]
CONDA_NAMES = {  # where conda-forge's package is not called what PyPI's is
    "torch": "pytorch-cpu",  # `pytorch` would bring CUDA wherever conda finds a GPU
    "matplotlib": "matplotlib-base",  # `matplotlib` would bring Qt
    "playwright": "playwright-python",
}


def locked() -> dict[str, str]:
    """Name -> version of every package of requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for pin in pins:
        assert re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.]*", pin), f"not a plain pin: {pin}"
    return dict(pin.split("==") for pin in pins)


def conda() -> dict[str, str]:
    """Name -> version (may be "") of every conda package of environment.yml."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    lines = [line for line in environment["dependencies"] if isinstance(line, str)]
    return {name: version for name, _, version in (line.partition("=") for line in lines)}


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_a_direct_dependency_is_the_same_in_all_three_files(requirement: Requirement) -> None:
    name = requirement.name
    assert name in locked(), f"requirements.lock lacks {name}: make lock"
    version = locked()[name]
    assert requirement.specifier.contains(version), f"pyproject.toml asks for {requirement}"

    conda_name = CONDA_NAMES.get(name, name)
    assert conda_name in conda(), f"environment.yml lacks {conda_name}"
    release = Version(version)
    assert conda()[conda_name] == f"{release.major}.{release.minor}", (
        f"requirements.lock has {name} {version}"
    )


def test_environment_yml_has_nothing_else() -> None:
    known = {CONDA_NAMES.get(requirement.name, requirement.name) for requirement in DIRECT}
    assert set(conda()) == known | {"python", "pip"}


def test_environment_yml_is_conda_forge_and_then_labkit() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert environment["dependencies"][-1] == {"pip": ["-e ."]}


def test_python_is_one_that_pyproject_allows_and_the_lock_was_made_for() -> None:
    python = conda()["python"]
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(f"{python}.0")
    assert f"with Python {python}\n" in (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert f"PYTHON ?= python{python}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_lock_installs_on_every_system() -> None:
    assert locked()["torch"] == "2.13.0"
    for_one_system_only = [
        name for name in locked() if re.match(r"nvidia|cuda|triton|appnope|pywin|colorama", name)
    ]
    assert not for_one_system_only


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_lab_listens_on_loopback_with_a_token() -> None:
    command = subprocess.run(
        ["make", "--dry-run", "lab"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "--ServerApp.ip=127.0.0.1" in command
    assert "token" not in command  # Jupyter's default: a new random one
    assert "password" not in command
