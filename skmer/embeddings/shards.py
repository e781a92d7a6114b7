"""A folder of tables of so many clips each, with one manifest."""

import json
import logging
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from skmer.embeddings import tables
from skmer.embeddings.clips import Clip
from skmer.embeddings.sources import Embedder, digest_clip, windows
from skmer.exceptions import InputError
from skmer.utils import cache, remote
from skmer.utils.digest import settings_digest
from skmer.utils.files import atomic_write, is_url

# Readers of datasets leave out files whose names begin so.
MANIFEST = "_manifest.json"
_SIZE = 10_000
_logger = logging.getLogger("skmer")


def write_shards(
    run, clips: Iterator[Clip], place: remote.Place, n_clips: int | None, size: int | None
) -> None:
    """Write clips to shards, and state each in the manifest as soon as it is whole.

    `run` is what `extract` was called with; its `write` writes one table.
    """
    with tables.locked(place.fetch(MANIFEST)):
        manifest = read_manifest(place)
        _check(run, manifest, place, n_clips, size)
        manifest["shard_size"] = size or manifest.get("shard_size", _SIZE)
        if run.append and manifest["shards"]:
            tables.match_columns(run.columns, manifest["own"])
            if run.segments and not manifest["segments"]:
                raise InputError(
                    f"The shards in '{place.show()}' have no columns start and end, which segments "
                    "need; choose another folder."
                )
            run.kinds, run.segments = manifest["own"], manifest["segments"]
            _append(run, clips, place, manifest)
        else:
            run.kinds = run.kinds or manifest.get("own", {})
            _write(run, clips, place, manifest)


def read_manifest(place: remote.Place) -> dict:
    """Return the manifest of a folder of shards; an empty one where there is none."""
    try:
        with place.open(MANIFEST) as file:
            manifest = json.loads(file.read())
            manifest["shards"] = list(manifest["shards"])
            return manifest
    except FileNotFoundError:
        return {"shards": []}
    except cache.DAMAGE as error:
        raise InputError(
            f"The file '{place.show(MANIFEST)}' is not a manifest that extract wrote; remove it, "
            "or choose another folder."
        ) from error


def _check(run, manifest: dict, place: remote.Place, n_clips: int | None, size: int | None) -> None:
    if run.force and not run.append:
        manifest["shards"] = []
    if not manifest["shards"]:
        return
    if manifest["settings"].get("key") != run.settings["key"]:
        raise InputError(
            f"The shards in '{place.show()}' were made with other settings; choose another folder, "
            "or pass force=True to replace them."
        )
    if size not in (None, manifest["shard_size"]):
        raise InputError(
            f"The shards in '{place.show()}' have {manifest['shard_size']} clips each; leave "
            "'shard_size' out, or choose another folder.",
            param="shard_size",
        )
    if n_clips is not None and not run.append:
        tables.check_not_fewer(place.show(), _total(manifest), n_clips)


def _total(manifest: dict) -> int:
    return sum(shard["n_clips"] for shard in manifest["shards"])


def _write(run, clips: Iterator[Clip], place: remote.Place, manifest: dict) -> None:
    """Write shard after shard, leaving those alone whose clips are what they were."""
    n_before, at = _total(manifest), 0
    while True:
        held, digest = _hold(run.embedder, clips, manifest["shard_size"])
        if not held:
            break
        done = manifest["shards"][at] if at < len(manifest["shards"]) else None
        # Without columns, those that are there stay.
        cells = None
        if run.columns:
            cells = settings_digest({"cells": [dict(one.cells) for one in held]})
        if (
            done
            and digest
            and done["inputs"] == digest
            and cells in (None, done["cells"])
            and not done["n_failed"]
        ):
            run.add(done)
        else:
            rest = islice(clips, manifest["shard_size"] - len(held))
            _write_one(run, chain(held, rest), place, manifest, at, digest, cells)
        at += 1
    if not run.force:
        tables.check_not_fewer(place.show(), n_before, run.counts["n_clips"])
    for surplus in _files_from(place, at):
        place.remove(surplus)
    del manifest["shards"][at:]
    _keep(run, place, manifest)


def _write_one(
    run,
    clips: Iterable[Clip],
    place: remote.Place,
    manifest: dict,
    at: int,
    inputs=None,
    cells=None,
) -> None:
    """Write one shard, or add to it, and state it in the manifest."""
    name = f"part-{at:05}.parquet"
    counts = run.write(clips, place, name, what=f"shard {at}")
    shard = {"file": name, **counts, "inputs": inputs, "cells": cells}
    manifest["shards"][at : at + 1] = [shard]
    _keep(run, place, manifest)
    _logger.info("%s has %d clips.", place.show(name), counts["n_clips"])


def _keep(run, place: remote.Place, manifest: dict) -> None:
    manifest |= {"settings": run.settings, "own": run.kinds, "segments": run.segments}
    manifest["n_clips"] = _total(manifest)
    with atomic_write(place.here / MANIFEST) as temporary:
        temporary.write_text(json.dumps(manifest, indent=2))
    place.store(MANIFEST)


def _hold(embedder: Embedder, clips: Iterator[Clip], size: int) -> tuple[list[Clip], str | None]:
    """Return the clips of a shard, and a digest of what they are; files whose content is in memory
    are not held for it, and have none."""
    held: list[Clip] = []
    for clip in islice(clips, size):
        held.append(clip)
        if clip.n_bytes():
            return held, None
    states = list(embedder.call(_state, held))
    named = [[*one.identity, state] for one, state in zip(held, states)]
    return held, None if None in states else settings_digest({"inputs": named})


def _state(clip: Clip):
    """Return what changes when a clip is written or replaced; None where nothing shows it."""
    if not is_url(clip.source):
        status = clip.status()
        # Not the device and the inode, which another machine that has the files mounts otherwise.
        return None if status is None else status[2:]
    files = remote.check_url(clip.source)
    try:
        return files.checksum(files._strip_protocol(clip.source))
    except Exception:
        # It cannot be fetched now; reading it gives the reason.
        return None


def _append(run, clips: Iterator[Clip], place: remote.Place, manifest: dict) -> None:
    """Add clips to the last shard and to new ones, and replace those that have changed."""
    import pyarrow.parquet as pq

    known: dict[tuple, tuple[int, str | None]] = {}
    columns = ["path", "digest", "error", *(tables.ENDS if manifest["segments"] else ())]
    for at, shard in enumerate(manifest["shards"]):
        run.add(shard)
        with place.open(shard["file"]) as file:
            facts = pq.read_table(file, columns=columns).to_pylist()
        for clip in facts:
            identity = clip["path"], clip.get("start"), clip.get("end")
            known[identity] = (at, clip["digest"] if clip["error"] is None else None)
    changed: dict[int, list[Clip]] = {}
    new = _unknown(run, clips, known, changed)
    at = len(manifest["shards"]) - 1
    free = manifest["shard_size"] - manifest["shards"][at]["n_clips"]
    for first in new:
        if free <= 0:
            at, free = at + 1, manifest["shard_size"]
        _add(run, chain([first], islice(new, free - 1)), place, manifest, at)
        free = 0
    for at, sources in changed.items():
        _add(run, iter(sources), place, manifest, at)


def _add(run, clips: Iterator[Clip], place: remote.Place, manifest: dict, at: int) -> None:
    if at < len(manifest["shards"]):
        # It is counted again, as a whole.
        run.add(manifest["shards"][at], -1)
    _write_one(run, clips, place, manifest, at)


def _unknown(run, clips, known: dict, changed: dict) -> Iterator[Clip]:
    """Yield clips that no shard has; put those whose content is another one into `changed`."""
    for window in windows(clips):
        found = [known.get(clip.identity) for clip in window]
        old = (clip for clip, there in zip(window, found) if there is not None)
        digests = run.embedder.call(digest_clip, old)
        for clip, there in zip(window, found):
            if there is None:
                known[clip.identity] = (-1, None)
                yield clip
            elif next(digests) != there[1] and there[0] >= 0:
                changed.setdefault(there[0], []).append(clip)


def _files_from(place: remote.Place, at: int) -> list[str]:
    """Return the names of the shards from a number on."""
    return [name for name in place.names("part-*.parquet") if name >= f"part-{at:05}"]
