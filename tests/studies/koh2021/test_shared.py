"""A quick reproduction on half of RAVDESS: the gap, the map, and what the audit says."""

import pytest

from skmer.studies import reproduce_koh2021


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skmer.exceptions.IncompleteDatasetWarning")
def test_half_of_ravdess(shared, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "ravdess_song").symlink_to(shared / "data" / "ravdess_song")
    found = reproduce_koh2021(
        tmp_path / "out", data_home=home, quick=True, features=["mfcc"], classifiers=["svm"]
    )
    assert len(found.datasets.clips["ravdess-song", "defensible"].data) == 528
    row = found.table[found.table["feature"] == "mfcc"].iloc[0]
    assert 0.1 < row["defensible_gap"] < 0.35
    assert row["defensible_low"] < 0.55 < row["defensible_high"]
    singer_map = found.maps["mfcc"]
    purity, chance = singer_map.purity_of("sex")
    assert purity > 0.8 > 0.6 > chance
    purity, chance = singer_map.purity_of("singer")
    assert purity > 3 * chance
    random, grouped = (
        found.audits["ravdess-song", "defensible"][name] for name in ("koh2021", "grouped")
    )
    assert "shared_groups" in {finding["kind"] for finding in random["findings"]}
    assert "shared_groups" not in {finding["kind"] for finding in grouped["findings"]}
