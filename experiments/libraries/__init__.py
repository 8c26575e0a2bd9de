"""What library_counts makes of the counts of two libraries: which agree, a table and a figure."""
