"""The one kind of slider panel: controls above an image, one line of text below."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets as w
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from labkit.plots.style import pixels, png, with_palette

Draw = Callable[..., tuple[Figure, str]]


def float_slider(
    description: str, value: float, low: float, high: float, step: float
) -> w.FloatSlider:
    """A slider over numbers; `panel` puts a number field beside it."""
    return w.FloatSlider(
        value=value, min=low, max=high, step=step, description=description, **_LOOK
    )


def int_slider(description: str, value: int, low: int, high: int) -> w.IntSlider:
    """A slider over whole numbers; `panel` puts a number field beside it."""
    return w.IntSlider(value=value, min=low, max=high, description=description, **_LOOK)


def dropdown(description: str, options: Any, value: Any) -> w.Dropdown:
    """A choice among a few values."""
    return w.Dropdown(
        options=options,
        value=value,
        description=description,
        style={"description_width": "150px"},
        layout=w.Layout(width="360px"),
    )


_LOOK: dict[str, Any] = {
    "readout": False,
    "style": {"description_width": "150px"},
    "layout": w.Layout(width="420px"),
}


class Panel(w.VBox):
    """Controls over one image that is redrawn, without flicker, whenever a control moves.

    draw(**values) -> (figure, summary): `values` are the controls' values by name, `summary` is
    a line that says in words what the figure shows. The figure is there before anyone moves a
    slider, and is stored as a picture too, for viewers without widgets.
    """

    def __init__(self, draw: Draw, controls: Mapping[str, w.Widget]) -> None:
        self.controls = dict(controls)
        # In a window too narrow for the figure it shrinks, and keeps its proportions.
        self.image = w.Image(format="png", layout=w.Layout(object_fit="contain"))
        self.summary = w.HTML()
        self._draw = draw
        self._paused = False
        self._positions: list[Bbox] = []
        self.redraw()
        for control in self.controls.values():
            control.observe(self._follow, names="value")
        self.rows = {name: _with_number_field(c) for name, c in self.controls.items()}
        super().__init__([*self.rows.values(), self.image, self.summary])

    def _follow(self, _change: object) -> None:
        if not self._paused:
            self.redraw()

    def redraw(self) -> None:
        """Draw the figure again from the controls' values."""
        figure, text = self._draw(**{name: c.value for name, c in self.controls.items()})
        width, height = pixels(figure)
        self.image.layout.width, self.image.layout.height = f"{width}px", f"{height}px"
        # Finding places for the axes costs as much as drawing them: the first drawing's serve the
        # others too, and nothing jumps while one drags.
        if len(self._positions) == len(figure.axes):
            figure.set_layout_engine("none")
            for axes, position in zip(figure.axes, self._positions, strict=True):
                axes.set_position(position)
        self.image.value = png(figure)
        self._positions = [axes.get_position() for axes in figure.axes]
        self.text = text
        self.summary.value = f"<p style='margin:0' role='status'>{escape(text, quote=False)}</p>"

    def move(self, **values: Any) -> None:
        """Give several controls new values, and draw once."""
        self._paused = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self._paused = False
        self.redraw()

    def __repr__(self) -> str:
        return f"Panel({', '.join(self.controls)}): {self.text}"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = super()._repr_mimebundle_(**options)
        data: dict[str, Any] = {"text/plain": repr(self)} if bundle is None else dict(bundle)
        data["text/plain"] = repr(self)
        data["image/png"] = b64encode(with_palette(self.image.value)).decode("ascii")
        width = int(self.image.layout.width.removesuffix("px"))
        return data, {"image/png": {"alt": self.text, "width": width}}


def _with_number_field(control: w.Widget) -> w.Widget:
    """A slider with a field beside it in which its value can be typed."""
    if not isinstance(control, w.FloatSlider | w.IntSlider):
        return control
    kind = w.BoundedIntText if isinstance(control, w.IntSlider) else w.BoundedFloatText
    number = kind(
        value=control.value,
        min=control.min,
        max=control.max,
        step=control.step,
        layout=w.Layout(width="90px"),
        tooltip=control.description,
    )
    w.link((control, "value"), (number, "value"), (lambda v: round(v, 6), lambda v: v))
    return w.HBox([control, number])
