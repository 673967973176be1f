"""Figures: functions that take plain results and return a matplotlib Figure."""
