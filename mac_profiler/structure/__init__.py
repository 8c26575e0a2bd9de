"""Structure: how the operators of a graph hang together: forks and joins, chains of products, bottlenecks."""
