"""The parts of timer_trust: nets, one file a harness, synthetic clocks, the rates derived, the table, the figure."""
