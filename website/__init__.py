"""What makes the documentation site: pages out of the code, formulas, and commands that are shown with their output."""
