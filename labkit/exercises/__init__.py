"""Exercises with instant checks: `check`, `hint`, `solution`, `progress`."""

from labkit.exercises.core import check, hint, progress, solution

__all__ = ["check", "hint", "progress", "solution"]
