"""DEAM as it is unpacked: three archives in folders of their own, with the oddities of its tables."""

import functools
from pathlib import Path

# A tenth of the excerpts, with gaps in their numbers and from each year, among them songs of
# Emotion in Music (2 to 745 in the replica of it), and the 58 full songs.
EXCERPTS = [*range(2, 102), *range(1001, 1041), *range(1501, 1536)]
FULL_SONGS = list(range(2001, 2059))
STATIC = "annotations/annotations averaged per song/song_level"
DYNAMIC = "annotations/annotations averaged per song/dynamic (per second annotations)"
YEARS = {2013: (2, 1000), 2014: (1001, 1500), 2015: (1501, 2058)}


def ratings(song: int) -> tuple[float, float]:
    """Static valence and arousal: their middles, 5, are not high."""
    return 1 + song % 9, 9 - song % 7


def means(song: int) -> tuple[float, float]:
    """The mean of the dynamic valence and arousal; 0 is not high."""
    return (song % 5 - 2) / 10, (song % 4 - 1) / 10


def artist(song: int) -> str:
    """Two songs each; the full songs from 2031 on are by artists of the excerpts."""
    return f"Artist {(song if song < 2031 else song - 1029) // 2}"


def write_deam(folder: Path, *, audio: bool = True) -> None:
    """All files, the clips empty."""
    for name, text in tables().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("windows-1252" if "2015" in name else "utf-8"))
    if audio:
        (folder / "DEAM_audio" / "MEMD_audio").mkdir(parents=True)
        for song in [*EXCERPTS, *FULL_SONGS]:
            (folder / "DEAM_audio" / "MEMD_audio" / f"{song}.mp3").touch()
        # What unpacking on a Mac leaves.
        (folder / "__MACOSX" / "MEMD_audio").mkdir(parents=True)
        (folder / "__MACOSX" / "MEMD_audio" / "._2.mp3").touch()


@functools.cache
def tables() -> dict[str, str]:
    """Every table by its path."""
    four = "valence_mean, valence_std, arousal_mean, arousal_std"
    eight = ", ".join(f"{axis}_{end}_{kind}" for axis in ("valence", "arousal") for end in ("max", "min") for kind in ("mean", "std"))  # fmt: skip
    excerpts = [f"{song}, {ratings(song)[0]}, 1.2, {ratings(song)[1]}, 0.9" for song in EXCERPTS]
    full = [f"{song}, {ratings(song)[0]}, 1, {ratings(song)[1]}, 1, 8, 1, 2, 1, 8, 1, 2, 1" for song in FULL_SONGS]  # fmt: skip
    found = {
        f"{STATIC}/static_annotations_averaged_songs_1_2000.csv": lines(f"song_id, {four}", excerpts),
        f"{STATIC}/static_annotations_averaged_songs_2000_2058.csv": lines(f"song_id, {four}, {eight}", full),
    }  # fmt: skip
    times = ",".join(f"sample_{time}ms" for time in range(15000, 15000 + 500 * 90, 500))
    for axis, place in (("arousal", 1), ("valence", 0)):
        rows = []
        for song in [*FULL_SONGS, *EXCERPTS]:
            # A row is as long as its song; one sample is not there.
            n_samples = 90 if song > 2000 else 60 - song % 2
            values = [f"{means(song)[place]:.3f}"] * n_samples
            values[7] = ""
            rows.append(f"{song}," + ",".join(values))
        found[f"{DYNAMIC}/{axis}.csv"] = lines(f"song_id,{times}", rows)
    return found | metadata()


def metadata() -> dict[str, str]:
    """The three years' tables, each with its own header and faults."""
    songs = {
        year: [song for song in [*EXCERPTS, *FULL_SONGS] if first <= song <= last]
        for year, (first, last) in YEARS.items()
    }
    rows_2013 = [
        f"{song},{song}.mp3,\t{artist(song)}\t,Title\u00a0{song} \t,0.10,0.55,Rock" for song in songs[2013]
    ]  # fmt: skip
    rows_2014 = [
        f'{song}, {artist(song)}\u00a0,Album,"Track, {song}",Pop,10,55' + ",happy,sad" * (song % 3)
        for song in songs[2014]
    ]
    # A quotation mark that does not pair, and genres that are not quoted.
    rows_2015 = [
        f'{song},{song}.mp3,"Say ""{song}""",' if song % 2 else f'{song},{song}.mp3,12" mix {song},'
        for song in songs[2015]
    ]
    rows_2015 = [
        f'{row}{artist(song)},Caf\xe9 "live,Folk' + ", Blues" * (song % 3)
        for row, song in zip(rows_2015, songs[2015])
    ]
    return {
        "metadata/metadata_2013.csv": lines("song_id, file_name, Artist, Song title, start of the segment (min.sec), end of the segment (min.sec), Genre", rows_2013),
        "metadata/metadata_2014.csv": lines("Id,Artist,Album,Track,Genre,segment start,segment end", rows_2014),
        "metadata/metadata_2015.csv": lines("id,Filename,title,artist,album,genre", rows_2015),
    }  # fmt: skip


def lines(header: str, rows: list[str]) -> str:
    """A table with Windows' ends of lines."""
    return "\r\n".join([header, *rows]) + "\r\n"
