"""labkit: a conditional sequence-to-sequence VAE for English tenses, small enough to read.

The map, in the order in which to read it; a module imports only what stands above it.

    errors             what a person can mend
    files              text, JSON, tables of numbers: written whole or not at all, read with care
    language           letters and forms: `Language`, `ENGLISH`, the tokenizer
    tables             verb tables: what a folder of words holds
    batches            padded batches, and the order of an epoch
    invented           invented verbs: a list that never ends
    sampling           which words an epoch reads, and in which form it writes them
    tensor_files       tensors on disk, never unpickled
    schedules          KL weight and teacher-forcing ratio from epoch to epoch
    config             the settings of one trial
    toy                the bound on a latent of K values, where every sum is exact
    losses             the two terms of the loss, and the sampling step between them
    model              encoder, decoder, CVAE
    inference          convert, generate, interpolate
    measures.regular      what an irregular verb is
    measures.conversion   BLEU-4, exact match
    measures.baselines    what converts without a network: copying, rules, the nearest verb
    measures.breakdown    conversions taken apart: forms, kinds of verbs, kinds of errors
    measures.comparison   a model beside the baselines, seen and unseen
    measures.generation   Gaussian score, coverage
    measures.latent       rate and distortion, active units, probes
    measures.catalogue    the list of measures that every table shows
    measures.protocols    judging: honest, and the report's way
    runs               run folders, and the model that ships
    state              what changes while a trial runs
    training           `update`, the heart of the loop, and `train`
    leaderboard        the open challenge: judged once
    sweeps             many configurations with many seeds; results by name
    recipes            our settings and the report's, and how options choose among them
    report2021         the report's schedules and numbers, our trials beside them
    plots              figures: `style`, `drawing`, `curves`, then those of each notebook
    show               what a cell puts on the page: a figure, a table, a claim, a source
    widgets            panels with sliders, one module a notebook
    exercises          check, hint, solution, progress; one module a notebook
    wordcheck          what a folder of words holds, and what looks wrong with it
    wordimport         a list from elsewhere, made into a folder of tables
    quantise           a model in few bytes, with the same answers
    page               trained models in one HTML file
    console            what every command does: errors in one sentence, a progress bar
    cli_use            the commands that use a model: evaluate, submit, convert, generate
    cli_words          the commands `labkit words …`
    cli_page           the command `labkit page`
    cli                the command line: all the others

Letters in shape comments, everywhere: B batch, T characters in time, V vocabulary (28 in English),
H hidden (256), C condition (8), Z latent (32; a latent is a pair, so its vectors have 2Z numbers).

Import what you need from its module: `from labkit.tables import load_tables`.
"""

__version__ = "1.0.0"
