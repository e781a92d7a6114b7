"""A folder of tables of so many clips each, with one manifest."""

import json
import logging
from itertools import chain, islice

from skmer.embeddings import sources, tables
from skmer.exceptions import InputError
from skmer.utils import cache, digest, files, remote

# Readers of datasets leave out files whose names begin so.
MANIFEST = "_manifest.json"
_SIZE = 10_000
_logger = logging.getLogger("skmer")


def write_shards(run, clips, place: remote.Place, n_clips, size) -> None:
    """Write clips to shards, and state each in the manifest as soon as it is whole.

    `run` is what `extract` was called with; its `write` writes one table.
    """
    with tables.locked(place.fetch(MANIFEST)):
        _Shards(run, place, n_clips, size).write(clips)


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


class _Shards:
    """The shards of a folder, and what one call of `extract` makes of them."""

    def __init__(self, run, place: remote.Place, n_clips: int | None, size: int | None):
        self.run, self.place, self.manifest = run, place, read_manifest(place)
        if run.force and not run.append:
            self.manifest["shards"] = []
        self.shards: list[dict] = self.manifest["shards"]
        if self.shards:
            self._check(n_clips, size)
        self.size = self.manifest["shard_size"] = size or self.manifest.get("shard_size", _SIZE)

    def _check(self, n_clips, size) -> None:
        run, where = self.run, self.place.show()
        if self.manifest["settings"].get("key") != run.settings["key"]:
            raise InputError(
                f"The shards in '{where}' were made with other settings; choose another folder, or "
                "pass force=True to replace them."
            )
        if size not in (None, self.manifest["shard_size"]):
            raise InputError(
                f"The shards in '{where}' have {self.manifest['shard_size']} clips each; leave "
                "'shard_size' out, or choose another folder.",
                param="shard_size",
            )
        if not run.append:
            if n_clips is not None:
                tables.check_not_fewer(where, self._total("n_clips"), n_clips)
            return
        tables.match_columns(run.columns, self.manifest["own"])
        if run.segments and not self.manifest["segments"]:
            raise InputError(
                f"The shards in '{where}' have no columns start and end, which segments need; "
                "choose another folder."
            )

    def _total(self, name: str) -> int:
        return sum(shard[name] for shard in self.shards)

    def write(self, clips) -> None:
        """Write the clips, or append them."""
        run = self.run
        if run.append and self.shards:
            run.kinds, run.segments = self.manifest["own"], self.manifest["segments"]
            self._append(clips)
        else:
            run.kinds = run.kinds or self.manifest.get("own", {})
            self._replace(clips)
        # Those that were left as they are count as well.
        run.counts |= {name: self._total(name) for name in ("n_clips", "n_rows", "n_failed")}

    def _replace(self, clips) -> None:
        """Write shard after shard, leaving those alone whose clips are what they were."""
        n_before, n_clips, at = self._total("n_clips"), 0, 0
        while True:
            held, inputs = self._hold(clips)
            if not held:
                break
            done = self.shards[at] if at < len(self.shards) else {}
            # Without columns, those that are there stay.
            cells = None
            if self.run.columns:
                cells = digest.settings_digest({"cells": [dict(one.cells) for one in held]})
            same = inputs and done.get("inputs") == inputs and cells in (None, done["cells"])
            if not same or done["n_failed"]:
                rest = islice(clips, self.size - len(held))
                self._write_one(chain(held, rest), at, inputs, cells)
            n_clips += self.shards[at]["n_clips"]
            at += 1
        if not self.run.force:
            tables.check_not_fewer(self.place.show(), n_before, n_clips)
        for name in self.place.names("part-*.parquet"):
            if name >= f"part-{at:05}":
                self.place.remove(name)
        del self.shards[at:]
        self._keep()

    def _write_one(self, clips, at: int, inputs=None, cells=None) -> None:
        """Write one shard, or add to it, and state it in the manifest."""
        name = f"part-{at:05}.parquet"
        counts = self.run.write(clips, self.place, name, what=f"shard {at}")
        shard = {"file": name, **counts, "inputs": inputs, "cells": cells}
        self.shards[at : at + 1] = [shard]
        self._keep()
        _logger.info("%s has %d clips.", self.place.show(name), counts["n_clips"])

    def _keep(self) -> None:
        run = self.run
        self.manifest |= {"settings": run.settings, "own": run.kinds, "segments": run.segments}
        self.manifest["n_clips"] = self._total("n_clips")
        with files.atomic_write(self.place.here / MANIFEST) as temporary:
            temporary.write_text(json.dumps(self.manifest, indent=2))
        self.place.store(MANIFEST)

    def _hold(self, clips) -> tuple[list, str | None]:
        """Return the clips of a shard, and a digest of what they are.

        Files whose content is in memory are not held for it, and have none.
        """
        held: list = []
        for clip in islice(clips, self.size):
            held.append(clip)
            if clip.n_bytes():
                return held, None
        states = list(self.run.embedder.call(_state, held))
        named = [[*one.identity, state] for one, state in zip(held, states)]
        return held, None if None in states else digest.settings_digest({"inputs": named})

    def _append(self, clips) -> None:
        """Add clips to the last shard and to new ones, and replace those that have changed."""
        import pyarrow.parquet as pq

        known: dict[tuple, tuple[int, str | None]] = {}
        columns = ["path", "digest", "error", *(tables.ENDS if self.manifest["segments"] else ())]
        for at, shard in enumerate(self.shards):
            with self.place.open(shard["file"]) as file:
                facts = pq.read_table(file, columns=columns).to_pylist()
            for clip in facts:
                identity = clip["path"], clip.get("start"), clip.get("end")
                known[identity] = (at, clip["digest"] if clip["error"] is None else None)
        changed: dict[int, list] = {}
        new = self._unknown(clips, known, changed)
        at = len(self.shards) - 1
        free = self.size - self.shards[at]["n_clips"]
        for first in new:
            if free <= 0:
                at, free = at + 1, self.size
            self._write_one(chain([first], islice(new, free - 1)), at)
            free = 0
        for at, others in changed.items():
            self._write_one(others, at)

    def _unknown(self, clips, known: dict, changed: dict):
        """Yield clips that no shard has; put those of another content into `changed`."""
        for window in sources.windows(clips):
            found = [known.get(clip.identity) for clip in window]
            old = (clip for clip, there in zip(window, found) if there is not None)
            digests = self.run.embedder.call(sources.digest_clip, old)
            for clip, there in zip(window, found):
                if there is None:
                    known[clip.identity] = (-1, None)
                    yield clip
                elif next(digests) != there[1] and there[0] >= 0:
                    changed.setdefault(there[0], []).append(clip)


def _state(clip):
    """Return what changes when a clip is written or replaced; None where nothing shows it."""
    if not files.is_url(clip.source):
        status = clip.status()
        # Not the device and the inode, which another machine that has the files mounts otherwise.
        return None if status is None else status[2:]
    system = remote.check_url(clip.source)
    try:
        return system.checksum(system._strip_protocol(clip.source))
    except Exception:
        # It cannot be fetched now; reading it gives the reason.
        return None
