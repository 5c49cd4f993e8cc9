"""The attribution network: reads the activations of a language model, and says which sources a text is like.

Only modules of this package import torch, and nothing imports them before the network is asked for.
"""
