"""Exercises with instant checks: `check`, `hint`, `solution`, `progress`.

core.py says what an exercise is and how to write one.
"""

# Importing them registers their exercises.
from labkit.exercises import nb00, nb01, nb02, nb03, nb04, nb05, nb06  # noqa: F401
from labkit.exercises.notebook import check, hint, progress, solution
from labkit.exercises.runner import warm_up

__all__ = ["check", "hint", "progress", "solution"]

warm_up()
