"""One option a customer at most, within the budget and each action's capacity."""

import numpy as np

NO_GAIN, BUDGET, CAPACITY = "no_gain", "budget", "capacity"
NONE = -1


def allocate(
    allowed: np.ndarray,
    net_cents: np.ndarray,
    cost_cents: np.ndarray,
    *,
    action_of: np.ndarray,
    capacity: np.ndarray,
    budget_cents: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Greedy by expected net value.

    Parameters
    ----------
    allowed : bool, shape (n_customers, n_options)
    net_cents : int, same shape
    cost_cents : int, shape (n_options,)
    action_of : int, shape (n_options,)
        Number of the action that an option belongs to.
    capacity : int, shape (n_actions,)
        Most customers that an action may have in this run.
    budget_cents : int

    Returns
    -------
    chosen : int, shape (n_customers,)
        The option, or -1.
    reason : object, shape (n_customers,)
        '' where there is an option, else why there is none: ``no_gain`` (nothing allowed is worth
        more than it costs), ``capacity`` or ``budget`` (what is worth it was full or too dear).
        Customers for whom nothing is allowed also get ``no_gain``.

    Notes
    -----
    Ties are broken by the customer's and then the option's position: sort customers by id.

    Nobody is left out who could still be added. Where the budget does not bind, the total is at
    least half of the best possible one; where it binds, there is no such bound: one dear option may
    keep out many cheap ones.
    """
    chosen = np.full(len(allowed), NONE)
    reason = np.full(len(allowed), NO_GAIN, dtype=object)
    room, left = capacity.astype(np.int64), int(budget_cents)
    rows, columns = np.nonzero(allowed & (net_cents > 0))
    order = np.lexsort((columns, rows, -net_cents[rows, columns]))
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if chosen[row] != NONE:
            continue
        if room[action_of[column]] <= 0:
            reason[row] = CAPACITY
        elif cost_cents[column] > left:
            reason[row] = BUDGET
        else:
            chosen[row], reason[row] = column, ""
            room[action_of[column]] -= 1
            left -= int(cost_cents[column])
    return chosen, reason
