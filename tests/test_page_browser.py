"""The page of `labkit page` as a person has it: in a real browser, opened from disk, offline.

`LABKIT_SCREENSHOTS=DIR` keeps pictures of it, narrow and wide, light and dark.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from browser import CHROMIUM_ARGUMENTS, find_chromium
from labkit.inference import convert, decode, decode_all_tenses, encode, interpolate
from labkit.measures.protocols import evaluate
from labkit.model import CVAE, shift_right
from labkit.page import Exhibit, exhibit_of, write_page
from labkit.quantise import Answers, one_hot_twin, pack
from labkit.recipes import fast
from labkit.schedules import KLSchedule
from labkit.tables import load_tables, miniature
from labkit.training import train

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DATA = Path(__file__).parent / "data"
LANGUAGES = ("deutsch", "espanol", "ellinika")
CHROMIUM = find_chromium()
CLOSE = 1e-3  # how near the page's probabilities are to PyTorch's, both of the weights it holds
NEAR = 2e-2  # and to those of the weights before they became whole numbers

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome found"),
]


@pytest.fixture(scope="module")
def english() -> Exhibit:
    """The pretrained model, with few of its words: comparing all of them takes a while."""
    tables = load_tables()
    few = replace(miniature(tables), heldout_valid=tables.heldout_valid)
    return replace(exhibit_of("by-heart"), tables=few)


@pytest.fixture(scope="module")
def others() -> list[Exhibit]:
    """A small model of each other language, trained for seconds, until its answers differ."""
    config = fast(
        epochs=80,
        batch_size=12,
        history_rows=1,
        evaluation_samples=1,
        kl=KLSchedule(final_weight=0, shape="constant"),
    )
    found = []
    for name in LANGUAGES:
        tables = load_tables(DATA / name)
        tables = replace(tables, train=tables.train[:12], test=tables.test[:1])
        make_model, judge = partial(CVAE, hidden=32), partial(evaluate, samples=5)
        run = train(config, tables, make_model=make_model, judge=judge)
        found.append(Exhibit(name, run.model, tables, config, run.scores))
    return found


@pytest.fixture(scope="module")
def files(
    english: Exhibit, others: list[Exhibit], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """A page of one model, and one of several."""
    folder = tmp_path_factory.mktemp("pages")
    twice = replace(english, title="the same <again>", scores=None)
    for name, exhibits in {"one": [english], "many": [english, twice, *others]}.items():
        write_page(folder / f"{name}.html", exhibits)
    return {path.stem: path for path in folder.glob("*.html")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for this module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


class Opened:
    """A page that was opened from disk, offline, and what it complained of or asked for."""

    def __init__(self, browser: Browser, file: Path, width: int = 1280, **options: Any) -> None:
        viewport = {"width": width, "height": 900}
        self.context = browser.new_context(viewport=viewport, offline=True, **options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.context.close()
        if kind is None:
            assert self.complaints == []
            assert len(self.requests) == 1  # the file itself

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text().replace("\xa0", " ")

    def texts(self, selector: str) -> list[str]:
        found = self.page.locator(selector).all_text_contents()
        return [text.replace("\xa0", " ") for text in found]

    def type(self, word: str, form: int = 0) -> list[str]:
        """Type a verb that stands in a form; what the page makes of it."""
        self.page.get_by_label("Verb", exact=True).fill(word)
        self.page.get_by_label("Its form").select_option(index=form)
        return self.texts("#forms .word")

    def choose(self, title: str) -> None:
        self.page.get_by_label("Model", exact=True).select_option(title)

    def slide(self, label: str, value: float) -> None:
        self.page.get_by_role("slider", name=label).fill(f"{value:g}")

    def bars(self) -> dict[str, float]:
        """The probability of every next letter, as it is read out."""
        found = (text.rsplit(" ", 2) for text in self.texts("#bars .unseen"))
        return {name: float(number) / 100 for name, number, _ in found}


@pytest.fixture
def one(browser: Browser, files: dict[str, Path]) -> Iterator[Opened]:
    with Opened(browser, files["one"]) as opened:
        yield opened


@pytest.fixture
def many(browser: Browser, files: dict[str, Path]) -> Iterator[Opened]:
    with Opened(browser, files["many"]) as opened:
        yield opened


# --- the same answers as labkit -------------------------------------------------------------------


def converted(model: CVAE, word: str, form: int) -> list[str]:
    return [convert(model, [word], form, target)[0] for target in range(len(model.language.forms))]


def test_a_verb_that_is_typed_becomes_what_labkit_convert_says(
    one: Opened, english: Exhibit
) -> None:
    for row in english.tables.train[::15] + english.tables.heldout_valid[:3]:
        for form, word in enumerate(row):
            assert one.type(word, form) == converted(english.model, word, form)


def test_other_alphabets_and_forms(many: Opened, others: list[Exhibit]) -> None:
    for exhibit in others:
        many.choose(exhibit.title)
        language = exhibit.model.language
        assert many.texts("#form option") == [*language.form_names]
        assert len(many.texts("#bars li")) == language.vocabulary_size
        for row in exhibit.tables.train[::3]:
            for form, word in enumerate(row):
                assert many.type(word, form) == converted(exhibit.model, word, form)


def test_hundreds_of_conversions(many: Opened, english: Exhibit, others: list[Exhibit]) -> None:
    """Each model's words in every form, asked of the page's mathematics directly."""
    for number, exhibit in enumerate([english, *others]):
        answers = Answers(exhibit.model, exhibit.tables.train)
        assert written(many, number + (number > 0), answers) == answers.wanted
    unseen = Answers(held(english), english.tables.heldout_valid[:40])
    assert written(many, 0, unseen) == unseen.wanted


def written(opened: Opened, number: int, answers: Answers) -> list[list[str]]:
    """What the page's mathematics makes of all words that were asked."""
    found: list[list[str]] = opened.page.evaluate(
        """([number, asked]) => asked.map(([word, form]) => {
            const model = models[number];
            return model.writeAll(model.encode(word, form)).map((written) => written.word);
        })""",
        [number, answers.asked],
    )
    return found


def held(exhibit: Exhibit) -> CVAE:
    """The model with the weights that the page holds, in whole numbers."""
    whole, _ = pack(exhibit.model, Answers(exhibit.model, exhibit.tables.train), "it")
    twin = one_hot_twin(exhibit.model)
    weights = {name: matrix.matrix for name, matrix in whole.items()}
    twin.load_state_dict({**twin.state_dict(), **weights})
    return twin


def probabilities(model: CVAE, word: str, form: int, target: int) -> torch.Tensor:
    """Those among which each letter was chosen as the word was written, EOS included: (T, V)."""
    z = encode(model, [word], [form]).mean
    tense = torch.tensor([target])
    with torch.no_grad():
        written = model.greedy(z, tense)
        return model.decode(z, tense, shift_right(written, model.language))[0].softmax(dim=1)


def test_the_probability_of_every_next_letter_is_pytorchs(one: Opened, english: Exhibit) -> None:
    model, of_the_page = english.model, held(english)
    for word, form, target in [("begin", 0, 3), ("sent", 3, 1), ("abet", 0, 2)]:
        one.type(word, form)
        one.page.locator("#forms button").nth(target).click()
        wanted = probabilities(of_the_page, word, form, target)
        before = probabilities(model, word, form, target)
        letters = one.page.locator("#letters button")
        assert letters.count() == len(wanted)
        for step in range(len(wanted)):
            letters.nth(step).click()
            shown = torch.tensor([*one.bars().values()])
            assert (shown - wanted[step]).abs().max() < CLOSE
            assert (shown - before[step]).abs().max() < NEAR
            chosen = one.text("#bars .chosen .letter")
            assert chosen == [*model.language.letters, "^", "■"][int(wanted[step].argmax())]


def test_verbs_from_noise_are_what_the_model_makes_of_that_noise(
    one: Opened, english: Exhibit
) -> None:
    model = english.model
    for seed, temperature in [(1, 1.0), (7, 0.5)]:
        one.page.get_by_label("Seed").fill(str(seed))
        one.slide("Temperature", temperature)
        noise = one.page.evaluate("([seed, n]) => [...normals(seed, n)]", [seed, 8 * 64])
        wanted = decode_all_tenses(model, torch.tensor(noise).view(8, 64) * temperature)
        assert one.texts("#drawn .word") == [word for row in wanted for word in row]
        known = sum(row in english.tables.train for row in wanted)
        assert one.text("#noise-says").startswith(f"{known} of 8 are training verbs")


def test_noise_is_drawn_from_the_prior_and_from_its_seed(one: Opened) -> None:
    noise = torch.tensor(one.page.evaluate("[...normals(3, 50_000)]"))
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 1) < 0.02
    assert abs((noise**4).mean() - 3) < 0.2
    first = one.texts("#drawn li")
    one.page.get_by_role("button", name="Draw others").click()
    others = one.texts("#drawn li")
    assert others != first
    one.page.get_by_label("Seed").fill("1")
    assert one.texts("#drawn li") == first
    one.slide("Temperature", 0)
    assert len(set(one.texts("#drawn li"))) == 1


def test_a_walk_goes_through_what_labkit_interpolate_gives(one: Opened, english: Exhibit) -> None:
    model = english.model
    one.page.get_by_label("From", exact=True).fill("flare")
    one.page.get_by_label("To", exact=True).fill("abandon")
    ends = encode(model, ["flare", "abandon"], [0, 0]).mean
    way = interpolate(ends[0], ends[1], steps=21)
    assert one.texts("#path li") == [*dict.fromkeys(decode(model, way, [0] * 21))]
    for percent in (0, 35, 50, 100):
        one.slide("Way", percent)
        (wanted,) = decode_all_tenses(model, way[percent // 5][None])
        assert tuple(one.texts("#between .word")) == wanted
        assert one.text("#path [aria-current]") == wanted[0]
        assert f"“{wanted[0]}”" in one.text("#walk-says")


# --- what it says ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "form", "sentence"),
    [
        (
            "begin",
            0,
            "“begin” is one of the verbs it practised on: begin, begins, beginning, began.",
        ),
        (" Begin ", 0, "“begin” is one of the verbs it practised on"),
        (
            "began",
            0,
            "“began” is not in the training list as simple present; it is there as simple",
        ),
        ("grok", 0, "“grok” is not in the training list: the model has never seen it."),
        ("naïve verb", 0, "It knows the letters a-z, not ï, a space."),
        ("", 0, "Type a verb."),
        ("a" * 31, 0, "At most 30 letters, please."),
    ],
)
def test_what_is_typed_gets_a_sentence(one: Opened, typed: str, form: int, sentence: str) -> None:
    one.type(typed, form)
    assert one.text("#verb-says").startswith(sentence)
    refused = one.page.get_by_label("Verb", exact=True).get_attribute("aria-invalid") == "true"
    assert refused == (not sentence.startswith("“"))
    assert one.page.locator("#inside").is_hidden() == refused


def test_right_and_wrong_forms_are_marked(one: Opened, english: Exhibit) -> None:
    row = next(row for row in english.tables.train if row[0] == "begin")
    for word, wanted, mark in zip(one.type("begin"), row, one.texts("#forms .mark"), strict=True):
        assert mark == ("✓ as in the list" if word == wanted else f"✗ in the list: {wanted}")
    one.type("grok")
    assert set(one.texts("#forms .mark")) == {""}


def test_it_begins_at_the_letter_of_which_the_model_is_least_sure(
    one: Opened, english: Exhibit
) -> None:
    one.type("begin")
    one.page.locator("#forms button").nth(3).click()
    sure = probabilities(english.model, "begin", 0, 3).amax(dim=1)
    pressed = [b.get_attribute("aria-pressed") for b in one.page.locator("#letters button").all()]
    assert pressed.index("true") == sure.argmin()


def test_it_names_the_run(one: Opened) -> None:
    assert one.text("#about-title") == "About this model: by-heart"
    assert "165 epochs in batches of 128" in one.text("#about")
    scores = dict(zip(one.texts("#scores dt"), one.texts("#scores dd"), strict=True))
    assert scores["Gaussian score"].startswith("0.714")
    assert one.page.locator("#model").is_hidden()  # nothing to choose among


def test_a_switch_between_models(many: Opened, others: list[Exhibit]) -> None:
    many.type("flare")
    before = many.texts("#forms .word")
    many.choose("the same <again>")
    assert many.texts("#forms .word") == before  # what was typed stays, in the same language
    assert many.text("#about-name") == "the same <again>"
    assert many.texts("#scores dt") == []
    many.choose("ellinika")
    assert set(many.page.locator("#verb").input_value()) <= set(others[2].tables.language.letters)
    assert many.page.locator("#verb").get_attribute("lang") == ""


# --- by keyboard, by touch, in every size and light -----------------------------------------------


def test_everything_is_done_by_keyboard(one: Opened) -> None:
    keys = one.page.keyboard
    for element in one.page.locator("button:enabled, input, select:visible").all():
        keys.press("Tab")
        assert element.evaluate("element => element === document.activeElement")
        outline = element.evaluate("element => getComputedStyle(element).outline")
        assert outline.endswith("solid 3px"), f"the focus cannot be seen: {outline}"

    one.page.focus("#verb")
    keys.press("Control+A")
    keys.type("abet")
    assert one.texts("#forms .word")[0] == "abet"
    one.page.locator("#forms button").nth(2).focus()
    keys.press("Enter")
    assert one.text("#inside-form") == "present progressive"
    one.page.locator("#letters button").first.focus()
    keys.press("Space")
    assert one.text("#letter-says").startswith("At the start of the word: a ")
    keys.press("ArrowRight")
    assert one.text("#letter-says").startswith("After “a”: b ")
    assert one.page.evaluate("document.activeElement.innerText") == "b"
    one.page.focus("#way")
    keys.press("End")
    assert (one.page.locator("#way").get_attribute("aria-valuetext") or "").startswith("100 %: ")
    one.page.focus("#temperature")
    keys.press("Home")
    assert one.text("#temperature-value") == "0.0"


def test_back_and_next_stop_at_the_ends(one: Opened) -> None:
    one.type("abet")
    one.page.locator("#letters button").first.click()
    assert one.page.locator("#back").is_disabled()
    for _ in range(one.page.locator("#letters button").count() - 1):
        one.page.locator("#next").click()
    assert one.page.locator("#next").is_disabled()
    assert one.text("#bars .chosen .letter") == "■"


def test_by_touch(browser: Browser, files: dict[str, Path]) -> None:
    with Opened(browser, files["one"], 390, has_touch=True, is_mobile=True) as opened:
        opened.page.locator("#examples button").nth(1).tap()
        assert opened.page.get_by_label("Verb", exact=True).input_value() == "sent"
        opened.page.locator("#forms button").nth(1).tap()
        assert opened.text("#inside-form") == "third person"
        for target in opened.page.locator("button, input, select").all():
            if target.is_visible():
                box = target.bounding_box()
                assert box is not None and box["height"] >= 44 and box["width"] >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_scrolls_sideways_and_all_text_can_be_read(
    browser: Browser, files: dict[str, Path], width: int, scheme: str
) -> None:
    with Opened(browser, files["many"], width, color_scheme=scheme) as opened:
        for title in ("by-heart", "espanol", "ellinika"):
            opened.choose(title)
            opened.page.get_by_label("Verb", exact=True).fill(
                "a" * 30 if title != "ellinika" else "ά"
            )
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
            assert opened.page.evaluate(TOO_FAINT) == []
        opened.choose("by-heart")
        opened.page.locator("#verb").fill("begin")
        if (folder := os.environ.get("LABKIT_SCREENSHOTS")) and width != 320:
            path = Path(folder) / f"page-{width}-{scheme}.png"
            opened.page.screenshot(path=path, full_page=True)


TOO_FAINT = """() => {
    const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
        .reduce((sum, x, n) => sum + x * [0.2126, 0.7152, 0.0722][n], 0);
    const ground = (element) => {
        const color = numbers(getComputedStyle(element).backgroundColor);
        return color.length === 4 && color[3] === 0 ? ground(element.parentElement) : color;
    };
    return [...document.querySelectorAll("body *")].filter((element) => {
        const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        const field = ["INPUT", "SELECT"].includes(element.tagName);
        if (!(own || field) || !element.checkVisibility()) return false;
        const pair = [numbers(getComputedStyle(element).color), ground(element)].map(light);
        return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05) < 4.5;
    }).map((element) => element.outerHTML.slice(0, 120));
}"""


def test_every_control_has_a_name_and_every_heading_its_place(one: Opened) -> None:
    page = one.page
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title() == "A model that writes verbs"
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map((h) => +h.tagName[1])")
    assert levels == [1, 2, 3, 2, 2, 2]
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    nameless = page.evaluate(
        """[...document.querySelectorAll("input, select, button")].filter((control) =>
            !(control.labels?.length || control.ariaLabel || control.innerText.trim()))
            .map((control) => control.outerHTML)"""
    )
    assert nameless == []
    described = page.evaluate(
        """[...document.querySelectorAll("[aria-describedby], [aria-labelledby], output")]
            .flatMap((e) => [e.getAttribute("aria-describedby") ?? e.getAttribute("aria-labelledby")
                ?? e.htmlFor.value]).filter((id) => !document.getElementById(id))"""
    )
    assert described == []
    for says in ("verb-says", "letter-says", "noise-says", "walk-says"):
        assert page.locator(f"#{says}").get_attribute("role") == "status"  # is read out


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_bars_move_only_where_motion_is_welcome(
    browser: Browser, files: dict[str, Path], motion: str
) -> None:
    with Opened(browser, files["one"], reduced_motion=motion) as opened:
        style = "getComputedStyle(document.querySelector('.fill')).transitionDuration"
        assert (opened.page.evaluate(style) == "0s") == (motion == "reduce")


def test_the_page_may_ask_nobody_for_anything(browser: Browser, files: dict[str, Path]) -> None:
    opened = Opened(browser, files["one"])
    asked = opened.page.evaluate(
        "fetch('data:,x').then(() => 'answered', (error) => error.constructor.name)"
    )
    assert asked == "TypeError"
    assert any("Content Security Policy" in text for text in opened.complaints)
    opened.context.close()
