"""Which action for whom: catalogue, eligibility, effects, allocation and arms."""
