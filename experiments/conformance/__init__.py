"""The parts of count_conformance: who is asked, what is generous, how an answer is judged, the table, the figure."""
