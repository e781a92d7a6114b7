"""Scores, intervals and tests: arrays in, a small result out."""
