"""What computes the frames of a clip; worker processes import it without scikit-learn."""
