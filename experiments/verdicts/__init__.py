"""What audit_paper_verdicts is made of."""
