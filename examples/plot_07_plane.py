"""
The plane of arousal and valence
================================

Emotion can be described by two numbers instead of a label: arousal (how active a song is) and valence (how pleasant).
``evaluate_regression`` predicts both with the same protocols, and the display shows each clip in
the plane, with the range of its predictions.
"""

# %%
# The generated clips are labelled by quadrant; the signs of the quadrant are the two targets here.
from skmer import MusiCNNTransformer
from skmer.datasets import get_data_home, load_toy_emotions

toy = load_toy_emotions()
signs = {"Q1": (1, 1), "Q2": (1, -1), "Q3": (-1, -1), "Q4": (-1, 1)}
arousal, valence = zip(*(signs[label] for label in toy.target))
targets = {"arousal": arousal, "valence": valence}

# %%
# Support vector regression on MusiCNN's embedding, with artists held out, in two repeats.
from skmer.evaluation import evaluate_regression

musicnn = MusiCNNTransformer(layer="penultimate", memory=get_data_home() / "cache")
result = evaluate_regression(
    {"musicnn": musicnn}, ["svr"], toy.data, targets, groups=toy.groups, n_repeats=2
)
result.summary()[["target", "r2", "rmse"]].round(2)

# %%
# Each point is the mean of the two predictions of a clip, both by models that were not trained on its
# artist; the lines are the range of the predictions. The colour is the true quadrant.
from skmer.evaluation import QuadrantDisplay

predicted = result.predictions.pivot_table(
    index=["repeat", "row"], columns="target", values="y_pred"
).reset_index()
display = QuadrantDisplay.from_predictions(
    predicted["valence"],
    predicted["arousal"],
    predicted["row"],
    labels=toy.target[predicted["row"]],
)
_ = display.ax_.set_title("MusiCNN and support vector regression", pad=28)
