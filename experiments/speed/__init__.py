"""The parts of analysis_speed: processes that are timed, the figures derived, the table, the figure."""
