"""A language model and a network that several tests look at; they are made once, and nobody changes them."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="package")
def _one_thread():
    """Models this small gain nothing from a second thread, and lose much where tests run beside each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def documents():
    from tests.attribution.language import sample_documents

    return sample_documents()


@pytest.fixture(scope="package")
def corpus(documents, tmp_path_factory):
    from tests.attribution.language import write_corpus

    return write_corpus(tmp_path_factory.mktemp("corpus"), documents)


@pytest.fixture(scope="package")
def model(_one_thread, documents, tmp_path_factory):
    from tests.attribution.language import train_model

    return train_model(tmp_path_factory.mktemp("model") / "lm", [text for _, text in documents], tokens=80_000)


@pytest.fixture(scope="package")
def trained(corpus, model, tmp_path_factory):
    """What training a network came to, and its folder."""
    from royaltycli.attributing import train_network

    place = tmp_path_factory.mktemp("network") / "network"
    return train_network(corpus, model=model, output=place), place


@pytest.fixture(scope="package")
def network(trained):
    from royaltycli.attribution.network.network import open_network

    return open_network(trained[1])
