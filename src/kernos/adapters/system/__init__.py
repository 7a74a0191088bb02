"""System: the machine's clock and chance; the only place that reads either."""
