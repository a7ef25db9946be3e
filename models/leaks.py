"""Signs that features know what happens after the as-of date: each refuses promotion."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from models.gate import Verdict
from models.metrics import auc
from models.params import GateParams


class Suspect(NamedTuple):
    """A feature that tells who churns almost alone, and its AUC (0.5 and above)."""

    name: str
    auc: float


def too_telling(x: pd.DataFrame, y: np.ndarray, limit: float) -> list[Suspect]:
    """Features whose own AUC, in either direction, is above the limit, the worst first.

    Unknown values are put below all others.

    Parameters
    ----------
    x : feature rows, shape (n, n_features)
    y : array of 0 and 1, shape (n,)
    limit : float
    """
    if len(np.unique(y)) < 2:
        return []
    found = []
    for name in x.columns:
        alone = auc(y, x[name].fillna(-np.inf).rank(method="dense").to_numpy())
        if max(alone, 1 - alone) > limit:
            found.append(Suspect(str(name), max(alone, 1 - alone)))
    return sorted(found, key=lambda suspect: (-suspect.auc, suspect.name))


def audited(
    changed: list[str], suspects: list[Suspect], jump: float, params: GateParams
) -> Verdict:
    """Whether nothing looks like a leak; else what does, by name.

    Parameters
    ----------
    changed : list of str
        Features that came out differently when later events were taken away.
    suspects : list of Suspect
    jump : float
        AUC of the model over that of the best baseline.
    params : GateParams
    """
    if changed:
        names = ", ".join(changed[:3])
        return Verdict(
            False, f"leak: {len(changed)} features change when later events are added ({names})"
        )
    if suspects:
        worst = suspects[0]
        return Verdict(
            False,
            f"leak: {worst.name} alone tells who churns with AUC {worst.auc:.3f}, more than "
            f"gate.max_feature_auc {params.max_feature_auc}",
        )
    if jump > params.max_auc_gain:
        return Verdict(
            False,
            f"leak suspected: AUC {jump:+.3f} over the best baseline is more than "
            f"gate.max_auc_gain {params.max_auc_gain}; look at the strongest features, and raise "
            f"the bound if they are sound",
        )
    return Verdict(True, "")
