"""Tables to look at a churn model by: where its risks are, how far they lead, where they err."""

import numpy as np
import polars as pl

from models.metrics import auc, binary_log_losses, ece


def lift_by_group(y: np.ndarray, p: np.ndarray, groups: int = 10) -> pl.DataFrame:
    """Churn among equally many customers, the highest risks first.

    Returns
    -------
    table, shape (groups, 6)
        ``group`` (1 is the highest risk), ``customers``, ``predicted`` and ``churned`` rates,
        ``lift`` (rate over everybody's) and ``found`` (share of all who churned, up to here).
    """
    order = np.argsort(-p, kind="stable")
    parts = [i for i in np.array_split(order, groups) if len(i)]
    found = np.cumsum([y[i].sum() for i in parts]) / max(y.sum(), 1)
    rates = np.array([y[i].mean() for i in parts])
    return pl.DataFrame(
        {
            "group": range(1, len(parts) + 1),
            "customers": [len(i) for i in parts],
            "predicted": [float(p[i].mean()) for i in parts],
            "churned": rates,
            "lift": rates / max(float(y.mean()), 1e-9),
            "found": found,
        }
    )


def judged_by(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """AUC, log-loss and calibration error of each group of customers.

    Parameters
    ----------
    rows : table with ``churned``, ``risk`` and `column`

    Returns
    -------
    table, shape (n_groups, 7)
        `column`, ``customers``, ``churned`` rate, mean ``risk``, ``auc``, ``log_loss``, ``ece``.
    """
    made = [_judged(column, key, part) for (key,), part in rows.group_by(column)]
    return pl.DataFrame(made).sort(column)


def _judged(column: str, key: object, part: pl.DataFrame) -> dict[str, object]:
    y, p = part["churned"].cast(pl.Int64).to_numpy(), part["risk"].to_numpy()
    return {
        column: key,
        "customers": len(y),
        "churned": float(y.mean()),
        "risk": float(p.mean()),
        "auc": auc(y, p),
        "log_loss": float(binary_log_losses(y, p).mean()),
        "ece": ece(y, p),
    }
