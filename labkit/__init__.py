"""labkit: a conditional sequence-to-sequence VAE for English tenses, small enough to read.

From the ground up: `files`, `data`; `model`, `schedules`, `losses`, `toy`; `inference`,
`evaluation`, `diagnostics`; `config`, `runs`, `training`; `trials`, `cli`; and what a person
sees: `plots`, `widgets`, `exercises`. Import what you need from its module:
`from labkit.data import load_tables`.
"""

__version__ = "1.0.0"
