// The page: what a person does, and what the model answers. Each function draws one part again.

const find = (id) => document.getElementById(id);
const models = JSON.parse(find("models").textContent).map((packed) => new Model(packed));
const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`; // a blank that never breaks
const orNothing = (word) => word || "(nothing)"; // a model may end a word at once
const DRAWN = 8; // verbs from noise

let model = models[0];
let forms = []; // the verb typed, written in every form: { word, steps } each
let [form, step] = [0, 0]; // the form that is looked into, and the letter in it
let ends = []; // the walk: the latents of its two verbs

// An element with properties, and children that are elements or text.
function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const makeButton = (content, onclick) =>
  make("button", { type: "button", onclick }, ...[content].flat());

const press = (group, chosen) =>
  [...group.children].forEach((button, n) => button.setAttribute("aria-pressed", n === chosen));

const optionsFor = (names) => names.map((text, value) => make("option", { value, text }));

// The words in these fields; null, and a sentence on the page, if one is no word of the model's.
function wordsOf(fields, says) {
  const words = fields.map((field) => {
    field.removeAttribute("aria-invalid");
    try {
      return model.wordOf(field.value);
    } catch (error) {
      field.setAttribute("aria-invalid", "true");
      says.textContent = error.message;
      return null;
    }
  });
  return words.includes(null) ? null : words;
}

// What stands on the tile of a form: its name, the word, and whether that is right.
function face(number, word, mark = "", kind = "") {
  return [
    make("span", { className: "name" }, model.forms[number].name),
    make("span", { className: "word" }, orNothing(word)),
    make("span", { className: `mark ${kind}` }, mark),
  ];
}

// --- a verb in all its forms ---------------------------------------------------------------------

function convert() {
  const words = wordsOf([find("verb")], find("verb-says"));
  find("inside").hidden = find("forms").hidden = words === null;
  if (words === null) return;
  const source = Number(find("form").value);
  const rows = model.rowsWith(words[0], source);
  forms = model.writeAll(model.encode(words[0], source));
  find("verb-says").textContent = whetherKnown(words[0], source);
  find("forms").replaceChildren(...forms.map(({ word }, number) => {
    const wanted = [...new Set(rows.map((row) => row[number]))]; // "lay" is of "lie" and of "lay"
    const right = wanted.includes(word);
    const mark = right ? "✓ as in the list" : `✗ in the list: ${wanted.join(", ")}`;
    const marked = rows.length ? [mark, right ? "good" : "off"] : [];
    return makeButton(face(number, word, ...marked), () => lookInto(number));
  }));
  lookInto(Math.min(form, forms.length - 1));
}

function whetherKnown(word, source) {
  const [row] = model.rowsWith(word, source);
  if (row) return `“${word}” is one of the verbs it practised on: ${row.join(", ")}.`;
  const there = model.forms.filter((_, number) => model.rowsWith(word, number).length);
  const absent = `“${word}” is not in the training list`;
  return there.length
    ? `${absent} as ${model.forms[source].name}; it is there as ${there[0].name}.`
    : `${absent}: the model has never seen it.`;
}

// --- one form, letter by letter ------------------------------------------------------------------

function lookInto(number) {
  form = number;
  press(find("forms"), form);
  find("inside-form").textContent = model.forms[form].name;
  find("letters").replaceChildren(...forms[form].steps.map(({ token }, place) => {
    const symbol = model.symbol(token);
    const button = makeButton(symbol || "■", () => stepTo(place));
    button.ariaLabel = symbol ? `Letter ${place + 1}: ${symbol}` : "End of the word";
    return button;
  }));
  const sure = forms[form].steps.map(({ token, probabilities }) => probabilities[token]);
  stepTo(sure.indexOf(Math.min(...sure))); // where there is most to see
}

function stepTo(place) {
  const { steps } = forms[form];
  step = Math.max(0, Math.min(place, steps.length - 1));
  const { token, probabilities } = steps[step];
  press(find("letters"), step);
  find("back").disabled = step === 0;
  find("next").disabled = step === steps.length - 1;
  const label = (n) => model.symbol(n) || "■";
  const shown = (n) => `${label(n)} ${percent(probabilities[n])}`;
  const order = probabilities.map((_, n) => n).sort((a, b) => probabilities[b] - probabilities[a]);
  const written = steps.slice(0, step).map((earlier) => model.symbol(earlier.token)).join("");
  find("letter-says").textContent = (written ? `After “${written}”` : "At the start of the word")
    + `: ${order.slice(0, 3).map(shown).join(", ")}.`;
  if (find("bars").children.length !== probabilities.length) {
    find("bars").replaceChildren(...probabilities.map(bar)); // kept from step to step: they move
  }
  const spoken = { [model.sos]: "start", [model.eos]: "end of the word" };
  [...find("bars").children].forEach((item, n) => {
    const share = percent(probabilities[n]);
    Object.assign(item, { className: n === token ? "chosen" : "", title: shown(n) });
    item.querySelector(".fill").style.height = `${100 * probabilities[n]}%`;
    item.querySelector(".letter").textContent = label(n);
    item.querySelector(".unseen").textContent = `${spoken[n] ?? label(n)} ${share}`;
  });
}

const bar = () => make("li", {},
  make("span", { className: "track" }, make("span", { className: "fill" })),
  make("span", { className: "letter", ariaHidden: "true" }), make("span", { className: "unseen" }));

// --- verbs from noise ----------------------------------------------------------------------------

function draw() {
  const temperature = Number(find("temperature").value);
  const size = 2 * model.sizes.latent;
  const noise = normals(Number(find("seed").value), DRAWN * size).map((x) => temperature * x);
  const verbs = Array.from({ length: DRAWN }, (_, n) =>
    model.writeAll(noise.slice(n * size, (n + 1) * size)).map(({ word }) => word));
  find("temperature-value").textContent = temperature.toFixed(1);
  find("drawn").replaceChildren(...verbs.map((words) => {
    const known = model.isRow(words);
    const shown = words.map((word) => make("span", { className: "word" }, orNothing(word)));
    const mark = known ? "✓ in the list" : "not in the list";
    return make("li", {}, ...shown, make("span", { className: known ? "good" : "off" }, mark));
  }));
  const known = verbs.filter((words) => model.isRow(words)).length;
  find("noise-says").textContent = `${known} of ${DRAWN} are training verbs, right in every form.`;
}

// --- from one verb to another --------------------------------------------------------------------

const at = (way) => ends[0].map((start, n) => start + (way / 100) * (ends[1][n] - start));

function setOut() {
  const words = wordsOf([find("from"), find("to")], find("walk-says"));
  for (const id of ["between", "path"]) find(id).hidden = words === null;
  find("way").disabled = words === null;
  if (words === null) return;
  ends = words.map((word) => model.encode(word, 0));
  find("path").replaceChildren();
  for (let way = 0, before; way <= 100; way += 5) {
    const { word } = model.write(at(way), 0);
    if (word !== before) find("path").append(make("li", { value: way }, orNothing(word)));
    before = word;
  }
  walk();
}

function walk() {
  const way = Number(find("way").value);
  const words = model.writeAll(at(way)).map(({ word }) => word);
  find("way-value").textContent = `${way} %`;
  find("way").setAttribute("aria-valuetext", `${way} %: ${orNothing(words[0])}`);
  find("between").replaceChildren(...words.map((word, n) => make("div", {}, ...face(n, word))));
  const known = `${model.isRow(words) ? "a" : "not a"} training verb, right in every form`;
  find("walk-says").textContent = `${way} % of the way: “${words[0]}”, ${known}.`;
  const stops = [...find("path").children];
  stops.forEach((stop) => stop.removeAttribute("aria-current"));
  stops.filter((stop) => stop.value <= way).at(-1).setAttribute("aria-current", "step");
}

// --- which model ---------------------------------------------------------------------------------

function choose(number) {
  const before = JSON.stringify(model.language);
  model = models[number];
  if (find("form").length === 0 || before !== JSON.stringify(model.language)) welcome();
  find("about-name").textContent = model.title;
  find("about").textContent = model.about;
  find("kept").textContent = model.kept;
  find("scores").replaceChildren(...model.scores.map(({ title, value, unit }) =>
    make("div", {}, make("dt", {}, title), make("dd", {}, value, make("small", {}, unit)))));
  convert();
  draw();
  setOut();
}

// The first model, or one of another language than the one before: its forms, its examples.
function welcome() {
  for (const element of document.querySelectorAll(".words")) {
    element.lang = model.language.name === "English" ? "en" : ""; // "": unknown
  }
  find("form").replaceChildren(...optionsFor(model.forms.map(({ name }) => name)));
  find("walk-form").textContent = model.forms[0].name;
  const tryOut = (word, number) => [find("verb").value, find("form").value] = [word, number];
  find("examples").replaceChildren(...model.examples.map((example) =>
    makeButton(example[0], () => { tryOut(...example); convert(); })));
  tryOut(...model.examples[0]);
  const rows = [...model.examples.flatMap((example) => model.rowsWith(...example)), ...model.table];
  [find("from").value, find("to").value] = new Set(rows.map((row) => row[0]));
  [form, find("way").value] = [model.forms.length - 1, 0];
}

find("model").append(...optionsFor(models.map(({ title }) => title)));
find("switch").hidden = models.length === 1;
find("model").onchange = () => choose(find("model").selectedIndex);
find("verb").oninput = find("form").onchange = convert;
find("back").onclick = () => stepTo(step - 1);
find("next").onclick = () => stepTo(step + 1);
find("letters").onkeydown = ({ key }) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (!by) return;
  stepTo(step + by);
  find("letters").children[step].focus();
};
find("temperature").oninput = find("seed").oninput = draw;
find("draw").onclick = () => { find("seed").value = Number(find("seed").value) + 1; draw(); };
find("from").oninput = find("to").oninput = setOut;
find("way").oninput = walk;
choose(0);
