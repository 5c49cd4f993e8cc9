"""What a model generated, and the sources of the corpus that it drew on."""
