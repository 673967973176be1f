"""Judging a model (notebook 05).

`conversion`, `generation` and `latent` hold the functions (`regular` what an irregular verb is),
`catalogue` the list of measures that every table shows, `protocols` the two ways of judging, which
ask that list.
"""
