"""Effects of factors of the grid and of training on distances."""
