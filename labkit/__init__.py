"""labkit: a conditional sequence-to-sequence VAE for English tenses, small enough to read.

From the ground up: `data`; `model`, `schedules`, `losses`, `toy`; `inference`, `evaluation`;
`config`, `runs`, `training`; `trials`, `cli`; and what a person sees: `plots`, `widgets`,
`exercises`.
Importing this package does nothing but make its modules available by name.
"""

__version__ = "1.0.0"
