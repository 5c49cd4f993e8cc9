"""What `royalty network` does, as functions that a program can call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from royaltycli.arguments import check_types
from royaltycli.errors import CallError
from royaltycli.progress import Tell, say_nothing

if TYPE_CHECKING:
    from royaltycli.attribution.network.training import Trained


def train_network(
    manifest: str | Path | None = None,
    *,
    model: str | Path,
    output: str | Path = "network",
    spans: int = 2000,
    outside: bool = False,
    tell: Tell = say_nothing,
) -> Trained:
    """Train an attribution network and write it to the folder `output`. Raises RoyaltyError; none is then written."""
    from royaltycli.corpus.opening import open_corpus
    from royaltycli.workspace import working_folder

    check_types("model", manifest=manifest, model=model, output=output, spans=spans)
    if spans < 1:
        raise CallError(f"spans is {spans}; it must be 1 or more")
    check_installed()
    opened = open_corpus(manifest, outside=outside)
    from royaltycli.attribution.network import store, training

    place = Path(output)
    store.check_folder(place)
    with working_folder(place):
        return training.train_network(opened.corpus, opened.files, Path(model), place, tell, spans=spans)


def check_installed() -> None:
    """Raises CallError unless the packages that the network needs are installed."""
    from importlib import import_module

    try:
        for name in ("torch", "transformers", "safetensors"):
            import_module(name)
    except ImportError as error:
        raise CallError(
            f"the network needs {name}, which is not installed; pip install 'royaltycli[network]'"
        ) from error
