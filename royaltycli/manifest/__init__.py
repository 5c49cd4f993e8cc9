"""corpus.toml and its kin: from what a person wrote to sources, collections and holders.

`reading.read_manifest` gives a `model.Corpus`, and all that is wrong. `tables` and `lists` make a `fields.Entry` of
each table and row, of which `sources`, `shares` and `parties` make values. What a path means is in `paths`, `patterns`
and, on other machines, `remotes`; which format a file has, in `endings`. `starter` writes a first manifest.
"""
