"use strict";
// The model: an encoder that reads a word into a latent, a decoder that writes a word from one.
// The same mathematics as labkit/model.py, a word at a time. H hidden, V letters with SOS and EOS.

function bytesOf(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let n = 0; n < bytes.length; n++) bytes[n] = characters.charCodeAt(n);
  return bytes;
}
const floats = (text) => new Float32Array(bytesOf(text).buffer);

// A matrix of whole numbers (labkit/quantise.py) as numbers, row after row. `width` has a digit a
// row: 1 or 2, the bytes of each of its numbers.
function matrixOf({ columns, width, scales, values }) {
  const [scale, bytes] = [floats(scales), new DataView(bytesOf(values).buffer)];
  const numbers = new Float32Array(width.length * columns);
  let [n, byte] = [0, 0];
  [...width].forEach((digit, row) => {
    const size = Number(digit);
    for (const end = n + columns; n < end; n++, byte += size) {
      numbers[n] = scale[row] * (size === 1 ? bytes.getInt8(byte) : bytes.getInt16(byte, true));
    }
  });
  return { columns, numbers };
}

// weight · vector + bias. Four sums in turn take half the time of one: none waits for another.
function linear({ columns, numbers }, vector, bias) {
  const product = new Float32Array(bias);
  for (let row = 0, n = 0; row < product.length; row++) {
    let a = 0, b = 0, c = 0, d = 0, column = 0;
    for (; column + 3 < columns; column += 4, n += 4) {
      a += numbers[n] * vector[column];
      b += numbers[n + 1] * vector[column + 1];
      c += numbers[n + 2] * vector[column + 2];
      d += numbers[n + 3] * vector[column + 3];
    }
    for (; column < columns; column++, n++) a += numbers[n] * vector[column];
    product[row] += a + b + c + d;
  }
  return product;
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

function softmax(logits) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power);
  return powers.map((power) => power / sum);
}

class Model {
  constructor(packed) {
    Object.assign(this, packed); // title, language, sizes, longest, rows, examples, weights, …
    this.letters = [...packed.language.letters];
    this.forms = packed.language.forms;
    [this.sos, this.eos] = [this.letters.length, this.letters.length + 1];
  }

  // A matrix or a bias. All are unpacked at the first question: a page may hold several models.
  weight(name) {
    this.unpacked ??= Object.fromEntries(
      Object.entries(this.weights).map(([key, kept]) =>
        [key, kept.width ? matrixOf(kept) : floats(kept.values)]));
    return this.unpacked[name];
  }

  layer = (name, input) =>
    linear(this.weight(`${name}.weight`), input, this.weight(`${name}.bias`));

  condition(form) {
    const { columns, numbers } = this.weight("tense_embedding.weight");
    return numbers.slice(form * columns, (form + 1) * columns);
  }

  // An LSTM reads one letter: the hidden and cell state before it -> those after it. The letter is
  // one-hot, so that the input weights are a table with a column a letter.
  read(half, token, { hidden, cell }) {
    const size = this.sizes.hidden;
    const { columns, numbers } = this.weight(`${half}.lstm.weight_ih_l0`);
    const ofLetter = this.weight(`${half}.lstm.bias_ih_l0`)
      .map((bias, row) => bias + numbers[row * columns + token]);
    const gates = linear(this.weight(`${half}.lstm.weight_hh_l0`), hidden, ofLetter);
    const after = { hidden: new Float32Array(size), cell: new Float32Array(size) };
    for (let n = 0; n < size; n++) {
      const [input, forget] = [sigmoid(gates[n]), sigmoid(gates[size + n])];
      const [candidate, output] = [Math.tanh(gates[2 * size + n]), sigmoid(gates[3 * size + n])];
      after.cell[n] = forget * cell[n] + input * candidate;
      after.hidden[n] = output * Math.tanh(after.cell[n]);
    }
    return after;
  }

  // The posterior mean of a word that stands in a form: 2Z numbers.
  encode(word, form) {
    const start = new Float32Array(this.sizes.hidden);
    start.set(this.condition(form), start.length - this.sizes.condition); // [zeros; tense]
    let state = { hidden: start, cell: start };
    const tokens = [...word].map((letter) => this.letters.indexOf(letter));
    for (const token of [...tokens, this.eos]) state = this.read("encoder", token, state);
    return Float32Array.from([
      ...this.layer("encoder.hidden_to_mean", state.hidden),
      ...this.layer("encoder.cell_to_mean", state.cell),
    ]);
  }

  // The word that a latent spells in a form, letter by letter the likeliest; and for every letter,
  // EOS too, the probabilities among which it was chosen.
  write(z, form) {
    const start = (name, part) =>
      this.layer(`decoder.latent_to_${name}`, Float32Array.of(...part, ...this.condition(form)));
    const half = this.sizes.latent;
    let state = { hidden: start("hidden", z.slice(0, half)), cell: start("cell", z.slice(half)) };
    const steps = [];
    let token = this.sos;
    while (token !== this.eos && steps.length < this.longest) {
      state = this.read("decoder", token, state);
      const probabilities = softmax(this.layer("decoder.output", state.hidden));
      token = probabilities.indexOf(Math.max(...probabilities));
      steps.push({ token, probabilities });
    }
    return { word: steps.map((step) => this.symbol(step.token)).join(""), steps };
  }

  writeAll = (z) => this.forms.map((_, form) => this.write(z, form));

  // A token inside a word. SOS, which an untrained model may write, is shown as "^".
  symbol = (token) => (token === this.eos ? "" : (this.letters[token] ?? "^"));

  // What was typed, as the model knows words. Throws an Error with a sentence for a person.
  wordOf(typed) {
    const plain = typed.trim().normalize("NFC");
    const unknown = (text) => [...new Set(text)].filter((letter) => !this.letters.includes(letter));
    const word = unknown(plain).length ? plain.toLowerCase() : plain; // telephones like capitals
    const bad = unknown(word).map((letter) => (letter === " " ? "a space" : letter));
    const say = (sentence) => { throw new Error(sentence); };
    if (!word) say("Type a verb.");
    if (bad.length) say(`It knows the letters ${this.language.known}, not ${bad.join(", ")}.`);
    if ([...word].length > this.longest) say(`At most ${this.longest} letters, please.`);
    return word;
  }

  // The training words, rows of forms, out of the short form of `front_code` in labkit/page.py.
  get table() {
    this.unfolded ??= this.rows.split("\n").map((line) => {
      const [lemma, ...others] = line.split(" ");
      const start = (shared) => [...lemma].slice(0, parseInt(shared, 36)).join("");
      return [lemma, ...others.map(([shared, ...rest]) => start(shared) + rest.join(""))];
    });
    return this.unfolded;
  }

  rowsWith = (word, form) => this.table.filter((row) => row[form] === word);
  isRow = (words) => this.rowsWith(words[0], 0).some((row) => row.join(" ") === words.join(" "));
}

// Numbers from N(0, 1), the same for the same seed: Mulberry32, then Box and Muller's formula.
function normals(seed, count) {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const one = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return Float32Array.from({ length: count }, one);
}
