"""
Your own folder of clips
========================

A dataset can be a folder with one subfolder for each emotion. The artist is in the file names, or each artist has a
subfolder.
"""

# %%
# For this example we make such a folder from generated clips, with names like ``Q1/artist 3 - 1.wav``.
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from skmer.datasets import load_folder, load_toy_emotions

temporary = TemporaryDirectory()
home = Path(temporary.name)
for number, clip in load_toy_emotions().frame.iterrows():
    folder = home / clip["label"]
    folder.mkdir(exist_ok=True)
    shutil.copy(clip["path"], folder / f"{clip['group']} - {number}.wav")

# %%
# ``group_from`` is a pattern of the file names. Without ``group_from``, the folders inside an emotion's folder are
# the artists; without such folders, artists cannot be kept apart, and the report states this.
songs = load_folder(home, group_from="{group} - *")
print(songs.DESCR)

# %%
# This evaluation keeps artists apart, as ``skmer evaluate FOLDER --group-from "{group} - *"`` does.
from skmer import MusiCNNTransformer
from skmer.datasets import get_data_home
from skmer.evaluation import evaluate

musicnn = MusiCNNTransformer(memory=get_data_home() / "cache")
result = evaluate(
    {"musicnn": musicnn}, ["svm"], songs.data, songs.target, groups=songs.groups, n_repeats=1
)
result.report(home / "report.html")
result.summary()[["feature", "classifier", "accuracy", "f1_macro"]].round(2)

# %%
# Precision, recall and F1 of each emotion; the report also has this figure.
from skmer.evaluation import PerClassReportDisplay

display = PerClassReportDisplay.from_predictions(
    result.predictions["y_true"], result.predictions["y_pred"]
)

# %%
temporary.cleanup()
