"""What published_order is made of."""
