"""The paper's four experiments on this machine: measured, set beside the printed tables, and told of in words."""
