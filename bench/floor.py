"""The lower bound of a run: read the data, unpickle, predict, write the CSV.

python bench/floor.py MODEL DATASET CSV
"""

import pickle
import sys

import pandas as pd

with open(sys.argv[1], "rb") as file:
    predict = pickle.load(file)
live_features = pd.read_parquet(sys.argv[2])
predict(live_features).to_csv(sys.argv[3])
