"""corpus.toml and its kin: from what a person wrote to sources, collections and holders."""
