"""The folder of a network: its weights, and network.json, which is written last and says what belongs to it.

FOLDER/
network.json                what the network is of: digests of model, corpus and weights, sources, layers; and its own
weights-DIGEST.safetensors  the heads
calibration-METHOD...       how `royalty attribute` weighs the network beside an index
features/                   while it is trained: what was read so far, for a training that goes on
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from royaltycli.attribution.folder import CALIBRATION, NETWORK, digest_of_value, write_json
from royaltycli.attribution.network.calibration import Calibration
from royaltycli.attribution.network.head import Head, Scale
from royaltycli.errors import AttributionError, OutputError, reason_of
from royaltycli.remote.names import check_here
from royaltycli.storage import check_place, make_folder, write_whole

VERSION = 3
LIST, FEATURES = NETWORK, "features"
OWN_DIGEST = "own_digest"
"""The key of network.json for the digest of all the others."""

TENSORS = ("projections", "biases", "names", "levels", "prototypes", "sharpness", "sizes", "heights")


@dataclass(frozen=True, slots=True)
class About:
    """What a network is of, and how its scores become probabilities.

    `model` is the folder of the language model as it was named, `model_digest` that of its files, `layers` those that
    are read, `features` how many there are of a span. `manifest` is the digest of the manifest; `documents` are those
    of the texts that were learned, by which a network of another corpus than an index is known. `within` is the
    calibration of a source among those of its collection, if there are so many sources that they go by collection.
    """

    model: str
    model_digest: str
    layers: tuple[int, ...]
    features: int
    manifest: str
    documents: tuple[int, ...]
    sources: tuple[str, ...]
    calibration: Calibration
    within: Calibration | None
    measured: list[dict[str, Any]]


def check_folder(place: Path) -> None:
    """Raises OutputError if a folder cannot be that of a network, or holds other things. It need not be there.

    Raises CallError for one in a store.
    """
    check_here(place, "a network")
    try:
        others = [path.name for path in place.iterdir() if not _is_ours(path.name)] if place.exists() else []
    except OSError as error:
        raise OutputError(
            f"{place} cannot be the folder of a network ({reason_of(error)}); name another with `-o`"
        ) from error
    if others:
        raise OutputError(f"{place} holds other files, such as {min(others)}; name a folder of its own with `-o`")
    if not place.exists():
        check_place(place)


def _is_ours(name: str) -> bool:
    return name in (LIST, FEATURES) or name.startswith(("weights-", f"{CALIBRATION}-", "."))


def save(place: Path, about: About, head: Head) -> None:
    """Write a network; what was there before stays until the new one is whole. Raises OutputError."""
    make_folder(place)
    tensors = {name: getattr(head, name).contiguous().cpu() for name in TENSORS}
    tensors |= {name: getattr(head.scale, name).contiguous().cpu() for name in ("means", "spreads")}
    data = safetensors.torch.save(tensors)
    digest = hashlib.sha256(data).hexdigest()
    weights = f"weights-{digest[:16]}.safetensors"
    write_whole(place / weights, lambda file: file.write(data))
    said = {"version": VERSION, "weights": weights, "digest": digest, **dataclasses.asdict(about)}
    write_json(place / LIST, {**said, OWN_DIGEST: digest_of_value(said)})
    for path in place.glob("weights-*.safetensors"):
        if path.name != weights:
            path.unlink(missing_ok=True)


def load(place: Path) -> tuple[About, Head]:
    """Read a network. Raises AttributionError if there is none, or it is damaged or of another version; CallError."""
    check_here(place, "a network")
    path = place / LIST
    if not path.is_file():
        raise AttributionError(f"{place} holds no network; train one with `royalty network train`")
    try:
        said = json.loads(path.read_bytes())
        if said["version"] == VERSION:
            return _read(place, said)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, safetensors.SafetensorError) as error:
        raise AttributionError(f"the network in {place} is damaged; run `royalty network train` again") from error
    raise AttributionError(f"{path} is of another version of royalty; run `royalty network train` again")


def _read(place: Path, said: dict[str, Any]) -> tuple[About, Head]:
    """Read what network.json says there is. Raises what it meets."""
    if said.pop(OWN_DIGEST) != digest_of_value(said):
        raise ValueError("the list has changed")
    about = _about(said)
    data = (place / Path(said["weights"]).name).read_bytes()
    if hashlib.sha256(data).hexdigest() != said["digest"]:
        raise ValueError("the weights have changed")
    tensors = safetensors.torch.load(data)
    head = Head(Scale(tensors["means"], tensors["spreads"]), **{name: tensors[name] for name in TENSORS})
    if head.features != about.features or head.sources != len(about.sources):
        raise ValueError("the weights are of another size")
    return about, head


def _about(said: dict[str, Any]) -> About:
    names = {field.name for field in dataclasses.fields(About)}
    values = {name: said[name] for name in names}
    values |= {name: tuple(said[name]) for name in ("layers", "sources", "documents")}
    values["calibration"] = Calibration(**said["calibration"])
    values["within"] = None if said["within"] is None else Calibration(**said["within"])
    return About(**values)


def to_device(head: Head, device: torch.device) -> Head:
    """The head where the language model runs."""
    scale = Scale(head.scale.means.to(device), head.scale.spreads.to(device))
    return Head(scale, **{name: getattr(head, name).to(device) for name in TENSORS})
