"""Answers to the exercises of each notebook, for tests/test_exercises.py.

A module nb0N holds WRONG = {id: [(answer, phrase of the message), ...]}, wrong answers besides the
exercise's own slips, and RIGHT = {id: [answer, ...]}, right ones in unusual styles.
"""
