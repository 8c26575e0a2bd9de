"""The parts of the experiments on predicted times: predictors, errors, measuring here, the tables, the figures."""
