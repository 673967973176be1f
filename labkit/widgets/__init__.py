"""Slider panels: each a VBox over one image, drawn by a function of labkit.plots."""
