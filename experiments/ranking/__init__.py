"""What score_ranks_slowness is made of."""
