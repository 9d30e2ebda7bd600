"""Fixed points of networks, their connections and transitions."""
