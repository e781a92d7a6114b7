"""What is fuzzed: for each kind of file how one is read, and small right ones to begin with."""

import contextlib
import csv
import hashlib
import io
import json
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import skops.io
import soundfile
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skmer import MFCCStatsTransformer
from skmer.audio import read_audio
from skmer.datasets import deam as _deam
from skmer.datasets import emomusic as _emomusic
from skmer.datasets import load_csv
from skmer.datasets import merge as _merge
from skmer.embeddings import extract, l3, vggish
from skmer.evaluation import EvaluationResult
from skmer.models import load_model, read_card, save_model
from skmer.utils import cache as _cache
from skmer.utils.cache import CacheEntry, ClipCache

NOISE = 0.1 * np.random.default_rng(0).standard_normal(2000)
# Between the files of an input that is several.
BETWEEN = b"\n--\n"


def split(data: bytes, count: int) -> list[bytes]:
    """The files of an input, as many as wanted."""
    parts = data.split(BETWEEN, count - 1)
    return parts + [b""] * (count - len(parts))


class Audio:
    """Audio files; the first byte says which part is read, and at what rate."""

    def __init__(self, folder: Path):
        self.path = folder / "clip"

    def seeds(self):
        """Yield the containers that there are, whole, joined, tagged, and without a length."""
        files = []
        of_16_bits = ("WAV", "W64", "AIFF", "NIST", "SVX", "VOC", "FLAC")
        others = {"WAVEX": "FLOAT", "RF64": "PCM_24", "AU": "ULAW", "CAF": "ALAC_16", "MP3": None}
        for kind, subtype in {**dict.fromkeys(of_16_bits, "PCM_16"), **others}.items():
            for channels in (1, 1 if kind == "SVX" else 2):
                stream = io.BytesIO()
                audio = np.stack([NOISE] * channels, axis=1)
                soundfile.write(stream, audio, 16000, format=kind, subtype=subtype)
                files.append(stream.getvalue())
        for subtype in ("VORBIS", "OPUS"):
            soundfile.write(stream := io.BytesIO(), NOISE, 48000, format="OGG", subtype=subtype)
            files.append(stream.getvalue())
        id3 = b"ID3\x03\0\0\0\0\0\x0a" + bytes(10)
        for file in files:
            head = file[:4]
            for more in (file, file + file, id3 + file, file[: len(file) // 2]):
                yield b"\0" + more
            if head == b"fLaC":
                yield b"\1" + file[:21] + bytes([file[21] & 0xF0]) + bytes(4) + file[26:]
            if head == b"RIFF" and (at := file.find(b"data")) > 0:
                yield b"\1" + file[: at + 4] + bytes(4) + file[at + 8 :]

    def read(self, data):
        """Read the file."""
        self.path.write_bytes(data[1:])
        how = data[0] if data else 0
        offset, duration = (0.05 if how & 2 else 0.0), (0.05 if how & 4 else None)
        waveform, sr = read_audio(
            self.path, sr=16000 if how & 1 else None, offset=offset, duration=duration
        )
        assert waveform.dtype == np.float32
        assert waveform.ndim == 1
        assert len(waveform)
        assert np.isfinite(waveform).all()
        assert sr > 0


class Tables:
    """Tables of clips and of annotations; the first byte says which of a dataset is another one."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("a.wav", "b.wav"):
            (folder / name).touch()
        self.tables = {"clips.csv": "path,label,arousal\na.wav,x,1\nb.wav,y,-2.5\n"}
        times = [f"sample_{time}ms" for time in range(15000, 45001, 500)]
        songs = pd.DataFrame({"song_id": [1, 2, 3]})
        for name in ("arousal", "valence"):
            over_time = songs.assign(**{time: [0.1, -0.2, 0.3] for time in times})
            self.tables[f"{name}_cont_average.csv"] = over_time.to_csv(index=False)
            self.tables[f"{name}.csv"] = over_time.to_csv(index=False)
        means = songs.assign(mean_arousal=[1, 5, 9], mean_valence=[9, 5, 1])
        self.tables["static_annotations.csv"] = means.to_csv(index=False)
        info = songs.assign(**{"Artist": "x", "Song title": "t", "Genre": "g"})
        info["Mediaeval 2013 set"] = ["development", "evaluation", "development"]
        self.tables["songs_info.csv"] = info.to_csv(index=False)
        for name, rows in zip(_deam.STATIC_FILES, (slice(0, 2), slice(2, 3))):
            static = songs.assign(arousal_mean=[1, 5, 9], valence_mean=[9, 5, 1])[rows]
            self.tables[name] = static.to_csv(index=False)
        for name, columns in _deam.METADATA_FILES.items():
            table = pd.DataFrame([[1, "x", "t", "g"], [3, "y", 'the "t"', "g\tg"]], columns=columns)
            self.tables[name] = table.to_csv(index=False, quoting=csv.QUOTE_NONE)
        names = _merge.table_names("audio_complete", "70_15_15")
        self.merge = {kind: folder / name for kind, name in names.items()}
        metadata = pd.DataFrame(
            {"Song": ["A1", "A2", "A3"], "Quadrant": ["Q1", "Q2", "Q3"], "Artist": "x"}
        ).assign(Title="t, u")
        self.tables[names["metadata"]] = metadata.to_csv(index=False)
        values = metadata[["Song"]].assign(Arousal=[0.1, 0.5, 1], Valence=[0, 0.2, 0.3])
        self.tables[names["values"]] = values.to_csv(index=False)
        for row, part in enumerate(_merge.PARTS.values()):
            part_songs = metadata[["Song", "Quadrant"]][row : row + 1]
            self.tables[names[part]] = part_songs.to_csv(index=False)
        for name, text in self.tables.items():
            (folder / name).write_text(text)
        self.names = list(self.tables)

    def seeds(self):
        """Yield every table, and one of clips in other separators and encodings."""
        for number, text in enumerate(self.tables.values()):
            yield bytes([number]) + text.encode()
        clips = self.tables["clips.csv"]
        for text in (clips.replace(",", ";"), "sep=|\n" + clips.replace(",", "|"), clips + "\n\n"):
            for encoding in ("utf-8-sig", "utf-16", "latin-1"):
                yield b"\0" + text.replace("x", "ö").encode(encoding)

    def read(self, data):
        """Read the dataset with the one table."""
        name = self.names[(data[0] if data else 0) % len(self.names)]
        (self.folder / name).write_bytes(data[1:])
        try:
            self._read(name)
        finally:
            (self.folder / name).write_text(self.tables[name])

    def _read(self, name):
        if name == "clips.csv":
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", ".*Windows-1252", UserWarning)
                read = load_csv(self.folder / name)
                load_csv(self.folder / name, target_columns="arousal")
            assert len(read.data) == len(read.target) == len(read.frame)
            return
        paths = {other: self.folder / other for other in self.names}
        if name in _emomusic.READERS:
            frame, _ = _emomusic.read_annotations(self.folder)
        elif paths[name] in self.merge.values():
            frame = _merge.read_annotations(self.merge)
        else:
            frame, _ = _deam.read_annotations(paths, "dynamic")
        assert len(frame)
        assert frame["label"].isin(["Q1", "Q2", "Q3", "Q4"]).all()


SHAPES = (("a/kernel", (3, 2)), ("a/bias", (2,)), ("moving_variance", (1,)))


class Weights:
    """Weights of three small arrays, as HDF5 or npz; TensorFlow reads its checkpoints itself."""

    def __init__(self, folder: Path):
        self.path = folder / "weights"
        self.files = [
            replace(file, shapes=SHAPES)
            for file in (l3.WEIGHTS["mel256", "music"], vggish.NETWORK_FILE)
        ]
        self.arrays = {name: np.ones(shape, np.float32) for name, shape in SHAPES}

    def seeds(self):
        """Yield HDF5 as Keras writes it, and npz."""
        stream = io.BytesIO()
        with h5py.File(stream, "w") as file:
            file.attrs["layer_names"] = ["one", "two"]
            for layer, names in (("one", ["a/kernel", "a/bias"]), ("two", ["moving_variance"])):
                group = file.create_group(layer)
                group.attrs["weight_names"] = names
                for name in names:
                    group.create_dataset(name, data=self.arrays[name])
        yield b"\0" + stream.getvalue()
        stream = io.BytesIO()
        np.savez(stream, **self.arrays)
        yield b"\1" + stream.getvalue()

    def read(self, data):
        """Read the arrays; they have the shapes that are wanted and finite numbers."""
        kind, data = (data[0] if data else 0) % 2, data[1:]
        # A checkpoint would be TensorFlow's to read.
        self.path.write_bytes(b"PK\x03\x04" + data[4:] if kind else data)
        arrays = self.files[kind].load(self.path, 0)[0].values()
        assert [array.shape for array in arrays] == [shape for _, shape in SHAPES]
        assert all(np.isfinite(array).all() for array in arrays)


class Models:
    """Model files: the archive itself, or its card and its tree with all checksums right."""

    def __init__(self, folder: Path):
        self.path = folder / "m.skmer"
        model = make_pipeline(MFCCStatsTransformer(), GaussianNB())
        self.whole = save_model(model.fit(list(NOISE.reshape(4, -1)), [0, 1] * 2), self.path)
        self.whole = self.path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(self.whole)) as archive:
            self.card = archive.read("card.json")
            self.model = archive.read("model.skops")
        with zipfile.ZipFile(io.BytesIO(self.model)) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}

    def seeds(self):
        """Yield the file, and its parts."""
        yield b"\0" + self.whole
        yield b"\1" + self.card + BETWEEN + self.members["schema.json"]
        small = skops.io.dumps(GaussianNB())
        with zipfile.ZipFile(io.BytesIO(small)) as archive:
            yield b"\1" + self.card + BETWEEN + archive.read("schema.json")

    def read(self, data):
        """Read the card and the model."""
        self.path.write_bytes(self._build(*split(data[1:], 2)) if data[:1] == b"\1" else data[1:])
        assert isinstance(read_card(self.path), dict)
        load_model(self.path)

    def _build(self, card, schema):
        model = self._zip({**self.members, "schema.json": schema})
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            read = json.loads(card)
            card = json.dumps({**read, "model_sha256": hashlib.sha256(model).hexdigest()}).encode()
        return self._zip({"card.json": card, "model.skops": model})

    @staticmethod
    def _zip(members):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name), content)
        return stream.getvalue()


class Cache:
    """Entries of the cache, with the right checksum and key."""

    def __init__(self, folder: Path):
        self.cache = ClipCache(folder / "cache")
        self.right = np.ones((2, 3), np.float32)
        self.entry = self.cache.get_or_compute({"a": 1}, self._compute)
        self.path = next(self.cache.folder.glob("*/*.clip"))
        self.header = json.loads(self.path.read_bytes()[_cache._CHECKSUM_SIZE :].split(b"\n")[0])

    def _compute(self):
        return CacheEntry(self.right, ["short"], "00")

    def seeds(self):
        """Yield entries of several types."""
        for dtype in ("<f4", ">f8", "|O", "<U3", "V8", "<M8[s]"):
            header = {**self.header, "dtype": dtype}
            yield json.dumps(header).encode() + b"\n" + self.right.tobytes()

    def read(self, data):
        """Ask for the entry; it is that of the file, or computed."""
        line, found, numbers = data.partition(b"\n")
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            line = json.dumps({**json.loads(line), "key": self.header["key"]}).encode()
        payload = line + found + numbers
        self.path.write_bytes(_cache._checksum(payload) + payload)
        valid = lambda array: array.dtype == np.float32 and array.ndim == 2  # noqa: E731
        entry = self.cache.get_or_compute({"a": 1}, self._compute, is_valid=valid)
        assert valid(entry.array)
        assert entry.array.flags.writeable


class Extraction:
    """The table of an earlier extraction."""

    def __init__(self, folder: Path):
        self.clip = folder / "a.wav"
        soundfile.write(self.clip, NOISE, 16000)
        self.transformer = MFCCStatsTransformer(n_mfcc=1, deltas=0, target_sr=16000)
        self.outs = [folder / f"t.{suffix}" for suffix in ("parquet", "npz", "csv")]
        self.files = []
        for out in self.outs:
            self._extract(out)
            self.files.append(out.read_bytes())
        self.key = json.loads(Path(f"{out}.json").read_text())["key"]

    def _extract(self, out):
        return extract([str(self.clip)], self.transformer, out, n_jobs=1)

    def seeds(self):
        """Yield every table."""
        for kind, file in enumerate(self.files):
            yield bytes([kind]) + file

    def read(self, data):
        """Run the extraction again; its table has one row."""
        kind, data = (data[0] if data else 0) % 3, data[1:]
        out = self.outs[kind]
        out.write_bytes(data)
        if kind == 2:
            beside = {"key": self.key, "sha256": hashlib.sha256(data).hexdigest()}
            Path(f"{out}.json").write_text(json.dumps(beside))
        done = self._extract(out)
        assert (done.n_clips, done.n_rows, done.n_failed) == (1, 1, 0)


class Results:
    """Saved results: the manifest and one of its tables, with the digest that it states."""

    def __init__(self, folder: Path):
        self.folder = folder / "result"
        labels = np.array(["x", "y"] * 6)
        from skmer.evaluation import evaluate

        features = np.random.default_rng(0).standard_normal((12, 3))
        result = evaluate(
            {"noise": features}, {"nb": GaussianNB()}, np.arange(12), labels, protocol="koh2021",
            n_repeats=2,
        )  # fmt: skip
        result.save(self.folder)
        self.manifest = (self.folder / "manifest.json").read_bytes()
        self.predictions = (self.folder / "predictions.csv").read_bytes()

    def seeds(self):
        """Yield the two files."""
        yield self.manifest + BETWEEN + self.predictions

    def read(self, data):
        """Load the result."""
        manifest, predictions = split(data, 2)
        with contextlib.suppress(ValueError, TypeError, LookupError, RecursionError):
            read = json.loads(manifest)
            read.pop("sha256")
            read["tables"]["predictions"]["sha256"] = hashlib.sha256(predictions).hexdigest()
            manifest = json.dumps(read).encode()
        (self.folder / "manifest.json").write_bytes(manifest)
        (self.folder / "predictions.csv").write_bytes(predictions)
        EvaluationResult.load(self.folder)


TARGETS = {
    "audio": Audio,
    "tables": Tables,
    "weights": Weights,
    "models": Models,
    "cache": Cache,
    "extraction": Extraction,
    "results": Results,
}
