"""What several kinds of unit test need."""

import pytest

from features.params import MonitorParams


@pytest.fixture(scope="session")
def monitor_params():
    return MonitorParams(
        weeks=4, min_events=100, min_volume_ratio=0.6, max_volume_ratio=1.8, min_customers=200,
        warn_psi=0.1, error_psi=0.25, max_flip_rate=0.15, max_calibration_gap=0.05, min_auc=0.6,
        on_error="deliver",
    )  # fmt: skip
