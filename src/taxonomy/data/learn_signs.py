#!/usr/bin/env python3
"""Learns the weights of `signs.csv.gz` from labelled texts; never from `tests/data/narratives_test.csv`.

    cargo run --release --example gather_signs -- tests/data/narratives_learn.csv tests/data/narratives_develop.csv \
        | python3 src/taxonomy/data/learn_signs.py src/taxonomy/data/signs.csv.gz

Needs numpy, scipy and scikit-learn (1.7) from PyPI. The same input gives the same bytes.
"""

import collections
import csv
import gzip
import io
import json
import sys

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

# The lexicon was written on this part, so that what its terms find there says too much of them.
WRITTEN_ON = "narratives_develop.csv"
# A sign that fewer texts give is chance.
MIN_TEXTS = 2
# Inverse strength of the L2 penalty; terms count twice, so that they are penalised less than words.
C = 10.0
TERM_SCALE = 2.0
# A further category of a text counts less than its first one.
FURTHER = 0.7
# How much a text without a category counts: silence must be learnt well.
WITHOUT = 1.5
# Smaller weights change nothing.
MIN_WEIGHT = 0.25


def language_of(sign, language):
    return "*" if sign[0] in "#{" or sign[1:2] == "{" else language


def signs_of(text, known):
    scale = 1 / np.sqrt(max(len(text["signs"]), 1))
    keys = [(language_of(sign, text["language"]), sign) for sign in text["signs"]]
    values = {key: scale for key in keys if known[key] >= MIN_TEXTS}
    if not text["file"].endswith(WRITTEN_ON):
        values.update({("*", code): TERM_SCALE * score for code, score in text["terms"]})
    return values


def learn(texts):
    known = collections.Counter()
    for text in texts:
        known.update((language_of(sign, text["language"]), sign) for sign in text["signs"])
    vectorizer = DictVectorizer(sort=False)
    matrix = vectorizer.fit_transform([signs_of(text, known) for text in texts]).tocsr()
    rows, classes, weights = [], [], []
    for row, text in enumerate(texts):
        for place, code in enumerate(text["categories"] or ["none"]):
            rows.append(row)
            classes.append(code)
            weights.append(WITHOUT if code == "none" else FURTHER if place else 1.0)
    model = LogisticRegression(C=C, max_iter=300)
    model.fit(matrix[rows], classes, sample_weight=weights)
    return vectorizer.feature_names_, model


def lines(names, model):
    for place, code in enumerate(model.classes_):
        yield "*", "#any", code, model.intercept_[place]
        for (language, sign), weight in zip(names, model.coef_[place]):
            is_term = "." in sign and sign[0] not in "#{"
            scaled = weight * TERM_SCALE if is_term else weight
            if abs(scaled) >= MIN_WEIGHT:
                yield language, sign, code, scaled


def main():
    texts = [json.loads(line) for line in sys.stdin]
    names, model = learn(texts)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["language", "sign", "code", "weight"])
    found = sorted(lines(names, model))
    writer.writerows((*rest, f"{weight:.2f}") for *rest, weight in found)
    with open(sys.argv[1], "wb") as file:
        file.write(gzip.compress(out.getvalue().encode(), 9, mtime=0))
    print(f"{len(texts)} texts, {len(names)} signs, {len(found)} weights", file=sys.stderr)


if __name__ == "__main__":
    main()
