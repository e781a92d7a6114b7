"""
One's own folder
================

One folder for each emotion, any audio files in them, and the artist in the file's name or in a
folder of its own: that is a dataset.
"""

# %%
# Such a folder is made here of generated clips, with names like ``Q1/artist 3 - 1.wav``.
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
# ``group_from`` is a pattern of the file names. Without it, folders inside the emotion's folder are
# the artists; without those, artists cannot be kept apart, and the report states this.
songs = load_folder(home, group_from="{group} - *")
print(songs.DESCR)

# %%
# Evaluated with artists apart, as ``skmer evaluate FOLDER --group-from "{group} - *"`` does it.
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
# Precision, recall and F1 of each emotion; the report has this and more.
from skmer.evaluation import PerClassReportDisplay

display = PerClassReportDisplay.from_predictions(
    result.predictions["y_true"], result.predictions["y_pred"]
)

# %%
temporary.cleanup()
