"""What peer_features asks profilers, each question a small program, and what it makes of the answers."""
