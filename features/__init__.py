"""Point-in-time features, standing rules and labels: pure functions of tables."""
