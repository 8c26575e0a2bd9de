"""What feature_reuse asks about which networks, and how it shows the answers."""
