"""From what a model wrote to the sources it drew on: the index of a corpus, evidence, calibrated shares of usage."""
