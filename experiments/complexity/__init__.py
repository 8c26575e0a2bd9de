"""Our counts beside published ones: how a source counted, rows, table, figure."""
