"""Replicas of the datasets as they are distributed, and a web server on loopback."""

import functools
import http.server
import struct
import threading
from pathlib import Path

import pytest

from skmer.datasets import load_toy_emotions
from skmer.datasets import ravdess_song as _ravdess_song

EMOMUSIC_COUNTS = {"Q1": 305, "Q2": 87, "Q3": 241, "Q4": 111}
BIMODAL_COUNTS = {"Q1": 52, "Q2": 45, "Q3": 31, "Q4": 34}
SIGNS = {"Q1": (1, 1), "Q2": (1, -1), "Q3": (-1, -1), "Q4": (-1, 1)}


@pytest.fixture(scope="session")
def toy_home(tmp_path_factory) -> Path:
    """A data folder with the toy clips; not to be written to."""
    home = tmp_path_factory.mktemp("toy_home")
    load_toy_emotions(data_home=home)
    return home


@pytest.fixture
def change():
    """Change files of a replica for one test: new content, or None for no file."""
    before = {}

    def call(path, content):
        before.setdefault(path, path.read_bytes() if path.is_file() else None)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    yield call
    for path, content in before.items():
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)


@pytest.fixture(scope="module")
def ravdess_home(tmp_path_factory) -> Path:
    """All names of RAVDESS song, the files empty."""
    tmp_path = tmp_path_factory.mktemp("ravdess")
    for name in _ravdess_song.checksums():
        path = tmp_path / "ravdess_song" / f"Actor_{name[-2:]}" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def write_emomusic_annotations(folder: Path) -> list[int]:
    """Annotation files of 744 songs; returns the songs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in emomusic_tables().items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return list(range(2, 746))


@functools.cache
def emomusic_tables() -> dict[str, str]:
    """Tables with Table 1's counts, columns in another order, stray tabs, CRLF."""
    tables = {}
    quadrants = [name for name, count in EMOMUSIC_COUNTS.items() for _ in range(count)]
    ids = range(2, 2 + len(quadrants))
    times = range(15000, 45001, 500)
    header = ",".join(f"sample_{time}ms" for time in reversed(times))
    rows = {"arousal": [], "valence": []}
    for song, quadrant in zip(ids, quadrants):
        for axis, sign in zip(rows, SIGNS[quadrant]):
            # The mean decides: two large samples against many small ones.
            values = [-sign * 0.01] * 59 + [sign * 0.5] * 2
            rows[axis].append(f"{song}," + ",".join(map(str, values)))
    for axis, lines in rows.items():
        # Another order of songs than in the other files.
        text = "\n".join([f"song_id,{header}", *reversed(lines)])
        tables[f"{axis}_cont_average.csv"] = text + "\n"
    static = [f"{song},2,{1 + song % 9},1,{9 - song % 9}" for song in ids]
    text = "\r\n".join(["song_id,std_valence, mean_valence,std_arousal,mean_arousal", *static])
    tables["static_annotations.csv"] = text + "\r\n"
    songs = [
        f"{song}\t,{song}.mp3,\tArtist  {song // 4}\t,Song {song}\t,Rock\t,"
        f"{'evaluation' if song % 6 == 0 else 'development'}\t"
        for song in ids
    ]
    text = "\r\n".join(["song_id,file_name,Artist,Song title,Genre,\tMediaeval 2013 set\t", *songs])
    tables["songs_info.csv"] = text + "\r\n"
    return tables


@pytest.fixture(scope="module")
def emomusic_home(tmp_path_factory) -> Path:
    """Emotion in Music as distributed, the clips empty."""
    tmp_path = tmp_path_factory.mktemp("emomusic")
    ids = write_emomusic_annotations(tmp_path / "emomusic")
    clips = tmp_path / "emomusic" / "clips_45seconds"
    clips.mkdir()
    for song in ids:
        (clips / f"{song}.mp3").touch()
    return tmp_path


@pytest.fixture(scope="module")
def fourq_home(tmp_path_factory) -> Path:
    """The 4Q dataset as distributed, the clips empty."""
    tmp_path = tmp_path_factory.mktemp("fourq")
    folder = tmp_path / "4q" / "MER_audio_taffc_dataset"
    songs = [(f"MT{i:010d}", f"Q{1 + i // 225}") for i in range(900)]
    for song, quadrant in songs:
        (folder / quadrant).mkdir(parents=True, exist_ok=True)
        (folder / quadrant / f"{song}.mp3").touch()
    lines = [f'"{song}","{quadrant}"' for song, quadrant in songs]
    text = "\r\n".join(['"Song","Quadrant"', *lines]) + "\r\n"
    (folder / "panda_dataset_taffc_annotations.csv").write_text(text, newline="")
    lines = [
        f'"{song}","{"" if i == 5 else f"Beyoncé {i // 3}"}","A, B",{quadrant},"joyous; warm"'
        for i, (song, quadrant) in enumerate(songs)
    ]
    text = "\n".join(['"Song","Artist","Title","Quadrant","MoodsStr"', *reversed(lines)]) + "\n"
    (folder / "panda_dataset_taffc_metadata.csv").write_text(text, encoding="latin-1")
    return tmp_path


def bimodal_rows(*, artists: bool) -> list[list]:
    """The workbook's rows: lines of text, headings, songs."""
    preamble = [["Bi-modal dataset"], *([f"line {i} of the preamble"] for i in range(14))]
    headings = ["Song Code", "Quadrant", "Avg_Valence", "Avg_Arousal", "Num. Subj."]
    quadrants = [name for name, count in BIMODAL_COUNTS.items() for _ in range(count)]
    rows = []
    for i, quadrant in enumerate(quadrants):
        arousal, valence = SIGNS[quadrant]
        written = quadrant if i % 2 else int(quadrant[1])
        rows.append([f"A{i:03d}", written, 1.5 * valence, 2.5 * arousal, 20])
    if artists:
        headings.append("Artist")
        rows = [[*row, f"Artist {i // 2}"] for i, row in enumerate(rows)]
    return [*preamble, headings, *rows]


def touch_bimodal_clips(folder: Path) -> None:
    """162 empty clips, named by code, or by code and title."""
    corpus = folder / "MER_bimodal_dataset" / "Corpus-Audio-162"
    corpus.mkdir(parents=True)
    for i in range(162):
        (corpus / (f"A{i:03d}.mp3" if i % 2 else f"A{i:03d} - title {i}.mp3")).touch()


def write_xls(path: Path, rows: list[list]) -> None:
    """A workbook in the oldest of Excel's formats (BIFF2), which needs no library to write."""
    records = [struct.pack("<HHHH", 0x0009, 4, 0x0007, 0x0010)]
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            place = struct.pack("<HH", i, j) + bytes(3)
            if isinstance(value, str):
                data = place + bytes([len(value)]) + value.encode("ascii")
                records.append(struct.pack("<HH", 0x0004, len(data)) + data)
            else:
                data = place + struct.pack("<d", value)
                records.append(struct.pack("<HH", 0x0003, len(data)) + data)
    path.write_bytes(b"".join(records) + struct.pack("<HH", 0x000A, 0))


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.n_requests += 1
        content = self.server.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    """A web server on loopback: ``files`` maps paths to bytes, ``url`` is its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as httpd:
        httpd.files, httpd.n_requests = {}, 0
        httpd.url = f"http://127.0.0.1:{httpd.server_port}"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield httpd
        httpd.shutdown()
        thread.join()
