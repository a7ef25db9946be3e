"""Splits, estimators, baselines, calibration, metrics and reasons: code, never artefacts."""
