"""Training as one watches: curves that grow, and buttons that start and stop it (notebook 04)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import ipywidgets as w

from labkit.config import TrialConfig
from labkit.plots.style import pixels, png
from labkit.plots.training import history_figure
from labkit.runs import HistoryRow, Run
from labkit.tables import Tables, characters_a_word
from labkit.training import Progress, StopTraining, train


class LiveCurves(w.VBox):
    """A progress bar over curves that grow: pass it to `train` as `on_progress`.

    tables: what is trained on; without them the curve of the NLL, a character, is left out.
    """

    def __init__(self, config: TrialConfig, tables: Tables | None = None) -> None:
        self._characters = None if tables is None else characters_a_word(tables.train)
        self.bar, self.line, self.image = w.IntProgress(), w.HTML(), w.Image(format="png")
        self.begin(config)
        super().__init__([w.HBox([self.bar, self.line]), self.image])

    def begin(self, config: TrialConfig) -> None:
        """Start over, for a run of this configuration."""
        self.epochs, self.history = config.epochs, list[HistoryRow]()
        self._started = self._moved = time.monotonic()
        self.bar.value = 0
        self._redraw()

    def __call__(self, progress: Progress) -> None:
        """Take note of an update; draw again when it completed a row of the history."""
        if progress.row is not None:
            self.history.append(progress.row)
            self._redraw()
        elif time.monotonic() - self._moved < 0.2 and progress.step < progress.steps:
            return  # five times a second is quick enough
        self._moved = time.monotonic()
        self.bar.max, self.bar.value = progress.steps, progress.step
        text = f"{progress.step} of {progress.steps} updates, {self._moved - self._started:.0f} s"
        if self.history:
            row = self.history[-1]
            text += f": KL {row.kl:.2f}, NLL {row.nll:.2f}, BLEU-4 {row.bleu4:.2f}"
        self.line.value = f"<span role='status'>{text}</span>"

    def _redraw(self) -> None:
        figure = history_figure(self.history, self.epochs, self._characters)
        width, height = pixels(figure)
        self.image.layout.width, self.image.layout.height = f"{width}px", f"{height}px"
        self.image.value = png(figure)

    def __repr__(self) -> str:
        return "LiveCurves"


class Trainer(w.VBox):
    """Buttons that train in the background, with live curves, and stop; one training at a time."""

    _one_at_a_time = threading.Lock()

    def __init__(
        self,
        label: str,
        config: Callable[[], TrialConfig],
        tables: Tables,
        on_done: Callable[[Run], None] | None = None,
    ) -> None:
        self.config, self.tables, self.on_done = config, tables, on_done
        self.thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.start = w.Button(description=label, icon="play", layout=w.Layout(width="260px"))
        self.stop = w.Button(description="stop", icon="stop", disabled=True)
        self.message = w.HTML()
        self.live = LiveCurves(config(), tables)
        self.live.layout.display = "none"
        self.start.on_click(lambda _button: self.begin())
        self.stop.on_click(lambda _button: self._stop.set())
        super().__init__([w.HBox([self.start, self.stop, self.message]), self.live])

    def begin(self) -> None:
        """Train in a thread of its own, so that sliders and cells go on answering."""
        if not self._one_at_a_time.acquire(blocking=False):
            self._say("Another training is running: stop it, or wait for its end.")
            return
        self._stop.clear()
        self.start.disabled, self.stop.disabled = True, False
        self._say("training …")
        self.thread = threading.Thread(target=self._train, daemon=True)
        self.thread.start()

    def _train(self) -> None:
        def watch(progress: Progress) -> None:
            self.live(progress)
            if self._stop.is_set():
                raise StopTraining

        try:
            config = self.config()
            self.live.begin(config)
            self.live.layout.display = None
            run = train(config, self.tables, on_progress=watch)
            self._say("stopped" if run.scores is None else "finished")
            if run.history and self.on_done is not None:
                self.on_done(run)
        except Exception as error:  # nobody waits for this thread: say it where one looks
            self._say(f"This training failed: {type(error).__name__}: {error}")
        finally:
            self.start.disabled, self.stop.disabled = False, True
            self._one_at_a_time.release()

    def _say(self, text: str) -> None:
        self.message.value = f"<span role='status'>{text}</span>"
