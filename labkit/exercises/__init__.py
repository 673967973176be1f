"""Exercises with instant checks: `check`, `hint`, `solution`, `progress`."""

from labkit.exercises import nb01, nb02, nb03, nb05  # noqa: F401  importing registers its exercises
from labkit.exercises.core import check, hint, progress, solution

__all__ = ["check", "hint", "progress", "solution"]
