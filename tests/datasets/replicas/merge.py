"""MERGE as a version of it is unpacked, with the oddities of its tables."""

from pathlib import Path

# A tenth of each version.
N_SONGS = {
    "audio_complete": 355,
    "audio_balanced": 324,
    "bimodal_complete": 221,
    "bimodal_balanced": 200,
}
SHARES = {"70_15_15": (70, 85), "40_30_30": (40, 70)}
N_4Q, N_BIMODAL = 90, 13


def song_ids(version: str) -> list[str]:
    """Codes of each kind; the first are 4Q's, the next Bi-modal's."""
    n_songs = N_SONGS[version]
    known = [f"MT{i:010d}" for i in range(N_4Q)] + [f"A{i:03d}" for i in range(N_BIMODAL)]
    more = [f"A061-{i}" if i % 3 else f"L{i:04d}" for i in range(n_songs - len(known))]
    return known + more


def quadrant(row: int) -> str:
    """The quadrants in turn."""
    return f"Q{1 + row % 4}"


def part(row: int, splits: str) -> str:
    """Where a song is in a published split."""
    to_train, to_validate = SHARES[splits]
    at = row * 37 % 100
    return "train" if at < to_train else "validate" if at < to_validate else "test"


def write_merge(folder: Path, version: str = "audio_complete") -> None:
    """All files of a version, the clips empty."""
    folder = folder / f"MERGE_{version.title()}"
    folder.mkdir(parents=True)
    songs = song_ids(version)
    header = "Song,Quadrant,AllMusic Id,AllMusic Extraction Date,Artist,Title,Relevance,Year,Moods,Genres,ActualYear"
    rows = [
        # Artists recur; lists are long, quoted, and one goes over a line.
        f'{song},{quadrant(i)},MW{i},2021-01-01,{"" if i == 7 else f"Louis  Armstrong {i if i % 5 == 0 else i // 3}"},"Title, {i}",1,,'
        f'"Happy, Sad{chr(10) if i == 5 else " "}and Angry","[\'Jazz\', \'Pop\']",19{i % 90 + 10}.0'
        for i, song in enumerate(songs)
    ]  # fmt: skip
    write(folder / f"merge_{version}_metadata.csv", header, rows)
    # Computed from mood words: many songs share a pair. Blanks in the header, another order.
    rows = [f"{song}, {0.25 + i % 2 / 2}, 0.22625" for i, song in enumerate(songs)]
    rows[-1] = f"{songs[-1]}, 0.9, 0.9"
    write(folder / f"merge_{version}_av_values.csv", "Song, Arousal, Valence", rows[::-1])
    for splits in SHARES:
        for name in ("train", "validate", "test"):
            rows = [
                f"{song},{quadrant(i)}" for i, song in enumerate(songs) if part(i, splits) == name
            ]
            path = folder / "tvt_dataframes" / f"tvt_{splits}"
            path.mkdir(parents=True, exist_ok=True)
            write(path / f"tvt_{splits}_{name}_{version}.csv", "Song,Quadrant", rows)
    audio = folder / "audio" if "bimodal" in version else folder
    for name in ("Q1", "Q2", "Q3", "Q4"):
        (audio / name).mkdir(parents=True)
    for i, song in enumerate(songs):
        (audio / quadrant(i) / f"{song}.mp3").touch()


def write(path: Path, header: str, rows: list[str]) -> None:
    """A table in UTF-8."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8", newline="")
